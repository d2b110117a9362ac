// What may happen next in a schedule, and how it ends.

#include "schedule.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "cirro/dispatch/router.h"

namespace cirro::test {

void Schedule::Step(std::size_t depth) {
  if (!violation_.empty()) return;
  switch (Below(14)) {
    case 12:
      if (Chance(2)) {
        rig_.dedup.Answer();
      } else {
        rig_.hasty.Pump(1 + Below(4));
      }
      break;
    case 13:
      EndABurial();
      break;
    case 0:
    case 1:
      PublishSome();
      break;
    case 2:
      rig_.http.Pump(1 + Below(4));
      break;
    case 3:
      rig_.broker.Pump(1 + Below(4));
      break;
    case 4:
    case 5:
    case 6:
      rig_.executor.RunAny(random_);
      break;
    case 7:
      EndASend();
      break;
    case 8:
      CompleteOne();
      break;
    case 9:
      rig_.timers.RunDue();
      break;
    case 10:
      rig_.clock.Advance(std::chrono::milliseconds(Below(300)));
      break;
    default:
      if (depth == 0 && Chance(4)) {
        const TimePoint next = rig_.timers.next();
        if (next != TimePoint::max()) rig_.clock.AdvanceTo(next);
        rig_.timers.RunDue();
      }
  }
  Check();
}

void Schedule::PublishSome() {
  if (published_ == 14) return;
  ++published_;
  // One in six comes twice.
  const std::string id =
      std::to_string(Chance(6) ? 1 + Below(published_) : published_);
  const std::string lane = Chance(3) ? "" : Chance(2) ? "x" : "y";
  MemoryInlet& inlet = Chance(2)   ? rig_.http
                       : Chance(2) ? static_cast<MemoryInlet&>(rig_.broker)
                                   : rig_.hasty;
  if (Chance(15)) {
    if (&inlet == &rig_.hasty && StaysForEver()) return;
    inlet.Publish({.broken = "{"});
    return;
  }
  const char* const type = Chance(20) ? "nobody's" : Chance(2) ? "a" : "b";
  MemoryInlet::Message message{.event = TypedEvent(type, id, lane),
                               .key = lane};
  if (&inlet == &rig_.http) {
    message.reply_capacity = Below(3);
    if (Chance(2)) message.patience = std::chrono::milliseconds(2000);
  }
  // What stays for ever would fill the bounds, as it should.
  if (&inlet == &rig_.hasty && StaysForEver() && !Wanted(message)) return;
  inlet.Publish(std::move(message));
}

bool Schedule::StaysForEver() const {
  return rig_.options.on_exhausted == OnExhausted::kRetry ||
         rig_.options.dead_letter.empty();
}

void Schedule::EndASend() {
  const std::size_t open = rig_.slow.open();
  if (open == 0) return;
  const std::size_t place = Below(open);
  switch (calm_ ? 0 : Below(5)) {
    case 0:
    case 1:
    case 2:
      rig_.slow.Confirm(place);
      break;
    case 3:
      rig_.slow.Fail(ErrorCode::kUnavailable, place,
                     std::chrono::milliseconds(Below(500)));
      break;
    default:
      rig_.slow.Drop(place);
  }
}

void Schedule::EndABurial() {
  for (MemoryPlace* place : {&rig_.letters, &rig_.file}) {
    if (calm_) {
      place->Mend();
      place->Hold(false);
      while (place->Confirm()) {
      }
      continue;
    }
    switch (Below(6)) {
      case 0:
        place->FailWith(Chance(2) ? ErrorCode::kUnavailable
                                  : ErrorCode::kTooLarge);
        break;
      case 1:
        place->Mend();
        break;
      case 2:
        place->Hold(Chance(2));
        break;
      default:
        place->Confirm();
    }
  }
}

void Schedule::CompleteOne() {
  if (pending_.empty()) return;
  const auto at =
      pending_.begin() + static_cast<std::ptrdiff_t>(Below(pending_.size()));
  Pending pending = std::move(*at);
  pending_.erase(at);
  if (!calm_ && Chance(5)) return;  // Dropped.
  pending.completion.Finish(SafeOutcome(pending.function, pending.id));
}

void Schedule::Check() {
  CheckConcurrency();
  const Dispatcher::Counts counts = rig_.dispatcher->counts();
  // One batch of each source that does not wait may go past a bound.
  if (counts.in_flight > rig_.options.max_in_flight + kBatch) {
    Violated("more in flight than `max_in_flight`");
  }
  if (counts.bytes > rig_.options.max_bytes + kBatch * kEventBytes) {
    Violated("more bytes in flight than `max_bytes`");
  }
  // Inside of a step some deliveries are on their way in or out.
  std::size_t open = 0;
  for (const auto& [key, delivery] : open_) open += !delivery.settled;
  if (depth_ == 0 && open > counts.in_flight) {
    Violated("an unsettled delivery is not counted");
  }
  if (rig_.http.wrong_settlements() + rig_.broker.wrong_settlements() +
          rig_.hasty.wrong_settlements() >
      0) {
    Violated("what was not open was settled");
  }
}

void Schedule::Quiet() {
  calm_ = true;
  for (int i = 0; i < 4000 && violation_.empty(); ++i) {
    CompleteOne();
    EndASend();
    EndABurial();
    rig_.dedup.Answer();
    rig_.Run();
    Check();
    const TimePoint next = std::min(
        {rig_.timers.next(), rig_.http.next_due(), rig_.broker.next_due()});
    if (next == TimePoint::max() && pending_.empty() && rig_.slow.open() == 0 &&
        rig_.dedup.waiting() == 0 &&
        rig_.letters.held() + rig_.file.held() == 0) {
      break;
    }
    // What never matches comes again for ever; that is not unrest.
    if (Settled() && pending_.empty()) break;
    rig_.clock.AdvanceTo(next == TimePoint::max() ? rig_.clock.Now() : next);
  }
  if (!violation_.empty()) return;
  CheckNothingLost(rig_.http, false);
  CheckNothingLost(rig_.broker, false);
  CheckNothingLost(rig_.hasty, false);
  if (Kept() == 0 && rig_.dispatcher->counts() != Dispatcher::Counts{}) {
    Violated("the dispatcher is not empty at rest");
  }
}

bool Schedule::Settled() {
  return AllSettled(rig_.http) && AllSettled(rig_.broker) &&
         AllSettled(rig_.hasty) &&
         (Kept() > 0 || rig_.dispatcher->counts() == Dispatcher::Counts{});
}

std::size_t Schedule::Kept() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rig_.hasty.size(); ++i) {
    const auto message = rig_.hasty.message(i);
    kept += message.state == MemoryInlet::State::kOpen &&
            (NeverTaken(message) || !Wanted(message));
  }
  return kept;
}

bool Schedule::NeverTaken(const MemoryInlet::Message& message) {
  return !message.event || message.event->type() == "nobody's" ||
         message.settlements.size() > 40;
}

bool Schedule::AllSettled(MemoryInlet& inlet) {
  for (std::size_t i = 0; i < inlet.size(); ++i) {
    const auto message = inlet.message(i);
    if (message.state == MemoryInlet::State::kOpen) {
      if (&inlet != &rig_.hasty) return false;
      if (!NeverTaken(message) && Wanted(message)) return false;
    }
    if (message.state == MemoryInlet::State::kQueued &&
        !(NeverTaken(message) || !Wanted(message))) {
      return false;
    }
  }
  return true;
}

bool Schedule::Wanted(const MemoryInlet::Message& message) const {
  return std::any_of(
      functions_.begin(), functions_.end(), [&](const FunctionState& function) {
        return MatchesPattern(function.spec.type, message.event->type());
      });
}

void Schedule::Drain() {
  const TimePoint start = rig_.clock.Now();
  rig_.dispatcher->BeginDrain();
  for (std::uint32_t steps = Below(10); steps > 0; --steps) Step(0);
  draining_ = true;
  rig_.dispatcher->GiveBackWaiting();
  Check();
  for (std::uint32_t steps = Below(10); steps > 0; --steps) Step(0);
  rig_.dispatcher->GiveBackAll();
  for (const auto& [key, delivery] : open_) {
    if (!delivery.settled) Violated("a delivery was not given back");
  }
  calm_ = true;
  while (!pending_.empty()) CompleteOne();
  rig_.executor.RunAll();
  while (rig_.slow.open() > 0) EndASend();
  EndABurial();
  rig_.dedup.Answer();
  rig_.clock.AdvanceTo(start + std::chrono::hours(1));
  rig_.timers.RunDue();
  if (rig_.dispatcher->counts() != Dispatcher::Counts{}) {
    Violated("the dispatcher is not empty after its drain");
  }
  CheckNothingLost(rig_.http, true);
  CheckNothingLost(rig_.broker, true);
  CheckNothingLost(rig_.hasty, true);
}

void Schedule::CheckNothingLost(MemoryInlet& inlet, bool drained) {
  for (std::size_t i = 0; i < inlet.size(); ++i) {
    const auto message = inlet.message(i);
    const bool in_source = message.state == MemoryInlet::State::kQueued;
    const bool kept = &inlet == &rig_.hasty && !drained &&
                      (NeverTaken(message) || !Wanted(message));
    if ((message.state == MemoryInlet::State::kOpen && !kept) ||
        (in_source && !drained && !NeverTaken(message) && Wanted(message))) {
      Violated("message " + std::to_string(i) + " of " + inlet.info().name +
               " was lost after " + std::to_string(message.settlements.size()) +
               " settlements, the last: " +
               (message.settlements.empty() || !message.settlements.back().error
                    ? "none"
                    : message.settlements.back().error->message));
    }
  }
}

}  // namespace cirro::test
