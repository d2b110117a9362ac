// Events from memory through the whole dispatcher to a function and back to
// their source's settlement, on one thread: no socket, no other thread, what is
// left is the engine.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/result.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/executor.h"
#include "cirro/dispatch/function.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/make_handler.h"
#include "cirro/dispatch/registry.h"
#include "micro.h"

namespace cirro::bench {
namespace {

constexpr std::size_t kBatch = 64;  // what an inlet hands over at once

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const noexcept override {
    return std::chrono::steady_clock::now();
  }
  [[nodiscard]] Timestamp WallTime() const noexcept override { return {}; }
};

// A pool of the calling thread: tasks wait until Run.
class Queue final : public Executor {
 public:
  void Post(std::span<const Task> tasks) noexcept override {
    tasks_.insert(tasks_.end(), tasks.begin(), tasks.end());
  }
  bool ReplaceHung(const Task& /*task*/) noexcept override { return false; }

  void Run() {
    while (!tasks_.empty()) {
      running_.swap(tasks_);
      for (const Task& task : running_) task.run(task.target, task.argument);
      running_.clear();
    }
  }

 private:
  std::vector<Task> tasks_;
  std::vector<Task> running_;
};

// No call here lasts until a deadline.
class NoTimers final : public TimerQueue {
 public:
  void Arm(TimePoint /*when*/, const Task& /*task*/) noexcept override {}
};

class Counter final : public Settler {
 public:
  void Settle(DeliveryToken /*token*/,
              Settlement settlement) noexcept override {
    if (settlement.kind == Settlement::Kind::kAck) ++acknowledged;
  }

  std::uint64_t acknowledged = 0;
};

template <typename T>
T OrExit(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

// A dispatcher of one function, and a source that gives it the same event.
class Rig {
 public:
  Rig(bool inline_call, bool peer_waits)
      : inlet_{"memory", peer_waits},
        event_(OrExit(EventBuilder()
                          .id("b7c2f0de-6a52")
                          .source("/shops/berlin/4")
                          .type("com.example.order.placed")
                          .subject("orders/1009")
                          .Build())) {
    FunctionSpec spec{.type = "com.example.order.placed"};
    spec.inline_call = inline_call;
    spec.order_by.kind = OrderBy::Kind::kNone;
    Registry registry;
    const Result<void> added =
        registry.Add({spec, MakeHandler([](const Event& event) {
                        benchmark::DoNotOptimize(event.id().data());
                      })});
    if (!added) std::abort();
    dispatcher_ = OrExit(Dispatcher::Make(
        std::move(registry), {},
        {.clock = clock_, .executor = queue_, .timers = timers_}));
    batch_.reserve(kBatch);
  }

  void DeliverBatch() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      batch_.emplace_back(event_, inlet_, counter_, DeliveryToken{0, i});
    }
    dispatcher_->Deliver(batch_);
    batch_.clear();
    queue_.Run();
    delivered_ += kBatch;
    if (counter_.acknowledged != delivered_) {
      std::fputs("a delivery was not acknowledged\n", stderr);
      std::exit(1);
    }
  }

 private:
  SteadyClock clock_;
  NoTimers timers_;
  Queue queue_;
  Counter counter_;
  InletInfo inlet_;
  Event event_;
  std::vector<Delivery> batch_;
  std::uint64_t delivered_ = 0;
  std::unique_ptr<Dispatcher> dispatcher_;
};

void MeasureEngine(const char* name, bool inline_call, bool peer_waits) {
  Measure(
      name,
      [rig = std::make_unique<Rig>(inline_call, peer_waits)] {
        rig->DeliverBatch();
      },
      kBatch);
}

}  // namespace
}  // namespace cirro::bench

int main(int argc, char** argv) {
  using cirro::bench::MeasureEngine;
  MeasureEngine("engine_event_from_memory_inline", true, false);
  MeasureEngine("engine_event_from_memory_queued", false, false);
  MeasureEngine("engine_event_whose_peer_waits_inline", true, true);
  return cirro::bench::Run(argc, argv);
}
