// A schedule, and the functions in it.

#include "schedule.h"

#include <chrono>
#include <stdexcept>
#include <utility>
#include <vector>

namespace cirro::test {

Schedule::Schedule(std::uint64_t seed) : random_(seed), seed_(seed) {
  rig_.observer = &watch_;
  rig_.options.max_in_flight = 1 + Below(12);
  rig_.options.max_bytes = kEventBytes * (3 + Below(30));
  rig_.options.retry = {.attempts = static_cast<int>(1 + Below(4)),
                        .base = std::chrono::milliseconds(100),
                        .cap = std::chrono::milliseconds(2000)};
  rig_.options.seed = seed;
  rig_.options.reply_to = Chance(2) ? "slow" : Chance(2) ? "none" : "";
  if (Chance(2)) rig_.options.dead_letter = {"letters"};
  if (Chance(3)) rig_.options.dead_letter = {"file", "letters"};
  rig_.options.on_exhausted = SomePolicy();
  rig_.dedup.answers_late = Chance(2);
  functions_.resize(1 + Below(4));
  for (std::size_t i = 0; i < functions_.size(); ++i) AddFunction(i);
  rig_.Start();
}

std::optional<std::string> Schedule::Run() {
  for (int i = 0; i < 60 && violation_.empty(); ++i) Step(0);
  if (Chance(3)) {
    Drain();
  } else {
    Quiet();
  }
  Check();
  if (violation_.empty()) return std::nullopt;
  return violation_ + " (CIRRO_SEED=" + std::to_string(seed_) + ")";
}

std::uint32_t Schedule::Below(std::uint64_t bound) {
  return static_cast<std::uint32_t>(random_() % bound);
}

bool Schedule::Chance(std::uint64_t one_in) { return Below(one_in) == 0; }

OnExhausted Schedule::SomePolicy() {
  return Chance(4)   ? OnExhausted::kDrop
         : Chance(4) ? OnExhausted::kRetry
                     : OnExhausted::kDeadLetter;
}

void Schedule::Violated(const std::string& what) {
  if (violation_.empty()) violation_ = what;
}

void Schedule::AddFunction(std::size_t index) {
  FunctionState& state = functions_[index];
  state.spec.name = "f" + std::to_string(index);
  // Types a and b; every function takes at least one of them.
  state.spec.type = Chance(3) ? "*" : Chance(2) ? "a" : "b";
  state.spec.concurrency = Chance(2) ? 0 : 1 + Below(2);
  state.spec.max_in_flight = Chance(3) ? 2 + Below(4) : 0;
  state.spec.inline_call = Chance(4);
  state.spec.timeout = std::chrono::milliseconds(200 + Below(2000));
  state.spec.batch_max = 1 + Below(4);
  state.spec.dedup = Chance(3);
  if (Chance(3)) state.spec.on_exhausted = SomePolicy();
  state.policy = state.spec.on_exhausted.value_or(rig_.options.on_exhausted);
  state.spec.order_by.kind =
      Chance(2) ? OrderBy::Kind::kSubject : OrderBy::Kind::kSource;
  switch (Below(3)) {
    case 0:
      state.form = Handler::Form::kSingle;
      rig_.On(state.spec, [this, index](const Event& event, Context& context) {
        return Single(index, event, context);
      });
      break;
    case 1:
      state.form = Handler::Form::kBatch;
      rig_.On(state.spec, [this, index](std::span<const Event> events) {
        return Batch(index, events);
      });
      break;
    default:
      state.form = Handler::Form::kAsync;
      rig_.On(state.spec, [this, index](const Event& event, Context& context,
                                        Completion completion) {
        Async(index, event, context, std::move(completion));
      });
  }
}

std::uint32_t Schedule::RepliesTo(std::size_t function, std::string_view id) {
  return 1 + static_cast<std::uint32_t>(
                 (function + std::stoul(std::string(id))) % 3);
}

Outcome Schedule::RandomOutcome(std::size_t function, std::string_view id) {
  if (calm_) return Done();
  switch (Below(10)) {
    case 0:
      return Retry("again");
    case 1:
      return Retry(std::chrono::milliseconds(Below(3000)), "later");
    case 2:
      return Chance(3) ? Reject("never") : Done();
    case 3:
      throw std::runtime_error("thrown");
    case 4:
      throw 7;
    case 5:
    case 6: {
      std::vector<ReplyItem> replies(
          RepliesTo(function, id), EventDraft{.type = "reply", .source = "/f"});
      return Reply(std::move(replies));
    }
    default:
      return Done();
  }
}

void Schedule::Meanwhile() {
  if (depth_ >= kDepth || calm_) return;
  ++depth_;
  if (Chance(8)) {
    rig_.clock.Advance(std::chrono::milliseconds(2500));
  }
  for (std::uint32_t steps = Below(4); steps > 0; --steps) Step(depth_);
  --depth_;
}

Outcome Schedule::Single(std::size_t function, const Event& event,
                         Context& context) {
  const std::stop_token stop =
      Chance(4) ? context.stop_token() : std::stop_token();
  Meanwhile();
  return RandomOutcome(function, event.id());
}

std::vector<Outcome> Schedule::Batch(std::size_t function,
                                     std::span<const Event> events) {
  if (events.empty() || events.size() > functions_[function].spec.batch_max) {
    Violated("a batch of " + std::to_string(events.size()));
  }
  // The observer sees the members of a run, and not where a run begins.
  const Running running(functions_[function].running);
  CheckConcurrency();
  Meanwhile();
  std::vector<Outcome> outcomes;
  for (const Event& event : events) {
    outcomes.push_back(RandomOutcome(function, event.id()));
  }
  if (!calm_ && Chance(20)) outcomes.pop_back();
  return outcomes;
}

void Schedule::Async(std::size_t function, const Event& event, Context& context,
                     Completion completion) {
  if (Chance(4)) (void)context.stop_token();
  Meanwhile();
  if (calm_) {
    completion.Finish(Done());
    return;
  }
  if (Chance(10)) throw std::runtime_error("thrown, and dropped");
  if (Chance(10)) return;  // Dropped.
  if (Chance(3)) {
    completion.Finish(SafeOutcome(function, event.id()));
    return;
  }
  pending_.push_back(
      {std::move(completion), function, std::string(event.id())});
  if (Chance(10)) throw std::runtime_error("thrown, and kept");
}

Outcome Schedule::SafeOutcome(std::size_t function, std::string_view id) {
  try {
    return RandomOutcome(function, id);
  } catch (...) {
    return Retry("was thrown");
  }
}

}  // namespace cirro::test
