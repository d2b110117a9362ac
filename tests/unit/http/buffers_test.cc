// What all connections together may hold of requests and of answers, without a
// socket.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "support/http_connection.h"
#include "support/raw_http.h"
#include "support/sinks.h"

namespace cirro::test {
namespace {

using internal::http::DrainPhase;
using ::testing::ElementsAre;

std::string PostBatch(int events) {
  std::string body;
  for (int i = 0; i < events; ++i) {
    body += (i == 0 ? "[" : ",") +
            (R"({"specversion":"1.0","id":")" + std::to_string(i) +
             R"(","source":"/s","type":"t"})");
  }
  body += ']';
  return "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: "
         "application/cloudevents-batch+json\r\nAccept: "
         "application/cloudevents-batch+json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(Buffers, RefusesALargeRequestWhereOthersHoldTheMemory) {
  const std::string large = PostEvent("1", std::string(50'000, 'x'));
  std::string chunked = ChunkedEvent();
  chunked.replace(chunked.find("4;a=b"), 11,
                  "c350\r\n" + std::string(50'000, 'x') + "\r\n");
  for (const std::string& request : {large, chunked}) {
    for (const std::size_t piece : {std::size_t{1'000}, std::size_t{40'000}}) {
      InlineSink sink;
      HttpConnectionRig rig(sink, {.max_buffered_bytes = 100'000});
      rig.host().buffers.received = 70'000;

      for (std::size_t at = 0; at < request.size(); at += piece) {
        rig.Receive(request.substr(at, piece));
      }

      EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(503));
      EXPECT_THAT(rig.sent(), ::testing::HasSubstr("retry-after: 1\r\n"));
      EXPECT_TRUE(rig.ended_writing());
      EXPECT_LE(rig.host().buffers.received, 72'000u);
    }
  }
}

TEST(Buffers, TakesASmallRequestInPiecesHoweverFullTheMemoryIs) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {.max_buffered_bytes = 100'000});
  rig.host().buffers.received = 100'000;
  const std::string request = PostEvent("1", std::string(1'000, 'x'));

  for (const char byte : request) rig.Receive({&byte, 1});

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(202));
}

TEST(Buffers, RefusesEventsWhileOthersLeaveTheirAnswersUntaken) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {.max_buffered_bytes = 100'000});
  rig.host().buffers.unsent = 100'001;

  rig.Receive(PostEvent("1"));
  rig.host().buffers.unsent -= 1;
  rig.Receive(PostEvent("2"));

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(503, 202));
  EXPECT_THAT(sink.ids(), ElementsAre("2"));
}

// Functions elsewhere have finished, all at once, and nobody reads.
TEST(Buffers, RefusesRepliesThatThereIsNoMemoryFor) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {.max_buffered_bytes = 100'000});
  rig.GiveRoom(0);
  for (int i = 0; i < 10; ++i) rig.Receive(PostEvent("1"));
  std::vector<Delivery> taken = sink.TakeNow(10);
  ASSERT_EQ(taken.size(), 10u);

  // The last first, so that none can go out at once.
  for (std::size_t i = 10; i-- > 0;) taken[i].Settle(ReplyOf(30'000));
  const std::size_t unsent = rig.host().buffers.unsent;
  rig.GiveRoom(1'000'000);

  EXPECT_LE(unsent, 110'000u);
  EXPECT_THAT(StatusesIn(rig.sent()),
              ElementsAre(503, 503, 503, 503, 503, 503, 503, 200, 200, 200));
  EXPECT_EQ(rig.host().buffers.unsent, 0u);
}

TEST(Buffers, SaysSmallThingsHoweverFullTheMemoryIs) {
  InlineSink sink([](const Delivery&) { return ReplyOf(1'000); });
  HttpConnectionRig rig(sink, {.max_buffered_bytes = 100'000});
  rig.host().buffers.unsent = 100'000;

  rig.Receive(PostEvent("1"));

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(200));
  EXPECT_EQ(rig.host().buffers.unsent, 100'000u);
}

TEST(Buffers, CountsTheRepliesOfABatchUntilTheyAreSent) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {.max_buffered_bytes = 100'000});
  rig.Receive(PostBatch(3));
  std::vector<Delivery> taken = sink.TakeNow(3);
  ASSERT_EQ(taken.size(), 3u);

  taken[2].Settle(ReplyOf(30'000));
  taken[0].Settle(ReplyOf(30'000));
  const std::size_t unsent = rig.host().buffers.unsent;
  taken[1].Settle(ReplyOf(10));
  rig.Turn();

  EXPECT_GE(unsent, 60'000u);
  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(200));
  EXPECT_EQ(rig.host().buffers.unsent, 0u);
}

TEST(Buffers, RefusesABatchWhoseRepliesThereIsNoMemoryFor) {
  for (const std::size_t reply : {std::size_t{2'000}, std::size_t{15'000}}) {
    const int events = static_cast<int>(60'000 / reply);
    HoldingSink sink;
    HttpConnectionRig rig(sink, {.max_buffered_bytes = 100'000});
    rig.host().buffers.unsent = 60'000;  // Of others.
    rig.Receive(PostBatch(events));
    std::vector<Delivery> taken = sink.TakeNow(100);

    std::size_t most = 0;
    for (Delivery& delivery : taken) {
      delivery.Settle(ReplyOf(reply));
      most = std::max(most, rig.host().buffers.unsent.load());
    }
    rig.Turn();
    rig.Receive(PostEvent("next"));
    sink.TakeOne().Settle(ReplyOf(30'000));
    rig.Turn();

    EXPECT_LE(most, 100'000u + 4'096u);  // What one may have beyond it.
    EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(503, 200));
    EXPECT_THAT(rig.sent(), ::testing::HasSubstr("retry-after: 1\r\n"));
    EXPECT_EQ(rig.host().buffers.unsent, 60'000u);
  }
}

// They would be made again for ever.
TEST(Buffers, RejectsRepliesThatCouldNeverFit) {
  for (const int events : {0, 1, 100}) {
    HoldingSink sink;
    HttpConnectionRig rig(sink, {.max_buffered_bytes = 100'000});
    rig.Receive(events == 0 ? PostEvent("1") : PostBatch(events));

    for (Delivery& delivery : sink.TakeNow(100)) {
      delivery.Settle(ReplyOf(events == 100 ? 1'500 : 150'000));
    }
    rig.Turn();

    EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(422)) << events;
    EXPECT_THAT(rig.sent(), ::testing::HasSubstr("http.max_buffered_bytes"));
    EXPECT_EQ(rig.host().buffers.unsent, 0u);
  }
}

TEST(Buffers, DropsTheRepliesOfABatchThatTheDrainCutsShort) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {});
  rig.Receive(PostBatch(2));
  std::vector<Delivery> taken = sink.TakeNow(2);
  ASSERT_EQ(taken.size(), 2u);
  taken[0].Settle(ReplyOf(30'000));

  rig.Enter(DrainPhase::kClosing);
  taken[1].Settle(ReplyOf(30'000));
  rig.Turn();

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(503));
  EXPECT_EQ(rig.host().buffers.unsent, 0u);
}

TEST(Buffers, CountsWhatItHoldsAndGivesItBack) {
  InlineSink sink([](const Delivery&) { return ReplyOf(20'000); });
  HttpConnectionRig rig(sink, {});
  const std::string request = PostEvent("1", std::string(50'000, 'x'));
  rig.GiveRoom(0);

  rig.Receive(request.substr(0, 30'000));
  const std::size_t received = rig.host().buffers.received;
  rig.Receive(request.substr(30'000));
  const std::size_t unsent = rig.host().buffers.unsent;

  EXPECT_GE(received, 30'000u);
  EXPECT_LE(received, 100'000u);
  EXPECT_GE(unsent, 20'000u);
  EXPECT_LE(rig.host().buffers.received, 2'000u);
  rig.Destroy();
  EXPECT_EQ(rig.host().buffers.received, 0u);
  EXPECT_EQ(rig.host().buffers.unsent, 0u);
}

}  // namespace
}  // namespace cirro::test
