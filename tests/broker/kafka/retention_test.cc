// What the inlet of the module "kafka" does where records leave their topic
// before it has read them, against a real broker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/offset_map.h"
#include "support/kafka_inlet_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::SizeIs;

class KafkaRetentionTest : public test::KafkaInletTest {
 protected:
  void SetUp() override {
    KafkaInletTest::SetUp();
    if (!IsSkipped()) topic_ = tool().MakeTopic();
  }
  // Of records so large that each is a fetch of its own.
  KafkaInletOptions FetchingOneByOne() {
    KafkaInletOptions options = Options(topic_);
    options.queue_messages = 1;
    options.queue_bytes = 1'024;
    options.connection.librdkafka.emplace_back("fetch.message.max.bytes",
                                               "2000");
    return options;
  }
  void WriteLarge(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      test::RawRecord record{.partition = 0, .value = std::string(2'000, 'x')};
      record.headers = {{"ce_specversion", "1.0"},
                        {"ce_id", std::to_string(i)},
                        {"ce_source", "/test"},
                        {"ce_type", "com.example.test"},
                        {"content-type", "text/plain"}};
      tool().Write(topic_, std::move(record));
      tool().Flush();  // A batch of its own, too.
    }
  }

  std::string topic_;
};

TEST_F(KafkaRetentionTest, WhatWasRemovedSinceTheCommitIsTold) {
  tool().WriteEvents(topic_, 10);
  tool().Commit(group_, topic_, 0, {2, ""});
  tool().DeleteBefore(topic_, 7);

  const auto member = Start(Options(topic_));

  ASSERT_TRUE(member->sink.Await(3));
  EXPECT_THAT(member->sink.came(), ElementsAre("7", "8", "9"));
  EXPECT_EQ(member->notes.lost(), 5U);
  EXPECT_THAT(member->notes.warnings(),
              Contains(HasSubstr("up to 5 records left the topic")));
}

TEST_F(KafkaRetentionTest, WhatWasDoneBeforeItWasRemovedIsNotLost) {
  tool().WriteEvents(topic_, 10);
  OffsetMap map;
  map.base = 2;
  map.next = 9;
  map.done = {{4, 5}, {6, 9}};
  tool().Commit(group_, topic_, 0,
                {2, EncodeOffsetMap(map, kMostMetadataBytes,
                                    MapPlace(group_, topic_, 0))});
  tool().DeleteBefore(topic_, 7);

  const auto member = Start(Options(topic_));

  ASSERT_TRUE(member->sink.Await(1));
  EXPECT_EQ(member->notes.lost(), 3U);  // 2, 3 and 5.
}

TEST_F(KafkaRetentionTest, WhatIsRemovedBehindTheReaderIsNotLost) {
  tool().WriteEvents(topic_, 10);
  const auto member = Start(Options(topic_));
  ASSERT_TRUE(member->sink.Await(10));
  tool().DeleteBefore(topic_, 10);
  member->sink.SettleAll();

  tool().WriteEvents(topic_, 5, 0, 10);

  ASSERT_TRUE(AwaitCommitted(topic_, 15));
  EXPECT_EQ(member->notes.lost(), 0U);
  EXPECT_THAT(member->notes.warnings(), IsEmpty());
}

// What is open of before is still waited for: the commit does not pass it.
class KafkaOvertakenTest : public KafkaRetentionTest,
                           public ::testing::WithParamInterface<KafkaAssignor> {
};

TEST_P(KafkaOvertakenTest, AReaderGoesOnAndKeepsWhatIsOpen) {
  WriteLarge(0, 1);
  KafkaInletOptions options = FetchingOneByOne();
  options.assignor = GetParam();
  const auto member = Start(options);
  ASSERT_TRUE(member->sink.Await(1));
  member->inlet->SetDemand(false);
  WriteLarge(1, 29);
  tool().DeleteBefore(topic_, 25);
  member->inlet->SetDemand(true);
  ASSERT_TRUE(Eventually([&] {
    const auto came = member->sink.came();
    return std::find(came.begin(), came.end(), "29") != came.end();
  }));
  const auto came = member->sink.came();
  ASSERT_THAT(came, SizeIs(Lt(25U))) << "all had been fetched before";
  member->sink.SettleAll("0");
  // A last commit, of all that is done.
  static_cast<void>(member->Stop(milliseconds(0)));

  EXPECT_EQ(member->notes.lost(), 30 - came.size());
  EXPECT_EQ(tool().Committed(group_, topic_).offset, 0);
}

INSTANTIATE_TEST_SUITE_P(Groups, KafkaOvertakenTest,
                         ::testing::Values(KafkaAssignor::kRange,
                                           KafkaAssignor::kCooperativeSticky));

// The other partitions of the inlet go on where they are.
TEST_F(KafkaRetentionTest, TheOtherPartitionsAreNotReadAgain) {
  topic_ = tool().MakeTopic(2);
  tool().WriteEvents(topic_, 5, 0);
  tool().WriteEvents(topic_, 5, 1, 100);
  const auto member = Start(Options(topic_));
  ASSERT_TRUE(member->sink.Await(10));
  tool().DeleteBefore(topic_, 3);
  member->sink.Take("1").Settle({.kind = Settlement::Kind::kNak});
  ASSERT_TRUE(Eventually([&] { return member->notes.lost() > 0; }));

  tool().WriteEvents(topic_, 5, 0, 5);
  tool().WriteEvents(topic_, 5, 1, 105);

  ASSERT_TRUE(member->sink.Await(20));
  member->sink.SettleAll();
  EXPECT_TRUE(AwaitCommitted(topic_, 10, 0));
  EXPECT_TRUE(AwaitCommitted(topic_, 10, 1));
  EXPECT_THAT(member->sink.came(), SizeIs(20));
}

TEST_F(KafkaRetentionTest, WhatIsRemovedBeforeItIsReadAgainIsLostAlone) {
  tool().WriteEvents(topic_, 5);
  const auto member = Start(Options(topic_));
  ASSERT_TRUE(member->sink.Await(5));
  tool().DeleteBefore(topic_, 3);
  member->sink.Take("1").Settle({.kind = Settlement::Kind::kNak});

  ASSERT_TRUE(Eventually([&] { return member->notes.lost() > 0; }));
  tool().WriteEvents(topic_, 1, 0, 5);
  ASSERT_TRUE(member->sink.Await(6));

  EXPECT_EQ(member->notes.lost(), 1U);
  EXPECT_THAT(member->sink.came(), ElementsAre("0", "1", "2", "3", "4", "5"));
  member->sink.SettleAll("2");
  ASSERT_TRUE(AwaitCommitted(topic_, 2));
  member->sink.SettleAll();
  EXPECT_TRUE(AwaitCommitted(topic_, 6));
}

}  // namespace
}  // namespace cirro
