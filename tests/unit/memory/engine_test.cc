// The broker in memory and the whole engine, on virtual time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "unit/memory/engine_rig.h"

namespace cirro::test {
namespace {

using std::chrono::seconds;

TEST(MemoryEngine, Story14WhatIsStillQueuedOrRunningIsNotGivenAgain) {
  EngineRig rig({.mode = MemoryMode::kShared, .ack_wait = seconds(10)});
  int calls = 0;
  rig.Start([&](const Event&) { ++calls; });
  rig.Publish(3);

  rig.Advance(seconds(100), false);
  rig.Advance(seconds(1), true);

  EXPECT_EQ(calls, 3);
  EXPECT_EQ(rig.broker.Pending("shop"), 0U);
}

TEST(MemoryEngine, KeepsCommittingAcrossALongHoleUntilItsSpanIsFull) {
  EngineRig rig({.max_in_flight = 64, .longest_span = 128});
  rig.dispatcher_options.retry = {
      .attempts = 1'000'000, .base = seconds(1), .cap = seconds(1)};
  int others = 0;
  bool fails = true;
  rig.Start([&](const Event& event) -> Outcome {
    if (event.id() == "0") return fails ? Retry("not yet") : Outcome();
    ++others;
    return Outcome();
  });
  rig.Publish(500);

  rig.Advance(seconds(20), true);
  EXPECT_EQ(rig.Committed(), 0);
  EXPECT_EQ(others, 127);
  fails = false;
  rig.Advance(seconds(20), true);

  EXPECT_EQ(rig.Committed(), 500);
  EXPECT_EQ(others, 499);
}

}  // namespace
}  // namespace cirro::test
