#include <utility>

#include "engine.h"

// Events that a function may have done before.

namespace cirro::internal {

void Engine::Tell(std::uint32_t index, Actions::Dedup::Kind kind,
                  Actions& actions) {
  const Call& call = calls_[index];
  actions.dedup.push_back({kind, IdOf(index), call.function,
                           *entries_[call.entry].delivery->event()});
}

void Engine::AskDedup(std::uint32_t index, Actions& actions) {
  calls_[index].state = State::kClaiming;
  ArmDeadline(index);
  Tell(index, Actions::Dedup::Kind::kClaim, actions);
}

bool Engine::Claimed(CallId id, const Result<DedupAnswer>& answer,
                     TimePoint now, Actions& actions) {
  const std::uint32_t index = Lookup(id);
  if (index == kNone || calls_[index].state != State::kClaiming) {
    return false;
  }
  Call& call = calls_[index];
  timers_.Remove(index);
  call.state = State::kReturned;
  if (answer && *answer == DedupAnswer::kClaimed) {
    call.claimed = true;
    if (claims_++ == 0) renew_at_ = now + options_.dedup_lease / 3;
    MakeReady(index, actions);
  } else if (answer && *answer == DedupAnswer::kDone) {
    actions.notes.push_back(
        {.kind = Actions::Note::Kind::kDuplicate,
         .delivery = entries_[call.entry].delivery->Content(),
         .facts = {.function = functions_[call.function].name}});
    End(index, std::nullopt, {}, now, actions);
  } else if (PeerWaits(call)) {
    // The peer is to come again. To wait here could be for ever: the other may
    // hold its replies until a call ends that waits for this delivery's.
    End(index,
        answer ? Error{ErrorCode::kOverloaded,
                       "the function is doing the same event, of another "
                       "delivery"}
               : answer.error(),
        options_.overload_delay, now, actions);
  } else {
    // Another does it, and may fail; or nobody knows.
    call.state = State::kHeldBack;
    timers_.Set(index, now + Backoff(functions_[call.function].retry,
                                     ++call.held_back));
  }
  UpdateDemand(actions);
  return true;
}

void Engine::EndClaim(std::uint32_t index, bool done, Actions& actions) {
  Call& call = calls_[index];
  if (!std::exchange(call.claimed, false)) return;
  Tell(index,
       done ? Actions::Dedup::Kind::kDone : Actions::Dedup::Kind::kRelease,
       actions);
  if (--claims_ == 0) renew_at_ = TimePoint::max();
}

void Engine::RenewClaims(TimePoint now, Actions& actions) {
  if (now < renew_at_) return;
  renew_at_ = now + options_.dedup_lease / 3;
  for (std::uint32_t i = 0; i < calls_.size(); ++i) {
    if (calls_[i].entry != kNone && calls_[i].claimed) {
      Tell(i, Actions::Dedup::Kind::kRenew, actions);
    }
  }
}

}  // namespace cirro::internal
