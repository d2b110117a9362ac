#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "cirro/dispatch/registry.h"
#include "engine.h"
#include "planted_bug.h"
#include "severity.h"

// How calls and deliveries end.

namespace cirro::internal {
namespace {

// Replies of one call with an outlet at once: a call with thousands of them
// leaves room for others, and for itself.
constexpr std::uint32_t kSendsAtOnce = 64;

// What an outlet says of a reply is no word about the event that it answers:
// that one is neither too large nor refused for good.
ErrorCode UndeliveredAs(ErrorCode code) {
  if (SeverityOf(code) == Severity::kFailed) return code;
  return code == ErrorCode::kTooLarge ? ErrorCode::kInvalidReply
                                      : ErrorCode::kUnavailable;
}

}  // namespace

void Engine::FinishOne(std::uint32_t index, CallResult result, TimePoint now,
                       Actions& actions) {
  Call& call = calls_[index];
  call.state = State::kReturned;
  timers_.Remove(index);
  if (call.hung && !call.follows) --counts_.hung;
  Unstick(index);
  if (call.ended) {
    Leave(index, actions);
  } else {
    call.hung = call.follows = false;
    Conclude(index, std::move(result), now, actions);
  }
}

void Engine::Conclude(std::uint32_t index, CallResult result, TimePoint now,
                      Actions& actions) {
  Call& call = calls_[index];
  switch (result.kind) {
    case Outcome::Kind::kDone:
      End(index, std::nullopt, {}, now, actions);
      return;
    case Outcome::Kind::kRetry:
    case Outcome::Kind::kReject:
      Fail(index, *std::move(result.error),
           result.after.value_or(std::chrono::milliseconds(0)), now, actions);
      return;
    case Outcome::Kind::kReply: {
      call.result.replies = std::move(result.replies);
      Entry& entry = entries_[call.entry];
      if (entry.delivery->facts.reply_capacity == 0) {
        SendReplies(index, now, actions);
        return;
      }
      // Whether the source can carry them depends on the other calls.
      call.state = State::kHolding;
      ++entry.holding;
      SettleIfOver(call.entry, now, actions);
      return;
    }
  }
}

void Engine::Fail(std::uint32_t index, Error error,
                  std::chrono::milliseconds after, TimePoint now,
                  Actions& actions) {
  Call& call = calls_[index];
  const Delivery& delivery = *entries_[call.entry].delivery;
  if (delivery.inlet().peer_waits || giving_back_) {
    End(index, std::move(error), after, now, actions);
    return;
  }
  // Without a place for dead letters an exhausted event is tried for ever, at
  // the longest delay: by its source, or here where it closes a lane or its
  // source cannot wait.
  const bool exhausted = SeverityOf(error.code) <= Severity::kInvalid ||
                         call.attempt >= options_.retry.attempts;
  const std::chrono::milliseconds delay =
      std::max(after, exhausted ? options_.retry.cap : Backoff(call.attempt));
  const bool in_time = delivery.facts.deadline == TimePoint::max() ||
                       now + delay < delivery.facts.deadline;
  const bool given_back =
      exhausted && call.lane == kNone && Delays(delivery.inlet());
  if (!in_time || given_back) {
    End(index, std::move(error), delay, now, actions);
    return;
  }
  call.state = State::kBackoff;
  timers_.Set(index, now + delay);
  if (Planted(PlantedBug::kPassClosedLane)) LeaveLane(index, actions);
}

// ---- Replies.

void Engine::SendReplies(std::uint32_t index, TimePoint now, Actions& actions) {
  Call& call = calls_[index];
  const EngineFunction& function = functions_[call.function];
  std::vector<Event> replies = std::move(call.result.replies);
  call.result.replies.clear();
  if (function.reply_to == EngineFunction::kDiscard) {
    End(index, std::nullopt, {}, now, actions);
    return;
  }
  if (function.reply_to == EngineFunction::kNowhere) {
    Fail(
        index,
        Error{ErrorCode::kInvalidConfig,
              std::to_string(replies.size()) +
                  (replies.size() == 1 ? " reply has" : " replies have") +
                  " no place to go: set `function." + ConfigKey(function.name) +
                  ".reply_to`, `dispatch.reply_to` or K_SINK; \"none\" "
                  "discards them"},
        {}, now, actions);
    return;
  }
  call.state = State::kSending;
  call.result.replies = std::move(replies);
  call.sends_open = call.sends_begun = 0;
  call.send_error.reset();
  call.send_delay = {};
  ArmDeadline(index);
  SendSome(index, actions);
}

// The next window. One after the other: an outlet that confirms inside of Send
// would else nest as deeply as there are replies.
void Engine::SendSome(std::uint32_t index, Actions& actions) {
  Call& call = calls_[index];
  std::vector<Event>& replies = call.result.replies;
  const std::uint32_t outlet = functions_[call.function].reply_to;
  while (call.sends_open < kSendsAtOnce && call.sends_begun < replies.size()) {
    ++call.sends_open;
    actions.send.push_back(
        {outlet, IdOf(index), std::move(replies[call.sends_begun++])});
  }
}

void Engine::Sent(CallId id, const Result<void>& result,
                  std::chrono::milliseconds retry_after, TimePoint now,
                  Actions& actions) {
  const std::uint32_t index = Lookup(id);
  if (index == kNone || calls_[index].state != State::kSending) return;
  Call& call = calls_[index];
  if (!result && !call.send_error) {
    call.send_error = Error{UndeliveredAs(result.error().code),
                            "the reply was not taken: " +
                                std::string(ToString(result.error().code)) +
                                ": " + result.error().message};
  }
  call.send_delay = std::max(call.send_delay, retry_after);
  if (--call.sends_open > 0) return;
  // After a failure the event comes again, and with it all replies.
  if (!call.send_error && call.sends_begun < call.result.replies.size()) {
    SendSome(index, actions);
    return;
  }
  call.result.replies.clear();
  timers_.Remove(index);
  call.state = State::kReturned;
  if (call.send_error) {
    Fail(index, *std::exchange(call.send_error, std::nullopt), call.send_delay,
         now, actions);
  } else {
    End(index, std::nullopt, {}, now, actions);
  }
  UpdateDemand(actions);
}

// Every open call of the entry holds replies. They go back with the settlement
// if it is a success that can carry them. If the event will come again, so
// will they. Else each call's go where its function says.
void Engine::PlaceReplies(std::uint32_t entry_index, TimePoint now,
                          Actions& actions) {
  Entry& entry = entries_[entry_index];
  std::size_t total = 0;
  for (std::uint32_t i = entry.first_call; i != kNone;
       i = calls_[i].next_of_entry) {
    if (calls_[i].state == State::kHolding) {
      total += calls_[i].result.replies.size();
    }
  }
  const bool carried =
      !entry.worst && total <= entry.delivery->facts.reply_capacity;
  const bool again =
      entry.worst && (SeverityOf(entry.worst->code) > Severity::kInvalid ||
                      !entry.delivery->inlet().peer_waits);
  entry.placing = true;
  for (std::uint32_t i = entry.first_call; i != kNone;) {
    Call& call = calls_[i];
    const std::uint32_t index = std::exchange(i, call.next_of_entry);
    if (call.state != State::kHolding) continue;
    --entry.holding;
    call.state = State::kReturned;
    if (!carried && !again) {
      SendReplies(index, now, actions);
      continue;
    }
    if (carried) {
      std::move(call.result.replies.begin(), call.result.replies.end(),
                std::back_inserter(entry.replies));
    }
    End(index, std::nullopt, {}, now, actions);
  }
  entry.placing = false;
  SettleIfOver(entry_index, now, actions);
}

// ---- The end.

void Engine::End(std::uint32_t index, std::optional<Error> error,
                 std::chrono::milliseconds delay, TimePoint now,
                 Actions& actions) {
  Call& call = calls_[index];
  const std::uint32_t entry_index = call.entry;
  Entry& entry = entries_[entry_index];
  assert(!call.ended);
  call.ended = true;
  if (error) {
    entry.delay = std::max(entry.delay, delay);
    if (!entry.worst ||
        SeverityOf(error->code) > SeverityOf(entry.worst->code)) {
      entry.worst = std::move(error);
    }
  }
  --entry.open;
  if (call.state == State::kHolding) --entry.holding;
  if (call.state != State::kRunning) {
    Withdraw(index, actions);
    Leave(index, actions);
  }
  SettleIfOver(entry_index, now, actions);
}

void Engine::LeaveLane(std::uint32_t index, Actions& actions) {
  Call& call = calls_[index];
  if (call.lane == kNone) return;
  const std::uint32_t lane_index = std::exchange(call.lane, kNone);
  Lane& lane = lanes_[lane_index];
  const bool was_head = lane.head == index;
  (was_head ? lane.head : calls_[call.lane_prev].lane_next) = call.lane_next;
  (lane.tail == index ? lane.tail : calls_[call.lane_next].lane_prev) =
      call.lane_prev;
  if (lane.head == kNone) {
    lanes_.Close(lane_index);
  } else if (was_head) {
    MakeReady(lane.head, actions);
  }
}

// Gives the call's slot back, and opens its lane for the next.
void Engine::Leave(std::uint32_t index, Actions& actions) {
  Call& call = calls_[index];
  timers_.Remove(index);
  LeaveLane(index, actions);
  const std::uint32_t entry_index = call.entry;
  Entry& entry = entries_[entry_index];
  FunctionState& state = states_[call.function];
  --state.in_flight;
  state.bytes -= entry.bytes;

  std::uint32_t* link = &entry.first_call;
  while (*link != index) link = &calls_[*link].next_of_entry;
  *link = call.next_of_entry;

  call.generation = call.generation == 0x7FFFFFFF ? 1 : call.generation + 1;
  call.entry = kNone;
  call.ended = call.hung = call.follows = false;
  call.returned = call.completed = call.thrown = false;
  call.send_error.reset();
  call.result.error.reset();
  call.result.replies.clear();
  if (call.stop.stop_possible()) call.stop = std::stop_source(std::nostopstate);
  call.context.reset();
  calls_.Release(index);
  if (--entry.live == 0 && entry.settled) FreeEntry(entry_index);
}

void Engine::SettleIfOver(std::uint32_t entry_index, TimePoint now,
                          Actions& actions) {
  const Entry& entry = entries_[entry_index];
  if (!entry.delivery || entry.settled || entry.placing) return;
  if (entry.open == 0) {
    Settle(entry_index, now, actions);
  } else if (entry.open == entry.holding) {
    PlaceReplies(entry_index, now, actions);
  }
}

void Engine::Settle(std::uint32_t entry_index, TimePoint now,
                    Actions& actions) {
  Entry& entry = entries_[entry_index];
  Settlement settlement{.kind = Settlement::Kind::kAck};
  if (entry.worst) {
    settlement = FailureOf(*std::move(entry.worst), entry.delay,
                           entry.delivery->inlet(), options_.retry.cap);
  } else {
    settlement.replies = std::move(entry.replies);
  }
  const Duration since = now - entry.received;
  entry.settled = true;
  if (Planted(PlantedBug::kSettleTwice)) {
    actions.settle.push_back({Twin(*entry.delivery), settlement, since});
  }
  if (entry.live == 0) {
    actions.settle.push_back(
        {std::move(*entry.delivery), std::move(settlement), since});
    FreeEntry(entry_index);
  } else {
    // A function still runs on this event: the entry keeps it.
    actions.settle.push_back(
        {entry.delivery->TakeDuty(), std::move(settlement), since});
  }
}

void Engine::FreeEntry(std::uint32_t entry_index) {
  Entry& entry = entries_[entry_index];
  --counts_.in_flight;
  counts_.bytes -= entry.bytes;
  entry.delivery.reset();
  entry.settled = false;
  entry.worst.reset();
  entry.delay = {};
  entry.replies.clear();
  entries_.Release(entry_index);
}

// ---- Drain.

void Engine::BeginDrain(Actions& actions) {
  draining_ = true;
  UpdateDemand(actions);
}

void Engine::GiveBackWaiting(TimePoint now, Actions& actions) {
  BeginDrain(actions);
  giving_back_ = true;
  for (std::uint32_t e = 0; e < entries_.size(); ++e) {
    const Entry& entry = entries_[e];
    if (!entry.delivery || entry.settled) continue;
    if (entry.delivery->inlet().peer_waits) continue;
    for (std::uint32_t i = entry.first_call; i != kNone;) {
      const std::uint32_t index = std::exchange(i, calls_[i].next_of_entry);
      const Call& call = calls_[index];
      if (call.entry != e) break;  // The entry was settled meanwhile.
      const bool waits =
          call.state == State::kWaiting || call.state == State::kReady ||
          call.state == State::kPosted || call.state == State::kBackoff;
      if (!waits || call.ended) continue;
      End(index, Error{ErrorCode::kDraining, "the process is stopping"}, {},
          now, actions);
    }
  }
}

void Engine::GiveBackAll(TimePoint now, Actions& actions) {
  BeginDrain(actions);
  giving_back_ = true;
  for (std::uint32_t e = 0; e < entries_.size(); ++e) {
    Entry& entry = entries_[e];
    if (!entry.delivery || entry.settled) continue;
    entry.placing = true;  // No reply goes out now: the event comes again.
    for (std::uint32_t i = entry.first_call; i != kNone;) {
      const std::uint32_t index = std::exchange(i, calls_[i].next_of_entry);
      Call& call = calls_[index];
      if (call.ended) continue;
      if (call.stop.stop_possible()) actions.stop.push_back(call.stop);
      End(index, Error{ErrorCode::kDraining, "the process is stopping"}, {},
          now, actions);
    }
    entry.placing = false;
    SettleIfOver(e, now, actions);
  }
}

}  // namespace cirro::internal
