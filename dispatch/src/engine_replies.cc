#include <algorithm>
#include <iterator>
#include <utility>

#include "cirro/dispatch/registry.h"
#include "engine.h"
#include "severity.h"

// Where replies go, and what is published.

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

void Engine::SendReplies(std::uint32_t index, TimePoint now, Actions& actions) {
  Call& call = calls_[index];
  const EngineFunction& function = functions_[call.function];
  Extra& extra = call.MakeExtra();
  std::vector<Event> replies = std::exchange(extra.result.replies, {});
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
  if (Transactional(call)) {
    for (Event& reply : replies) {
      extra.outputs.push_back({function.reply_to, std::move(reply)});
    }
    End(index, std::nullopt, {}, now, actions);
    return;
  }
  call.state = State::kSending;
  extra.result.replies = std::move(replies);
  extra.sends_open = extra.sends_begun = 0;
  extra.send_error.reset();
  extra.send_delay = {};
  ArmDeadline(index);
  SendSome(index, actions);
}

// The next window. One after the other: an outlet that confirms inside of Send
// would else nest as deeply as there are replies.
void Engine::SendSome(std::uint32_t index, Actions& actions) {
  const Call& call = calls_[index];
  Extra& extra = *call.extra;
  std::vector<Event>& replies = extra.result.replies;
  const std::uint32_t outlet = functions_[call.function].reply_to;
  while (extra.sends_open < kSendsAtOnce &&
         extra.sends_begun < replies.size()) {
    ++extra.sends_open;
    actions.send.push_back(
        {outlet, IdOf(index), std::move(replies[extra.sends_begun++])});
  }
}

void Engine::Sent(CallId id, const Result<void>& result,
                  std::chrono::milliseconds retry_after, TimePoint now,
                  Actions& actions) {
  const std::uint32_t index = Lookup(id);
  if (index == kNone) return;
  Call& call = calls_[index];
  retry_after = std::min(retry_after, kLongestDelay);
  if (call.state == State::kBurying) {
    BuriedOrNot(index, result, retry_after, now, actions);
    UpdateDemand(actions);
    return;
  }
  if (call.state != State::kSending) return;
  Extra& extra = *call.extra;
  if (!result && !extra.send_error) {
    extra.send_error = Error{UndeliveredAs(result.error().code),
                             "the reply was not taken: " +
                                 std::string(ToString(result.error().code)) +
                                 ": " + result.error().message};
  }
  extra.send_delay = std::max(extra.send_delay, retry_after);
  if (--extra.sends_open > 0) return;
  // After a failure the event comes again, and with it all replies.
  if (!extra.send_error && extra.sends_begun < extra.result.replies.size()) {
    SendSome(index, actions);
    return;
  }
  extra.result.replies.clear();
  timers_.Remove(index);
  call.state = State::kReturned;
  if (extra.send_error) {
    Fail(index, *std::exchange(extra.send_error, std::nullopt),
         extra.send_delay, now, actions);
  } else {
    End(index, std::nullopt, {}, now, actions);
  }
  UpdateDemand(actions);
}

Engine::Buffered Engine::Buffer(CallId id, std::uint32_t outlet,
                                std::span<const Event> events) {
  const std::uint32_t index = Lookup(id);
  if (index == kNone) {
    // Nobody knows any more what its source was.
    const bool perhaps = std::any_of(
        inlets_.begin(), inlets_.end(),
        [](const EngineInlet& inlet) { return inlet.transactional; });
    return perhaps ? Buffered::kTooLate : Buffered::kNo;
  }
  Call& call = calls_[index];
  if (!Transactional(call)) return Buffered::kNo;
  if (call.ended || call.state != State::kRunning) return Buffered::kTooLate;
  auto& outputs = call.MakeExtra().outputs;
  for (const Event& event : events) outputs.push_back({outlet, event});
  return Buffered::kYes;
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
      total += calls_[i].extra->result.replies.size();
    }
  }
  const Error* const worst = entry.worst();
  const bool carried =
      worst == nullptr && total <= entry.delivery->facts.reply_capacity;
  const bool again =
      worst != nullptr && (SeverityOf(worst->code) > Severity::kInvalid ||
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
      auto& replies = call.extra->result.replies;
      std::move(replies.begin(), replies.end(),
                std::back_inserter(entry.MakeVerdict().replies));
    }
    call.undone = again;
    End(index, std::nullopt, {}, now, actions);
  }
  entry.placing = false;
  SettleIfOver(entry_index, now, actions);
}

}  // namespace cirro::internal
