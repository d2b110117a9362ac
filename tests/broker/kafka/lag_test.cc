// How much there is to do, against a real broker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/link.h"
#include "support/kafka_inlet_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;

/// Somebody else's transaction, which is open from the beginning.
class OpenTransaction {
 public:
  OpenTransaction(const test::KafkaTool& tool, std::string topic)
      : topic_(std::move(topic)),
        producer_(
            tool.Make(RD_KAFKA_PRODUCER,
                      {{"transactional.id", test::KafkaTool::Fresh("somebody")},
                       {"transaction.timeout.ms", "600000"}})) {
    Must(rd_kafka_init_transactions(producer_, kPatienceMs));
    Must(rd_kafka_begin_transaction(producer_));
  }
  // As one whose process died: nobody ends it.
  ~OpenTransaction() { rd_kafka_destroy(producer_); }
  OpenTransaction(const OpenTransaction&) = delete;
  OpenTransaction& operator=(const OpenTransaction&) = delete;

  /// The broker has them when this returns.
  void Write(int count) {
    std::string value = "x";
    for (int i = 0; i < count; ++i) {
      const auto code = rd_kafka_producev(
          producer_, RD_KAFKA_V_TOPIC(topic_.c_str()), RD_KAFKA_V_PARTITION(0),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
          RD_KAFKA_V_VALUE(value.data(), value.size()), RD_KAFKA_V_END);
      if (code != 0) throw std::runtime_error(rd_kafka_err2str(code));
    }
    if (rd_kafka_flush(producer_, kPatienceMs) != 0) {
      throw std::runtime_error("records were not written");
    }
  }
  void Commit() { Must(rd_kafka_commit_transaction(producer_, kPatienceMs)); }

 private:
  static constexpr int kPatienceMs = 20'000;

  static void Must(rd_kafka_error_t* error) {
    if (error == nullptr) return;
    const std::string why = rd_kafka_error_string(error);
    rd_kafka_error_destroy(error);
    throw std::runtime_error(why);
  }

  const std::string topic_;
  rd_kafka_t* const producer_;
};

class KafkaLagTest : public test::KafkaInletTest {
 protected:
  static constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

  /// Of the topic's one partition.
  static std::uint64_t LagOf(Member& member) {
    const auto all = CapabilityOf<LagReporter>(*member.inlet)->Lag();
    return all.empty() ? kUnknown : all[0].messages;
  }
  static bool AwaitLag(Member& member, std::uint64_t messages) {
    return Eventually([&] { return LagOf(member) == messages; });
  }
  /// For so long that many reports are made, it is that and nothing else.
  static void ExpectLagStays(Member& member, std::uint64_t messages) {
    EXPECT_FALSE(Eventually([&] { return LagOf(member) != messages; },
                            milliseconds(1'500)))
        << LagOf(member);
  }
};

// A transaction that nobody ended holds back all that was written after it
// began, for days: nobody is late who has done what is before it.
TEST_F(KafkaLagTest, WhatATransactionHoldsBackIsNoLag) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 3);
  OpenTransaction open(tool(), topic);
  open.Write(5);
  tool().WriteEvents(topic, 4, 0, 3);
  const auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(3));

  EXPECT_TRUE(AwaitLag(*member, 3));
  ExpectLagStays(*member, 3);
  member->sink.SettleAll();
  EXPECT_TRUE(AwaitLag(*member, 0));
  tool().WriteEvents(topic, 2, 0, 7);
  ExpectLagStays(*member, 0);

  // It is there as soon as it can be had, though nobody takes it.
  member->inlet->SetDemand(false);
  open.Commit();
  EXPECT_TRUE(AwaitLag(*member, 12));  // With the transaction's marker.
  member->inlet->SetDemand(true);
  EXPECT_TRUE(AwaitLag(*member, 0));
  EXPECT_EQ(member->sink.came().size(), 14U);
}

// Nor while there is something to do before it.
TEST_F(KafkaLagTest, WhatATransactionHoldsBackIsNotAddedToWhatWaits) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 8);
  OpenTransaction open(tool(), topic);
  open.Write(5);
  const auto member =
      Start(Options(topic), [](Member& each) { each.inlet->SetDemand(false); });

  EXPECT_TRUE(AwaitLag(*member, 8));
  ExpectLagStays(*member, 8);
}

TEST_F(KafkaLagTest, WhoReadsWhatIsNotCommittedHasIt) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 3);
  OpenTransaction open(tool(), topic);
  open.Write(5);
  KafkaInletOptions options = Options(topic);
  options.read_uncommitted = true;

  const auto member = Start(options);

  ASSERT_TRUE(member->sink.Await(8));
  EXPECT_TRUE(AwaitLag(*member, 8));
  member->sink.SettleAll();
  EXPECT_TRUE(AwaitLag(*member, 0));
}

// Librdkafka knows where a partition ends from what it fetches, and fetches
// nothing while nobody takes what it has.
TEST_F(KafkaLagTest, GrowsWhileNothingIsTaken) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 100);
  KafkaInletOptions options = Options(topic);
  options.queue_messages = 10;
  const auto member =
      Start(options, [](Member& each) { each.inlet->SetDemand(false); });
  ASSERT_TRUE(AwaitLag(*member, 100));

  tool().WriteEvents(topic, 400, 0, 100);

  EXPECT_TRUE(AwaitLag(*member, 500));
  member->inlet->SetDemand(true);
  member->sink.SettleAll();
  EXPECT_TRUE(AwaitLag(*member, 0));
}

// Where a partition ends is asked seldom, and known when it was read to there.
TEST_F(KafkaLagTest, WhatIsReadToItsEndIsKnownWithoutAQuestion) {
  const std::string topic = tool().MakeTopic();
  KafkaInletOptions options = Options(topic);
  options.lag_every = std::chrono::minutes(30);
  const auto member = Start(options);
  ASSERT_TRUE(AwaitCommitted(topic, 0));

  tool().WriteEvents(topic, 7);

  EXPECT_TRUE(AwaitLag(*member, 7));
}

}  // namespace
}  // namespace cirro
