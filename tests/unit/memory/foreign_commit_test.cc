#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>

#include "cirro/memory/memory.h"
#include "support/memory_rig.h"

// Somebody else commits for a group, and the broker forgets what its member
// still has open.
namespace cirro::test {
namespace {

using testing::Contains;

TEST(ForeignCommit, WhatTheBrokerForgotIsLostAndHoldsUpNothing) {
  MemoryRig rig({.partitions = 1, .max_records = 4});
  rig.Publish(4);
  HoldingSink sink;
  const auto inlet = rig.Make({.name = "in"});
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(4);
  rig.broker.OverwriteCommit("shop", "orders/0", {.offset = 1});
  rig.Publish(1, 4);

  held[0].Settle(Failed(ErrorCode::kFunctionFailed));
  for (std::size_t i = 1; i < 4; ++i) held[i].Settle(Done());
  inlet->Pump();
  sink.TakeNow(1).at(0).Settle(Done());
  inlet->Pump();

  EXPECT_THAT(rig.observer.notes(), Contains("in: lost 1"));
  EXPECT_EQ(rig.Committed(), 5);
}

TEST(ForeignCommit, WhatTheBrokerStillHasIsGivenAgain) {
  MemoryRig rig;
  rig.Publish(2);
  HoldingSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(2);
  rig.broker.OverwriteCommit("shop", "orders/0", {.offset = 2});

  held[0].Settle(Failed(ErrorCode::kFunctionFailed));
  held[1].Settle(Done());
  inlet->Pump();

  auto again = sink.TakeNow(1);
  EXPECT_EQ(again.at(0).event()->id(), "0");
  again.at(0).Settle(Done());
  inlet->Pump();
  EXPECT_EQ(rig.Committed(), 2);
}

}  // namespace
}  // namespace cirro::test
