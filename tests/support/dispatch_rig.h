#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/make_handler.h"
#include "support/memory_inlet.h"
#include "support/memory_outlet.h"
#include "support/memory_place.h"
#include "support/scripted_dedup.h"
#include "support/test_executor.h"
#include "support/virtual_clock.h"

namespace cirro::test {

inline Event TypedEvent(std::string_view type, std::string_view id = "1",
                        std::string_view subject = {}) {
  auto event =
      EventBuilder().id(id).source("/test").type(type).subject(subject).Build();
  if (!event) {
    std::cerr << "fixture: " << event.error().message << '\n';
    std::abort();
  }
  return *std::move(event);
}

/// A dispatcher on virtual time, without socket or thread: one inlet whose peer
/// waits, as over HTTP, one that redelivers, as a broker, and two outlets.
struct DispatchRig {
  VirtualClock clock;
  VirtualTimers timers{clock};
  SeededExecutor executor;
  MemoryInlet http{clock, {.name = "http", .peer_waits = true}};
  DelayingInlet broker{clock, {.name = "broker"}};
  MemoryInlet hasty{clock, {.name = "hasty"}};  // Gives again at once.
  MemoryOutlet sink{"sink"};                    // Confirms at once.
  MemoryOutlet slow{"slow", true};              // Confirms when told.
  MemoryPlace letters{"letters"};               // For what is given up.
  MemoryPlace file{"file"};
  ScriptedDedup dedup;
  Observer* observer = nullptr;
  int stuck = 0;  // How often it was said.
  DispatcherOptions options;
  Registry registry;
  std::unique_ptr<Dispatcher> dispatcher;

  DispatchRig() {
    options.retry = {.attempts = 3,
                     .base = std::chrono::milliseconds(100),
                     .cap = std::chrono::seconds(10)};
  }

  DispatchRig(const DispatchRig&) = delete;
  DispatchRig& operator=(const DispatchRig&) = delete;
  // Outlets stop before the dispatcher ends.
  ~DispatchRig() { slow.Stop({}); }

  template <typename F>
  void On(FunctionSpec spec, F&& callable) {
    Must(registry.Add({std::move(spec), MakeHandler(std::forward<F>(callable))})
             .has_value());
  }

  void Start() {
    auto made = Dispatcher::Make(std::move(registry), options, Parts());
    if (!made) std::cerr << made.error().message << '\n';
    Must(made.has_value());
    dispatcher = *std::move(made);
    Must(http.Start(*dispatcher).has_value());
    Must(broker.Start(*dispatcher).has_value());
    Must(hasty.Start(*dispatcher).has_value());
  }
  DispatcherParts Parts() {
    return {.clock = clock,
            .executor = executor,
            .timers = timers,
            .observer = observer,
            .outlets = {{&sink}, {&slow}},
            .inlets = {&http, &broker, &hasty},
            .places = {&letters, &file},
            .dedup = &dedup,
            .stuck = {[](void* rig, std::uint64_t) noexcept {
                        ++static_cast<DispatchRig*>(rig)->stuck;
                      },
                      this, 0}};
  }

  /// Everything that can happen without time passing.
  void Run() {
    while (http.Pump() + broker.Pump() + hasty.Pump() > 0 ||
           executor.RunFirst() || timers.RunDue()) {
    }
  }
  void Advance(std::chrono::milliseconds by) {
    const TimePoint end = clock.Now() + by;
    for (;;) {
      Run();
      const TimePoint next =
          std::min({timers.next(), http.next_due(), broker.next_due()});
      if (next > end) break;
      clock.AdvanceTo(next);
    }
    clock.AdvanceTo(end);
    Run();
  }

  /// A request with `event`, and everything that follows at once. Its number.
  std::size_t Post(Event event, std::uint32_t reply_capacity = 1) {
    const std::size_t number = http.Publish(
        {.event = std::move(event), .reply_capacity = reply_capacity});
    Run();
    return number;
  }
  /// The settlement of request `number`, which has exactly one.
  Settlement Answer(std::size_t number) {
    const auto settlements = http.message(number).settlements;
    if (settlements.size() != 1) {
      std::cerr << "request " << number << " has " << settlements.size()
                << " settlements\n";
    }
    Must(settlements.size() == 1);
    return settlements.front();
  }

  static void Must(bool holds) {
    if (!holds) std::abort();
  }
};

}  // namespace cirro::test
