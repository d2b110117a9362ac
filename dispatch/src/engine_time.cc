#include <algorithm>
#include <cassert>

#include "engine.h"
#include "hash.h"

// Deadlines, backoffs, and calls that hang.

namespace cirro::internal {

void Engine::Tick(TimePoint now, Actions& actions) {
  while (timers_.Earliest() <= now) {
    OnTimer(timers_.PopEarliest(), now, actions);
  }
  UpdateDemand(actions);
}

void Engine::OnTimer(std::uint32_t index, TimePoint now, Actions& actions) {
  switch (calls_[index].state) {
    case State::kWaiting:
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
        actions.stuck = actions.stuck || IsStuck(calls_[index].function);
      }
      break;
    case State::kSending:
      End(index,
          Error{ErrorCode::kDeadlineExceeded,
                "the replies were not confirmed before the deadline"},
          {}, now, actions);
      break;
    case State::kBackoff:
      ++calls_[index].attempt;
      MakeReady(index, actions);
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
  if (!batch && call.stop.stop_possible()) actions.stop.push_back(call.stop);
  End(index,
      Error{ErrorCode::kDeadlineExceeded,
            "the function did not end before its deadline"},
      {}, now, actions);
}

void Engine::Hang(std::uint32_t index, TimePoint now, Actions& actions) {
  Call& lead = calls_[index];
  const EngineFunction& function = functions_[lead.function];
  ++counts_.hung;
  ++states_[lead.function].hung;
  timers_.Set(index, now + function.timeout);  // When it is no passing fault.
  if (lead.stop.stop_possible()) actions.stop.push_back(lead.stop);
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
    if (call.ended || !PeerWaits(call)) continue;
    End(member,
        Error{ErrorCode::kDeadlineExceeded,
              "the function did not end before its deadline"},
        {}, now, actions);
  }
}

// Calls that hang, and perhaps for ever, keep what the others would need.
bool Engine::IsStuck(std::uint32_t function_index) const {
  const EngineFunction& function = functions_[function_index];
  const std::uint32_t hung = states_[function_index].hung;
  const auto fills = [](std::uint32_t calls, std::uint32_t bound) {
    return bound > 0 && calls >= bound;
  };
  return fills(hung, function.concurrency) ||
         fills(hung, function.max_in_flight) ||
         fills(counts_.hung,
               options_.max_in_flight - options_.max_in_flight / 2);
}

std::chrono::milliseconds Engine::Backoff(int attempt) {
  const int doublings = std::clamp(attempt - 1, 0, 30);
  const auto ceiling = std::min(
      options_.retry.base * (std::int64_t{1} << doublings), options_.retry.cap);
  random_ += 0x9E3779B97F4A7C15;
  const std::uint64_t random = Fold(random_, 0xE7037ED1A0B428DB);
  return std::chrono::milliseconds(static_cast<std::int64_t>(
      random % (static_cast<std::uint64_t>(ceiling.count()) + 1)));
}

// Stops asking at three quarters of a bound, so that there is room for what is
// on its way, and asks again at half.
void Engine::UpdateDemand(Actions& actions) {
  const std::uint32_t most = options_.max_in_flight;
  const std::size_t bytes = options_.max_bytes;
  bool demand = demand_;
  if (counts_.in_flight >= most - most / 4 ||
      counts_.bytes >= bytes - bytes / 4) {
    demand = false;
  } else if (counts_.in_flight <= most / 2 && counts_.bytes <= bytes / 2) {
    demand = true;
  }
  if (draining_) demand = false;
  if (demand == demand_) return;
  demand_ = demand;
  actions.signal = true;
}

}  // namespace cirro::internal
