// Failure stories of runtimes, against the broker in memory and the whole
// engine, on virtual time. Those of one inlet alone are named in its tests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "unit/memory/engine_rig.h"

namespace cirro::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(MemoryStories, Story3ARebalanceStormLosesNothing) {
  EngineRig rig({.revoke_patience = seconds(1)}, {.partitions = 4});
  std::map<std::string, int> done;
  rig.Start([&](const Event& event) { ++done[std::string(event.id())]; });

  for (int storm = 0; storm < 20; ++storm) {
    for (int i = 50 * storm; i < 50 * (storm + 1); ++i) {
      const std::string id = std::to_string(i);
      ASSERT_TRUE(rig.broker.Produce("orders", EngineRig::Record(id, id)));
    }
    rig.inlet->Pump();  // Some are open when the partitions are taken.
    for (int i = 0; i < storm; ++i) rig.executor.RunFirst();
    rig.broker.Rebalance("shop");
    rig.Advance(seconds(2), storm % 2 == 0);
  }
  rig.Advance(minutes(1), true);

  EXPECT_EQ(rig.broker.Pending("shop"), 0U);
  EXPECT_EQ(done.size(), 1'000U);
}

TEST(MemoryStories, Story7ARevokeCommitsEachPartition) {
  EngineRig rig({.revoke_patience = seconds(1)}, {.partitions = 2});
  rig.Start([](const Event&) {});
  for (int i = 0; i < 40; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_TRUE(rig.broker.Produce("orders", EngineRig::Record(id, id)));
  }
  rig.inlet->Pump();
  while (rig.executor.RunFirst()) {
  }

  rig.broker.Rebalance("shop");
  rig.inlet->Pump();
  rig.inlet->Pump();

  EXPECT_GT(rig.Committed(0), 0);
  EXPECT_GT(rig.Committed(1), 0);
  EXPECT_EQ(rig.Committed(0) + rig.Committed(1), 40);
}

TEST(MemoryStories, Story12OneBadEventInManyBlocksNothing) {
  EngineRig rig({});
  rig.dispatcher_options.retry = {
      .attempts = 5, .base = milliseconds(100), .cap = milliseconds(100)};
  rig.dispatcher_options.dead_letter = {"letters"};
  int bad = 0;
  std::vector<std::string> behind;
  int others = 0;
  rig.Start([&](const Event& event) -> Outcome {
    if (event.id() == "bad") {
      ++bad;
      return Retry("never works");
    }
    if (event.id() == "behind") behind.emplace_back(event.id());
    ++others;
    return Outcome();
  });
  for (int i = 0; i < 1'000; ++i) {
    const std::string id = std::to_string(i);
    ASSERT_TRUE(rig.broker.Produce("orders", EngineRig::Record(id, id)));
    if (i == 500) {
      ASSERT_TRUE(rig.broker.Produce("orders", EngineRig::Record("bad", "k")));
      ASSERT_TRUE(
          rig.broker.Produce("orders", EngineRig::Record("behind", "k")));
    }
  }

  rig.Advance({}, true);

  EXPECT_EQ(others, 1'000);  // Before a first backoff is over.
  EXPECT_EQ(bad, 1);
  EXPECT_THAT(behind, IsEmpty());
  rig.Advance(seconds(1), true);
  EXPECT_EQ(bad, 5);
  EXPECT_THAT(behind, SizeIs(1));
  const auto letters = rig.letters.kept();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].facts.attempts, 5);
  EXPECT_EQ(rig.broker.Pending("shop"), 0U);
}

struct DedupRig : EngineRig {
  DedupRig() : EngineRig({}) {
    dedup = MakeMemoryDedup(clock, minutes(5), minutes(1), 1'000);
    dispatcher_options.retry = {
        .attempts = 5, .base = seconds(1), .cap = seconds(1)};
  }
};

TEST(MemoryStories, Story24WhatFailedOnceIsNoDuplicate) {
  DedupRig rig;
  std::vector<int> attempts;
  rig.Start([&](const Event&, Context& context) -> Outcome {
    attempts.push_back(context.attempt());
    return attempts.size() == 1 ? Retry("not yet") : Outcome();
  });
  rig.Publish(1);

  rig.Advance(seconds(10), true);
  rig.Publish(1);
  rig.Advance(seconds(10), true);

  EXPECT_THAT(attempts, ElementsAre(1, 2));
  EXPECT_EQ(rig.broker.Pending("shop"), 0U);
}

TEST(MemoryStories, Story25ADuplicateWaitsWhileTheOtherIsToBeTriedAgain) {
  DedupRig rig;
  int calls = 0;
  rig.Start([&](const Event&) -> Outcome {
    return ++calls == 1 ? Retry("not yet") : Outcome();
  });
  rig.Publish(1);
  rig.Advance({}, true);
  ASSERT_EQ(calls, 1);

  rig.Publish(1);
  rig.Advance({}, true);
  EXPECT_EQ(calls, 1);
  rig.Advance(seconds(10), true);

  EXPECT_EQ(calls, 2);
  EXPECT_EQ(rig.broker.Pending("shop"), 0U);
}

}  // namespace
}  // namespace cirro::test
