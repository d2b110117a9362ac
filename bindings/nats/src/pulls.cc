#include "pulls.h"

#include <algorithm>

namespace cirro::internal::nats {
namespace {

constexpr std::size_t kMostOpen = 4;

}  // namespace

std::optional<Pulls::Ask> Pulls::Next(std::size_t room, TimePoint now) {
  // One whose end got lost asks for nothing more.
  std::erase_if(open_, [now](const Open& pull) { return pull.until < now; });
  if (open_.empty()) expected_ = 0;
  if (room <= expected_ || open_.size() >= kMostOpen) return std::nullopt;
  const std::size_t free = room - expected_;
  const bool worth_it =
      expected_ == 0 || (expected_ <= batch_ && free >= batch_ / 2);
  if (!worth_it) return std::nullopt;
  const Ask ask{++last_id_, std::min(free, batch_)};
  if (open_.empty()) heard_ = now;
  // Its end is on its way for a moment after it expired.
  open_.push_back({ask.id, ask.batch, now + expires_ + heartbeat_});
  expected_ += ask.batch;
  return ask;
}

void Pulls::Arrived(TimePoint now) noexcept {
  heard_ = now;
  Take(1);
}

void Pulls::Closed(std::uint64_t id, std::optional<std::size_t> unsent,
                   TimePoint now) noexcept {
  heard_ = now;
  const auto pull = std::find_if(open_.begin(), open_.end(),
                                 [id](const Open& p) { return p.id == id; });
  if (pull == open_.end()) return;
  const std::size_t gone = unsent.value_or(pull->batch);
  open_.erase(pull);
  Take(gone);
  if (open_.empty()) expected_ = 0;
}

void Pulls::Reset() noexcept {
  open_.clear();
  expected_ = 0;
}

void Pulls::Take(std::size_t messages) noexcept {
  expected_ -= std::min(expected_, messages);
  if (expected_ == 0) open_.clear();
}

}  // namespace cirro::internal::nats
