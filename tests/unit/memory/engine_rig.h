#pragma once

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

#include "cirro/dispatch/dedup.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/make_handler.h"
#include "cirro/memory/memory.h"
#include "support/memory_place.h"
#include "support/memory_rig.h"
#include "support/test_executor.h"

namespace cirro::test {

/// A broker in memory, an inlet of it and the whole engine, on virtual time.
struct EngineRig : MemoryRig {
  explicit EngineRig(MemoryInletOptions options,
                     MemoryBrokerOptions broker_options = {.partitions = 1})
      : MemoryRig(broker_options), inlet(Make(options)) {}

  template <typename F>
  void Start(F&& callable) {
    Registry registry;
    FunctionSpec spec{.type = "com.example.order"};
    spec.timeout = std::chrono::hours(1);
    spec.dedup = dedup != nullptr;
    if (!registry.Add({spec, MakeHandler(std::forward<F>(callable))})) {
      std::abort();
    }
    dispatcher = *Dispatcher::Make(std::move(registry), dispatcher_options,
                                   {.clock = clock,
                                    .executor = executor,
                                    .timers = timers,
                                    .inlets = {inlet.get()},
                                    .places = {&letters},
                                    .dedup = dedup.get()});
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
  MemoryPlace letters{"letters"};
  std::unique_ptr<DedupStore> dedup;
  std::shared_ptr<MemoryInlet> inlet;
  std::unique_ptr<Dispatcher> dispatcher;
};

}  // namespace cirro::test
