// What a producer's broker answers that ends the producer, and not its outlet.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/capability.h"
#include "cirro/dispatch/link.h"
#include "support/event_fixtures.h"
#include "support/kafka_mock.h"
#include "support/kafka_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using test::KafkaMock;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class KafkaOutletFaults : public ::testing::Test {
 protected:
  void SetUp() override { mock_.MakeTopic(topic_, 1); }

  std::unique_ptr<Outlet> Make() {
    KafkaOutletOptions options;
    options.name = "out";
    options.connection.brokers = mock_.url();
    options.topic = topic_;
    options.timeout = milliseconds(10'000);
    auto outlet = test::Kafka().make_outlet(options, clock_, notes_);
    if (!outlet) throw std::runtime_error(outlet.error().message);
    if (auto started = (*outlet)->Start(); !started) {
      throw std::runtime_error(started.error().message);
    }
    return *std::move(outlet);
  }
  void Send(Outlet& outlet, const std::string& id) {
    outlet.Send(test::MustBuild(EventBuilder(test::MinEvent()).id(id)),
                confirmed_.Expect());
  }
  /// Until one is confirmed; what is not is sent again, as a source does.
  bool AwaitSent(Outlet& outlet, const std::string& id) {
    return Eventually([&] {
      const std::size_t next = confirmed_.count();
      Send(outlet, id);
      return confirmed_.Of(next).has_value();
    });
  }
  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    for (const auto& record : test::KafkaTool(mock_.url()).Read(topic_)) {
      ids.push_back(record.Header("ce_id"));
    }
    return ids;
  }

  KafkaMock mock_;
  const std::string topic_ = test::KafkaTool::Fresh("fatal");
  test::RealClock clock_;
  test::Notes notes_;
  test::Confirmations confirmed_;
};

struct Fatal {
  const char* name;
  std::vector<rd_kafka_resp_err_t> answers;
};

void PrintTo(const Fatal& test, std::ostream* out) { *out << test.name; }

class KafkaOutletFatal : public KafkaOutletFaults,
                         public ::testing::WithParamInterface<Fatal> {};

// The broker lost what it knew of the producer: whether a batch was written is
// not known, and the producer takes nothing more.
TEST_P(KafkaOutletFatal, WhatIsOpenEndsAndTheProducerIsMadeAnew) {
  const auto outlet = Make();
  ASSERT_TRUE(AwaitSent(*outlet, "before"));
  const std::size_t first = confirmed_.count();
  mock_.Answer(KafkaMock::kProduce, GetParam().answers);

  for (const char* const id : {"1", "2", "3"}) Send(*outlet, id);

  for (std::size_t i = first; i < first + 3; ++i) {
    const auto result = confirmed_.Of(i);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kUnknownOutcome)
        << result.error().message;
    EXPECT_TRUE(IsRetryable(result.error().code));
  }
  EXPECT_TRUE(AwaitSent(*outlet, "after"));
  EXPECT_EQ(notes_.Count("the producer is made anew: "), 1U);
  EXPECT_THAT(notes_.failures(), IsEmpty());
  EXPECT_EQ(CapabilityOf<Linked>(*outlet)->link().kind,
            LinkState::Kind::kConnected);
  EXPECT_THAT(Ids(), UnorderedElementsAre("before", "after"));
}

INSTANTIATE_TEST_SUITE_P(
    Of, KafkaOutletFatal,
    ::testing::Values(Fatal{"ASequenceThatTheBrokerDoesNotExpect",
                            {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER}},
                      Fatal{"AProducerThatTheBrokerForgotWithinATry",
                            {RD_KAFKA_RESP_ERR__TRANSPORT,
                             RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID}}),
    [](const auto& test) { return std::string(test.param.name); });

// Another epoch is one that librdkafka asks for by itself.
TEST_F(KafkaOutletFaults, AnEpochThatIsOverIsNotTheEndOfTheProducer) {
  const auto outlet = Make();
  ASSERT_TRUE(AwaitSent(*outlet, "before"));
  mock_.Answer(KafkaMock::kProduce, {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH});

  EXPECT_TRUE(AwaitSent(*outlet, "after"));

  EXPECT_EQ(notes_.Count("the producer is made anew: "), 0U);
  EXPECT_THAT(Ids(), UnorderedElementsAre("before", "after"));
}

// A cluster that lets it not be idempotent says so to each producer anew: it is
// asked again, and seldom.
TEST_F(KafkaOutletFaults, WhoMayNotBeAProducerTriesAgainSeldom) {
  constexpr auto kRefused = RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
  mock_.Answer(KafkaMock::kInitProducerId, {kRefused, kRefused});
  const auto begin = std::chrono::steady_clock::now();
  const auto outlet = Make();
  Send(*outlet, "0");

  EXPECT_FALSE(confirmed_.Of(0));
  EXPECT_TRUE(AwaitSent(*outlet, "after"));

  EXPECT_EQ(notes_.Count("the producer is made anew: "), 2U);
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(1'000));
}

}  // namespace
}  // namespace cirro
