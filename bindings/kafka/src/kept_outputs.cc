#include "kept_outputs.h"

#include <utility>
#include <variant>

namespace cirro::internal::kafka {
namespace {

std::size_t BytesOf(const Settlement& settlement) noexcept {
  std::size_t bytes = sizeof settlement;
  for (const Settlement::Output& output : settlement.outputs) {
    bytes += output.event.memory_size();
  }
  for (const Settlement::Letter& each : settlement.letters) {
    if (const auto* const event = std::get_if<Event>(&each.letter.content)) {
      bytes += event->memory_size();
    } else {
      bytes += std::get<Malformed>(each.letter.content).bytes.size();
    }
  }
  return bytes;
}

}  // namespace

void KeptOutputs::Put(std::uint64_t offset,
                      std::unique_ptr<Settlement> settlement) {
  bytes_ += BytesOf(*settlement);
  kept_.emplace(offset, std::move(settlement));
}

void KeptOutputs::TakeBefore(std::uint64_t end,
                             std::vector<std::unique_ptr<Settlement>>& to) {
  const auto stop = kept_.lower_bound(end);
  for (auto at = kept_.begin(); at != stop; ++at) {
    bytes_ -= BytesOf(*at->second);
    to.push_back(std::move(at->second));
  }
  kept_.erase(kept_.begin(), stop);
}

void KeptOutputs::Clear() noexcept {
  kept_.clear();
  bytes_ = 0;
}

}  // namespace cirro::internal::kafka
