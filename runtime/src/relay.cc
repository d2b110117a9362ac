#include "relay.h"

#include <algorithm>
#include <utility>

#include "cirro/cloudevents/event_builder.h"

namespace cirro::internal {
namespace {

Settlement Never(ErrorCode code, std::string_view why) {
  return {.kind = Settlement::Kind::kTerm,
          .error = Error{code, std::string(why)}};
}

}  // namespace

void Relay::Add(const InletInfo& path, Outlet& outlet) {
  ways_.push_back(std::make_unique<Way>(*this, path, outlet));
}

void Relay::Deliver(std::span<Delivery> batch) noexcept {
  // What is none of a path goes on in as few batches as it came.
  std::size_t begin = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const auto way =
        std::find_if(ways_.begin(), ways_.end(),
                     [&](const auto& each) { return each->IsFor(batch[i]); });
    if (way == ways_.end()) continue;
    if (begin < i) next_.Deliver(batch.subspan(begin, i - begin));
    begin = i + 1;
    (*way)->Send(std::move(batch[i]));
  }
  if (begin < batch.size()) next_.Deliver(batch.subspan(begin));
}

void Relay::Way::Send(Delivery delivery) noexcept {
  relay_.observer_.Received(delivery);
  Open open{std::move(delivery), relay_.clock_.Now()};
  if (const Malformed* const malformed = open.delivery.malformed()) {
    Error error = malformed->error;
    relay_.Settle(std::move(open),
                  {.kind = Settlement::Kind::kTerm, .error = std::move(error)});
    return;
  }
  const auto& original = open.delivery.facts.original;
  if (original != nullptr && !original->function.empty()) {
    relay_.Settle(std::move(open),
                  Never(ErrorCode::kRejected,
                        "a redriven event is for a function, and this path is "
                        "an outlet's"));
    return;
  }
  auto event = relay_.Overridden(*open.delivery.event());
  if (!event) {
    relay_.Settle(std::move(open),
                  {.kind = Settlement::Kind::kTerm, .error = event.error()});
    return;
  }
  std::uint64_t place = 0;
  {
    const MutexLock lock(mutex_);
    if (free_.empty()) {
      place = open_.size();
      open_.emplace_back();
    } else {
      place = free_.back();
      free_.pop_back();
    }
    open_[place].emplace(std::move(open));
  }
  outlet_.Send(*std::move(event), SendCompletion(*this, place));
}

void Relay::Way::OnSent(std::uint64_t send, Result<void> result,
                        std::chrono::milliseconds retry_after) noexcept {
  std::optional<Open> ended;
  {
    const MutexLock lock(mutex_);
    ended.emplace(*std::move(open_[send]));
    open_[send].reset();
    free_.push_back(send);
  }
  Settlement settlement{.kind = Settlement::Kind::kAck};
  if (!result) {
    // Too large it stays; all else may pass.
    settlement.kind = result.error().code == ErrorCode::kTooLarge
                          ? Settlement::Kind::kTerm
                          : Settlement::Kind::kNak;
    settlement.delay = retry_after;
    settlement.error = result.error();
  }
  relay_.Settle(*std::move(ended), std::move(settlement));
}

void Relay::Settle(Open ended, Settlement settlement) const noexcept {
  observer_.Settled(ended.delivery, settlement, clock_.Now() - ended.begin);
  ended.delivery.Settle(std::move(settlement));
}

Result<Event> Relay::Overridden(const Event& event) const {
  if (overrides_.empty()) return event;
  EventBuilder builder(event);
  for (const Extension& extension : overrides_) builder.extension(extension);
  return builder.Build();
}

}  // namespace cirro::internal
