#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "bindings/nats/src/options_check.h"

namespace cirro::internal::nats {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

JetStreamInletOptions Inlet() {
  JetStreamInletOptions options;
  options.stream = "ORDERS";
  options.durable = "worker";
  return options;
}

// What is said of options that `change` spoils; it is for good, always.
template <typename Options>
std::string Said(Options options, const std::function<void(Options&)>& change) {
  change(options);
  const auto checked = Check(options);
  if (checked) return "nothing";
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalidConfig);
  return checked.error().message;
}
std::string OfInlet(const std::function<void(JetStreamInletOptions&)>& change) {
  return Said(Inlet(), change);
}
std::string OfConnection(const std::function<void(NatsConnection&)>& change) {
  return Said(NatsConnection(), change);
}

TEST(NatsOptions, DefaultsAreTaken) {
  EXPECT_TRUE(Check(Inlet()));
  EXPECT_TRUE(Check(CoreNatsInletOptions{.subject = "a.*.>"}));
  EXPECT_TRUE(Check(NatsOutletOptions{.subject = "a.b"}));
}

TEST(NatsOptions, AStreamAndAConsumerAreNames) {
  EXPECT_THAT(OfInlet([](auto& o) { o.stream.clear(); }),
              StartsWith("stream: must be given"));
  EXPECT_THAT(OfInlet([](auto& o) { o.durable = "a.b"; }),
              StartsWith("durable: 'a.b' has a character"));
  EXPECT_THAT(OfInlet([](auto& o) { o.stream = "a b"; }),
              StartsWith("stream: 'a b' has a character"));
}

TEST(NatsOptions, SubjectsAreChecked) {
  for (const char* const subject : {"", ".", "a..b", "a.", "a b", "a.>.b"}) {
    EXPECT_FALSE(Check(CoreNatsInletOptions{.subject = subject})) << subject;
  }
  for (const char* const subject : {"a.*", ">", "*.a"}) {
    EXPECT_FALSE(Check(NatsOutletOptions{.subject = subject})) << subject;
  }
  // Within a token they are characters like others.
  EXPECT_TRUE(Check(NatsOutletOptions{.subject = "a*b.c>"}));
}

TEST(NatsOptions, TheServerMustBeableToSendTwoHeartbeats) {
  EXPECT_THAT(OfInlet([](auto& o) {
                o.expires = milliseconds(1'000);
                o.heartbeat = milliseconds(501);
              }),
              StartsWith("heartbeat: must be at most half of expires"));
}

TEST(NatsOptions, BoundsAreNotZero) {
  EXPECT_THAT(OfInlet([](auto& o) { o.batch = 0; }), StartsWith("batch:"));
  EXPECT_THAT(OfInlet([](auto& o) { o.max_in_flight = 0; }),
              StartsWith("max_in_flight:"));
  EXPECT_THAT(OfInlet([](auto& o) { o.max_bytes = 0; }),
              StartsWith("max_bytes:"));
  EXPECT_THAT(OfInlet([](auto& o) { o.max_ack_pending = -1; }),
              StartsWith("max_ack_pending:"));
  EXPECT_THAT(OfInlet([](auto& o) { o.max_crashes = 0; }),
              StartsWith("max_crashes:"));
  EXPECT_THAT(OfInlet([](auto& o) { o.ack_wait = milliseconds(99); }),
              StartsWith("ack_wait: must be at least 100 ms"));
}

TEST(NatsOptions, OneWayToBeKnownIsEnough) {
  EXPECT_THAT(OfConnection([](auto& c) {
                c.user = "u";
                c.token = "t";
              }),
              HasSubstr("only one of user, token, credentials_file and nkey"));
  EXPECT_THAT(OfConnection([](auto& c) { c.nkey = "UABC"; }),
              HasSubstr("nkey_seed_file"));
  EXPECT_THAT(OfConnection([](auto& c) { c.servers.clear(); }),
              StartsWith("connection.servers"));
}

TEST(NatsOptions, CertificatesNeedTls) {
  EXPECT_THAT(OfConnection([](auto& c) { c.ca_file = "/ca.pem"; }),
              StartsWith("connection.tls"));
  EXPECT_THAT(OfConnection([](auto& c) { c.verify = false; }),
              StartsWith("connection.tls"));
  EXPECT_THAT(OfConnection([](auto& c) {
                c.tls = true;
                c.certificate_file = "/cert.pem";
              }),
              HasSubstr("key_file"));
}

TEST(NatsOptions, AnOutletIsOfOneKind) {
  EXPECT_FALSE(
      Check(NatsOutletOptions{.subject = "a", .mode = ContentMode::kBatch}));
  EXPECT_FALSE(Check(NatsOutletOptions{
      .subject = "a", .jetstream = false, .expected_stream = "S"}));
}

}  // namespace
}  // namespace cirro::internal::nats
