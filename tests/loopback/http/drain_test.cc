// The receiver's drain over real sockets, alone and under load.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <iterator>
#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "support/http_load.h"
#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

// The steps of one drain, and what the test does at one of them.
class Steps {
 public:
  [[nodiscard]] std::function<void(HttpDrainStep)> callback() {
    return [this](HttpDrainStep step) {
      if (step == at_ && then_) then_();
      const std::lock_guard lock(mutex_);
      steps_.push_back(step);
    };
  }
  void At(HttpDrainStep step, std::function<void()> then) {
    at_ = step;
    then_ = std::move(then);
  }
  [[nodiscard]] std::vector<HttpDrainStep> steps() {
    const std::lock_guard lock(mutex_);
    return steps_;
  }

 private:
  HttpDrainStep at_ = HttpDrainStep::kClosed;
  std::function<void()> then_;
  std::mutex mutex_;
  std::vector<HttpDrainStep> steps_;
};

TEST(Drain, GoesThroughItsStepsInOrder) {
  InlineSink sink;
  Steps steps;
  RunningReceiver receiver(sink, {.on_drain_step = steps.callback()});
  bool refused = false;
  steps.At(HttpDrainStep::kListenerClosed,
           [&] { refused = !receiver.Connect().connected(); });

  receiver->BeginDrain(1s);
  const Result<void> stopped = receiver->Stop(1s);

  EXPECT_TRUE(stopped);
  EXPECT_TRUE(refused);
  EXPECT_THAT(
      steps.steps(),
      ElementsAre(HttpDrainStep::kNotReady, HttpDrainStep::kLastRequests,
                  HttpDrainStep::kListenerClosed,
                  HttpDrainStep::kRequestsAnswered, HttpDrainStep::kClosed));
}

TEST(Drain, StopAloneGoesThroughThemToo) {
  InlineSink sink;
  Steps steps;
  RunningReceiver receiver(sink, {.on_drain_step = steps.callback()});

  EXPECT_TRUE(receiver->Stop(1s));
  EXPECT_TRUE(receiver->Stop(1s));

  EXPECT_EQ(steps.steps().size(), 5u);
}

TEST(Drain, ServesDuringItsDelayAndClosesBehindEachAnswer) {
  InlineSink sink;
  Steps steps;
  RunningReceiver receiver(
      sink, {.drain_delay = 10s, .on_drain_step = steps.callback()});
  RawHttpClient old = receiver.Connect();
  ASSERT_EQ(old.Exchange(PostEvent("1")).Header("connection"), "");
  std::promise<void> in_delay;
  steps.At(HttpDrainStep::kLastRequests, [&] { in_delay.set_value(); });
  std::jthread drain([&] { receiver->BeginDrain(300ms); });
  in_delay.get_future().wait();

  const RawResponse last = old.Exchange(PostEvent("2"));
  RawHttpClient fresh = receiver.Connect();
  const RawResponse only = fresh.Exchange(PostEvent("3"));

  EXPECT_EQ(last.status, 202);
  EXPECT_EQ(last.Header("connection"), "close");
  EXPECT_EQ(old.WaitForEnd(), RawHttpClient::End::kEnd);
  EXPECT_EQ(only.status, 202);
  EXPECT_EQ(only.Header("connection"), "close");
}

TEST(Drain, FinishesARequestThatHadBegun) {
  InlineSink sink;
  Steps steps;
  RunningReceiver receiver(sink, {.on_drain_step = steps.callback()});
  RawHttpClient client = receiver.Connect();
  const std::string request = PostEvent("1", "data");
  client.Send(request.substr(0, 10));
  steps.At(HttpDrainStep::kListenerClosed,
           [&] { client.Send(request.substr(10)); });

  receiver->BeginDrain(10s);
  const RawResponse response = client.Receive();

  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_THAT(sink.ids(), ElementsAre("1"));
  EXPECT_TRUE(receiver->Stop(1s));
}

TEST(Drain, AnswersPipelinedRequestsAndClosesBehindTheLast) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  client.Send(PostEvent("1") + PostEvent("2"));
  std::vector<Delivery> deliveries = sink.Take(2);
  receiver->BeginDrain(10s);

  for (Delivery& delivery : deliveries) delivery.Settle(Done());

  EXPECT_EQ(client.Receive().Header("connection"), "");
  EXPECT_EQ(client.Receive().Header("connection"), "close");
  EXPECT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd);
}

TEST(Drain, RefusesARequestThatBeginsAfterTheFence) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  ASSERT_EQ(client.Exchange(PostEvent("1")).status, 202);
  receiver->BeginDrain(10s);

  const RawResponse response = client.Exchange(PostEvent("2"));

  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("retry-after"), "1");
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd);
  EXPECT_THAT(sink.ids(), ElementsAre("1"));
}

// Its socket's buffers are full; only a reset gets rid of it.
TEST(Drain, DoesNotWaitForAPeerThatNeverReads) {
  const std::string large(1'000'000, 'a');
  InlineSink sink([&](const Delivery& delivery) {
    Settlement settlement = Done();
    settlement.replies.push_back(
        *EventBuilder(*delivery.event()).data(Text(large)).Build());
    return settlement;
  });
  RunningReceiver receiver(sink, {.write_timeout = 24h, .linger = 50ms});
  RawHttpClient client = receiver.Connect();
  for (int i = 0; i < 12; ++i) client.Send(PostEvent(std::to_string(i)));
  while (receiver->counters().requests == 0) std::this_thread::yield();

  static_cast<void>(receiver->Stop(50ms).has_value());

  EXPECT_TRUE(receiver->ended());
}

TEST(Drain, DoesNotWaitForAFunctionThatKeepsAnIoThread) {
  std::promise<void> begun;
  std::promise<void> let_go;
  InlineSink sink([&](const Delivery&) {
    begun.set_value();
    let_go.get_future().wait();
    return Done();
  });
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  client.Send(PostEvent("stuck"));
  begun.get_future().wait();

  const Result<void> stopped = receiver->Stop(50ms);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_FALSE(receiver->ended());
  let_go.set_value();  // Its end waits for the thread.
}

TEST(Drain, GivesUpWhatIsOpenWhenTheGraceIsOver) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient open = receiver.Connect();
  RawHttpClient half = receiver.Connect();
  open.Send(PostEvent("1"));
  half.Send("POST / HTTP/1.1\r\n");
  Delivery late = sink.TakeOne();
  // A refused client would show that the bytes of `half` were read.
  ASSERT_EQ(receiver.Exchange("broken\r\n\r\n").status, 400);

  receiver->BeginDrain(20ms);
  const Result<void> stopped = receiver->Stop(20ms);
  late.Settle(Done());

  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(open.Receive().status, 503);
  EXPECT_EQ(half.Receive().status, 503);
  EXPECT_EQ(open.WaitForEnd(), RawHttpClient::End::kEnd);
}

struct LoadCase {
  std::string name;
  std::chrono::milliseconds delay;
  bool from_threads;
};
void PrintTo(const LoadCase& c, std::ostream* out) { *out << c.name; }

class DrainUnderLoad : public ::testing::TestWithParam<LoadCase> {};

TEST_P(DrainUnderLoad, AnswersAllThatArrivedAndResetsNobody) {
  const bool all =
      std::getenv("CIRRO_TEST_LONG") != nullptr || GetParam().delay == 0ms;
  const int rounds = all ? 50 : 8;
  int in_time = 0;
  for (int round = 0; round < rounds; ++round) {
    InlineSink inline_sink;
    HoldingSink pool_sink;
    Sink& sink = GetParam().from_threads ? static_cast<Sink&>(pool_sink)
                                         : static_cast<Sink&>(inline_sink);
    std::vector<std::jthread> pool;
    for (int i = 0; i < 2 && GetParam().from_threads; ++i) {
      pool.emplace_back([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          for (Delivery& delivery : pool_sink.TakeNow(16)) {
            delivery.Settle(Done());
          }
          std::this_thread::yield();
        }
      });
    }
    std::atomic<bool> draining = false;
    RunningReceiver receiver(
        sink, {.reactor_threads = 2, .drain_delay = GetParam().delay});
    HttpLoad load(receiver->port(), 100, PostEvent("1", "data"), draining);
    HttpLoad::Tally tally;
    std::thread client([&] { tally = load.Run(); });
    load.AwaitServed(300);

    draining = true;
    receiver->BeginDrain(5s);
    const Result<void> stopped = receiver->Stop(5s);
    client.join();

    ASSERT_TRUE(stopped);
    ASSERT_EQ(tally.broken_promise, 0) << round;
    ASSERT_EQ(tally.reset, 0) << round;
    // Everybody heard "close" in time, if there was time.
    if (GetParam().delay > 2 * tally.longest_pause) {
      ASSERT_EQ(tally.refused + tally.ended, 0) << round;
      ++in_time;
    }
  }
  if (GetParam().delay > 0ms && in_time == 0) {
    GTEST_SKIP() << "this machine stood still in each of " << rounds
                 << " rounds";
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, DrainUnderLoad,
    ::testing::Values(LoadCase{"AtOnceInline", 0ms, false},
                      LoadCase{"AtOncePool", 0ms, true},
                      LoadCase{"DelayedInline", 200ms, false},
                      LoadCase{"DelayedPool", 200ms, true}),
    [](const auto& of_case) { return of_case.param.name; });

}  // namespace
}  // namespace cirro::test
