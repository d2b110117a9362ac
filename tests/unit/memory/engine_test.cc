// The broker in memory and the whole engine, on virtual time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/make_handler.h"
#include "cirro/memory/memory.h"
#include "support/memory_rig.h"
#include "support/test_executor.h"

namespace cirro::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct EngineRig : MemoryRig {
  explicit EngineRig(MemoryInletOptions options) : inlet(Make(options)) {}

  template <typename F>
  void Start(F&& callable) {
    Registry registry;
    FunctionSpec spec{.type = "com.example.order"};
    spec.timeout = std::chrono::hours(1);
    if (!registry.Add({spec, MakeHandler(std::forward<F>(callable))})) {
      std::abort();
    }
    dispatcher = *Dispatcher::Make(std::move(registry), dispatcher_options,
                                   {.clock = clock,
                                    .executor = executor,
                                    .timers = timers,
                                    .inlets = {inlet.get()}});
    if (!inlet->Start(*dispatcher)) std::abort();
  }
  ~EngineRig() { static_cast<void>(inlet->Stop({})); }
  EngineRig(const EngineRig&) = delete;
  EngineRig& operator=(const EngineRig&) = delete;

  /// All that happens in so long, but calls of functions.
  void Advance(Duration by, bool calls) {
    const TimePoint end = clock.Now() + by;
    for (;;) {
      while (inlet->Pump() > 0 || timers.RunDue() ||
             (calls && executor.RunFirst())) {
      }
      const TimePoint next = std::min(timers.next(), inlet->next_pump());
      if (next > end) break;
      clock.AdvanceTo(next);
    }
    clock.AdvanceTo(end);
  }

  DispatcherOptions dispatcher_options;
  VirtualTimers timers{clock};
  SeededExecutor executor;
  std::shared_ptr<MemoryInlet> inlet;
  std::unique_ptr<Dispatcher> dispatcher;
};

TEST(MemoryEngine, DoesNotGiveAgainWhatIsStillQueuedOrRunning) {
  EngineRig rig({.mode = MemoryMode::kShared, .ack_wait = seconds(10)});
  int calls = 0;
  rig.Start([&](const Event&) { ++calls; });
  rig.Publish(3);

  rig.Advance(seconds(100), false);
  rig.Advance(seconds(1), true);

  EXPECT_EQ(calls, 3);
  EXPECT_EQ(rig.broker.Pending("shop"), 0U);
}

TEST(MemoryEngine, KeepsCommittingAcrossALongHoleUntilItsSpanIsFull) {
  EngineRig rig({.max_in_flight = 64, .longest_span = 128});
  rig.dispatcher_options.retry = {
      .attempts = 1'000'000, .base = seconds(1), .cap = seconds(1)};
  int others = 0;
  bool fails = true;
  rig.Start([&](const Event& event) -> Outcome {
    if (event.id() == "0") return fails ? Retry("not yet") : Outcome();
    ++others;
    return Outcome();
  });
  rig.Publish(500);

  rig.Advance(seconds(20), true);
  EXPECT_EQ(rig.Committed(), 0);
  EXPECT_EQ(others, 127);
  fails = false;
  rig.Advance(seconds(20), true);

  EXPECT_EQ(rig.Committed(), 500);
  EXPECT_EQ(others, 499);
}

}  // namespace
}  // namespace cirro::test
