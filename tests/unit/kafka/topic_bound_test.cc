#include "bindings/kafka/src/topic_bound.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>

namespace cirro::internal::kafka {
namespace {

constexpr TimePoint kNow{std::chrono::hours(1)};

// What librdkafka says to a record of the draft, without a broker.
class Producer {
 public:
  Producer() : handle_(rd_kafka_new(RD_KAFKA_PRODUCER, nullptr, nullptr, 0)) {}
  ~Producer() { rd_kafka_destroy(handle_); }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  bool Takes(const KafkaDraft& draft, const std::string& key) {
    rd_kafka_headers_t* const headers = rd_kafka_headers_new(1);
    for (const auto& header : draft.headers) {
      rd_kafka_header_add(
          headers, header.name.data(), static_cast<ssize_t>(header.name.size()),
          header.value.data(), static_cast<ssize_t>(header.value.size()));
    }
    const auto code = rd_kafka_producev(
        handle_, RD_KAFKA_V_TOPIC("t"),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key.data(), key.size()),
        RD_KAFKA_V_VALUE(const_cast<char*>(draft.value->data()),
                         draft.value->size()),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);
    rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR;
  }

 private:
  rd_kafka_t* const handle_;
};

TEST(WireBytes, AreThoseThatLibrdkafkaCounts) {
  constexpr std::size_t kMost = 1'000'000;  // Its default.
  Producer producer;
  const std::string long_value(20'000, 'v');
  for (const std::size_t name_size : {1U, 63U, 64U, 200U}) {
    const std::string key(name_size, 'k');
    KafkaDraft draft;
    draft.headers.push_back({std::string(name_size, 'n'), long_value});
    draft.headers.push_back({"empty", {}});
    draft.value = "";
    const std::string value(kMost - WireBytes(draft, key), 'x');

    draft.value = value;
    EXPECT_EQ(WireBytes(draft, key), kMost);
    EXPECT_TRUE(producer.Takes(draft, key)) << name_size;
    const std::string more = value + "x";
    draft.value = more;
    EXPECT_FALSE(producer.Takes(draft, key)) << name_size;
  }
}

TEST(TopicBound, BeginsAsLibrdkafkaIsConfigured) {
  TopicBound bound(1'000);
  bound.Begin(kNow);
  static_cast<void>(bound.Wrote(900));

  EXPECT_EQ(bound.MostBytes(kNow), 1'000U);
  EXPECT_FALSE(bound.IsFullFor(900));
}

TEST(TopicBound, WhatWasRefusedByItselfIsTooLarge) {
  TopicBound bound(1'000);
  bound.Begin(kNow);
  const auto group = bound.Wrote(600);

  bound.Refused(group, 600, kNow);

  EXPECT_EQ(bound.MostBytes(kNow), 599U);
}

TEST(TopicBound, WhatWasRefusedInCompanyIsWrittenInSmallerGroups) {
  TopicBound bound(1'000);
  bound.Begin(kNow);
  static_cast<void>(bound.Wrote(200));
  const auto group = bound.Wrote(400);
  bound.Refused(group, 200, kNow);
  bound.Refused(group, 400, kNow);

  bound.Begin(kNow);
  const bool full_at_first = bound.IsFullFor(400);
  static_cast<void>(bound.Wrote(200));

  EXPECT_EQ(bound.MostBytes(kNow), 1'000U);
  EXPECT_FALSE(full_at_first);
  EXPECT_FALSE(bound.IsFullFor(100));
  EXPECT_TRUE(bound.IsFullFor(101));
}

TEST(TopicBound, GroupsAreHalvedUntilARecordIsByItself) {
  TopicBound bound(1'000);
  for (int i = 0; i < 3 && bound.MostBytes(kNow) == 1'000; ++i) {
    bound.Begin(kNow);
    static_cast<void>(bound.Wrote(100));
    if (bound.IsFullFor(500)) bound.BeginGroup();
    const auto group = bound.Wrote(500);
    bound.Refused(group, 500, kNow);
  }

  EXPECT_EQ(bound.MostBytes(kNow), 499U);
}

TEST(TopicBound, WhatIsTooLargeIsAskedAgainAfterAWhile) {
  TopicBound bound(1'000);
  bound.Begin(kNow);
  bound.Refused(bound.Wrote(600), 600, kNow);

  EXPECT_EQ(bound.MostBytes(kNow + TopicBound::kKnown - Duration(1)), 599U);
  EXPECT_EQ(bound.MostBytes(kNow + TopicBound::kKnown), 1'000U);
}

TEST(TopicBound, GroupsAreAsLargeAsBeforeAfterAWhile) {
  TopicBound bound(1'000);
  bound.Begin(kNow);
  static_cast<void>(bound.Wrote(200));
  bound.Refused(bound.Wrote(400), 400, kNow);
  bound.Begin(kNow + TopicBound::kKnown - Duration(1));
  static_cast<void>(bound.Wrote(200));
  ASSERT_TRUE(bound.IsFullFor(400));

  bound.Begin(kNow + TopicBound::kKnown);

  static_cast<void>(bound.Wrote(200));
  EXPECT_FALSE(bound.IsFullFor(400));
}

}  // namespace
}  // namespace cirro::internal::kafka
