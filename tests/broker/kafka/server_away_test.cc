// What a consumer and a producer do while their broker is away or slow. The
// broker is the test's own, for it is killed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>

#include "cirro/dispatch/dead_letter.h"
#include "support/event_fixtures.h"
#include "support/kafka_inlet_rig.h"
#include "support/kafka_server.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class KafkaServerAway : public test::KafkaInletTest {
 protected:
  void SetUp() override {
    if (test::KafkaHome().empty()) {
      GTEST_SKIP() << "CIRRO_TEST_KAFKA_HOME holds no Kafka";
    }
    server_ = std::make_unique<test::KafkaServer>();
    own_tool_ = std::make_unique<test::KafkaTool>(server_->url());
  }
  test::KafkaTool& tool() { return *own_tool_; }
  KafkaInletOptions Options(const std::string& topic) {
    KafkaInletOptions options = KafkaInletTest::Options(topic);
    options.connection.brokers = server_->url();
    return options;
  }
  bool AwaitCommitted(const std::string& topic, std::int64_t offset) {
    return Eventually(
        [&] { return tool().Committed(group_, topic).offset == offset; },
        milliseconds(60'000));
  }

  std::unique_ptr<test::KafkaServer> server_;

 private:
  std::unique_ptr<test::KafkaTool> own_tool_;
};

// Every broker is down: it is no end, and what is settled meanwhile is
// committed when one is back.
TEST_F(KafkaServerAway, Story30ABrokerThatComesBackIsGoneOnWith) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 10);
  const auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(10));
  for (int i = 0; i < 5; ++i) member->sink.Ack(std::to_string(i));
  ASSERT_TRUE(AwaitCommitted(topic, 5));

  server_->Kill();
  ASSERT_TRUE(Eventually([&] {
    return LinkOf(*member->inlet) == LinkState::Kind::kDisconnected;
  }));
  member->sink.SettleAll();
  server_->Start();

  EXPECT_TRUE(Eventually(
      [&] { return LinkOf(*member->inlet) == LinkState::Kind::kConnected; },
      milliseconds(60'000)));
  EXPECT_TRUE(AwaitCommitted(topic, 10));
  tool().WriteEvents(topic, 10, 0, 10);
  EXPECT_TRUE(AwaitCommitted(topic, 20));
  const auto came = member->sink.came();
  EXPECT_THAT(std::set<std::string>(came.begin(), came.end()), SizeIs(20));
  EXPECT_THAT(member->notes.failures(), IsEmpty());
}

// One that was never there was never connected to: who waits for the first
// time, as readiness does, goes on waiting.
TEST_F(KafkaServerAway, ABrokerThatIsAwayAtTheStartIsWaitedFor) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 1);
  server_->Kill();
  const auto member = Start(Options(topic));
  ASSERT_TRUE(Eventually(
      [&] { return member->notes.Count("no broker of `brokers`") > 0; }));

  EXPECT_EQ(LinkOf(*member->inlet), LinkState::Kind::kConnecting);
  server_->Start();

  EXPECT_TRUE(member->sink.Await(1));
  EXPECT_TRUE(Eventually(
      [&] { return LinkOf(*member->inlet) == LinkState::Kind::kConnected; }));
}

// Its process must end: what was done and not committed is done again.
class KafkaServerStandsStill : public KafkaServerAway,
                               public ::testing::WithParamInterface<bool> {};

TEST_P(KafkaServerStandsStill, NobodyIsKeptPastTheGraceTime) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 2);
  KafkaInletOptions options = Options(topic);
  options.exactly_once.enabled = GetParam();
  auto member = Start(options);
  ASSERT_TRUE(member->sink.Await(2));
  member->sink.Ack("0");
  ASSERT_TRUE(AwaitCommitted(topic, 1));
  server_->Pause();
  member->sink.Ack("1");

  const auto begin = std::chrono::steady_clock::now();
  const auto stopped = member->Stop(milliseconds(100));
  member.reset();

  // Librdkafka waits as long as a session lasts, or a request: 6 and 60 s here.
  // A call of a transaction is none that could be left, and takes 15 s.
  EXPECT_LT(std::chrono::steady_clock::now() - begin,
            milliseconds(GetParam() ? 30'000 : 3'000));
  EXPECT_TRUE(stopped) << stopped.error().message;
}

INSTANTIATE_TEST_SUITE_P(Guarantee, KafkaServerStandsStill, ::testing::Bool(),
                         [](const auto& guarantee) {
                           return guarantee.param ? "ExactlyOnce"
                                                  : "AtLeastOnce";
                         });

// What is open, or not asked for, longer than a member may be silent: the
// thread that polls does not wait for it.
TEST_F(KafkaServerAway, Story8AndStory9AnOpenCallOrAFullHouseIsNoRebalance) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 2);
  KafkaInletOptions options = Options(topic);
  // A machine that stands still for moments ends no session.
  options.session_timeout = milliseconds(2'000);
  options.max_poll_interval = milliseconds(2'000);
  options.connection.librdkafka.emplace_back("heartbeat.interval.ms", "200");
  const auto member = Start(options);
  ASSERT_TRUE(member->sink.Await(2));
  member->inlet->SetDemand(false);

  // Ten times as long: it would be put out of the group.
  const bool moved = Eventually(
      [&] {
        return member->notes.Count("lost:") + member->notes.Count("revoked:") >
               0;
      },
      10 * options.max_poll_interval);

  EXPECT_FALSE(moved);
  member->inlet->SetDemand(true);
  member->sink.SettleAll();
  EXPECT_TRUE(AwaitCommitted(topic, 2));
  EXPECT_THAT(member->sink.came(), SizeIs(2));
}

// A letter is confirmed when the broker has it, and not before.
TEST_F(KafkaServerAway, Story11ALetterIsNotConfirmedByABrokerThatIsDown) {
  KafkaOutletOptions options;
  options.name = "dead";
  options.connection.brokers = server_->url();
  options.topic = tool().MakeTopic();
  options.timeout = milliseconds(1'500);
  auto outlet = test::Kafka().make_outlet(options, clock_, notes_);
  ASSERT_TRUE(outlet);
  ASSERT_TRUE((*outlet)->Start());
  auto* const place = dynamic_cast<DeadLetterPlace*>(outlet->get());
  test::Confirmations confirmed;
  place->Bury({test::MinEvent(), nullptr, {}, {}}, confirmed.Expect());
  ASSERT_TRUE(confirmed.Of(0));

  server_->Kill();
  place->Bury({test::MinEvent(), nullptr, {}, {}}, confirmed.Expect());
  EXPECT_FALSE(confirmed.Of(1));
  server_->Start();

  EXPECT_TRUE(Eventually(
      [&] {
        const std::size_t next = confirmed.count();
        place->Bury({test::MinEvent(), nullptr, {}, {}}, confirmed.Expect());
        return confirmed.Of(next).has_value();
      },
      milliseconds(60'000)));
  EXPECT_EQ(CapabilityOf<Linked>(**outlet)->link().kind,
            LinkState::Kind::kConnected);
}

// Killed while it is written to: what was confirmed is there.
TEST_F(KafkaServerAway, WhatWasConfirmedSurvivesTheBroker) {
  KafkaOutletOptions options;
  options.connection.brokers = server_->url();
  options.topic = tool().MakeTopic();
  options.timeout = milliseconds(60'000);
  auto outlet = test::Kafka().make_outlet(options, clock_, notes_);
  ASSERT_TRUE(outlet);
  ASSERT_TRUE((*outlet)->Start());
  test::Confirmations confirmed;
  for (int i = 0; i < 2'000; ++i) {
    (*outlet)->Send(
        test::MustBuild(EventBuilder(test::MinEvent()).id(std::to_string(i))),
        confirmed.Expect());
    if (i == 1'000) {
      server_->Kill();
      server_->Start();
    }
  }

  for (unsigned i = 0; i < 2'000; ++i) ASSERT_TRUE(confirmed.Of(i));

  const auto records = tool().Read(options.topic);
  EXPECT_THAT(records, SizeIs(2'000));
}

}  // namespace
}  // namespace cirro
