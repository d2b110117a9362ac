#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/link.h"
#include "cirro/memory/memory.h"
#include "support/memory_rig.h"

namespace cirro::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

MemoryInletOptions Shared() {
  return {.mode = MemoryMode::kShared, .ack_wait = seconds(30)};
}

TEST(SharedInlet, ForgetsWhatIsAcknowledged) {
  MemoryRig rig;
  rig.Publish(3);
  InlineSink sink;
  const auto inlet = rig.Make(Shared());
  ASSERT_TRUE(inlet->Start(sink));

  inlet->Pump();
  inlet->Pump();
  rig.clock.Advance(seconds(60));
  inlet->Pump();

  EXPECT_THAT(sink.ids(), ElementsAre("0", "1", "2"));
  EXPECT_EQ(rig.broker.Pending("shop"), 0U);
  EXPECT_EQ(CapabilityOf<LagReporter>(*inlet)->Lag().at(0).messages, 0U);
}

TEST(SharedInlet, GivesAgainAfterTheDelayWithItsAttemptsCounted) {
  MemoryRig rig;
  rig.Publish(1);
  HoldingSink sink;
  const auto inlet = rig.Make(Shared());
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  sink.TakeNow(1).at(0).Settle(
      Failed(ErrorCode::kFunctionFailed, "why", milliseconds(500)));

  inlet->Pump();
  EXPECT_EQ(sink.held(), 0U);
  EXPECT_EQ(inlet->next_pump(), rig.clock.Now() + milliseconds(500));
  rig.clock.Advance(milliseconds(500));
  inlet->Pump();

  EXPECT_EQ(sink.TakeNow(1).at(0).facts.attempt, 2);
}

TEST(SharedInlet, DoesNotCountWhatNeverRan) {
  MemoryRig rig;
  rig.Publish(1);
  HoldingSink sink;
  const auto inlet = rig.Make(Shared());
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();

  sink.TakeNow(1).at(0).Settle(Failed(ErrorCode::kDraining));
  inlet->Pump();

  EXPECT_EQ(sink.TakeNow(1).at(0).facts.attempt, 1);
}

TEST(SharedInlet, GivesToAnotherWhatIsNeitherSettledNorExtended) {
  MemoryRig rig;
  rig.Publish(2);
  HoldingSink sink;
  HoldingSink second;
  const auto inlet = rig.Make(Shared());
  const auto other = rig.Make(Shared());
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  ASSERT_TRUE(other->Start(second));
  auto held = sink.TakeNow(2);

  rig.clock.Advance(seconds(20));
  const std::vector<DeliveryToken> tokens{held[0].token()};
  CapabilityOf<InProgress>(*inlet)->Extend(tokens);
  rig.clock.Advance(seconds(20));
  other->Pump();

  auto taken = second.TakeNow(2);
  EXPECT_THAT(IdsOf(taken), ElementsAre("1"));
  EXPECT_EQ(taken[0].facts.attempt, 2);
  // What came too late does not count.
  held[1].Settle(Done());
  inlet->Pump();
  EXPECT_EQ(rig.broker.Pending("shop"), 2U);
  taken[0].Settle(Done());
  held[0].Settle(Done());
  inlet->Pump();
  other->Pump();
  EXPECT_EQ(rig.broker.Pending("shop"), 0U);
}

TEST(SharedInlet, Story2GivesAgainWhatACrashedConsumerHad) {
  MemoryRig rig;
  rig.Publish(1);
  HoldingSink sink;
  const auto inlet = rig.Make(Shared());
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  inlet->Crash();
  const auto next = rig.Make(Shared());
  ASSERT_TRUE(next->Start(sink));
  sink.TakeNow(1).at(0).Settle(Done());  // Nobody hears it.

  next->Pump();
  EXPECT_EQ(sink.held(), 0U);
  rig.clock.Advance(seconds(30));
  next->Pump();

  EXPECT_EQ(sink.TakeNow(1).at(0).facts.attempt, 2);
}

TEST(SharedInlet, GivesAgainWhenItsAcknowledgementIsLost) {
  MemoryRig rig;
  rig.Publish(1);
  InlineSink sink;
  const auto inlet = rig.Make(Shared());
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  rig.broker.LoseAcks(1);
  inlet->Pump();

  rig.clock.Advance(seconds(30));
  inlet->Pump();

  EXPECT_THAT(sink.ids(), ElementsAre("0", "0"));
}

TEST(SharedInlet, SharesMessagesAmongItsMembers) {
  MemoryRig rig;
  rig.Publish(4);
  HoldingSink sink;
  HoldingSink second;
  auto options = Shared();
  options.max_in_flight = 2;
  const auto inlet = rig.Make(options);
  const auto other = rig.Make(options);
  ASSERT_TRUE(inlet->Start(sink));
  ASSERT_TRUE(other->Start(second));

  inlet->Pump();
  other->Pump();

  EXPECT_THAT(IdsOf(sink.TakeNow(4)), ElementsAre("0", "1"));
  EXPECT_THAT(IdsOf(second.TakeNow(4)), ElementsAre("2", "3"));
}

TEST(SharedInlet, DeliversWhatIsDelayedWhenItIsThere) {
  MemoryRig rig;
  rig.broker.Delay(1, milliseconds(100));
  rig.Publish(1);
  InlineSink sink;
  const auto inlet = rig.Make(Shared());
  ASSERT_TRUE(inlet->Start(sink));

  inlet->Pump();
  EXPECT_THAT(sink.ids(), IsEmpty());
  rig.clock.AdvanceTo(inlet->next_pump());
  inlet->Pump();

  EXPECT_THAT(sink.ids(), ElementsAre("0"));
}

TEST(SharedInlet, NamesWhereAMessageStands) {
  MemoryRig rig;
  rig.Publish(2);
  HoldingSink sink;
  const auto inlet = rig.Make(Shared());
  ASSERT_TRUE(inlet->Start(sink));

  inlet->Pump();

  EXPECT_EQ(sink.TakeNow(2).at(1).position(), "orders/0@1");
}

TEST(SharedInlet, HasTheCapabilitiesOfItsModeAndNoOther) {
  MemoryRig rig;
  const auto shared = rig.Make(Shared());
  const auto owning = rig.Make({.group = "other"});

  EXPECT_NE(CapabilityOf<SharedDurable>(*shared), nullptr);
  EXPECT_NE(CapabilityOf<DelayedRedelivery>(*shared), nullptr);
  EXPECT_NE(CapabilityOf<InProgress>(*shared), nullptr);
  EXPECT_EQ(CapabilityOf<ConsumerGroups>(*shared), nullptr);
  EXPECT_EQ(CapabilityOf<Seekable>(*shared), nullptr);
  EXPECT_EQ(CapabilityOf<KeepsAttempts>(*shared), nullptr);
  EXPECT_NE(CapabilityOf<ConsumerGroups>(*owning), nullptr);
  EXPECT_NE(CapabilityOf<PartitionOrdered>(*owning), nullptr);
  EXPECT_EQ(CapabilityOf<InProgress>(*owning), nullptr);
  EXPECT_EQ(CapabilityOf<DelayedRedelivery>(*owning), nullptr);
}

TEST(SharedInlet, RefusesAGroupOfTheOtherMode) {
  MemoryRig rig;
  InlineSink sink;
  const auto owning = rig.Make();
  ASSERT_TRUE(owning->Start(sink));
  const auto shared = rig.Make(Shared());

  const auto started = shared->Start(sink);

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kInvalidConfig);
}

}  // namespace
}  // namespace cirro::test
