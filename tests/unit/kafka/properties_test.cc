#include "bindings/kafka/src/properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

KafkaInletOptions Inlet() {
  KafkaInletOptions options;
  options.connection.brokers = "b1:9092,b2:9092";
  options.topics = {"orders", "^audit-.*"};
  options.group = "shop";
  return options;
}

Properties Of(const KafkaInletOptions& options) {
  auto properties = ConsumerProperties(options);
  EXPECT_TRUE(properties) << properties.error().message;
  return *std::move(properties);
}

std::string Why(const std::function<void(KafkaInletOptions&)>& spoil) {
  KafkaInletOptions options = Inlet();
  spoil(options);
  const auto properties = ConsumerProperties(options);
  return properties ? "taken" : properties.error().message;
}

TEST(KafkaProperties, CommitsAreTheInletsOwn) {
  const Properties properties = Of(Inlet());

  EXPECT_THAT(properties, Contains(Pair("enable.auto.commit", "false")));
  EXPECT_THAT(properties, Contains(Pair("enable.auto.offset.store", "false")));
  EXPECT_THAT(properties,
              Contains(Pair("bootstrap.servers", "b1:9092,b2:9092")));
  EXPECT_THAT(properties, Contains(Pair("isolation.level", "read_committed")));
  EXPECT_THAT(properties, Not(Contains(Key("group.instance.id"))));
}

TEST(KafkaProperties, OptionsBecomeTheirProperties) {
  KafkaInletOptions options = Inlet();
  options.instance_id = "one";
  options.assignor = KafkaAssignor::kCooperativeSticky;
  options.read_uncommitted = true;
  options.queue_bytes = 2'048;
  options.session_timeout = milliseconds(6'000);
  options.connection.security = KafkaSecurity::kSaslTls;
  options.connection.sasl = KafkaSasl::kScramSha512;
  options.connection.username = "u";
  options.connection.password = "p";
  options.connection.ca_file = "/ca.pem";
  options.connection.key = "PEM";
  options.connection.verify = false;

  const Properties properties = Of(options);

  for (const auto& [name, value] :
       Properties{{"group.instance.id", "one"},
                  {"partition.assignment.strategy", "cooperative-sticky"},
                  {"isolation.level", "read_uncommitted"},
                  {"queued.max.messages.kbytes", "2"},
                  {"session.timeout.ms", "6000"},
                  {"heartbeat.interval.ms", "2000"},
                  {"security.protocol", "sasl_ssl"},
                  {"sasl.mechanism", "SCRAM-SHA-512"},
                  {"sasl.password", "p"},
                  {"ssl.ca.location", "/ca.pem"},
                  {"ssl.key.pem", "PEM"},
                  {"enable.ssl.certificate.verification", "false"}}) {
    EXPECT_THAT(properties, Contains(Pair(name, value)));
  }
}

TEST(KafkaProperties, WhatIsPassedThroughComesLast) {
  KafkaInletOptions options = Inlet();
  options.connection.librdkafka = {{"fetch.wait.max.ms", "7"}};

  EXPECT_EQ(Of(options).back(),
            std::pair(std::string("fetch.wait.max.ms"), std::string("7")));
}

TEST(KafkaProperties, AnOwnedPropertyIsRefusedByTheNameOfItsOption) {
  const auto why = [](const std::string& name) {
    return Why([&](auto& o) { o.connection.librdkafka = {{name, "1"}}; });
  };

  EXPECT_THAT(why("enable.auto.commit"), HasSubstr("`commit_every`"));
  EXPECT_THAT(why("group.id"), HasSubstr("`group`"));
  EXPECT_THAT(why("auto.offset.reset"), HasSubstr("`start`"));
  EXPECT_THAT(why("sasl.password"), HasSubstr("`password`"));
  EXPECT_THAT(why("acks"), HasSubstr("is fixed"));
}

TEST(KafkaProperties, AMistakeNamesItsOption) {
  EXPECT_THAT(Why([](auto& o) { o.connection.brokers.clear(); }),
              StartsWith("brokers: "));
  EXPECT_THAT(Why([](auto& o) { o.topics.clear(); }), StartsWith("topics: "));
  EXPECT_THAT(Why([](auto& o) { o.topics = {"a b"}; }),
              StartsWith("topics: 'a b'"));
  EXPECT_THAT(Why([](auto& o) { o.group.clear(); }), StartsWith("group: "));
  EXPECT_THAT(Why([](auto& o) { o.max_span = 16'385; }),
              StartsWith("max_span: 16385"));
  EXPECT_THAT(Why([](auto& o) { o.session_timeout = milliseconds(400'000); }),
              StartsWith("max_poll_interval: 300000 ms"));
  EXPECT_THAT(Why([](auto& o) { o.connection.username = "u"; }),
              StartsWith("username: "));
  EXPECT_THAT(Why([](auto& o) {
                o.connection.security = KafkaSecurity::kSaslTls;
                o.connection.username = "u";
              }),
              StartsWith("password: "));
  EXPECT_THAT(Why([](auto& o) {
                o.connection.ca = "PEM";
                o.connection.ca_file = "/ca.pem";
              }),
              StartsWith("ca: "));
}

TEST(KafkaProperties, APortPastTheLastIsNoOther) {
  const auto why = [](const char* brokers) {
    return Why([&](auto& o) { o.connection.brokers = brokers; });
  };

  EXPECT_EQ(why("b1"), "taken");
  EXPECT_EQ(why("b1:65535,[::1]:9092,SSL://b2:9093,fe80::0"), "taken");
  EXPECT_THAT(why("SSL://[::1]:70000"), HasSubstr("brokers"));
  EXPECT_THAT(why("b1:9092,b2:65536"), HasSubstr("'b2:65536' has no port"));
  EXPECT_THAT(why("b1:0"), HasSubstr("brokers"));
  EXPECT_THAT(why("b1:99999999999999999999"), HasSubstr("brokers"));
}

// All replicas in sync confirm a record, and what is sent again by itself is
// there once: who reads relies on both.
TEST(KafkaProperties, AnOutletsProducerIsIdempotent) {
  KafkaOutletOptions options;
  options.connection.brokers = "b1:9092";
  options.topic = "orders";

  const auto properties = ProducerProperties(options);

  ASSERT_TRUE(properties) << properties.error().message;
  EXPECT_THAT(*properties, Contains(Pair("enable.idempotence", "true")));
  for (const char* const name :
       {"enable.idempotence", "enable.gapless.guarantee", "acks",
        "request.required.acks"}) {
    KafkaOutletOptions spoiled = options;
    spoiled.connection.librdkafka = {{name, "0"}};
    const auto refused = ProducerProperties(spoiled);
    ASSERT_FALSE(refused) << name;
    EXPECT_THAT(refused.error().message, HasSubstr("is fixed"));
  }
}

TEST(KafkaProperties, ATransactionsProducerIsOfTheGroupAndItsHost) {
  KafkaInletOptions options = Inlet();

  EXPECT_EQ(TransactionalIdOf(options, "host-7"), "shop-host-7");
  const auto properties =
      TransactionProperties(options, TransactionalIdOf(options, "host-7"));
  ASSERT_TRUE(properties) << properties.error().message;
  EXPECT_THAT(*properties, Contains(Pair("transactional.id", "shop-host-7")));
  EXPECT_THAT(*properties, Contains(Pair("transaction.timeout.ms", "15000")));
  options.exactly_once.transactional_id = "mine";
  EXPECT_EQ(TransactionalIdOf(options, "host-7"), "mine");
}

TEST(KafkaProperties, SecretsAreKnownByTheirNames) {
  EXPECT_TRUE(IsSecretProperty("sasl.password"));
  EXPECT_TRUE(IsSecretProperty("ssl.key.pem"));
  EXPECT_TRUE(IsSecretProperty("sasl.oauthbearer.client.secret"));
  EXPECT_FALSE(IsSecretProperty("linger.ms"));
}

TEST(KafkaProperties, ExactlyOnceReadsWhatIsCommittedAlone) {
  EXPECT_THAT(Why([](KafkaInletOptions& options) {
                options.read_uncommitted = true;
                options.exactly_once.enabled = true;
              }),
              StartsWith("read_uncommitted: cannot be with `exactly_once`"));
}

}  // namespace
}  // namespace cirro::internal::kafka
