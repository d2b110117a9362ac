#include "cirro/memory/broker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cirro/memory/memory.h"
#include "support/memory_rig.h"

namespace cirro::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Ids(const std::vector<MemoryRecord>& records) {
  std::vector<std::string> ids;
  for (const MemoryRecord& one : records) {
    ids.emplace_back(std::get<Event>(one.content).id());
  }
  return ids;
}

TEST(MemoryBroker, PutsAKeyAlwaysIntoTheSamePartition) {
  MemoryRig rig({.partitions = 8});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(rig.broker.Produce(
        "orders", MemoryRig::Record(std::to_string(i), "customer-7")));
  }

  const auto records = rig.broker.Read("orders");

  EXPECT_THAT(Ids(records), ElementsAre("0", "1", "2", "3", "4"));
  for (const MemoryRecord& one : records) {
    EXPECT_EQ(one.partition, records.front().partition);
    EXPECT_EQ(one.key, "customer-7");
  }
}

TEST(MemoryBroker, RefusesWhatIsProducedWhenItIsFullOfWhatNobodySettled) {
  MemoryRig rig({.partitions = 1, .max_records = 3});
  rig.Publish(3);

  const auto refused = rig.broker.Produce("orders", MemoryRig::Record("4"));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message, HasSubstr("max_records is 3"));
}

TEST(MemoryBroker, ForgetsWhatEveryGroupSettledWhenItIsFull) {
  MemoryRig rig({.partitions = 1, .max_records = 3});
  rig.Publish(3);
  InlineSink sink;
  const auto inlet = rig.Make();
  ASSERT_TRUE(inlet->Start(sink));
  inlet->Pump();
  inlet->Pump();

  rig.Publish(2, 3);

  inlet->Pump();
  EXPECT_THAT(sink.ids(), ElementsAre("0", "1", "2", "3", "4"));
}

TEST(MemoryBroker, RefusesMoreBytesThanItMayHold) {
  MemoryRig rig({.partitions = 1, .max_bytes = 1'000});
  int taken = 0;
  while (taken < 100 && rig.broker.Produce("orders", MemoryRig::Record("1"))) {
    ++taken;
  }

  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, 10);
}

TEST(MemoryBroker, RefusesARecordThatIsTooLargeForGood) {
  MemoryRig rig({.partitions = 1, .max_record_bytes = 100});

  const auto refused =
      rig.broker.Produce("orders", MemoryRig::Record(std::string(200, 'x')));

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  EXPECT_THAT(refused.error().message, HasSubstr("max_record_bytes, 100"));
}

TEST(MemoryBroker, StoresTwiceWhatItIsToldToDuplicate) {
  MemoryRig rig;
  rig.broker.Duplicate(1);

  rig.Publish(2);

  EXPECT_THAT(Ids(rig.broker.Read("orders")), ElementsAre("0", "0", "1"));
}

TEST(MemoryBroker, FailsAsOftenAsItIsTold) {
  MemoryRig rig;
  rig.broker.FailProduces(2, ErrorCode::kTimedOut);

  const auto first = rig.broker.Produce("orders", MemoryRig::Record("0"));
  const auto second = rig.broker.Produce("orders", MemoryRig::Record("0"));
  const auto third = rig.broker.Produce("orders", MemoryRig::Record("0"));

  EXPECT_EQ(first.error().code, ErrorCode::kTimedOut);
  EXPECT_EQ(second.error().code, ErrorCode::kTimedOut);
  EXPECT_TRUE(third);
}

TEST(MemoryBroker, ReadsWhatIsNoEventAsItCame) {
  MemoryRecord broken = DecodeMemoryMessage(
      "{\"id\":", {{"content-type", "application/cloudevents+json"}}, "k");
  MemoryRecord foreign = DecodeMemoryMessage("hello", {{"a", "b"}});

  EXPECT_EQ(BytesOf(broken), "{\"id\":");
  EXPECT_EQ(broken.key, "k");
  EXPECT_EQ(HeadersOf(foreign), (MessageHeaders{{"a", "b"}}));
  EXPECT_EQ(std::get<Malformed>(foreign.content).error.code,
            ErrorCode::kUnsupported);
}

TEST(MemoryBroker, ReadsAStructuredMessageAndKeepsItsBytes) {
  const std::string json =
      R"({ "specversion":"1.0","id":"1","source":"/a","type":"t" })";

  const MemoryRecord record = DecodeMemoryMessage(
      json, {{"Content-Type", "application/cloudevents+json; charset=utf-8"}});

  ASSERT_TRUE(std::holds_alternative<Event>(record.content));
  EXPECT_EQ(std::get<Event>(record.content).id(), "1");
  EXPECT_EQ(BytesOf(record), json);
}

}  // namespace
}  // namespace cirro::test
