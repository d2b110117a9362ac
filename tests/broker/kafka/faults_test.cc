// What a real broker cannot be made to answer, when it should: stories of
// commits that are refused or late.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/link.h"
#include "support/kafka_inlet_rig.h"
#include "support/kafka_mock.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using test::KafkaMock;
using ::testing::IsEmpty;

class KafkaFaults : public test::KafkaInletTest {
 protected:
  void SetUp() override {
    mock_.MakeTopic(topic_, 2);
    tool_ = std::make_unique<test::KafkaTool>(mock_.url());
  }
  test::KafkaTool& tool() { return *tool_; }
  KafkaInletOptions Options() {
    KafkaInletOptions options = KafkaInletTest::Options(topic_);
    options.connection.brokers = mock_.url();
    options.connection.librdkafka.emplace_back("heartbeat.interval.ms", "200");
    return options;
  }
  void Write(int from, int to) {
    for (int i = from; i < to; ++i) {
      tool().WriteEvent(topic_, std::to_string(i), i % 2);
    }
    tool().Flush();
  }
  bool AwaitAllCommitted(int written) {
    return Eventually([&] {
      return tool().Committed(group_, topic_, 0).offset +
                 tool().Committed(group_, topic_, 1).offset ==
             written;
    });
  }
  static std::set<std::string> Came(Member& member) {
    const auto came = member.sink.came();
    return {came.begin(), came.end()};
  }

  KafkaMock mock_;
  const std::string topic_ = test::KafkaTool::Fresh("faults");

 private:
  std::unique_ptr<test::KafkaTool> tool_;
};

// A commit that is under way when another member joins: both go on afterwards.
TEST_F(KafkaFaults, Story4ACommitThatMeetsARebalanceStallsNobody) {
  for (const KafkaAssignor assignor :
       {KafkaAssignor::kRange, KafkaAssignor::kCooperativeSticky}) {
    SCOPED_TRACE(static_cast<int>(assignor));
    KafkaInletOptions options = Options();
    options.assignor = assignor;
    options.group = group_ + std::to_string(static_cast<int>(assignor));
    Write(0, 20);
    const auto first = Start(options);
    first->sink.SettleAll();
    ASSERT_TRUE(first->sink.Await(20));
    mock_.Delay(KafkaMock::kOffsetCommit, 1, milliseconds(1'500));
    Write(20, 40);
    const auto second = Start(options);
    second->sink.SettleAll();

    ASSERT_TRUE(Eventually(
        [&] { return LinkOf(*second->inlet) == LinkState::Kind::kConnected; }));
    Write(40, 60);

    EXPECT_TRUE(Eventually([&] {
      std::set<std::string> both = Came(*first);
      both.merge(Came(*second));
      return both.size() == 60;
    }));
    EXPECT_TRUE(Eventually([&] {
      return tool().Committed(options.group, topic_, 0).offset +
                 tool().Committed(options.group, topic_, 1).offset >=
             60;
    }));
    EXPECT_THAT(first->notes.failures(), IsEmpty());
    EXPECT_THAT(second->notes.failures(), IsEmpty());
  }
}

// What the broker answers to a commit within a rebalance is no end: it is
// committed later.
TEST_F(KafkaFaults, Story4ACommitThatIsRefusedIsMadeAgain) {
  const auto member = Start(Options());
  member->sink.SettleAll();
  ASSERT_TRUE(Eventually([&] {
    return LinkOf(*member->inlet) == LinkState::Kind::kConnected &&
           tool().Committed(group_, topic_, 0).offset == 0;
  }));
  mock_.Answer(KafkaMock::kOffsetCommit,
               {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS});

  Write(0, 10);

  EXPECT_TRUE(AwaitAllCommitted(10));
  EXPECT_THAT(member->notes.failures(), IsEmpty());
}

// Refused because somebody else may have the partitions by now: nothing more is
// committed of what was read before, and what was not committed is done again.
TEST_F(KafkaFaults, Story6ACommitOfAGenerationThatIsOverEndsTheAssignment) {
  struct Case {
    KafkaAssignor assignor;
    rd_kafka_resp_err_t code;
  };
  for (const Case& each :
       {Case{KafkaAssignor::kRange, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID},
        Case{KafkaAssignor::kCooperativeSticky,
             RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION}}) {
    SCOPED_TRACE(rd_kafka_err2name(each.code));
    const std::string topic = test::KafkaTool::Fresh("zombie");
    mock_.MakeTopic(topic, 1);
    KafkaInletOptions options = Options();
    options.topics = {topic};
    options.group = test::KafkaTool::Fresh("zombies");
    options.assignor = each.assignor;
    tool().WriteEvents(topic, 10);
    const auto member = Start(options);
    ASSERT_TRUE(member->sink.Await(10));
    ASSERT_EQ(tool().Committed(options.group, topic).offset, 0);
    mock_.Answer(KafkaMock::kOffsetCommit, {each.code});

    for (int i = 0; i < 5; ++i) member->sink.Ack(std::to_string(i));

    // All ten again: of the first five nobody said that they are done.
    ASSERT_TRUE(Eventually([&] { return member->notes.Count("lost:") == 1; }));
    // The group waits for the member that it knew before.
    ASSERT_TRUE(member->sink.Await(20, milliseconds(90'000)))
        << member->sink.came().size() << " came, committed "
        << tool().Committed(options.group, topic).offset
        << "; last said: " << member->notes.Last("assigned");
    EXPECT_EQ(tool().Committed(options.group, topic).offset, 0);
    member->sink.SettleAll();
    EXPECT_TRUE(Eventually(
        [&] { return tool().Committed(options.group, topic).offset == 10; }));
    EXPECT_THAT(member->notes.failures(), IsEmpty());
  }
}

// A broker that does not say where a partition ends keeps nobody from settling
// and committing: it is not the thread that polls that waits for it.
TEST_F(KafkaFaults, WhatIsAskedOfABrokerKeepsNobodyWaiting) {
  Write(0, 10);
  const auto member = Start(Options());
  ASSERT_TRUE(member->sink.Await(10));
  ASSERT_TRUE(AwaitAllCommitted(0));
  mock_.Delay(KafkaMock::kListOffsets, 20, milliseconds(60'000));
  auto sought = std::async(std::launch::async, [&] {
    return CapabilityOf<Seekable>(*member->inlet)
        ->Seek({.kind = SeekPoint::Kind::kBeginning}, milliseconds(30'000));
  });

  member->sink.SettleAll();

  EXPECT_TRUE(AwaitAllCommitted(10));
  EXPECT_EQ(sought.wait_for(milliseconds(0)), std::future_status::timeout);
  EXPECT_TRUE(member->Stop());
  EXPECT_FALSE(sought.get());
}

// Where nobody says how far there is to read, what comes with the records says
// so: a source that grows does not look done.
TEST_F(KafkaFaults, TheLagGrowsThoughNobodySaysWherePartitionsEnd) {
  Write(0, 10);
  const auto member =
      Start(Options(), [](Member& each) { each.inlet->SetDemand(false); });
  const auto lag = [&] {
    std::uint64_t sum = 0;
    for (const auto& each : CapabilityOf<LagReporter>(*member->inlet)->Lag()) {
      sum += each.messages;
    }
    return sum;
  };
  ASSERT_TRUE(Eventually([&] { return lag() == 10; }));
  mock_.Answer(KafkaMock::kListOffsets,
               std::vector<rd_kafka_resp_err_t>(
                   10'000, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));

  Write(10, 30);

  EXPECT_TRUE(Eventually([&] { return lag() == 30; }));
}

// A broker that does not let a transaction go on keeps the others of the group
// waiting no longer than a last commit may take, and it is said.
TEST_F(KafkaFaults, ATransactionThatWaitsForABrokerHoldsNoRebalanceUp) {
  KafkaInletOptions options = Options();
  options.exactly_once.enabled = true;
  options.exactly_once.interval = milliseconds(30);
  options.exactly_once.transactional_id = "one";
  options.revoke_patience = milliseconds(100);
  Write(0, 20);
  const auto first = Start(options);
  first->sink.SettleAll();
  ASSERT_TRUE(first->sink.Await(20));
  mock_.Answer(KafkaMock::kAddOffsetsToTxn,
               std::vector<rd_kafka_resp_err_t>(
                   100'000, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS));
  Write(20, 40);
  ASSERT_TRUE(first->sink.Await(40));

  options.exactly_once.transactional_id = "other";
  const auto second = Start(options);
  second->sink.SettleAll();

  EXPECT_TRUE(Eventually([&] { return first->notes.Count("revoked:") == 1; },
                         milliseconds(60'000)));
  EXPECT_TRUE(Eventually(
      [&] { return first->notes.Said("a transaction waits for the broker"); }));
  mock_.AnswerAll(KafkaMock::kAddOffsetsToTxn);
  Write(40, 60);
  EXPECT_TRUE(Eventually(
      [&] {
        std::set<std::string> both = Came(*first);
        both.merge(Came(*second));
        return both.size() == 60;
      },
      milliseconds(60'000)));
  EXPECT_THAT(first->notes.failures(), IsEmpty());
  EXPECT_THAT(second->notes.failures(), IsEmpty());
}

// Nor does an assignment, whose positions nobody tells, keep one from stopping.
TEST_F(KafkaFaults, AnAssignmentThatWaitsForABrokerIsAskedForAgain) {
  Write(0, 10);
  mock_.Answer(KafkaMock::kOffsetFetch,
               {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED});
  const auto member = Start(Options());
  member->sink.SettleAll();

  EXPECT_TRUE(member->sink.Await(10));

  EXPECT_TRUE(AwaitAllCommitted(10));
  EXPECT_TRUE(member->notes.Said("it is asked for again"));
}

}  // namespace
}  // namespace cirro
