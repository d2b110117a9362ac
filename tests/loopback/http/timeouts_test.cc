// The receiver over real sockets against time: slow senders, slow readers,
// idle connections. The receiver's timeouts are short here, and the tests wait
// for what they cause.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using namespace std::chrono_literals;

bool WaitForConnections(RunningReceiver& receiver, std::uint64_t count) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (receiver->counters().connections_open != count) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(Timeouts, TwoHundredSlowSendersDoNotStopAHealthyClient) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.header_timeout = 500ms});
  std::vector<RawHttpClient> slow;
  for (int i = 0; i < 200; ++i) {
    slow.push_back(receiver.Connect());
    slow.back().Send("POST / HTTP/1.1\r\nHost: x\r\nX-Slow");
  }

  RawHttpClient healthy = receiver.Connect();
  int served = 0;
  for (int i = 0; i < 100; ++i) {
    served += healthy.Exchange(PostEvent("1")).status == 202;
  }
  int timed_out = 0;
  for (RawHttpClient& client : slow)
    timed_out += client.Receive().status == 408;

  EXPECT_EQ(served, 100);
  EXPECT_EQ(timed_out, 200);
  EXPECT_EQ(receiver.rejected(HttpReject::kTimeout), 200u);
  EXPECT_EQ(healthy.Exchange(PostEvent("2")).status, 202);
}

TEST(Timeouts, AByteNowAndThenDoesNotProlongAHeader) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.header_timeout = 300ms});
  RawHttpClient client = receiver.Connect();
  client.Send("POST / HTTP/1.1\r\nX: ");

  // As fast as the receiver takes them: it sees bytes until it has had enough.
  while (client.Send("a")) {
  }

  EXPECT_EQ(receiver.rejected(HttpReject::kTimeout) +
                receiver.rejected(HttpReject::kHeaderTooLarge),
            1u);
}

TEST(Timeouts, ABodyWithoutProgressIsRefused) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.body_timeout = 100ms});
  const std::string request = PostEvent("1", std::string(5'000, 'x'));

  const RawResponse response =
      receiver.Exchange(std::string_view(request).substr(0, 1'000));

  EXPECT_EQ(response.status, 408);
  EXPECT_EQ(response.Header("connection"), "close");
}

TEST(Timeouts, AnIdleConnectionIsClosedWithoutAWord) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.idle_timeout = 100ms});
  RawHttpClient never_used = receiver.Connect();
  RawHttpClient used = receiver.Connect();
  ASSERT_EQ(used.Exchange(PostEvent("1")).status, 202);

  EXPECT_EQ(used.WaitForEnd(), RawHttpClient::End::kEnd);
  EXPECT_EQ(never_used.WaitForEnd(), RawHttpClient::End::kEnd);
  EXPECT_EQ(used.rest(), "");
  EXPECT_EQ(never_used.rest(), "");
}

TEST(Timeouts, AConnectionThatWaitsForItsFunctionIsNotIdle) {
  HoldingSink sink;
  RunningReceiver receiver(sink, {.idle_timeout = 100ms});
  RawHttpClient waiting = receiver.Connect();
  waiting.Send(PostEvent("1"));
  Delivery delivery = sink.TakeOne();

  RawHttpClient idle = receiver.Connect();
  ASSERT_EQ(idle.WaitForEnd(), RawHttpClient::End::kEnd);
  delivery.Settle(Done());

  EXPECT_EQ(waiting.Receive().status, 202);
}

TEST(Timeouts, AClientThatNeverReadsIsGivenUp) {
  InlineSink sink([](const Delivery&) {
    return Settlement{.kind = Settlement::Kind::kAck,
                      .replies = {*EventBuilder()
                                       .id("1")
                                       .source("/s")
                                       .type("t")
                                       .data(Text(std::string(1 << 24, 'x')))
                                       .Build()}};
  });
  RunningReceiver receiver(
      sink, {.write_timeout = 100ms, .decode = {.max_event_bytes = 1 << 25}});
  RawHttpClient client(receiver->port(), 10s, 4'096);

  client.Send(PostEvent("1"));

  EXPECT_TRUE(WaitForConnections(receiver, 1));
  EXPECT_TRUE(WaitForConnections(receiver, 0));
}

TEST(Timeouts, AClosedConnectionDoesNotWaitForItsPeerForEver) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.linger = 100ms});
  RawHttpClient client = receiver.Connect();

  const RawResponse response = client.Exchange("broken\r\n\r\n");

  EXPECT_EQ(response.status, 400);
  EXPECT_TRUE(WaitForConnections(receiver, 0));
}

}  // namespace
}  // namespace cirro::test
