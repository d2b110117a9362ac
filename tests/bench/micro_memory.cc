// Events of the broker in memory: produced, fetched, through the whole
// dispatcher to a function, settled and committed, on one thread.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/make_handler.h"
#include "cirro/memory/memory.h"
#include "micro.h"
#include "support/noting_observer.h"

namespace cirro::bench {
namespace {

constexpr std::size_t kBatch = 256;

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

class NoTimers final : public TimerQueue {
 public:
  void Arm(TimePoint /*when*/, const Task& /*task*/) noexcept override {}
};

template <typename T>
T OrExit(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  std::exit(1);
}

class Rig {
 public:
  Rig(MemoryMode mode, bool inline_call)
      : event_(OrExit(EventBuilder()
                          .id("b7c2f0de-6a52")
                          .source("/shops/berlin/4")
                          .type("com.example.order.placed")
                          .subject("orders/1009")
                          .Build())),
        inlet_(OrExit(MakeMemoryInlet(
            broker_, {.topics = {"orders"}, .mode = mode, .own_thread = false},
            clock_, observer_))) {
    FunctionSpec spec{.type = "com.example.order.placed"};
    spec.inline_call = inline_call;
    Registry registry;
    const Result<void> added =
        registry.Add({spec, MakeHandler([](const Event& event) {
                        benchmark::DoNotOptimize(event.id().data());
                      })});
    if (!added) std::abort();
    dispatcher_ = OrExit(Dispatcher::Make(std::move(registry), {},
                                          {.clock = clock_,
                                           .executor = queue_,
                                           .timers = timers_,
                                           .inlets = {inlet_.get()}}));
    if (!inlet_->Start(*dispatcher_)) std::abort();
  }
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  ~Rig() { static_cast<void>(inlet_->Stop({})); }

  void DeliverBatch() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      OrExit(broker_.Produce("orders", {.content = event_}));
    }
    while (inlet_->Pump() > 0) queue_.Run();
    if (broker_.Pending("memory") != 0) {
      std::fputs("an event was not settled\n", stderr);
      std::exit(1);
    }
  }

 private:
  SteadyClock clock_;
  NoTimers timers_;
  Queue queue_;
  test::NotingObserver observer_;
  MemoryBroker broker_{clock_, {.partitions = 1}};
  const Event event_;
  const std::unique_ptr<MemoryInlet> inlet_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

void MeasureMemory(const char* name, MemoryMode mode, bool inline_call) {
  Measure(
      name,
      [rig = std::make_unique<Rig>(mode, inline_call)] { rig->DeliverBatch(); },
      kBatch);
}

}  // namespace
}  // namespace cirro::bench

int main(int argc, char** argv) {
  using cirro::MemoryMode;
  using cirro::bench::MeasureMemory;
  MeasureMemory("memory_partitioned_inline", MemoryMode::kPartitioned, true);
  MeasureMemory("memory_partitioned_queued", MemoryMode::kPartitioned, false);
  MeasureMemory("memory_shared_inline", MemoryMode::kShared, true);
  MeasureMemory("memory_shared_queued", MemoryMode::kShared, false);
  return cirro::bench::Run(argc, argv);
}
