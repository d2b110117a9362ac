#include <algorithm>
#include <cassert>
#include <limits>
#include <utility>

#include "engine.h"
#include "hash.h"

// Deadlines, backoffs, and calls that hang.

namespace cirro::internal {

void Engine::Tick(TimePoint now, Actions& actions) {
  if (now < NextTimer()) return;
  while (timers_.Earliest() <= now) {
    OnTimer(timers_.PopEarliest(), now, actions);
  }
  ExtendOpen(now, actions);
  RenewClaims(now, actions);
  UpdateDemand(actions);
}

TimePoint Engine::NextTimer() const {
  TimePoint next = std::min(timers_.Earliest(), renew_at_);
  for (const Source& source : sources_) {
    next = std::min(next, source.extend_at);
  }
  return next;
}

// Whatever is unsettled is extended, wherever it waits or runs.
void Engine::ExtendOpen(TimePoint now, Actions& actions) {
  for (std::uint32_t i = 0; i < sources_.size(); ++i) {
    if (now < sources_[i].extend_at) continue;
    sources_[i].extend_at = now + inlets_[i].extend_every;
    std::vector<DeliveryToken> tokens;
    for (std::uint32_t e = 0; e < entries_.size(); ++e) {
      const Entry& entry = entries_[e];
      if (entry.delivery && entry.source == i && !entry.settled) {
        tokens.push_back(entry.delivery->token());
      }
    }
    if (!tokens.empty()) actions.extend.push_back({i, std::move(tokens)});
  }
}

void Engine::OnTimer(std::uint32_t index, TimePoint now, Actions& actions) {
  switch (calls_[index].state) {
    case State::kHeldBack:
      AskDedup(index, actions);
      break;
    case State::kWaiting:
    case State::kClaiming:
    case State::kReady:
    case State::kPosted:
      End(index,
          Error{ErrorCode::kDeadlineExceeded,
                "the function was not begun before the deadline"},
          {}, now, actions);
      break;
    case State::kRunning:
      if (calls_[index].follows || now < calls_[index].hangs_at) {
        Expire(index, now, actions);
      } else if (!calls_[index].hung) {
        Hang(index, now, actions);
      } else {
        Stick(index, actions);
      }
      break;
    case State::kSending:
      End(index,
          Error{ErrorCode::kDeadlineExceeded,
                "the replies were not confirmed before the deadline"},
          {}, now, actions);
      break;
    case State::kBackoff:
      if (calls_[index].attempt < std::numeric_limits<int>::max()) {
        ++calls_[index].attempt;
      }
      MakeReady(index, actions);
      break;
    case State::kBurying:
      End(index,
          Error{ErrorCode::kUnavailable,
                "its dead letter was not confirmed before the deadline"},
          {}, now, actions);
      break;
    case State::kStalled:
      Bury(index, actions);
      break;
    case State::kReturned:
    case State::kHolding:
      assert(false && "a call in this state has no timer");
      break;
  }
}

// Who sent it does not wait any longer; the function may well end in time.
void Engine::Expire(std::uint32_t index, TimePoint now, Actions& actions) {
  Call& call = calls_[index];
  if (!call.follows) timers_.Set(index, call.hangs_at);
  if (call.ended || !PeerWaits(call)) return;
  const bool batch = functions_[call.function].form == Handler::Form::kBatch;
  if (!batch) call.AskToStop(actions);
  End(index,
      Error{ErrorCode::kDeadlineExceeded,
            "the function did not end before its deadline"},
      {}, now, actions);
}

void Engine::Hang(std::uint32_t index, TimePoint now, Actions& actions) {
  Call& lead = calls_[index];
  const EngineFunction& function = functions_[lead.function];
  ++counts_.hung;
  timers_.Set(index, now + function.timeout);  // When it is no passing fault.
  lead.AskToStop(actions);
  const bool batch = function.form == Handler::Form::kBatch;
  const std::span<const std::uint32_t> members =
      batch ? std::span<const std::uint32_t>(lead.batch->calls)
            : std::span<const std::uint32_t>(&index, 1);
  for (const std::uint32_t member : members) {
    Call& call = calls_[member];
    call.hung = true;
    actions.hung.push_back(
        {call.function, entries_[call.entry].delivery->Content(), IdOf(index),
         member == index && !function.inline_call && !call.returned});
    // Where nobody else would run it again, the call keeps its chance to end.
    const EngineInlet* const source = SourceOf(call);
    const bool somebody_else =
        PeerWaits(call) || (source != nullptr && source->delays);
    if (call.ended || !somebody_else) continue;
    End(member,
        Error{ErrorCode::kDeadlineExceeded,
              "the function did not end before its deadline"},
        {}, now, actions);
  }
}

// A call hung for one more timeout, perhaps for ever: what it keeps is lost to
// the others.
void Engine::Stick(std::uint32_t index, Actions& actions) {
  const Call& lead = calls_[index];
  const std::uint32_t function = lead.function;
  const bool batch = functions_[function].form == Handler::Form::kBatch;
  const std::span<const std::uint32_t> members =
      batch ? std::span<const std::uint32_t>(lead.batch->calls)
            : std::span<const std::uint32_t>(&index, 1);
  FunctionState& state = states_[function];
  ++state.stuck_runs;
  for (const std::uint32_t member : members) {
    Call& call = calls_[member];
    Entry& entry = entries_[call.entry];
    call.stuck = true;
    ++state.stuck;
    state.stuck_bytes += entry.bytes;
    if (entry.stuck++ == 0) {
      ++stuck_;
      stuck_bytes_ += entry.bytes;
    }
  }
  actions.stuck = actions.stuck || LeavesNoRoom(function);
}

void Engine::Unstick(std::uint32_t index) {
  Call& call = calls_[index];
  if (!std::exchange(call.stuck, false)) return;
  FunctionState& state = states_[call.function];
  Entry& entry = entries_[call.entry];
  if (!call.follows) --state.stuck_runs;
  --state.stuck;
  state.stuck_bytes -= entry.bytes;
  if (--entry.stuck == 0) {
    --stuck_;
    stuck_bytes_ -= entry.bytes;
  }
}

// Of its concurrency nothing, or of another bound less than half.
bool Engine::LeavesNoRoom(std::uint32_t function_index) const {
  const EngineFunction& function = functions_[function_index];
  const FunctionState& state = states_[function_index];
  const auto fills = [](std::size_t stuck, std::size_t bound) {
    return bound > 0 && stuck >= bound - bound / 2;
  };
  return (function.concurrency > 0 &&
          state.stuck_runs >= function.concurrency) ||
         fills(state.stuck, function.max_in_flight) ||
         fills(state.stuck_bytes, function.max_bytes) ||
         fills(stuck_, options_.max_in_flight) ||
         fills(stuck_bytes_, options_.max_bytes);
}

std::chrono::milliseconds Engine::Backoff(const RetryPolicy& retry,
                                          int attempt) {
  const int doublings = std::clamp(attempt - 1, 0, 30);
  // Compared before it is doubled, which may be past what a number holds.
  const auto ceiling = retry.base.count() > retry.cap.count() >> doublings
                           ? retry.cap
                           : retry.base * (std::int64_t{1} << doublings);
  random_ += 0x9E3779B97F4A7C15;
  const std::uint64_t random = Fold(random_, 0xE7037ED1A0B428DB);
  return std::chrono::milliseconds(static_cast<std::int64_t>(
      random % (static_cast<std::uint64_t>(ceiling.count()) + 1)));
}

// Stops asking at three quarters of a bound, so that there is room for what is
// on its way, and asks again at half. While there is room a source of which
// nothing is held is asked whatever others hold: else a peer that keeps half of
// a bound would keep it waiting for as long.
void Engine::UpdateDemand(Actions& actions) {
  demand_ = !draining_ && max_in_flight_.Leaves(demand_, counts_.in_flight) &&
            max_bytes_.Leaves(demand_, counts_.bytes);
  const bool room = !draining_ && counts_.in_flight < options_.max_in_flight &&
                    counts_.bytes < options_.max_bytes;
  for (Source& source : sources_) {
    const bool has_none = source.in_flight == 0;
    bool demand =
        (demand_ || (has_none && room)) &&
        source.max_in_flight.Leaves(source.demand, source.in_flight) &&
        source.max_bytes.Leaves(source.demand, source.bytes);
    if (!source.full_functions.empty()) {
      std::erase_if(source.full_functions, [&](std::uint32_t full) {
        const EngineFunction& function = functions_[full];
        const FunctionState& state = states_[full];
        const auto has_room = [has_none](std::size_t held, std::size_t bound) {
          return bound == 0 || held <= bound / 2 || (has_none && held < bound);
        };
        return has_room(state.in_flight, function.max_in_flight) &&
               has_room(state.bytes, function.max_bytes);
      });
      demand &= source.full_functions.empty();
    }
    if (demand != source.demand) {
      source.demand = demand;
      actions.signal = true;
    }
  }
}

}  // namespace cirro::internal
