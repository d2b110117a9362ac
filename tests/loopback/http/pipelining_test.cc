// The receiver over real sockets: many requests on one connection, answers
// from other threads, peers that do not read.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <latch>
#include <random>
#include <semaphore>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "loopback/http/echoes.h"
#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using ::testing::ElementsAre;
using ::testing::Le;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;

#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kSanitized = true;

#else
constexpr bool kSanitized = false;

#endif
#else
constexpr bool kSanitized = false;

#endif

TEST(Pipelining, AnswersInOrderWhateverTheOrderOfSettling) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  client.Send(PostEvents(4));

  std::vector<Delivery> deliveries = sink.Take(4);
  ASSERT_EQ(deliveries.size(), 4u);
  for (const std::size_t i : {3u, 1u, 0u, 2u}) {
    deliveries[i].Settle(Echoed(deliveries[i]));
  }

  for (const char* const id : {"0", "1", "2", "3"}) {
    EXPECT_EQ(client.Receive().Header("ce-id"), id);
  }
}

TEST(Pipelining, AnswersRefusalsInOrderToo) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  client.Send(PostEvent("1") + "GET / HTTP/1.1\r\nHost: x\r\n\r\n" +
              "broken\r\n\r\n");

  Delivery delivery = sink.TakeOne();
  delivery.Settle(Done());

  EXPECT_EQ(client.Receive().status, 202);
  EXPECT_EQ(client.Receive().status, 405);
  EXPECT_EQ(client.Receive().status, 400);
  EXPECT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd);
}

TEST(Pipelining, ServesNothingBehindConnectionClose) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  std::string last = PostEvent("1");
  last.insert(last.find("Content-Length"), "Connection: close\r\n");

  client.Send(last + PostEvent("2"));

  EXPECT_EQ(client.Receive().Header("connection"), "close");
  EXPECT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd);
  EXPECT_EQ(client.rest(), "");
  EXPECT_THAT(sink.ids(), ElementsAre("1"));
}

TEST(Pipelining, SaysContinueOnlyBehindEarlierAnswers) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  std::string second = PostEvent("2", "data");
  second.insert(second.find("Content-Length"), "Expect: 100-continue\r\n");
  client.Send(PostEvent("1") + second.substr(0, second.size() - 4));

  Delivery delivery = sink.TakeOne();
  delivery.Settle(Done());
  const int first = client.ReceiveOne().status;
  const int go_on = client.ReceiveOne().status;
  client.Send("data");
  Delivery last = sink.TakeOne();
  last.Settle(Done());

  EXPECT_EQ(first, 202);
  EXPECT_EQ(go_on, 100);
  EXPECT_EQ(client.ReceiveOne().status, 202);
}

TEST(Pipelining, HoldsNoMoreRequestsThanItsBound) {
  HoldingSink sink;
  RunningReceiver receiver(sink, {.max_pipelined = 5});
  RawHttpClient client = receiver.Connect();
  RawHttpClient other = receiver.Connect();
  client.Send(PostEvents(1'000));

  // The other's answer shows that the reactor has been through its turn.
  other.Send(PostEvent("other"));
  std::vector<Delivery> deliveries = sink.Take(6);
  EXPECT_EQ(deliveries.size(), 6u);
  EXPECT_EQ(sink.held(), 0u);

  int next = 0;
  for (Delivery& delivery : deliveries) {
    next += delivery.event()->id() != "other";
    delivery.Settle(Echoed(delivery));
  }
  EXPECT_EQ(next, 5);
  for (; next < 1'000; ++next) {
    Delivery delivery = sink.TakeOne();
    ASSERT_EQ(delivery.event()->id(), std::to_string(next));
    delivery.Settle(Echoed(delivery));
  }
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_EQ(client.Receive().Header("ce-id"), std::to_string(i));
  }
}

TEST(Pipelining, AClientThatNeverReadsIsBoundedInMemory) {
  constexpr std::size_t kReplyBytes = 65'536;
  constexpr int kRequests = 1'000;
  std::atomic<int> called = 0;
  InlineSink sink([&](const Delivery& delivery) {
    ++called;
    return Echoed(delivery.event()->id(), kReplyBytes);
  });
  RunningReceiver receiver(sink);
  RawHttpClient greedy(receiver->port(), std::chrono::seconds(20), 4'096);
  RawHttpClient other = receiver.Connect();

  const std::string requests = PostEvents(kRequests);
  const std::size_t sent = greedy.SendSome(requests);
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(other.Exchange(PostEvent("other")).status, 200);
  }
  const int called_unread = called;
  std::thread rest([&] { greedy.Send(requests.substr(sent)); });
  for (int i = 0; i < kRequests; ++i) {
    const RawResponse response = greedy.Receive();
    EXPECT_EQ(response.Header("ce-id"), std::to_string(i));
    EXPECT_EQ(response.body.size(), kReplyBytes);
    if (response.status == 0) break;
  }
  rest.join();

  // What the system's socket buffers take (4 MiB to send by default), our own
  // bound, and the one answer that went over it.
  EXPECT_THAT(called_unread, Le(250));
  EXPECT_EQ(called, kRequests + 3);
}

// Bytes of this process that are in memory.
std::size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t pages = 0;
  statm >> pages >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// Requests and answers are large, so that a receiver which reads on or keeps
// what it cannot send would need hundreds of megabytes.
TEST(Pipelining, AThousandRequestsOfAClientThatNeverReadsTakeLittleMemory) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer keeps what was freed";
  constexpr std::size_t kBytes = 262'144;
  constexpr int kRequests = 1'000;
  std::atomic<int> called = 0;
  InlineSink sink([&](const Delivery& delivery) {
    ++called;
    return Echoed(delivery.event()->id(), kBytes);
  });
  RunningReceiver receiver(sink);
  RawHttpClient other = receiver.Connect();
  ASSERT_EQ(other.Exchange(PostEvent("warm")).status, 200);
  const std::string request = PostEvent("1", std::string(kBytes, 'x'));
  const std::size_t before = ResidentBytes();

  RawHttpClient greedy(receiver->port(), std::chrono::milliseconds(200), 4'096);
  int whole = 0;
  while (whole < kRequests && greedy.Send(request)) ++whole;
  ASSERT_EQ(other.Exchange(PostEvent("still here")).status, 200);
  const std::size_t after = ResidentBytes();

  EXPECT_LT(whole, kRequests) << "it was read although it reads nothing";
  EXPECT_GT(called, 2);
  EXPECT_LT(called, 100);
  EXPECT_LT(after, before + (std::size_t{32} << 20));
}

// Holds events, but for one whose function keeps the reactor's thread.
class KeptSink final : public Sink {
 public:
  void Deliver(std::span<Delivery> batch) noexcept override {
    for (Delivery& delivery : batch) {
      if (delivery.event()->id() == "keeper") {
        kept.count_down();
        go.wait();
        delivery.Settle(Done());
      } else {
        held.Deliver({&delivery, 1});
      }
    }
  }

  HoldingSink held;
  std::latch kept{1};
  std::latch go{1};
};

TEST(Pipelining, RepliesFromElsewhereTakeLittleMemoryWhileTheThreadIsKept) {
  if (kSanitized) GTEST_SKIP() << "a sanitizer keeps what was freed";
  constexpr std::size_t kReplies = 150;
  KeptSink sink;
  RunningReceiver receiver(sink, {.max_buffered_bytes = std::size_t{4} << 20});
  std::vector<RawHttpClient> clients;
  for (std::size_t i = 0; i < kReplies; i += 30) {
    clients.push_back(receiver.Connect());
    clients.back().Send(PostEvents(30));
  }
  std::vector<Delivery> deliveries = sink.held.Take(kReplies);
  ASSERT_EQ(deliveries.size(), kReplies);
  RawHttpClient keeper = receiver.Connect();
  keeper.Send(PostEvent("keeper"));
  sink.kept.wait();
  const std::size_t before = ResidentBytes();

  for (Delivery& delivery : deliveries) {
    delivery.Settle(Echoed("r", std::size_t{1} << 20));
  }
  const std::size_t after = ResidentBytes();
  sink.go.count_down();

  EXPECT_LT(after, before + (std::size_t{32} << 20));
  EXPECT_EQ(keeper.Receive().status, 202);
  int refused = 0;
  for (RawHttpClient& client : clients) {
    for (int i = 0; i < 30; ++i) refused += client.Receive().status == 503;
  }
  EXPECT_GE(refused, 140);
  EXPECT_LT(refused, 150);
  EXPECT_EQ(receiver.rejected(HttpReject::kBuffers),
            static_cast<std::uint64_t>(refused));
}

TEST(Pipelining, ServesAThousandPipelinedRequestsInOrder) {
  InlineSink sink([](const Delivery& delivery) { return Echoed(delivery); });
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();

  std::thread sender([&] { client.Send(PostEvents(1'000)); });
  std::vector<std::string> ids;
  for (int i = 0; i < 1'000; ++i)
    ids.push_back(client.Receive().Header("ce-id"));
  sender.join();

  for (std::size_t i = 0; i < 1'000; ++i) {
    ASSERT_EQ(ids[i], std::to_string(i));
  }
}

// Keeps the I/O thread in a function until everything that is to come in the
// next turn has come.
class GatedSink final : public Sink {
 public:
  void Deliver(std::span<Delivery> batch) noexcept override {
    for (const Delivery& delivery : batch) {
      if (delivery.event()->id() != "gate") continue;
      reached_.release();
      open_.acquire();
    }
    inner_.Deliver(batch);
  }

  void AwaitGate() { reached_.acquire(); }
  void Open() { open_.release(); }
  std::vector<std::string> ids() { return inner_.ids(); }

 private:
  std::binary_semaphore reached_{0};
  std::binary_semaphore open_{0};
  InlineSink inner_;
};

TEST(Pipelining, FastSendersLeaveTheOthersTheirTurn) {
  constexpr std::size_t kEventBytes = 8'000;
  GatedSink sink;
  RunningReceiver receiver(sink, {.reactor_threads = 1});
  std::vector<RawHttpClient> fast;
  for (int i = 0; i < 30; ++i) fast.push_back(receiver.Connect());
  RawHttpClient other = receiver.Connect();
  RawHttpClient gate = receiver.Connect();
  for (RawHttpClient& client : fast) client.Exchange(PostEvent("warm"));
  other.Exchange(PostEvent("warm"));
  gate.Send(PostEvent("gate"));
  sink.AwaitGate();
  std::string flood;
  for (int i = 0; i < 100; ++i) {
    flood += PostEvent("fast", std::string(kEventBytes, 'x'));
  }

  std::size_t sent = 0;
  for (const RawHttpClient& client : fast) sent += client.SendSome(flood);
  other.Send(PostEvent("other"));
  sink.Open();
  ASSERT_EQ(other.Receive().status, 202);

  const std::vector<std::string> ids = sink.ids();
  const auto before = static_cast<std::size_t>(std::count(
      ids.begin(), std::find(ids.begin(), ids.end(), "other"), "fast"));
  ASSERT_GT(sent, 5'000'000u);
  EXPECT_LT(before * kEventBytes, 1'500'000u);
}

// None has all of its bytes read while another waits for its share; how much
// of each is there to be read, the system decides.
TEST(Pipelining, FastSendersTakeTurns) {
  constexpr std::size_t kSenders = 10;
  GatedSink sink;
  RunningReceiver receiver(sink, {.reactor_threads = 1});
  std::vector<RawHttpClient> fast;
  for (std::size_t i = 0; i < kSenders; ++i) fast.push_back(receiver.Connect());
  RawHttpClient gate = receiver.Connect();
  for (RawHttpClient& client : fast) client.Exchange(PostEvent("warm"));
  gate.Send(PostEvent("gate"));
  sink.AwaitGate();
  std::vector<std::size_t> events(kSenders);
  for (std::size_t i = 0; i < kSenders; ++i) {
    std::string flood;
    for (int k = 0; k < 100; ++k) {
      flood += PostEvent(std::to_string(i), std::string(8'000, 'x'));
    }
    events[i] = fast[i].SendSome(flood) * 100 / flood.size();
  }

  sink.Open();
  for (std::size_t i = 0; i < kSenders; ++i) {
    for (std::size_t k = 0; k < events[i]; ++k) {
      ASSERT_EQ(fast[i].Receive().status, 202);
    }
  }

  std::vector<std::size_t> served(kSenders);
  for (const std::string& id : sink.ids()) {
    if (id == "warm" || id == "gate") continue;
    const std::size_t sender = std::stoul(id);
    if (++served[sender] == events[sender]) break;
  }
  for (std::size_t i = 0; i < kSenders; ++i) {
    EXPECT_GE(served[i], events[i] / 10) << i;
  }
}

TEST(Pipelining, SendsALargeReplyToASlowReader) {
  constexpr std::size_t kBytes = 16 * 1'024 * 1'024;
  InlineSink sink([](const Delivery& delivery) {
    return Echoed(delivery.event()->id(), kBytes);
  });
  RunningReceiver receiver(sink, {.decode = {.max_event_bytes = 2 * kBytes}});
  RawHttpClient client(receiver->port(), std::chrono::seconds(20), 4'096);

  const RawResponse response = client.Exchange(PostEvent("1"));

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body.size(), kBytes);
}

// Answers from other threads.

TEST(Pipelining, KeepsTheOrderUnderThreadsThatSettleAtRandom) {
  constexpr int kConnections = 10;
  constexpr int kRequests = 200;
  HoldingSink sink;
  RunningReceiver receiver(sink, {.reactor_threads = 2});
  std::vector<std::jthread> settlers;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    settlers.emplace_back([&sink, seed](const std::stop_token& stop) {
      std::mt19937 random(seed);
      while (!stop.stop_requested()) {
        std::vector<Delivery> some = sink.TakeNow(8);
        std::shuffle(some.begin(), some.end(), random);
        for (Delivery& delivery : some) delivery.Settle(Echoed(delivery));
        std::this_thread::yield();
      }
    });
  }

  std::vector<std::jthread> clients;
  std::atomic<int> in_order = 0;
  for (int c = 0; c < kConnections; ++c) {
    clients.emplace_back([&] {
      RawHttpClient client = receiver.Connect();
      std::jthread sender([&] { client.Send(PostEvents(kRequests)); });
      for (int i = 0; i < kRequests; ++i) {
        in_order += client.Receive().Header("ce-id") == std::to_string(i);
      }
    });
  }
  clients.clear();

  EXPECT_EQ(in_order, kConnections * kRequests);
}

}  // namespace
}  // namespace cirro::test
