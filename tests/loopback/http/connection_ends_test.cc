// The receiver over real sockets: peers that go away, or end their half.

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "loopback/http/echoes.h"
#include "support/running_receiver.h"

namespace cirro::test {
namespace {

// The descriptor of the receiver's end of a connection: it is in this process.
int ServerEnd(const RawHttpClient& client) {
  sockaddr_in mine{};
  socklen_t size = sizeof mine;
  getsockname(client.fd(), reinterpret_cast<sockaddr*>(&mine), &size);
  for (int fd = 3; fd < 1'024; ++fd) {
    sockaddr_in peer{};
    size = sizeof peer;
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        peer.sin_port == mine.sin_port) {
      return fd;
    }
  }
  return -1;
}

bool WaitForConnections(RunningReceiver& receiver, std::uint64_t count) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (receiver->counters().connections_open != count) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

TEST(LateAnswer, NeverReachesTheNextConnectionOnTheSameDescriptor) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient first = receiver.Connect();
  first.Send(PostEvent("first"));
  Delivery late = sink.TakeOne();
  const int descriptor = ServerEnd(first);
  first.Reset();
  ASSERT_TRUE(WaitForConnections(receiver, 0));

  RawHttpClient second = receiver.Connect();
  second.Send(PostEvent("second"));
  Delivery own = sink.TakeOne();
  const int same = ServerEnd(second);
  late.Settle(Echoed(late));
  own.Settle(Echoed(own));
  const RawResponse response = second.Receive();

  EXPECT_EQ(same, descriptor);
  EXPECT_EQ(response.Header("ce-id"), "second");
  second.EndWriting();
  EXPECT_EQ(second.WaitForEnd(), RawHttpClient::End::kEnd);
  EXPECT_EQ(second.rest(), "");
}

TEST(LateAnswer, OfAConnectionThatWasResetIsDropped) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  client.Send(PostEvents(3));
  std::vector<Delivery> late = sink.Take(3);
  client.Reset();
  ASSERT_TRUE(WaitForConnections(receiver, 0));

  for (Delivery& delivery : late) delivery.Settle(Done());
  RawHttpClient next = receiver.Connect();
  next.Send(PostEvent("next"));
  Delivery delivery = sink.TakeOne();
  delivery.Settle(Done());

  EXPECT_EQ(next.Receive().status, 202);
}

// Half-closed connections.

TEST(HalfClosed, AClientIsStillAnswered) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  client.Send(PostEvents(2));
  client.EndWriting();

  std::vector<Delivery> deliveries = sink.Take(2);
  ASSERT_EQ(deliveries.size(), 2u);
  for (Delivery& delivery : deliveries) delivery.Settle(Echoed(delivery));

  EXPECT_EQ(client.Receive().Header("ce-id"), "0");
  EXPECT_EQ(client.Receive().Header("ce-id"), "1");
  EXPECT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd);
}

// The end may come with the bytes, in one event, or after them, in its own.
TEST(HalfClosed, AnEndThatComesWithTheBytesIsSeen) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  for (int i = 0; i < 200; ++i) {
    RawHttpClient client = receiver.Connect();
    client.Send(PostEvent("1"));
    client.EndWriting();
    ASSERT_EQ(client.Receive().status, 202);
    ASSERT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd);
  }
}

TEST(HalfClosed, ARequestThatEndsTooEarlyIsRefused) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  const std::string request = PostEvent("1", "data");

  client.Send(request.substr(0, request.size() - 1));
  client.EndWriting();

  EXPECT_EQ(client.Receive().status, 400);
  EXPECT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd);
  EXPECT_TRUE(sink.ids().empty());
}

}  // namespace
}  // namespace cirro::test
