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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

void SettleAll(std::vector<Delivery>& deliveries) {
  for (Delivery& one : deliveries) one.Settle(Done());
}

struct Hooks final : PartitionHooks {
  void OnAssigned(std::span<const std::string> names) noexcept override {
    for (const auto& name : names) said.push_back("+" + name);
  }
  void OnRevoked(std::span<const std::string> names,
                 bool lost) noexcept override {
    for (const auto& name : names) said.push_back((lost ? "!" : "-") + name);
  }
  std::vector<std::string> said;
};

TEST(PartitionedInlet, DeliversInOrderAndCommitsWhatIsDone) {
  MemoryRig rig;
  rig.Publish(3);
  const auto inlet = rig.Make();
  InlineSink sink;

  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  inlet->Pump();

  EXPECT_THAT(sink.ids(), ElementsAre("0", "1", "2"));
  EXPECT_EQ(rig.Committed(), 3);
  EXPECT_EQ(rig.broker.Pending("shop"), 0U);
}

TEST(PartitionedInlet, Story1CommitsNothingPastWhatIsOpen) {
  MemoryRig rig;
  rig.Publish(3);
  const auto inlet = rig.Make();
  HoldingSink sink;
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(3);

  held[0].Settle(Done());
  held[2].Settle(Done());
  inlet->Pump();

  EXPECT_EQ(rig.Committed(), 1);
}

TEST(PartitionedInlet, DoesNotDoAgainWhatWasDoneAboveTheCommit) {
  MemoryRig rig;
  rig.Publish(4);
  HoldingSink sink;
  HoldingSink second;
  auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(4);
  held[1].Settle(Done());
  held[3].Settle(Done());
  inlet->Pump();

  inlet->Crash();
  const auto next = rig.Make();
  ASSERT_TRUE(next->Start(second));
  next->Pump();

  auto again = second.TakeNow(4);
  EXPECT_THAT(IdsOf(again), ElementsAre("0", "2"));
  SettleAll(again);
  next->Pump();
  EXPECT_EQ(rig.Committed(), 4);
  held.clear();
}

TEST(PartitionedInlet,
     Story2GivesAgainWhatWasNotCommittedWhenItsCommitWasLost) {
  MemoryRig rig;
  rig.Publish(2);
  InlineSink sink;
  auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  rig.broker.LoseAcks(1);
  inlet->Pump();
  EXPECT_EQ(rig.Committed(), 0);

  inlet->Crash();
  const auto next = rig.Make();
  ASSERT_TRUE(next->Start(sink));
  next->Pump();

  EXPECT_THAT(sink.ids(), ElementsAre("0", "1", "0", "1"));
}

TEST(PartitionedInlet, KeepsAttemptsBeyondItsEnd) {
  MemoryRig rig;
  rig.Publish(1);
  HoldingSink sink;
  auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(1);
  EXPECT_EQ(held[0].facts.attempt, 1);

  auto* const keeps = CapabilityOf<KeepsAttempts>(*inlet);
  ASSERT_NE(keeps, nullptr);
  keeps->Attempted(held[0].token(), 3);
  inlet->Pump();
  inlet->Crash();
  const auto next = rig.Make();
  ASSERT_TRUE(next->Start(sink));
  next->Pump();

  EXPECT_EQ(sink.TakeNow(1).at(0).facts.attempt, 4);
}

TEST(PartitionedInlet, GivesAgainAfterTheDelayAndLetsOthersPass) {
  MemoryRig rig;
  rig.Publish(2);
  HoldingSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(2);
  held[0].Settle(Failed(ErrorCode::kFunctionFailed, "why", milliseconds(50)));
  held[1].Settle(Done());

  EXPECT_EQ(inlet->Pump(), 0U);
  EXPECT_EQ(rig.Committed(), 0);
  rig.clock.AdvanceTo(inlet->next_pump());
  EXPECT_EQ(inlet->Pump(), 1U);
  sink.TakeNow(1).at(0).Settle(Done());
  inlet->Pump();

  EXPECT_EQ(rig.Committed(), 2);
}

TEST(PartitionedInlet, SharesItsPartitionsWithWhoeverJoins) {
  Hooks one_hooks;
  Hooks two_hooks;
  MemoryRig rig({.partitions = 2});
  InlineSink sink;
  const auto one = rig.Make();
  const auto two = rig.Make();
  CapabilityOf<ConsumerGroups>(*one)->SetPartitionHooks(one_hooks);
  CapabilityOf<ConsumerGroups>(*two)->SetPartitionHooks(two_hooks);
  ASSERT_TRUE(one->Start(sink));
  one->Pump();

  ASSERT_TRUE(two->Start(sink));
  for (int i = 0; i < 3; ++i) {
    one->Pump();
    two->Pump();
  }

  EXPECT_THAT(one_hooks.said, ElementsAre("+orders/0", "+orders/1", "-orders/0",
                                          "-orders/1", "+orders/0"));
  EXPECT_THAT(two_hooks.said, ElementsAre("+orders/1"));
  ASSERT_TRUE(two->Stop({}));
  one->Pump();
  one->Pump();
  EXPECT_EQ(one_hooks.said.back(), "+orders/1");
}

TEST(PartitionedInlet, WaitsForWhatIsOpenBeforeItGivesAPartitionUp) {
  MemoryRig rig;
  rig.Publish(1);
  HoldingSink sink;
  const auto inlet = rig.Make({.revoke_patience = milliseconds(1'000)});
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(1);

  rig.broker.Rebalance("shop");
  inlet->Pump();
  EXPECT_EQ(rig.broker.Members("shop"), 0U);
  SettleAll(held);
  inlet->Pump();
  inlet->Pump();

  EXPECT_EQ(rig.broker.Members("shop"), 1U);
  EXPECT_EQ(rig.Committed(), 1);
  EXPECT_EQ(sink.held(), 0U);
}

TEST(PartitionedInlet, GivesAPartitionUpThatIsNotSettledInTime) {
  MemoryRig rig;
  rig.Publish(1);
  HoldingSink sink;
  const auto inlet = rig.Make({.revoke_patience = milliseconds(1'000)});
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(1);
  rig.broker.Rebalance("shop");
  inlet->Pump();

  rig.clock.Advance(milliseconds(1'000));
  inlet->Pump();
  inlet->Pump();

  auto again = sink.TakeNow(1);
  EXPECT_THAT(IdsOf(again), ElementsAre("0"));
  SettleAll(held);  // Of the earlier assignment: it counts for nothing.
  inlet->Pump();
  EXPECT_EQ(rig.Committed(), 0);
  SettleAll(again);
  inlet->Pump();
  EXPECT_EQ(rig.Committed(), 1);
}

TEST(PartitionedInlet, Story6CommitsNothingOnceItIsOutOfItsGroup) {
  Hooks hooks;
  MemoryRig rig;
  rig.Publish(2);
  HoldingSink sink;
  const auto inlet = rig.Make();
  CapabilityOf<ConsumerGroups>(*inlet)->SetPartitionHooks(hooks);
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(2);

  rig.broker.Fence("shop");
  SettleAll(held);
  inlet->Pump();
  EXPECT_EQ(rig.Committed(), 0);
  inlet->Pump();

  EXPECT_THAT(hooks.said, ElementsAre("+orders/0", "!orders/0", "+orders/0"));
  EXPECT_THAT(IdsOf(sink.TakeNow(2)), ElementsAre("0", "1"));
  EXPECT_THAT(rig.observer.notes(),
              ElementsAre(HasSubstr("it was out of its group")));
}

TEST(PartitionedInlet, PassesWhatHasNoMessage) {
  MemoryRig rig;
  rig.Publish(1);
  rig.broker.LeaveGap("orders", 5);
  InlineSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));

  inlet->Pump();
  inlet->Pump();

  EXPECT_EQ(rig.Committed(), 6);
  EXPECT_EQ(CapabilityOf<LagReporter>(*inlet)->Lag().at(0).messages, 0U);
}

TEST(PartitionedInlet, StopsAtItsLongestSpanAndGoesOn) {
  MemoryRig rig;
  rig.Publish(10);
  HoldingSink sink;
  const auto inlet = rig.Make({.longest_span = 4});
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(10);
  ASSERT_EQ(held.size(), 4U);

  for (std::size_t i = 1; i < 4; ++i) held[i].Settle(Done());
  EXPECT_EQ(inlet->Pump(), 0U);
  held[0].Settle(Done());

  EXPECT_EQ(inlet->Pump(), 4U);
  EXPECT_EQ(rig.Committed(), 4);
}

TEST(PartitionedInlet, LosesNothingBehindAHoleThatIsLongerThanItsSpan) {
  MemoryRig rig;
  rig.Publish(1);
  rig.broker.LeaveGap("orders", 10);
  rig.Publish(1, 1);
  const auto inlet = rig.Make({.longest_span = 4});
  HoldingSink sink;
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto first = sink.TakeNow(1);
  inlet->Pump();

  SettleAll(first);
  inlet->Pump();
  inlet->Pump();
  auto second = sink.TakeNow(1);
  const std::int64_t before = rig.Committed();
  SettleAll(second);
  inlet->Pump();

  EXPECT_LE(before, 11);
  EXPECT_EQ(rig.Committed(), 12);
}

TEST(PartitionedInlet, CountsNoAttemptsThatCannotBe) {
  MemoryRig rig;
  rig.Publish(1);
  InlineSink sink;
  auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  ASSERT_TRUE(inlet->Stop({}));
  rig.broker.OverwriteCommit(
      "shop", "orders/0",
      {.offset = 0,
       .metadata = EncodeOffsetMap(
           {.next = 1, .attempts = {{.offset = 0, .count = 0x7FFF'FFFF}}})});
  HoldingSink second;
  inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(second));

  inlet->Pump();
  auto held = second.TakeNow(1);

  EXPECT_EQ(held.front().facts.attempt, 0x7FFF'FFFF);
}

TEST(PartitionedInlet, Story9KeepsItsPlaceWithoutDemand) {
  MemoryRig rig;
  rig.Publish(1);
  InlineSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));

  inlet->SetDemand(false);
  inlet->Pump();
  EXPECT_THAT(sink.ids(), IsEmpty());
  EXPECT_EQ(rig.broker.Members("shop"), 1U);
  inlet->SetDemand(true);
  inlet->Pump();

  EXPECT_THAT(sink.ids(), ElementsAre("0"));
}

TEST(PartitionedInlet, HasNoMoreOpenThanItMay) {
  MemoryRig rig({.partitions = 3});
  rig.Publish(30);
  HoldingSink sink;
  const auto inlet = rig.Make({.max_in_flight = 5});
  ASSERT_TRUE(inlet->Start(sink));

  for (int i = 0; i < 3; ++i) inlet->Pump();

  EXPECT_EQ(sink.held(), 5U);
}

TEST(PartitionedInlet, BeginsAnewWhereItIsTold) {
  MemoryRig rig;
  rig.Publish(4);
  HoldingSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(4);
  held[0].Settle(Done());
  inlet->Pump();

  const auto sought = CapabilityOf<Seekable>(*inlet)->Seek(
      {.kind = SeekPoint::Kind::kOffset, .offset = 2}, milliseconds(0));

  ASSERT_TRUE(sought) << sought.error().message;
  for (std::size_t i = 1; i < 4; ++i) held[i].Settle(Done());
  inlet->Pump();
  EXPECT_EQ(rig.Committed(), 2);
  auto again = sink.TakeNow(4);
  EXPECT_THAT(IdsOf(again), ElementsAre("2", "3"));
  SettleAll(again);
  inlet->Pump();
  EXPECT_EQ(rig.Committed(), 4);
}

TEST(PartitionedInlet, IgnoresMetadataThatItDidNotWrite) {
  MemoryRig rig;
  rig.Publish(3);
  InlineSink sink;
  HoldingSink held;
  auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(held));
  inlet->Pump();
  inlet->Pump();
  inlet->Crash();
  // As a foreign tool would: the offset moves, the metadata stay.
  rig.broker.OverwriteCommit("shop", "orders/0",
                             {.offset = 1, .metadata = "by hand"});

  const auto next = rig.Make();
  ASSERT_TRUE(next->Start(sink));
  next->Pump();

  EXPECT_THAT(sink.ids(), ElementsAre("1", "2"));
  EXPECT_THAT(rig.observer.notes(),
              ElementsAre(HasSubstr("orders/0: the commit's metadata are no "
                                    "offset map: they are not base64url")));
}

TEST(PartitionedInlet, Story30GoesOnWhenItsBrokerIsReachedAgain) {
  MemoryRig rig;
  InlineSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto* const linked = CapabilityOf<Linked>(*inlet);
  EXPECT_EQ(linked->link().kind, LinkState::Kind::kConnected);
  rig.Publish(1);

  rig.broker.SetReachable(false);
  inlet->Pump();
  EXPECT_EQ(linked->link().kind, LinkState::Kind::kDisconnected);
  EXPECT_THAT(sink.ids(), IsEmpty());
  rig.broker.SetReachable(true);
  inlet->Pump();

  EXPECT_EQ(linked->link().kind, LinkState::Kind::kConnected);
  EXPECT_THAT(sink.ids(), ElementsAre("0"));
}

TEST(PartitionedInlet, WasNeverConnectedToABrokerThatWasNeverReached) {
  MemoryRig rig;
  InlineSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  rig.broker.SetReachable(false);

  inlet->Pump();

  EXPECT_EQ(CapabilityOf<Linked>(*inlet)->link().kind,
            LinkState::Kind::kConnecting);
}

TEST(PartitionedInlet, DeliversOnItsOwnThread) {
  MemoryRig rig;
  class SteadyClock final : public Clock {
    TimePoint Now() const noexcept override {
      return std::chrono::steady_clock::now();
    }
    Timestamp WallTime() const noexcept override { return {}; }
  } clock;
  auto made =
      MakeMemoryInlet(rig.broker, {.topics = {"orders"}}, clock, rig.observer);
  ASSERT_TRUE(made);
  HoldingSink sink;
  ASSERT_TRUE((*made)->Start(sink));
  rig.Publish(3);

  auto held = sink.Take(3);

  EXPECT_THAT(IdsOf(held), ElementsAre("0", "1", "2"));
  SettleAll(held);
  ASSERT_TRUE((*made)->Stop(std::chrono::seconds(10)));
  EXPECT_EQ(rig.broker.Pending("memory"), 0U);
}

}  // namespace
}  // namespace cirro::test
