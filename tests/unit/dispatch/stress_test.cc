// Real threads, for the thread sanitizer: many producers, a pool, completions
// and confirmations from elsewhere, a timer thread, a drain in the middle.

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/make_handler.h"
#include "cirro/dispatch/mutex.h"
#include "support/dispatch_rig.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::TypedEvent;

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const noexcept override {
    return std::chrono::steady_clock::now();
  }
  [[nodiscard]] Timestamp WallTime() const noexcept override { return {}; }
};

// Runs jobs on threads of its own, until it ends; the rest is dropped.
class Threads {
 public:
  explicit Threads(int count) {
    for (int i = 0; i < count; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { Run(stop); });
    }
  }
  void Post(std::function<void()> job) {
    {
      const MutexLock lock(mutex_);
      jobs_.push_back(std::move(job));
    }
    wake_.notify_one();
  }
  void Stop() { threads_.clear(); }

 private:
  void Run(const std::stop_token& stop) {
    for (;;) {
      std::function<void()> job;
      {
        const MutexLock lock(mutex_);
        if (!wake_.wait(mutex_, stop, [this]() CIRRO_REQUIRES(mutex_) {
              return !jobs_.empty();
            })) {
          return;
        }
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
      job();
    }
  }

  Mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> jobs_ CIRRO_GUARDED_BY(mutex_);
  std::vector<std::jthread> threads_;
};

class PoolExecutor final : public Executor {
 public:
  explicit PoolExecutor(Threads& threads) : threads_(&threads) {}
  void Post(std::span<const Task> tasks) noexcept override {
    for (const Task& task : tasks) {
      threads_->Post([task] { task.run(task.target, task.argument); });
    }
  }
  bool ReplaceHung(const Task& /*task*/) noexcept override { return true; }

 private:
  Threads* const threads_;
};

class TimerThread final : public TimerQueue {
 public:
  void Arm(TimePoint when, const Task& task) noexcept override {
    {
      const MutexLock lock(mutex_);
      when_ = when;
      task_ = task;
    }
    wake_.notify_one();
  }
  void Stop() { thread_ = {}; }

 private:
  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Task due;
      {
        const MutexLock lock(mutex_);
        const TimePoint when = when_;
        const auto changed = [this, when]() CIRRO_REQUIRES(mutex_) {
          return when_ != when;
        };
        if (when == TimePoint::max()) {
          wake_.wait(mutex_, stop, changed);
          continue;
        }
        if (wake_.wait_until(mutex_, stop, when, changed)) continue;
        if (stop.stop_requested()) return;
        due = task_;
        when_ = TimePoint::max();
      }
      due.run(due.target, due.argument);
    }
  }

  Mutex mutex_;
  std::condition_variable_any wake_;
  TimePoint when_ CIRRO_GUARDED_BY(mutex_) = TimePoint::max();
  Task task_ CIRRO_GUARDED_BY(mutex_);
  std::jthread thread_{[this](const std::stop_token& stop) { Run(stop); }};
};

class ThreadedOutlet final : public Outlet {
 public:
  explicit ThreadedOutlet(Threads& threads) : threads_(&threads) {}
  [[nodiscard]] std::string_view name() const noexcept override {
    return "sink";
  }
  Result<void> Start() override { return {}; }
  void Send(Event /*event*/, SendCompletion completion) noexcept override {
    auto shared = std::make_shared<SendCompletion>(std::move(completion));
    threads_->Post([shared] { shared->Complete({}); });
  }
  void Stop(milliseconds /*grace*/) noexcept override {}

 private:
  Threads* const threads_;
};

// Counts how often each delivery is settled.
class CountingSettler final : public Settler {
 public:
  explicit CountingSettler(std::size_t count) : counts_(count) {}
  void Settle(DeliveryToken token, Settlement settlement) noexcept override {
    ++counts_[token.low];
    if (settlement.kind == Settlement::Kind::kAck) ++acked_;
  }
  [[nodiscard]] int count(std::size_t i) const { return counts_[i]; }
  [[nodiscard]] int acked() const { return acked_; }

 private:
  std::vector<std::atomic<int>> counts_;
  std::atomic<int> acked_{0};
};

TEST(DispatcherStress, SettlesEveryDeliveryOnceFromManyThreads) {
  constexpr std::size_t kProducers = 4;
  constexpr std::size_t kEach = 1500;
  SteadyClock clock;
  Threads pool(4);
  Threads elsewhere(2);
  PoolExecutor executor(pool);
  TimerThread timers;
  ThreadedOutlet sink(elsewhere);
  CountingSettler settler(kProducers * kEach);
  const InletInfo http{.name = "http", .peer_waits = true};
  const InletInfo log{.name = "log"};
  Registry registry;
  const auto on = [&registry](FunctionSpec spec, auto callable) {
    ASSERT_TRUE(registry.Add({std::move(spec), MakeHandler(callable)}));
  };
  std::atomic<int> calls{0};
  on({.type = "inline", .inline_call = true}, [&](const Event&) { ++calls; });
  on({.name = "ordered",
      .type = "pool",
      .order_by = {OrderBy::Kind::kSubject, {}}},
     [&](const Event& event, Context& context) -> Outcome {
       if (++calls % 7 == 0) return Retry(milliseconds(1), "again");
       if (context.stop_token().stop_requested()) return Retry("stopped");
       if (calls % 5 == 0) {
         const auto sent = context.Publish("sink", event);
         if (!sent) return Retry(sent.error().message);
       }
       return Done();
     });
  on({.name = "replies", .type = "pool"},
     [](const Event&) { return EventDraft{.type = "reply", .source = "/f"}; });
  on({.name = "batch", .type = "batch", .concurrency = 2},
     [](std::span<const Event> events) {
       return std::vector<Outcome>(events.size());
     });
  on({.name = "async", .type = "async"},
     [&](const Event&, Completion completion) {
       auto shared = std::make_shared<Completion>(std::move(completion));
       elsewhere.Post([shared] { shared->Finish(Done()); });
     });
  DispatcherOptions options;
  options.reply_to = "sink";
  options.max_in_flight = 300;
  options.retry = {
      .attempts = 3, .base = milliseconds(1), .cap = milliseconds(2)};
  auto dispatcher = *Dispatcher::Make(std::move(registry), options,
                                      {.clock = clock,
                                       .executor = executor,
                                       .timers = timers,
                                       .outlets = {{&sink}}});

  {
    std::vector<std::jthread> producers;
    for (std::size_t p = 0; p < kProducers; ++p) {
      producers.emplace_back([&, p] {
        static constexpr std::array kTypes = {"inline", "pool", "batch",
                                              "async"};
        for (std::size_t i = 0; i < kEach; ++i) {
          const std::size_t number = p * kEach + i;
          Delivery delivery(
              TypedEvent(kTypes[number % 4], std::to_string(number),
                         number % 3 == 0 ? "key" : ""),
              number % 2 == 0 ? http : log, settler, {0, number});
          delivery.facts.reply_capacity = number % 8 == 0 ? 1 : 0;
          dispatcher->Deliver({&delivery, 1});
        }
      });
    }
  }
  dispatcher->BeginDrain();
  dispatcher->GiveBackWaiting();
  EXPECT_TRUE(dispatcher->WaitIdle(std::chrono::seconds(30)));
  dispatcher->GiveBackAll();
  pool.Stop();
  elsewhere.Stop();
  timers.Stop();
  dispatcher.reset();

  for (std::size_t i = 0; i < kProducers * kEach; ++i) {
    ASSERT_EQ(settler.count(i), 1) << i;
  }
  EXPECT_GT(settler.acked(), 0);
}

}  // namespace
}  // namespace cirro
