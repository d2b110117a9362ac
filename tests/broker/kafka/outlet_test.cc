// The outlet of the module "kafka", against a real broker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/capability.h"
#include "cirro/dispatch/link.h"
#include "support/event_fixtures.h"
#include "support/free_port.h"
#include "support/kafka_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class KafkaOutletTest : public test::KafkaTest {
 protected:
  KafkaOutletOptions Options(std::string topic) {
    KafkaOutletOptions options;
    options.name = "out";
    options.connection.brokers = test::KafkaUrl();
    options.topic = std::move(topic);
    return options;
  }
  // Started, or not at all.
  std::unique_ptr<Outlet> Make(KafkaOutletOptions options) {
    auto outlet = test::Kafka().make_outlet(std::move(options), clock_, notes_);
    if (!outlet) throw std::runtime_error(outlet.error().message);
    if (auto started = (*outlet)->Start(); !started) {
      throw std::runtime_error(started.error().message);
    }
    return *std::move(outlet);
  }
  static Event EventOf(const std::string& id, const std::string& key = {}) {
    EventBuilder builder;
    builder.id(id).source("/s").type("t").data(Text("data " + id));
    if (!key.empty()) builder.extension({"partitionkey", key});
    return test::MustBuild(builder);
  }

  test::Confirmations confirmed_;
};

TEST_F(KafkaOutletTest, ConfirmsWhatTheBrokerHas) {
  const std::string topic = tool().MakeTopic();
  const auto outlet = Make(Options(topic));

  outlet->Send(EventOf("1", "k"), confirmed_.Expect());

  ASSERT_TRUE(confirmed_.Of(0)) << confirmed_.Of(0).error().message;
  const auto records = tool().Read(topic);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].Header("ce_id"), "1");
  EXPECT_EQ(records[0].Header("content-type"), "text/plain");
  EXPECT_EQ(records[0].value, "data 1");
  EXPECT_EQ(records[0].key, "k");
}

TEST_F(KafkaOutletTest, WritesNoDataAsNullAndNoKeyAsNull) {
  const std::string topic = tool().MakeTopic();
  const auto outlet = Make(Options(topic));

  outlet->Send(test::MinEvent(), confirmed_.Expect());
  ASSERT_TRUE(confirmed_.Of(0));
  outlet->Send(test::MustBuild(EventBuilder(test::MinEvent()).data(Text(""))),
               confirmed_.Expect());
  ASSERT_TRUE(confirmed_.Of(1));

  const auto records = tool().Read(topic);
  EXPECT_EQ(records.at(0).value, std::nullopt);
  EXPECT_EQ(records.at(0).key, std::nullopt);
  EXPECT_EQ(records.at(1).value, "");
}

TEST_F(KafkaOutletTest, WritesStructuredModeWhereItIsToldTo) {
  const std::string topic = tool().MakeTopic();
  KafkaOutletOptions options = Options(topic);
  options.mode = ContentMode::kStructured;
  options.key_from = KafkaKeyFrom::kNone;
  const auto outlet = Make(options);

  outlet->Send(EventOf("1", "k"), confirmed_.Expect());

  ASSERT_TRUE(confirmed_.Of(0));
  const auto records = tool().Read(topic);
  EXPECT_EQ(records.at(0).Header("content-type"),
            "application/cloudevents+json");
  EXPECT_THAT(records.at(0).value.value_or(""), HasSubstr(R"("id":"1")"));
  EXPECT_EQ(records.at(0).key, std::nullopt);
}

TEST_F(KafkaOutletTest, KeepsTheOrderOfOneKey) {
  const std::string topic = tool().MakeTopic(4);
  const auto outlet = Make(Options(topic));

  for (int i = 0; i < 2'000; ++i) {
    outlet->Send(EventOf(std::to_string(i), "same"), confirmed_.Expect());
  }
  for (unsigned i = 0; i < 2'000; ++i) ASSERT_TRUE(confirmed_.Of(i));

  const auto records = tool().Read(topic, 4);
  ASSERT_EQ(records.size(), 2'000U);
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i].Header("ce_id"), std::to_string(i));
    ASSERT_EQ(records[i].partition, records[0].partition);
  }
}

TEST_F(KafkaOutletTest, SaysThatThereIsNoSuchTopic) {
  KafkaOutletOptions options = Options(test::KafkaTool::Fresh("absent"));
  options.timeout = milliseconds(4'000);
  const auto outlet = Make(options);

  outlet->Send(EventOf("1"), confirmed_.Expect());

  const auto result = confirmed_.Of(0);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kUnroutable)
      << result.error().message;
  EXPECT_THAT(result.error().message, HasSubstr(options.topic));
}

TEST_F(KafkaOutletTest, SaysThatAnEventIsTooLarge) {
  const std::string topic =
      tool().MakeTopic(1, {{"max.message.bytes", "2000"}});
  const auto outlet = Make(Options(topic));

  outlet->Send(
      test::MustBuild(
          EventBuilder(test::MinEvent()).data(Text(std::string(10'000, 'x')))),
      confirmed_.Expect());
  outlet->Send(test::MustBuild(EventBuilder(test::MinEvent())
                                   .data(Text(std::string(2'000'000, 'x')))),
               confirmed_.Expect());

  EXPECT_EQ(confirmed_.Of(0).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(confirmed_.Of(1).error().code, ErrorCode::kTooLarge);
}

TEST_F(KafkaOutletTest, SaysThatTheTopicsPolicyRefusesARecord) {
  // A compacted topic takes no record without a key.
  const std::string topic =
      tool().MakeTopic(1, {{"cleanup.policy", "compact"}});
  const auto outlet = Make(Options(topic));

  outlet->Send(EventOf("1"), confirmed_.Expect());

  EXPECT_EQ(confirmed_.Of(0).error().code, ErrorCode::kRefused);
}

TEST_F(KafkaOutletTest, RefusesWhatIsOverItsBound) {
  KafkaOutletOptions options = Options(tool().MakeTopic());
  options.max_in_flight = 2;
  options.linger = milliseconds(2'000);
  const auto outlet = Make(options);

  for (int i = 0; i < 3; ++i) {
    outlet->Send(EventOf(std::to_string(i)), confirmed_.Expect());
  }

  const auto refused = confirmed_.Of(2);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message, HasSubstr("max_in_flight"));
  EXPECT_TRUE(confirmed_.Of(0));
  EXPECT_TRUE(confirmed_.Of(1));
}

// The client's own queue is bounded in bytes, too.
TEST_F(KafkaOutletTest, SaysWhichSettingBoundsTheQueuesBytes) {
  KafkaOutletOptions options = Options(tool().MakeTopic());
  options.linger = milliseconds(500);
  options.connection.librdkafka = {{"queue.buffering.max.kbytes", "1"}};
  const auto outlet = Make(options);

  for (int i = 0; i < 2; ++i) {
    outlet->Send(
        test::MustBuild(
            EventBuilder(test::MinEvent()).data(Text(std::string(900, 'x')))),
        confirmed_.Expect());
  }

  const auto refused = confirmed_.Of(1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message,
              HasSubstr("`librdkafka.\"queue.buffering.max.kbytes\"`"));
  EXPECT_TRUE(confirmed_.Of(0));
}

TEST_F(KafkaOutletTest, IsReadyBeforeItsBrokerIsAndSaysThatNothingWasSent) {
  KafkaOutletOptions options = Options("anything");
  options.connection.brokers = "127.0.0.1:" + std::to_string(test::FreePort());
  options.timeout = milliseconds(500);
  const auto outlet = Make(options);

  outlet->Send(EventOf("1"), confirmed_.Expect());

  EXPECT_EQ(confirmed_.Of(0).error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(Eventually([&] {
    return CapabilityOf<Linked>(*outlet)->link().kind ==
           LinkState::Kind::kDisconnected;
  }));
}

TEST_F(KafkaOutletTest, SaysWhenItIsConnected) {
  const auto outlet = Make(Options(tool().MakeTopic()));

  EXPECT_TRUE(Eventually([&] {
    return CapabilityOf<Linked>(*outlet)->link().kind ==
           LinkState::Kind::kConnected;
  }));
}

TEST_F(KafkaOutletTest, StopWaitsForWhatIsOnItsWay) {
  const std::string topic = tool().MakeTopic();
  const auto outlet = Make(Options(topic));
  for (int i = 0; i < 100; ++i) {
    outlet->Send(EventOf(std::to_string(i)), confirmed_.Expect());
  }

  outlet->Stop(milliseconds(10'000));

  for (unsigned i = 0; i < 100; ++i) ASSERT_TRUE(confirmed_.Of(i));
  EXPECT_EQ(tool().Read(topic).size(), 100U);
}

TEST_F(KafkaOutletTest, StopFailsTheRestWhenTheGraceIsOver) {
  KafkaOutletOptions options = Options("anything");
  options.connection.brokers = "127.0.0.1:" + std::to_string(test::FreePort());
  const auto outlet = Make(options);
  outlet->Send(EventOf("1"), confirmed_.Expect());

  outlet->Stop(milliseconds(0));
  outlet->Send(EventOf("2"), confirmed_.Expect());

  EXPECT_EQ(confirmed_.Of(0).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(confirmed_.Of(1).error().code, ErrorCode::kUnavailable);
}

TEST_F(KafkaOutletTest, BuriesALetterInThePartitionItCameFrom) {
  const std::string topic = tool().MakeTopic(4);
  const auto outlet = Make(Options(topic));
  auto* const place = dynamic_cast<DeadLetterPlace*>(outlet.get());
  ASSERT_NE(place, nullptr);
  DeadLetter letter{EventOf("1"), nullptr, "k", {}};
  letter.facts.reason = DeadReason::kExhausted;
  letter.facts.position = "orders/3@1234";
  letter.facts.attempts = 5;

  place->Bury(letter, confirmed_.Expect());
  ASSERT_TRUE(confirmed_.Of(0));
  // The letters' topic has fewer partitions than the source.
  letter.facts.position = "orders/17@1234";
  place->Bury(letter, confirmed_.Expect());
  ASSERT_TRUE(confirmed_.Of(1));

  const auto records = tool().Read(topic, 4);
  ASSERT_EQ(records.size(), 2U);
  const auto& third = records[0].partition == 3 ? records[0] : records[1];
  EXPECT_EQ(third.partition, 3);
  EXPECT_EQ(third.Header("cirro-dlq-reason"), "exhausted");
  EXPECT_EQ(third.Header("cirro-dlq-position"), "orders/3@1234");
  EXPECT_EQ(third.Header("cirro-dlq-attempts"), "5");
  EXPECT_EQ(third.Header("ce_id"), "1");
  EXPECT_EQ(third.value, "data 1");
  EXPECT_EQ(third.key, "k");
}

TEST_F(KafkaOutletTest, RefusesSettingsByTheirNames) {
  const auto why = [&](const std::function<void(KafkaOutletOptions&)>& spoil) {
    KafkaOutletOptions options = Options("topic");
    spoil(options);
    const auto made = test::Kafka().make_outlet(options, clock_, notes_);
    return made ? std::string("taken") : made.error().message;
  };

  EXPECT_THAT(why([](auto& o) { o.connection.brokers.clear(); }),
              HasSubstr("brokers:"));
  EXPECT_THAT(why([](auto& o) { o.topic = "a b"; }), HasSubstr("topic: 'a b'"));
  EXPECT_THAT(why([](auto& o) {
                o.connection.librdkafka = {{"acks", "0"}};
              }),
              HasSubstr("librdkafka: 'acks' is fixed"));
  EXPECT_THAT(why([](auto& o) {
                o.connection.librdkafka = {{"no.such.thing", "0"}};
              }),
              HasSubstr("no.such.thing"));
  EXPECT_THAT(notes_.failures(), IsEmpty());
}

}  // namespace
}  // namespace cirro
