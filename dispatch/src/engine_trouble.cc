#include <algorithm>
#include <cassert>
#include <memory>
#include <string>
#include <utility>

#include "engine.h"
#include "planted_bug.h"
#include "severity.h"

// Calls that fail: tried again, kept, dropped, or buried.

namespace cirro::internal {
namespace {

std::string Line(const Error& error) {
  return ErrorText(std::string(ToString(error.code)) + ": " + error.message);
}

// What the same place would say again of the same letter.
bool ForGood(ErrorCode code) {
  return code == ErrorCode::kTooLarge || code == ErrorCode::kRefused;
}

}  // namespace

Engine::Trouble& Engine::TroubleOf(std::uint32_t index, const Error& error) {
  Call& call = calls_[index];
  if (!call.trouble) {
    call.trouble = std::make_unique<Trouble>();
    call.trouble->first_error = Line(error);
  }
  call.trouble->last = error;
  return *call.trouble;
}

DeadLetterFacts Engine::FactsOf(std::uint32_t index) const {
  const Call& call = calls_[index];
  const Delivery& delivery = *entries_[call.entry].delivery;
  const Trouble& trouble = *call.trouble;
  return {.reason = trouble.reason,
          .function = functions_[call.function].name,
          .inlet = delivery.inlet().name,
          .attempts = call.attempt,
          .first_error = trouble.first_error,
          .last_error = Line(*trouble.last),
          .time = trouble.time};
}

void Engine::GaveUp(CallId id, Timestamp when) {
  if (const std::uint32_t index = Lookup(id); index != kNone) {
    calls_[index].trouble->time = when;
  }
}

void Engine::NoteOf(std::uint32_t index, Actions::Note::Kind kind,
                    Actions& actions, std::chrono::milliseconds delay) {
  const Call& call = calls_[index];
  const Trouble& trouble = *call.trouble;
  const auto& places = functions_[call.function].places;
  actions.notes.push_back(
      {.kind = kind,
       .delivery = entries_[call.entry].delivery->Content(),
       .facts = FactsOf(index),
       .error = trouble.last,
       .place = trouble.place < places.size() ? places[trouble.place] : kNone,
       .delay = delay});
}

void Engine::Fail(std::uint32_t index, Error error,
                  std::chrono::milliseconds after, TimePoint now,
                  Actions& actions) {
  Call& call = calls_[index];
  const EngineFunction& function = functions_[call.function];
  const Delivery& delivery = *entries_[call.entry].delivery;
  const bool rejected = SeverityOf(error.code) <= Severity::kInvalid;
  call.DropOutputs();
  if (delivery.inlet().peer_waits) {
    // It tries again by itself what failed; what is rejected it would forget.
    if (rejected && !giving_back_ && !function.places.empty() &&
        function.on_exhausted == OnExhausted::kDeadLetter) {
      TroubleOf(index, error);
      GiveUp(index, DeadReason::kRejected, now, actions);
    } else {
      End(index, std::move(error), after, now, actions);
    }
    return;
  }
  if (IsGivenBack(call.entry)) {
    TellAttempt(index, actions);
    End(index, std::move(error), after, now, actions);
    return;
  }
  TroubleOf(index, error);
  if (rejected || call.attempt >= function.retry.attempts) {
    GiveUp(index, rejected ? DeadReason::kRejected : DeadReason::kExhausted,
           now, actions);
    return;
  }
  // A source that is told no delay takes its own, which may be far longer.
  constexpr std::chrono::milliseconds kLeast{1};
  const std::chrono::milliseconds delay =
      std::max({after, Backoff(function.retry, call.attempt), kLeast});
  NoteOf(index, Actions::Note::Kind::kRetrying, actions, delay);
  if (MayGiveBack(call)) {
    End(index, std::move(error), delay, now, actions);
    return;
  }
  BackOff(index, delay, now, actions);
}

void Engine::TellAttempt(std::uint32_t index, Actions& actions) const {
  const Call& call = calls_[index];
  const Entry& entry = entries_[call.entry];
  if (entry.source == kNone || !inlets_[entry.source].keeps_attempts) return;
  actions.attempted.push_back(
      {entry.source, entry.delivery->token(), call.attempt});
}

// The delivery, and the room that it takes, are held until it is tried again.
void Engine::BackOff(std::uint32_t index, std::chrono::milliseconds delay,
                     TimePoint now, Actions& actions) {
  TellAttempt(index, actions);
  calls_[index].state = State::kBackoff;
  timers_.Set(index, now + delay);
  if (Planted(PlantedBug::kPassClosedLane)) LeaveLane(index, actions);
}

// ---- Given up.

void Engine::AdmitDead(Delivery&& delivery, std::span<const Target> targets,
                       DeadReason reason, const Error& error, TimePoint now,
                       Actions& actions) {
  assert(!delivery.inlet().peer_waits);
  const Target nobody{.function =
                          static_cast<std::uint32_t>(functions_.size() - 1)};
  if (targets.empty()) targets = {&nobody, 1};
  const std::size_t bytes = delivery.memory_size();
  if (auto refused = Refuse(delivery, {}, bytes); refused) {
    SettleRefused(std::move(delivery), *std::move(refused), actions);
    return;
  }
  const std::uint32_t entry = NewEntry(std::move(delivery), bytes, now);
  for (const Target& target : targets) {
    const std::uint32_t index = NewCall(entry, target.function);
    calls_[index].state = State::kReturned;
    TroubleOf(index, error);
  }
  std::uint32_t index = entries_[entry].first_call;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::uint32_t next = calls_[index].next_of_entry;
    GiveUp(index, reason, now, actions);
    index = next;
  }
  UpdateDemand(actions);
}

void Engine::GiveUp(std::uint32_t index, DeadReason reason, TimePoint now,
                    Actions& actions) {
  Call& call = calls_[index];
  const EngineFunction& function = functions_[call.function];
  const Original* const original =
      entries_[call.entry].delivery->facts.original.get();
  call.trouble->reason = reason;
  if (function.on_exhausted == OnExhausted::kDrop) {
    NoteOf(index, Actions::Note::Kind::kDropped, actions);
    EndGivenUp(index, now, actions);
  } else if (function.on_exhausted == OnExhausted::kRetry ||
             function.places.empty() ||
             (original != nullptr && original->dead_letter)) {
    // A dead letter's own place is where it came from.
    Keep(index, now, actions);
  } else {
    Bury(index, actions);
  }
}

void Engine::EndGivenUp(std::uint32_t index, TimePoint now, Actions& actions) {
  Call& call = calls_[index];
  call.undone = true;
  call.DropOutputs();
  entries_[call.entry].MakeVerdict().given_up = call.trouble->last;
  End(index, std::nullopt, {}, now, actions);
}

// Nobody holds it but its source, so it is tried for ever, at the longest
// delay; what cannot be called stays.
void Engine::Keep(std::uint32_t index, TimePoint now, Actions& actions) {
  Call& call = calls_[index];
  const EngineFunction& function = functions_[call.function];
  if (!std::exchange(call.trouble->kept, true)) {
    NoteOf(index, Actions::Note::Kind::kKept, actions);
  }
  const std::chrono::milliseconds delay = function.retry.cap;
  if (entries_[call.entry].delivery->inlet().peer_waits || MayGiveBack(call)) {
    End(index, *call.trouble->last, delay, now, actions);
  } else if (call.function + 1 == functions_.size() ||
             call.trouble->reason == DeadReason::kCrashed) {
    call.state = State::kStalled;
    timers_.Remove(index);
  } else {
    BackOff(index, delay, now, actions);
  }
}

void Engine::Bury(std::uint32_t index, Actions& actions) {
  Trouble& trouble = *calls_[index].trouble;
  trouble.place = 0;
  trouble.all_refused = true;
  ArmDeadline(index);
  Ask(index, actions);
}

// The place whose turn it is.
void Engine::Ask(std::uint32_t index, Actions& actions) {
  Call& call = calls_[index];
  call.state = State::kBurying;
  actions.bury.push_back(
      {functions_[call.function].places[call.trouble->place], IdOf(index),
       entries_[call.entry].delivery->Content(), FactsOf(index),
       Transactional(call) ? entries_[call.entry].source : kNone});
}

void Engine::BuriedOrNot(std::uint32_t index, const Result<void>& result,
                         std::chrono::milliseconds retry_after, TimePoint now,
                         Actions& actions) {
  Call& call = calls_[index];
  Entry& entry = entries_[call.entry];
  const EngineFunction& function = functions_[call.function];
  Trouble& trouble = *call.trouble;
  timers_.Remove(index);
  call.state = State::kReturned;
  if (result) {
    if (Transactional(call)) {
      // Its place can take it: it is sent with the settlement.
      DeadLetter letter;
      letter.facts = FactsOf(index);
      entry.MakeVerdict().letters.push_back(
          {function.places[trouble.place], std::move(letter)});
    } else {
      NoteOf(index, Actions::Note::Kind::kBuried, actions);
    }
    EndGivenUp(index, now, actions);
    return;
  }
  const bool last = trouble.place + 1 == function.places.size();
  trouble.all_refused &= ForGood(result.error().code);
  NoteOf(index,
         last ? Actions::Note::Kind::kStalled : Actions::Note::Kind::kNotBuried,
         actions);
  actions.notes.back().error = result.error();
  if (!last) {
    ++trouble.place;
    ArmDeadline(index);
    Ask(index, actions);
    return;
  }
  if (entry.delivery->inlet().peer_waits) {
    // It may come again when a place is back; if none will ever take it, the
    // peer is told what the function said.
    Error error = trouble.all_refused
                      ? *trouble.last
                      : Error{ErrorCode::kUnavailable,
                              "it is rejected, and no place takes its dead "
                              "letter now"};
    End(index, std::move(error), retry_after, now, actions);
    return;
  }
  if (IsGivenBack(call.entry)) {
    End(index, WhyGivenBack(call.entry), {}, now, actions);
    return;
  }
  ++trouble.rounds;
  call.state = State::kStalled;
  timers_.Set(index, now + std::max(retry_after,
                                    Backoff(function.retry, trouble.rounds)));
}

}  // namespace cirro::internal
