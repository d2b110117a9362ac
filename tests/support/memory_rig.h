#pragma once

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/offset_map.h"
#include "cirro/memory/memory.h"
#include "support/noting_observer.h"
#include "support/sinks.h"
#include "support/virtual_clock.h"

namespace cirro::test {

/// A broker in memory on virtual time, and its members, which a test pumps.
struct MemoryRig {
  VirtualClock clock;
  NotingObserver observer;
  MemoryBroker broker;

  explicit MemoryRig(MemoryBrokerOptions options = {.partitions = 1})
      : broker(clock, options) {}

  /// One more member, which is not started. The rig owns it, too: what a sink
  /// still holds at the end of a test is given back to it.
  std::shared_ptr<MemoryInlet> Make(MemoryInletOptions options = {}) {
    options.own_thread = false;
    if (options.topics.empty()) options.topics = {"orders"};
    if (options.group.empty()) options.group = "shop";
    auto made = MakeMemoryInlet(broker, options, clock, observer);
    if (!made) std::cerr << made.error().message << '\n';
    if (!made) std::abort();
    members_.push_back(*std::move(made));
    return members_.back();
  }

  static MemoryRecord Record(std::string_view id, std::string key = {}) {
    auto event =
        EventBuilder().id(id).source("/test").type("com.example.order").Build();
    if (!event) std::abort();
    return {.content = *std::move(event), .key = std::move(key)};
  }
  void Publish(int count, int first = 0, std::string_view topic = "orders") {
    for (int i = first; i < first + count; ++i) {
      if (!broker.Produce(topic, Record(std::to_string(i)))) std::abort();
    }
  }
  /// What is committed of partition `index` of "orders"; -1: nothing.
  std::int64_t Committed(int index = 0) const {
    const auto commit =
        broker.Committed("shop", "orders/" + std::to_string(index));
    return commit ? static_cast<std::int64_t>(commit->offset) : -1;
  }

 private:
  std::vector<std::shared_ptr<MemoryInlet>> members_;
};

inline std::vector<std::string> IdsOf(const std::vector<Delivery>& deliveries) {
  std::vector<std::string> ids;
  for (const Delivery& one : deliveries) ids.emplace_back(one.event()->id());
  return ids;
}

}  // namespace cirro::test
