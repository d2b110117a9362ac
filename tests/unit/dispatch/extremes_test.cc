// Delays without end, keys with thousands of events, bounds that are reached
// together.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "support/dispatch_rig.h"

namespace cirro {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using State = test::MemoryInlet::State;
using test::DispatchRig;
using test::TypedEvent;

class Extremes : public ::testing::Test {
 protected:
  DispatchRig rig_;
};

TEST_F(Extremes, ADelayPastTheEndOfTimeIsNoDelayThatIsOver) {
  int calls = 0;
  rig_.On({.type = "t"}, [&calls](const Event&) {
    ++calls;
    return Retry(milliseconds::max(), "some day");
  });
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t"), "key");

  rig_.Advance(hours(1));

  EXPECT_EQ(calls, 1);
}

TEST_F(Extremes, ADelayPastTheEndOfTimeIsOneThatASourceCanKeep) {
  rig_.On({.type = "t"},
          [](const Event&) { return Retry(milliseconds::max(), "some day"); });
  rig_.Start();
  const auto number = rig_.broker.Publish(TypedEvent("t"));

  rig_.Run();

  const auto settlements = rig_.broker.message(number).settlements;
  ASSERT_EQ(settlements.size(), 1U);
  EXPECT_GE(settlements.front().delay, hours(24));
  EXPECT_LE(settlements.front().delay, hours(24) * 365);
}

TEST_F(Extremes, AnOutletThatNamesATimeWithoutEndIsAskedAgainAll) {
  rig_.options.reply_to = "slow";
  rig_.On({.type = "t"}, [](const Event&) { return Reply(TypedEvent("r")); });
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t"), "key");
  rig_.Run();
  rig_.slow.Fail(ErrorCode::kUnavailable, 0, milliseconds::max());

  rig_.Advance(hours(1));

  EXPECT_EQ(rig_.slow.open(), 0U);
}

TEST_F(Extremes, ATimeThatTheClockCannotHoldIsRefused) {
  const auto nothing = [](const Event&) {};
  const auto add = [&](FunctionSpec spec) {
    return Registry().Add({std::move(spec), MakeHandler(nothing)});
  };
  const auto make = [&](const DispatcherOptions& options) {
    Registry registry;
    DispatchRig::Must(
        registry.Add({{.type = "t"}, MakeHandler(nothing)}).has_value());
    return Dispatcher::Make(std::move(registry), options, rig_.Parts());
  };

  const auto timeout = add({.type = "t", .timeout = milliseconds::max()});
  const auto cap = make({.retry = {.cap = milliseconds::max()}});
  const auto lease = make({.dedup_lease = milliseconds::max()});
  const auto year = add({.type = "t", .timeout = hours(24) * 365});

  ASSERT_FALSE(timeout.has_value());
  EXPECT_EQ(timeout.error().message,
            "function 't': `timeout` is 9223372036854775807 ms; it must be "
            "more than 0 and at most 365 days");
  ASSERT_FALSE(cap.has_value());
  EXPECT_EQ(cap.error().message,
            "`retry.cap` is 9223372036854775807 ms; it must be at most 365 "
            "days");
  ASSERT_FALSE(lease.has_value());
  EXPECT_EQ(lease.error().message,
            "`dedup_lease` is 9223372036854775807 ms; it must be at most 365 "
            "days");
  EXPECT_TRUE(year.has_value());
}

// Each answer opens the lane for the next, on the same thread.
TEST_F(Extremes, ALongLaneOfInlineCallsDoesNotGrowTheStack) {
  constexpr int kMany = 20'000;
  int calls = 0;
  rig_.options.max_in_flight = 2 * kMany;
  rig_.On({.type = "t", .inline_call = true, .dedup = true},
          [&calls](const Event&) { ++calls; });
  test::MemoryInlet wide{rig_.clock, {.name = "wide"}, kMany};
  auto parts = rig_.Parts();
  parts.inlets = {&wide};
  rig_.dispatcher =
      *Dispatcher::Make(std::move(rig_.registry), rig_.options, parts);
  DispatchRig::Must(wide.Start(*rig_.dispatcher).has_value());
  for (int i = 0; i < kMany; ++i) {
    wide.Publish(TypedEvent("t", std::to_string(i)), "key");
  }

  wide.Pump();

  EXPECT_EQ(calls, kMany);
  EXPECT_EQ(wide.open(), 0U);
  rig_.dispatcher.reset();
}

TEST_F(Extremes, AFunctionThatHasRoomAgainDoesNotHideOneThatHasNone) {
  std::vector<Completion> slow;
  std::vector<Completion> quick;
  rig_.On({.name = "slow", .type = "slow", .max_in_flight = 2},
          [&slow](const Event&, Completion completion) {
            slow.push_back(std::move(completion));
          });
  rig_.On({.name = "quick", .type = "quick", .max_in_flight = 2},
          [&quick](const Event&, Completion completion) {
            quick.push_back(std::move(completion));
          });
  rig_.Start();
  for (int i = 0; i < 2; ++i) {
    rig_.hasty.Publish(TypedEvent("slow", std::to_string(i)));
  }
  for (int i = 0; i < 2; ++i) {
    rig_.hasty.Publish(TypedEvent("quick", std::to_string(i)));
  }
  rig_.Run();
  const bool both_full = !rig_.hasty.demand();

  for (Completion& one : quick) one.Finish(Done());
  const bool one_full = !rig_.hasty.demand();
  for (Completion& one : slow) one.Finish(Done());

  EXPECT_TRUE(both_full);
  EXPECT_TRUE(one_full);
  EXPECT_TRUE(rig_.hasty.demand());
}

}  // namespace
}  // namespace cirro
