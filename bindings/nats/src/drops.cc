#include "drops.h"

#include <algorithm>
#include <utility>

namespace cirro::internal::nats {
namespace {

std::uint64_t Beyond(std::uint64_t number, std::uint64_t bound) noexcept {
  return number - std::min(number, bound);
}

}  // namespace

std::uint64_t Drops::Look(ConsumerPosition position) noexcept {
  if (!position.led) {
    last_.reset();
    return 0;
  }
  const auto last = std::exchange(last_, std::move(position));
  const ConsumerPosition& now = *last_;
  if (!last || last->created != now.created || last->leader != now.leader ||
      now.deliveries < last->deliveries || now.sequence < last->sequence) {
    // Another consumer, or one whose server has lost what it knew; a leader
    // that is new does not know all of what the last one delivered.
    ahead_ = 0;
    return 0;
  }
  const std::uint64_t deliveries = now.deliveries - last->deliveries;
  // Whatever was published meanwhile, what is pending shrinks by deliveries
  // alone.
  const std::uint64_t missed =
      Beyond(Beyond(last->pending, now.pending), deliveries);
  if (filtered_) return missed;
  // Without a filter each sequence that it goes on by is a delivery.
  const std::uint64_t passed =
      Beyond(now.sequence - last->sequence, deliveries);
  ahead_ += missed;
  const std::uint64_t counted = std::min(ahead_, passed);
  ahead_ -= counted;
  return missed + (passed - counted);
}

}  // namespace cirro::internal::nats
