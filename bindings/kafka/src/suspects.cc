#include "suspects.h"

#include <algorithm>

namespace cirro::internal::kafka {
namespace {

auto Find(auto& counts, std::uint64_t offset) noexcept {
  return std::lower_bound(counts.begin(), counts.end(), offset,
                          [](const OffsetCount& each, std::uint64_t at) {
                            return each.offset < at;
                          });
}

void TakeBack(std::vector<OffsetCount>& crashes,
              std::uint64_t offset) noexcept {
  const auto at = Find(crashes, offset);
  if (at == crashes.end() || at->offset != offset) return;
  if (--at->count == 0) crashes.erase(at);
}

}  // namespace

void Suspects::Begin(const OffsetMap* last, std::uint64_t base,
                     std::uint64_t horizon) {
  base_ = base;
  horizon_ = horizon;
  crashes_.clear();
  starts_ = 1;
  active_ = false;
  if (last == nullptr) return;
  crashes_ = last->crashes;
  const std::uint32_t unfinished = last->clean ? 0 : last->starts;
  // Wraps to nothing only after four thousand million starts.
  starts_ = unfinished + 1;
  // A charge that stayed tells as much as starts do, and no end that was clean
  // takes it back.
  active_ = unfinished >= kStarts || !crashes_.empty();
  if (unfinished <= kStarts && crashes_.empty()) return;
  // The last one ran one record at a time, each after a commit: nothing is
  // suspected that was not.
  const std::uint64_t charged = crashes_.empty() ? 0 : crashes_.back().offset;
  horizon_ = std::min(horizon_, std::max(last->next, charged + 1));
}

bool Suspects::IsGivenUp(std::uint64_t offset) const noexcept {
  const auto at = Find(crashes_, offset);
  return at != crashes_.end() && at->offset == offset &&
         at->count >= max_crashes_;
}

void Suspects::Charge(std::uint64_t offset) {
  const auto at = Find(crashes_, offset);
  if (at != crashes_.end() && at->offset == offset) {
    ++at->count;
  } else {
    crashes_.insert(at, {offset, 1});
  }
}

void Suspects::Discharge(std::uint64_t offset) noexcept {
  TakeBack(crashes_, offset);
}

void Suspects::MoveTo(std::uint64_t position) noexcept {
  if (position <= base_) return;
  base_ = position;
  crashes_.erase(crashes_.begin(), Find(crashes_, position));
  if (active_ && position < horizon_) return;
  active_ = false;
  starts_ = 1;  // This one, which gets on.
}

void Forgive(std::optional<std::uint64_t> charged, OffsetMap& last) {
  if (last.clean || last.starts == 0) return;
  --last.starts;
  if (charged) TakeBack(last.crashes, *charged);
}

}  // namespace cirro::internal::kafka
