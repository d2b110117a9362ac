#include "ledger.h"

#include <algorithm>
#include <limits>

namespace cirro::internal::kafka {

Ledger::Ledger(const Limits& limits)
    : limits_(limits),
      watermark_(limits.max_span),
      suspects_(limits.max_crashes) {}

void Ledger::Begin(const OffsetMap* last, std::uint64_t position,
                   std::uint64_t end) {
  watermark_.Reset(position);
  if (last != nullptr && limits_.offset_map) {
    watermark_.Restore(position, last->done);
  }
  suspects_.Begin(last, position, std::min(position + limits_.max_span, end));
  suspects_.MoveTo(watermark_.position());
  attempts_.clear();
  if (last != nullptr) {
    for (const OffsetCount& each : last->attempts) {
      attempts_.emplace_hint(attempts_.end(), each.offset, each.count);
    }
  }
  given_back_.clear();
  end_ = position;
  charged_ = 0;
  open_ = 0;
  at_bound_ = false;
  was_suspicious_ = suspects_.active();
  ++changes_;  // That it began is to be committed.
}

Ledger::Take Ledger::Arrived(std::uint64_t offset) {
  if (!given_back_.empty()) {
    if (const auto back = given_back_.find(offset); back != given_back_.end()) {
      if (!back->second) return Take::kPassOver;
      if (Charge(offset)) return Take::kCommit;
      given_back_.erase(back);
      ++open_;
      return Take::kDeliver;
    }
  }
  if (suspects_.active() && !watermark_.IsDone(offset) &&
      !watermark_.IsOpen(offset)) {
    if (watermark_.open() > 0) return Take::kHold;
    if (Charge(offset)) return Take::kCommit;
  }
  // A death from here on is of what runs in parallel, and is to be taken so.
  if (was_suspicious_ && !suspects_.active()) {
    was_suspicious_ = false;
    ++changes_;
    return Take::kCommit;
  }
  switch (watermark_.Delivered(offset)) {
    case Watermark::Arrival::kOpen:
      ++open_;
      at_bound_ = false;
      return Take::kDeliver;
    case Watermark::Arrival::kKnown:
      return Take::kPassOver;
    case Watermark::Arrival::kNoRoom:
      at_bound_ = true;
      return Take::kHold;
  }
  return Take::kHold;
}

bool Ledger::RunsAlone(std::uint64_t offset) const {
  if (!IsToBeCharged(offset)) return false;
  const auto back = given_back_.find(offset);
  if (back != given_back_.end()) return back->second;
  return watermark_.open() == 0 && !watermark_.IsDone(offset);
}

bool Ledger::IsToBeCharged(std::uint64_t offset) const noexcept {
  return suspects_.active() && charged_ != offset + 1 &&
         !suspects_.IsGivenUp(offset);
}

// Whether it is to be committed first that it runs alone.
bool Ledger::Charge(std::uint64_t offset) {
  if (!IsToBeCharged(offset)) return false;
  suspects_.Charge(offset);
  charged_ = offset + 1;
  ++changes_;
  return true;
}

int Ledger::AttemptOf(std::uint64_t offset) const {
  if (attempts_.empty()) return 1;
  const auto at = attempts_.find(offset);
  if (at == attempts_.end()) return 1;
  // Anybody may have written the metadata.
  constexpr std::uint32_t kMost = std::numeric_limits<int>::max() - 1;
  return static_cast<int>(std::min(at->second, kMost)) + 1;
}

bool Ledger::Done(std::uint64_t offset) {
  if (!watermark_.Done(offset)) return false;
  if (given_back_.empty() || given_back_.erase(offset) == 0) --open_;
  if (!attempts_.empty()) attempts_.erase(offset);
  if (charged_ == offset + 1) {
    suspects_.Discharge(offset);
    charged_ = 0;
  }
  Moved();
  return true;
}

bool Ledger::GivenBack(std::uint64_t offset) {
  if (!watermark_.IsOpen(offset)) return false;
  if (!given_back_.emplace(offset, false).second) return false;
  --open_;
  if (charged_ == offset + 1) {
    suspects_.Discharge(offset);
    charged_ = 0;
    ++changes_;
  }
  return true;
}

void Ledger::Again(std::uint64_t offset) {
  const auto back = given_back_.find(offset);
  if (back != given_back_.end()) back->second = true;
}

std::uint64_t Ledger::ReadsFrom() const noexcept {
  for (const auto& [offset, again] : given_back_) {
    if (again) return offset;
  }
  return next();
}

std::uint64_t Ledger::Gone(std::uint64_t begin) {
  std::uint64_t gone = begin > next() ? begin - next() : 0;
  for (auto at = given_back_.begin();
       at != given_back_.end() && at->first < begin;) {
    const auto [offset, again] = *at++;
    if (again && Done(offset)) ++gone;
  }
  PassTo(begin);
  return gone;
}

void Ledger::Failed(std::uint64_t offset, int attempts) {
  if (!watermark_.IsOpen(offset) || attempts <= 0) return;
  attempts_[offset] = static_cast<std::uint32_t>(attempts);
  ++changes_;
}

void Ledger::PassTo(std::uint64_t next) {
  if (next <= end_) return;
  end_ = next;
  Moved();
}

void Ledger::Moved() {
  watermark_.Advance(end_);
  suspects_.MoveTo(watermark_.position());
  ++changes_;
}

Ledger::Commit Ledger::ToCommit(bool clean, std::size_t most_bytes) const {
  OffsetMap map;
  map.base = watermark_.position();
  map.next = std::max(watermark_.next(), map.base);
  // All that may have been in flight at a death before is still suspected.
  if (suspects_.active()) map.next = std::max(map.next, suspects_.horizon());
  map.clean = clean;
  map.starts = clean ? 0 : suspects_.starts();
  if (limits_.offset_map) watermark_.DoneAbove(map.done);
  Suspects suspects = suspects_;
  if (clean && charged_ != 0) suspects.Discharge(charged_ - 1);
  map.crashes = suspects.crashes();
  for (const auto& [offset, count] : attempts_) {
    map.attempts.push_back({offset, count});
  }
  return {map.base, EncodeOffsetMap(map, most_bytes, limits_.place)};
}

void Ledger::Committed(std::uint64_t version) noexcept {
  committed_ = std::max(committed_, version);
}

}  // namespace cirro::internal::kafka
