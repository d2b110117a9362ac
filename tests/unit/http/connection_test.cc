// A connection without a socket, on a time that stands still.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "support/http_connection.h"
#include "support/raw_http.h"
#include "support/sinks.h"

namespace cirro::test {
namespace {

using namespace std::chrono_literals;
using internal::http::DrainPhase;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Connection, ReadsTheSameWhereverTheBytesAreCut) {
  const std::string bytes =
      PostEvent("1", "data") + "\r\n" + ChunkedEvent() + PostEvent("2");

  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    InlineSink sink;
    HttpConnectionRig rig(sink, {});
    rig.Receive(bytes.substr(0, cut));
    rig.Receive(bytes.substr(cut));

    ASSERT_THAT(sink.ids(), ElementsAre("1", "c", "2")) << cut;
    ASSERT_THAT(StatusesIn(rig.sent()), ElementsAre(202, 202, 202)) << cut;
  }
}

TEST(Connection, ReadsOnceForARequestThatDoesNotFillItsRoom) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});

  rig.Receive(PostEvent("1"));
  rig.Receive(PostEvent("2"));

  EXPECT_EQ(rig.reads(), 2);
}

TEST(Connection, SendsTheRestWhenThereIsRoomAgain) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  rig.GiveRoom(10);

  rig.Receive(PostEvent("1"));
  const std::size_t before = rig.sent().size();
  rig.GiveRoom(1'000);

  EXPECT_EQ(before, 10u);
  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(202));
}

TEST(Connection, StopsReadingWhileAnswersAreNotTaken) {
  InlineSink sink([](const Delivery&) { return ReplyOf(1'000); });
  HttpConnectionRig rig(sink, {.max_unsent_bytes = 3'000});
  rig.GiveRoom(0);
  for (int i = 0; i < 20; ++i) rig.Receive(PostEvent("1"));

  const std::size_t served = sink.ids().size();
  rig.GiveRoom(1'000'000);

  EXPECT_GE(served, 3u);
  EXPECT_LE(served, 5u);
  EXPECT_EQ(sink.ids().size(), 20u);
  EXPECT_EQ(StatusesIn(rig.sent()).size(), 20u);
}

// Each byte that went out makes room, although some always wait.
TEST(Connection, NeedsNoMoreMemoryForAPeerThatReadsSlowly) {
  InlineSink sink([](const Delivery&) { return ReplyOf(20'000); });
  HttpConnectionRig rig(sink, {.max_unsent_bytes = 50'000});
  rig.GiveRoom(0);
  std::size_t most = 0;
  for (int i = 0; i < 500; ++i) {
    rig.Receive(PostEvent("1"));
    rig.GiveRoom(15'000);
    most = std::max(most, rig.connection().memory());
  }

  EXPECT_GT(rig.sent().size(), 7'000'000u);
  EXPECT_LT(most, 1'000'000u);
}

// Answers of functions elsewhere, all of them finished at once.
TEST(Connection, BoundsTheAnswersOfAPeerThatNeverReads) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {.max_unsent_bytes = 50'000});
  rig.GiveRoom(0);
  for (int i = 0; i < 100; ++i) {
    rig.Receive(PostEvent("1", std::string(20'000, 'x')));
  }
  std::vector<Delivery> taken = sink.TakeNow(100);
  for (Delivery& delivery : taken) delivery.Settle(ReplyOf(20'000));
  rig.Turn();

  EXPECT_LE(taken.size(), 4u);
  EXPECT_LT(rig.connection().memory(), 500'000u);
}

TEST(Connection, KeepsNoMemoryOfLargeMessages) {
  InlineSink sink([](const Delivery&) { return ReplyOf(1'000'000); });
  HttpConnectionRig rig(sink, {});
  std::string chunked = ChunkedEvent();
  chunked.replace(chunked.find("4;a=b"), 11,
                  "7a120\r\n" + std::string(500'000, 'x'));

  for (int i = 0; i < 3; ++i) {
    rig.Receive(PostEvent("1", std::string(900'000, 'x')));
    rig.Receive(chunked);
  }

  EXPECT_GT(rig.sent().size(), 6'000'000u);
  EXPECT_LT(rig.connection().memory(), 10'000u);
}

TEST(Connection, LetsOthersHaveATurnBeforeItReadsOn) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  std::string many;
  for (int i = 0; i < 10'000; ++i) many += PostEvent("1");

  rig.Receive(many);

  EXPECT_EQ(sink.ids().size(), 10'000u);
  EXPECT_GT(rig.reads(), 16);
}

// Bytes that cost the most to read.
std::string EndlessChunks(std::size_t count) {
  std::string bytes =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t i = 0; i < count; ++i) bytes += "1\r\na\r\n";
  return bytes;
}

TEST(Connection, ReadsItsShareOfATurnInBytes) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  const std::string bytes = EndlessChunks(150'000);

  rig.Arrive(bytes);
  const std::size_t read = bytes.size() - rig.unread();
  rig.Turn();

  EXPECT_GE(read, 65'536u);
  EXPECT_LE(read, 200'000u);
  EXPECT_EQ(rig.unread(), 0u);
}

// Else those that never stop sending would be served with each byte.
TEST(Connection, ReadsNothingMoreBeforeItsTurnHoweverMuchComes) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  rig.Arrive(EndlessChunks(150'000));
  const std::size_t unread = rig.unread();

  rig.Arrive("1\r\na\r\n");

  EXPECT_EQ(rig.unread(), unread + 6);
}

TEST(Connection, ReadsASmallRequestEvenInALongTurn) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  const std::string large = PostEvent("2", std::string(100'000, 'x'));
  rig.host().NoteRead(100'000'000);

  rig.Arrive(PostEvent("1") + large);
  const std::size_t unread = rig.unread();
  rig.Turn();

  EXPECT_GE(unread, large.size() - 4'096);
  EXPECT_THAT(sink.ids(), ElementsAre("1", "2"));
}

// Workers may settle as fast as requests are parsed.
TEST(Connection, AnswersFromElsewhereDoNotMakeATurnEndless) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {});
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += PostEvent("1");
  std::size_t served = 0;
  const auto settle_all = [&] {
    std::vector<Delivery> taken = sink.TakeNow(1'000);
    for (Delivery& delivery : taken) delivery.Settle(Done());
    served += taken.size();
    return !taken.empty();
  };

  rig.Arrive(many);
  do rig.EndTurn();
  while (settle_all());
  const std::size_t read = many.size() - rig.unread();
  do rig.Turn();
  while (settle_all());

  EXPECT_GE(read, 400'000u);
  EXPECT_LE(read, 700'000u);
  EXPECT_EQ(served, 20'000u);
}

TEST(Connection, AnswersAnEmptyBatchThatIsReadBehindAnswers) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {.max_pipelined = 2});
  const std::string large(30'000, 'x');
  // The end of the batch is not in the first read.
  rig.Receive(PostEvent("1", large) + PostEvent("2", large) +
              "POST / HTTP/1.1\r\nHost: x\r\nx: " + std::string(8'000, 'x') +
              "\r\nContent-Type: application/cloudevents-batch+json\r\n"
              "Content-Length: 2\r\n\r\n[]");

  for (Delivery& delivery : sink.TakeNow(2)) delivery.Settle(Done());
  rig.Turn();

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(202, 202, 202));
}

// Deadlines.

TEST(Connection, IsNotSlowWhileItWaitsForItsTurn) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  std::string many;
  for (int i = 0; i < 3'000; ++i) many += PostEvent("1");

  rig.Arrive(many);
  ASSERT_GT(rig.unread(), 0u);
  rig.Advance(10s);

  EXPECT_THAT(StatusesIn(rig.sent()), Each(202));
  EXPECT_EQ(sink.ids().size(), 3'000u);
}

TEST(Connection, HasTheIdleTimeoutBetweenRequests) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});

  EXPECT_EQ(rig.left(), 75s);
  rig.Advance(70s);
  rig.Receive(PostEvent("1"));
  EXPECT_EQ(rig.left(), 75s);
  rig.Advance(75s);

  EXPECT_TRUE(rig.ended_writing());
  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(202));
}

// So that those who hold the admin port's connections must come again.
TEST(Connection, IsIdleForAMomentOnlyOnTheAdminPort) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {}, true);

  EXPECT_EQ(rig.left(), 5s);
}

TEST(Connection, HasTheHeaderTimeoutFromTheFirstByteWhateverFollows) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});

  rig.Receive("P");
  rig.Advance(9s);
  rig.Receive("OST / HTTP/1.1\r\nX: ");
  EXPECT_EQ(rig.left(), 1s);
  rig.Advance(1s);

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(408));
  EXPECT_TRUE(rig.ended_writing());
}

TEST(Connection, RefusesALateHeadWithoutABody) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});

  rig.Receive("HE");
  rig.Receive("AD / HTTP/1.1\r\n");
  rig.Advance(10s);

  EXPECT_THAT(rig.sent(), ::testing::StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(rig.sent(), ::testing::EndsWith("\r\n\r\n"));
}

// Of the request in hand, not of one before it.
TEST(Connection, RefusesWhatFollowsAHeadWithABody) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  rig.Receive("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");

  rig.Receive("\x16");

  EXPECT_THAT(rig.sent(), ::testing::EndsWith("}"));
}

TEST(Connection, ABodyMayTakeItsTimeWhileItMakesProgress) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  const std::string request = PostEvent("1", std::string(5'000, 'x'));
  const std::size_t body = request.size() - 5'000;
  rig.Receive(request.substr(0, body));

  for (std::size_t at = body; at < request.size(); at += 1'250) {
    ASSERT_EQ(rig.left(), 10s);
    rig.Receive(request.substr(at, 1'250));
    rig.Advance(10s);
  }

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(202));
}

TEST(Connection, ABodyThatTricklesIsRefused) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  const std::string request = PostEvent("1", std::string(5'000, 'x'));
  rig.Receive(request.substr(0, 300));

  for (int i = 0; i < 9; ++i) {
    rig.Receive("xxxxxxxxxx");
    rig.Advance(1s);
  }
  EXPECT_THAT(StatusesIn(rig.sent()), IsEmpty());
  rig.Advance(1s);

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(408));
}

// Who was not asked for the body yet is not slow.
TEST(Connection, ABodyThatWaitsForItsContinueHasNoDeadline) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {});
  rig.Receive(PostEvent("1"));
  rig.Receive(
      "POST / HTTP/1.1\r\nHost: x\r\nce-specversion: 1.0\r\nce-id: 2\r\n"
      "ce-source: /s\r\nce-type: t\r\nExpect: 100-continue\r\n"
      "Content-Length: 4\r\n\r\n");
  rig.Advance(60s);
  const std::size_t before = rig.sent().size();
  sink.TakeOne().Settle(Done());
  rig.Turn();
  EXPECT_EQ(before, 0u);
  EXPECT_THAT(rig.sent(), ::testing::EndsWith("100 Continue\r\n\r\n"));
  EXPECT_EQ(rig.left(), 10s);
  rig.Receive("data");

  EXPECT_EQ(sink.TakeOne().event()->id(), "2");
}

TEST(Connection, HasNoDeadlineWhileAFunctionRuns) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {});
  rig.Receive(PostEvent("1"));
  const Duration left = rig.left();

  Delivery delivery = sink.TakeOne();
  rig.Advance(1'000s);
  delivery.Settle(Done());
  rig.Turn();

  EXPECT_EQ(left, Duration::max());
  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(202));
}

TEST(Connection, GivesUpAPeerThatTakesNothing) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  rig.GiveRoom(10);
  rig.Receive(PostEvent("1"));

  EXPECT_EQ(rig.left(), 30s);
  rig.Advance(20s);
  rig.GiveRoom(10);
  EXPECT_EQ(rig.left(), 30s);
  rig.Advance(30s);

  EXPECT_TRUE(rig.connection().finished());
}

TEST(Connection, LingersUntilThePeersEndOrASecond) {
  InlineSink sink;
  HttpConnectionRig ended(sink, {});
  HttpConnectionRig silent(sink, {});
  ended.Receive("broken\r\n\r\n");
  silent.Receive("broken\r\n\r\n");
  EXPECT_TRUE(ended.ended_writing());
  EXPECT_FALSE(ended.connection().finished());

  ended.Receive("more that nobody reads");
  ended.PeerEnds();
  silent.Advance(1s);

  EXPECT_TRUE(ended.connection().finished());
  EXPECT_EQ(ended.unread(), 0u);
  EXPECT_TRUE(silent.connection().finished());
}

// Drain.

TEST(Connection, SaysCloseWithTheLastAnswerOfADrain) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {});
  const std::string last = PostEvent("2");
  rig.Receive(PostEvent("1") + last.substr(0, 5));
  rig.Enter(DrainPhase::kLastRequests);
  Delivery first = sink.TakeOne();
  first.Settle(Done());
  rig.Turn();
  const bool early = rig.sent().find("connection: close") != std::string::npos;

  rig.Receive(last.substr(5));
  Delivery second = sink.TakeOne();
  second.Settle(Done());
  rig.Turn();

  EXPECT_FALSE(early);
  EXPECT_TRUE(rig.sent().find("connection: close") != std::string::npos);
  EXPECT_TRUE(rig.ended_writing());
  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(202, 202));
}

TEST(Connection, IsQuietWhenNothingThatHadBegunIsLeft) {
  InlineSink sink;
  HttpConnectionRig rig(sink, {});
  const std::string request = PostEvent("1");
  rig.Receive(request.substr(0, 5));

  rig.Enter(DrainPhase::kFenced);
  const std::size_t before = rig.host().unquiet;
  rig.Receive(request.substr(5));

  EXPECT_EQ(before, 1u);
  EXPECT_EQ(rig.host().unquiet, 0u);
  EXPECT_THAT(sink.ids(), ElementsAre("1"));
}

TEST(Connection, ServesAllThatHadArrivedAtTheFenceThoughItWasFull) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {.max_pipelined = 1});
  rig.Receive(PostEvent("1") + PostEvent("2") + PostEvent("3"));
  rig.Enter(DrainPhase::kFenced);

  for (const char* const id : {"1", "2", "3"}) {
    // The last is a delivery already: nothing will become one any more.
    EXPECT_EQ(rig.host().unquiet, id == std::string_view("3") ? 0u : 1u);
    Delivery delivery = sink.TakeOne();
    EXPECT_EQ(delivery.event()->id(), id);
    delivery.Settle(Done());
    rig.Turn();
  }

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(202, 202, 202));
}

TEST(Connection, RefusesWhatIsOpenWhenItIsClosed) {
  HoldingSink sink;
  HttpConnectionRig rig(sink, {});
  rig.Receive(PostEvent("1") + "POST ");
  rig.Enter(DrainPhase::kFenced);

  rig.Enter(DrainPhase::kClosing);
  Delivery late = sink.TakeOne();
  late.Settle(Done());
  rig.Turn();

  EXPECT_THAT(StatusesIn(rig.sent()), ElementsAre(503, 503));
  EXPECT_TRUE(rig.ended_writing());
}

}  // namespace
}  // namespace cirro::test
