#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>

#include "cirro/dispatch/offset_map.h"
#include "cirro/memory/memory.h"
#include "support/memory_rig.h"

// How an inlet whose members own partitions ends, and what its commit says of
// it.
namespace cirro::test {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(PartitionedStop, SaysHowItEndedAndHowOftenItBegan) {
  MemoryRig rig;
  rig.Publish(1);
  HoldingSink sink;
  const auto map = [&] {
    const auto commit = rig.broker.Committed("shop", "orders/0");
    return *DecodeOffsetMap(commit->metadata, commit->offset, 1);
  };
  for (std::uint32_t starts = 1; starts <= 3; ++starts) {
    const auto inlet = rig.Make();
    ASSERT_TRUE(inlet->Start(sink));
    inlet->Pump();
    EXPECT_EQ(map().starts, starts);
    EXPECT_FALSE(map().clean);
    inlet->Crash();
    sink.TakeNow(1);
  }

  const auto inlet = rig.Make();
  InlineSink done;
  ASSERT_TRUE(inlet->Start(done));
  inlet->Pump();
  ASSERT_TRUE(inlet->Stop({}));

  EXPECT_TRUE(map().clean);
  EXPECT_EQ(rig.Committed(), 1);
}

TEST(PartitionedStop,
     Story10SettlesWhatFinishedWhenItStopsAndGivesTheRestBack) {
  MemoryRig rig;
  rig.Publish(3);
  HoldingSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  auto held = sink.TakeNow(3);

  inlet->BeginDrain(milliseconds(0));
  held[0].Settle(Done());
  held[1].Settle(Failed(ErrorCode::kDraining));
  held[2].Settle(Done());
  EXPECT_EQ(inlet->Pump(), 0U);
  ASSERT_TRUE(inlet->Stop({}));

  EXPECT_EQ(rig.Committed(), 1);
  InlineSink second;
  const auto next = rig.Make();
  ASSERT_TRUE(next->Start(second));
  next->Pump();
  EXPECT_THAT(second.ids(), ElementsAre("1"));
}

TEST(PartitionedStop, SaysWhatIsOpenWhenItStops) {
  MemoryRig rig;
  rig.Publish(1);
  HoldingSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();

  const auto stopped = inlet->Stop({});

  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_THAT(stopped.error().message, HasSubstr("1 deliveries are open"));
}

}  // namespace
}  // namespace cirro::test
