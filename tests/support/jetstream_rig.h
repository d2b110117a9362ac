#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/inlet.h"
#include "cirro/nats/nats.h"
#include "support/nats_module.h"
#include "support/nats_peer.h"
#include "support/nats_server.h"
#include "support/real_time.h"
#include "support/sinks.h"

namespace cirro::test {

/// An inlet with a sink of its own.
template <typename SinkType>
struct RunningInlet {
  SinkType sink;
  std::unique_ptr<Inlet> inlet;

  explicit RunningInlet(std::unique_ptr<Inlet> made) : inlet(std::move(made)) {
    Begin();
  }
  template <typename Argument>
  RunningInlet(std::unique_ptr<Inlet> made, Argument&& argument)
      : sink(std::forward<Argument>(argument)), inlet(std::move(made)) {
    Begin();
  }
  ~RunningInlet() {
    if (inlet) static_cast<void>(inlet->Stop(std::chrono::seconds(5)));
  }
  RunningInlet(const RunningInlet&) = delete;
  RunningInlet& operator=(const RunningInlet&) = delete;

 private:
  void Begin() {
    if (auto started = inlet->Start(sink); !started) {
      throw std::runtime_error(started.error().message);
    }
  }
};

/// A server with a stream ORDERS of the subjects orders.>, and inlets of it.
struct JetStreamRig {
  NatsServer server;
  NatsPeer peer{server.url()};
  RealClock clock;
  NotesObserver notes;

  explicit JetStreamRig(jsRetentionPolicy retention = js_LimitsPolicy) {
    peer.MakeStream("ORDERS", "orders.>", retention);
  }

  [[nodiscard]] JetStreamInletOptions Options() const {
    JetStreamInletOptions options;
    options.name = "orders";
    options.connection.servers = {server.url()};
    options.connection.reconnect_wait = std::chrono::milliseconds(20);
    options.stream = "ORDERS";
    options.durable = "worker";
    options.ack_wait = std::chrono::seconds(10);
    options.heartbeat = std::chrono::milliseconds(500);
    return options;
  }
  std::unique_ptr<Inlet> Make(JetStreamInletOptions options) {
    auto made = Nats().make_jetstream_inlet(std::move(options), clock, notes);
    if (!made) throw std::runtime_error(made.error().message);
    return *std::move(made);
  }
  std::unique_ptr<Inlet> Make() { return Make(Options()); }
  void Publish(int count, int first = 1) {
    for (int i = first; i < first + count; ++i) {
      peer.PublishEvent("orders.new", std::to_string(i));
    }
  }
  /// Waits until the server knows that all of the stream is settled.
  ::testing::AssertionResult AllSettled() {
    const bool settled = Eventually([this] {
      const auto consumer = peer.ConsumerOf("ORDERS", "worker");
      return consumer.ack_floor > 0 && consumer.pending == 0 &&
             consumer.ack_pending == 0;
    });
    if (settled) return ::testing::AssertionSuccess();
    const auto consumer = peer.ConsumerOf("ORDERS", "worker");
    return ::testing::AssertionFailure()
           << consumer.pending << " pending, " << consumer.ack_pending
           << " open, settled up to " << consumer.ack_floor;
  }
};

inline std::vector<std::string> IdsOf(const std::vector<Delivery>& deliveries) {
  std::vector<std::string> ids;
  for (const Delivery& delivery : deliveries) {
    ids.emplace_back(delivery.event() == nullptr ? "?"
                                                 : delivery.event()->id());
  }
  return ids;
}

}  // namespace cirro::test
