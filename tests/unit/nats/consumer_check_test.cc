#include "bindings/nats/src/consumer_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cirro::internal::nats {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

JetStreamInletOptions Options() {
  JetStreamInletOptions options;
  options.stream = "ORDERS";
  options.durable = "worker";
  options.filter = "orders.new";
  return options;
}

// As it is made by `options`.
ConsumerConfig As(const JetStreamInletOptions& options) {
  return {.ack_wait = options.ack_wait,
          .max_deliver = -1,
          .max_ack_pending = options.max_ack_pending,
          .filter = options.filter};
}

std::string Refusal(const JetStreamInletOptions& options,
                    const ConsumerConfig& config) {
  const auto checked = CheckConsumer(options, config);
  if (checked) return "(taken)";
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalidConfig);
  return checked.error().message;
}

TEST(ConsumerCheck, OneThatIsMadeBySettingsIsTaken) {
  EXPECT_EQ(Refusal(Options(), As(Options())), "(taken)");
}

TEST(ConsumerCheck, OneThatDropsWhatFailedIsRefused) {
  ConsumerConfig config = As(Options());
  config.max_deliver = 5;

  EXPECT_THAT(
      Refusal(Options(), config),
      AllOf(StartsWith("durable: the consumer 'worker' has max_deliver 5"),
            HasSubstr("`nats consumer edit ORDERS worker --max-deliver=-1`")));
}

TEST(ConsumerCheck, OneThatWaitsLessIsRefused) {
  ConsumerConfig config = As(Options());
  config.ack_wait = milliseconds(29'999);

  EXPECT_THAT(Refusal(Options(), config),
              StartsWith("ack_wait: the consumer 'worker' has 29999 ms"));
  config.ack_wait = milliseconds(30'001);
  EXPECT_EQ(Refusal(Options(), config), "(taken)");
}

TEST(ConsumerCheck, OneThatKeepsNoOrderIsRefusedWhereOrderIsWanted) {
  for (const auto create : {JetStreamInletOptions::Create::kCreateOrBind,
                            JetStreamInletOptions::Create::kBind}) {
    JetStreamInletOptions options = Options();
    options.create = create;
    options.max_ack_pending = 1;
    ConsumerConfig config = As(options);
    EXPECT_EQ(Refusal(options, config), "(taken)");

    config.max_ack_pending = 2;
    EXPECT_THAT(
        Refusal(options, config),
        AllOf(StartsWith("max_ack_pending: the consumer 'worker' gives out 2"),
              HasSubstr("`nats consumer edit ORDERS worker --max-pending=1`")));
    config.max_ack_pending = -1;
    EXPECT_THAT(Refusal(options, config), HasSubstr("any number of messages"));
  }
}

TEST(ConsumerCheck, OneOfOtherSubjectsIsRefused) {
  JetStreamInletOptions options = Options();
  ConsumerConfig config = As(options);
  config.filter = "orders.old";
  EXPECT_THAT(Refusal(options, config),
              AllOf(StartsWith("filter: the consumer 'worker' takes "
                               "'orders.old'"),
                    HasSubstr("'orders.new'")));
  config.filter = "";
  EXPECT_THAT(Refusal(options, config), HasSubstr("takes all subjects"));
  options.filter = "";
  EXPECT_EQ(Refusal(options, config), "(taken)");
}

TEST(ConsumerCheck, OneWithoutDataIsRefused) {
  ConsumerConfig config = As(Options());
  config.headers_only = true;

  EXPECT_THAT(Refusal(Options(), config), HasSubstr("headers without data"));
}

// Another bound loses nothing.
TEST(ConsumerCheck, AnotherBoundIsTakenAndSaid) {
  JetStreamInletOptions options = Options();
  ConsumerConfig config = As(options);
  EXPECT_EQ(OtherwiseSet(options, config), std::nullopt);

  config.max_ack_pending = 7;
  EXPECT_EQ(Refusal(options, config), "(taken)");
  EXPECT_THAT(OtherwiseSet(options, config),
              Optional(HasSubstr("gives out 7 messages at a time")));
  // Who only binds has said nothing of how it is made.
  options.create = JetStreamInletOptions::Create::kBind;
  EXPECT_EQ(OtherwiseSet(options, config), std::nullopt);
}

TEST(ConsumerCheck, TheServersWordsAreRead) {
  const auto facts = ParseConsumerInfo(
      R"({"config":{"ack_wait":2000000000,"max_deliver":3,"max_ack_pending":9,)"
      R"("filter_subject":"a.b","headers_only":true}})");

  ASSERT_TRUE(facts && facts->config);
  EXPECT_EQ(facts->config->ack_wait, milliseconds(2'000));
  EXPECT_EQ(facts->config->max_deliver, 3);
  EXPECT_EQ(facts->config->max_ack_pending, 9);
  EXPECT_EQ(facts->config->filter, "a.b");
  EXPECT_TRUE(facts->config->headers_only);
}

TEST(ConsumerCheck, SeveralSubjectsAreNoneOfTheSettings) {
  const auto facts =
      ParseConsumerInfo(R"({"config":{"filter_subjects":["a","b",7]}})");

  ASSERT_TRUE(facts && facts->config);
  EXPECT_EQ(facts->config->filter, "a, b");
  EXPECT_EQ(facts->config->max_deliver, -1);
  EXPECT_EQ(facts->config->max_ack_pending, -1);
}

TEST(ConsumerCheck, WordsWithoutSettingsSayNothingOfThem) {
  const auto facts = ParseConsumerInfo(R"({"num_pending":1,"config":7})");

  ASSERT_TRUE(facts);
  EXPECT_FALSE(facts->config);
}

}  // namespace
}  // namespace cirro::internal::nats
