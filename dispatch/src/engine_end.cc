#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "engine.h"
#include "planted_bug.h"
#include "severity.h"

// How calls and deliveries end.

namespace cirro::internal {
void Engine::FinishOne(std::uint32_t index, CallResult&& result, TimePoint now,
                       Actions& actions) {
  Call& call = calls_[index];
  call.state = State::kReturned;
  timers_.Remove(index);
  if (call.hung && !call.follows) --counts_.hung;
  Unstick(index);
  if (call.ended) {
    EndClaim(index, false, actions);
    Leave(index, actions);
  } else {
    call.hung = call.follows = false;
    Conclude(index, std::move(result), now, actions);
  }
}

void Engine::Conclude(std::uint32_t index, CallResult&& result, TimePoint now,
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
      call.MakeExtra().result.replies = std::move(result.replies);
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

// ---- The end.

void Engine::End(std::uint32_t index, std::optional<Error> error,
                 std::chrono::milliseconds delay, TimePoint now,
                 Actions& actions) {
  Call& call = calls_[index];
  const std::uint32_t entry_index = call.entry;
  Entry& entry = entries_[entry_index];
  assert(!call.ended);
  call.ended = true;
  const bool failed = error.has_value();
  if (error) {
    Verdict& verdict = entry.MakeVerdict();
    verdict.delay = std::max(verdict.delay, delay);
    if (!verdict.worst ||
        SeverityOf(error->code) > SeverityOf(verdict.worst->code)) {
      verdict.worst = std::move(error);
    }
  } else if (call.has_extra && !call.extra->outputs.empty()) {
    std::vector<Settlement::Output>& outputs = call.extra->outputs;
    std::move(outputs.begin(), outputs.end(),
              std::back_inserter(entry.MakeVerdict().outputs));
  }
  --entry.open;
  if (call.state == State::kHolding) --entry.holding;
  if (call.state != State::kRunning) {
    // What is given up may come again by hand.
    EndClaim(index, !failed && !call.undone, actions);
    Unqueue(index, actions);
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
    Open(lane.head, actions);
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
  call.undone = false;
  call.held_back = 0;
  call.trouble.reset();
  if (std::exchange(call.has_extra, false)) call.extra->Clear();
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
  const InletInfo& inlet = entry.delivery->inlet();
  const Duration since = now - entry.received;
  // While a function still runs on this event the entry keeps it.
  Settlement& settlement =
      (entry.live == 0
           ? actions.settle.emplace_back(*std::move(entry.delivery), since)
           : actions.settle.emplace_back(entry.delivery->TakeDuty(), since))
          .settlement;
  settlement.kind = Settlement::Kind::kAck;
  const std::unique_ptr<Verdict> verdict = std::move(entry.verdict);
  if (verdict && verdict->worst) {
    settlement = FailureOf(*std::move(verdict->worst), verdict->delay, inlet,
                           options_.retry.cap);
  } else if (verdict) {
    settlement.replies = std::move(verdict->replies);
    settlement.outputs = std::move(verdict->outputs);
    settlement.letters = std::move(verdict->letters);
    // To a peer that waits it is done; a source may want to say why.
    if (verdict->given_up && !inlet.peer_waits) {
      settlement.kind = Settlement::Kind::kTerm;
      settlement.error = std::move(verdict->given_up);
    }
  }
  entry.settled = true;
  if (Planted(PlantedBug::kSettleTwice)) {
    const Actions::Settle& first = actions.settle.back();
    Actions::Settle twin(Twin(first.delivery), since);
    twin.settlement = first.settlement;
    actions.settle.push_back(std::move(twin));
  }
  if (entry.live == 0) FreeEntry(entry_index);
}

void Engine::FreeEntry(std::uint32_t entry_index) {
  Entry& entry = entries_[entry_index];
  --counts_.in_flight;
  counts_.bytes -= entry.bytes;
  if (entry.source != kNone) {
    Source& source = sources_[entry.source];
    source.bytes -= entry.bytes;
    if (--source.in_flight == 0) source.extend_at = TimePoint::max();
  }
  entry.delivery.reset();
  entry.verdict.reset();
  entry.settled = entry.withdrawn = false;
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
    GiveBackWaiting(e, now, actions);
  }
}

void Engine::Withdraw(const InletInfo& inlet,
                      std::span<const std::uint64_t> assignments, TimePoint now,
                      Actions& actions) {
  for (std::uint32_t e = 0; e < entries_.size(); ++e) {
    Entry& entry = entries_[e];
    if (!entry.delivery || entry.settled || entry.withdrawn) continue;
    if (&entry.delivery->inlet() != &inlet) continue;
    if (std::find(assignments.begin(), assignments.end(),
                  entry.delivery->token().high) == assignments.end()) {
      continue;
    }
    entry.withdrawn = true;
    GiveBackWaiting(e, now, actions);
  }
  UpdateDemand(actions);
}

Error Engine::WhyGivenBack(std::uint32_t entry) const {
  return {ErrorCode::kDraining, entries_[entry].withdrawn
                                    ? "its partition goes to another member"
                                    : "the process is stopping"};
}

// A lane that opens meanwhile posts its next: that is taken back in its turn,
// before anything of it is done.
void Engine::GiveBackWaiting(std::uint32_t entry_index, TimePoint now,
                             Actions& actions) {
  for (std::uint32_t i = entries_[entry_index].first_call; i != kNone;) {
    const std::uint32_t index = std::exchange(i, calls_[i].next_of_entry);
    const Call& call = calls_[index];
    if (call.entry != entry_index) return;  // It was settled meanwhile.
    const bool waits =
        call.state == State::kWaiting || call.state == State::kClaiming ||
        call.state == State::kHeldBack || call.state == State::kReady ||
        call.state == State::kPosted || call.state == State::kBackoff ||
        call.state == State::kStalled;
    if (!waits || call.ended) continue;
    End(index, WhyGivenBack(entry_index), {}, now, actions);
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
      call.AskToStop(actions);
      End(index, WhyGivenBack(e), {}, now, actions);
    }
    entry.placing = false;
    SettleIfOver(e, now, actions);
  }
}

}  // namespace cirro::internal
