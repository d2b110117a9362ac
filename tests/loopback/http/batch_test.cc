// Batch requests over real sockets: one status, each outcome, replies.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cirro/cloudevents/json_format.h"
#include "support/http_messages.h"
#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(HttpBatch, AnswersABatchOnceAllOfItIsDone) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  client.Send(Post(kBatchType, "[" + Structured("1") + "," + Structured("2") +
                                   "," + Structured("3") + "]"));

  std::vector<Delivery> deliveries = sink.Take(3);
  ASSERT_EQ(deliveries.size(), 3u);
  for (const std::size_t i : {2u, 0u, 1u}) deliveries[i].Settle(Done());

  EXPECT_EQ(client.Receive().status, 202);
}

TEST(HttpBatch, AnswersABatchWithTheWorstStatusAndEachOutcome) {
  InlineSink sink([](const Delivery& delivery) {
    if (delivery.event()->id() == "2")
      return Failed(ErrorCode::kRejected, "no");
    if (delivery.event()->id() == "3") return Failed(ErrorCode::kOverloaded);
    return Done();
  });
  RunningReceiver receiver(sink);

  const RawResponse response = receiver.Exchange(
      Post(kBatchType, "[" + Structured("1") + "," + Structured("2") + "," +
                           Structured("3") + R"(,{"id":"4"}])"));

  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.Header("retry-after"), "1");
  EXPECT_EQ(response.Header("content-type"), "application/problem+json");
  EXPECT_THAT(response.body, HasSubstr(R"("events":[{"status":202},)"));
  EXPECT_THAT(response.body,
              HasSubstr(R"({"status":422,"code":"rejected","detail":"no"})"));
  EXPECT_THAT(response.body,
              HasSubstr(R"({"status":429,"code":"overloaded",)"));
  EXPECT_THAT(response.body,
              HasSubstr(R"({"status":400,"code":"invalid_event",)"));
}

TEST(HttpBatch, KeepsTheRepliesOfABatchBesideARejectedMember) {
  InlineSink sink([](const Delivery& delivery) {
    if (delivery.event()->id() == "2")
      return Failed(ErrorCode::kRejected, "no");
    return Replied({MakeReply("a"), MakeReply("b")});
  });
  RunningReceiver receiver(sink);

  const RawResponse response = receiver.Exchange(
      Post(std::string(kBatchType) +
               "Accept: application/cloudevents-batch+json\r\n",
           "[" + Structured("1") + "," + Structured("2") + "]"));

  EXPECT_EQ(response.status, 422);
  const auto body = nlohmann::json::parse(response.body, nullptr, false);
  ASSERT_EQ(body["events"].size(), 2u) << response.body;
  ASSERT_EQ(body["events"][0]["replies"].size(), 2u) << response.body;
  EXPECT_EQ(body["events"][0]["replies"][0]["id"], "a");
  EXPECT_EQ(body["events"][0]["replies"][1]["id"], "b");
  EXPECT_FALSE(body["events"][1].contains("replies"));
}

TEST(HttpBatch, ExplainsTheFirstOfManyBadMembersAlone) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  std::string members = "1";
  for (int i = 1; i < 1'000; ++i) members += ",1";

  const RawResponse response =
      receiver.Exchange(Post(kBatchType, "[" + members + "]"));

  EXPECT_EQ(response.status, 400);
  const auto body = nlohmann::json::parse(response.body, nullptr, false);
  ASSERT_EQ(body["events"].size(), 1'000u);
  EXPECT_TRUE(body["events"][15].contains("detail"));
  EXPECT_FALSE(body["events"][16].contains("detail"));
  EXPECT_EQ(body["events"][999]["code"], "invalid_event");
  EXPECT_LT(response.body.size(), 50'000u);
}

TEST(HttpBatch, RunsNothingOfABatchThatIsNoArray) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  const RawResponse response =
      receiver.Exchange(Post(kBatchType, "[" + Structured("1")));

  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(sink.ids(), IsEmpty());
}

TEST(HttpBatch, AnswersAnEmptyBatchAsDone) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  EXPECT_EQ(receiver.Exchange(Post(kBatchType, "[]")).status, 202);
}

TEST(HttpBatch, RefusesABatchOfTooManyEvents) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.decode = {.max_batch_events = 2}});

  const RawResponse response = receiver.Exchange(
      Post(kBatchType, "[" + Structured("1") + "," + Structured("2") + "," +
                           Structured("3") + "]"));

  EXPECT_EQ(response.status, 413);
  EXPECT_THAT(sink.ids(), IsEmpty());
}

TEST(HttpBatch, RepliesToABatchOnlyWhereAcceptNamesIt) {
  std::uint32_t capacity = 99;
  InlineSink sink([&](const Delivery& delivery) {
    capacity = delivery.facts.reply_capacity;
    if (capacity == 0) return Done();
    return Replied({MakeReply(std::string(delivery.event()->id()) + "a"),
                    MakeReply(std::string(delivery.event()->id()) + "b")});
  });
  RunningReceiver receiver(sink);
  const std::string body = "[" + Structured("1") + "," + Structured("2") + "]";
  const std::string type(kBatchType);

  const RawResponse plain = receiver.Exchange(Post(type, body));
  const std::uint32_t plain_capacity = capacity;
  const RawResponse any =
      receiver.Exchange(Post(type + "Accept: */*\r\n", body));
  const RawResponse asked = receiver.Exchange(
      Post(type + "Accept: text/plain, application/cloudevents-batch+json\r\n",
           body));

  EXPECT_EQ(plain.status, 202);
  EXPECT_EQ(plain_capacity, 0u);
  EXPECT_EQ(any.status, 202);
  EXPECT_EQ(asked.status, 200);
  EXPECT_EQ(asked.Header("content-type"), "application/cloudevents-batch+json");
  const auto replies = DecodeJsonBatch(std::string_view(asked.body));
  ASSERT_TRUE(replies);
  std::vector<std::string> ids;
  for (const auto& reply : *replies) ids.emplace_back((*reply).id());
  EXPECT_THAT(ids, ElementsAre("1a", "1b", "2a", "2b"));
}

// The status table.

}  // namespace
}  // namespace cirro::test
