#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "cirro/cloudevents/content_mode.h"
#include "cirro/nats/connection.h"

namespace cirro {

struct NatsOutletOptions {
  std::string name = "nats";  ///< Outlet::name.
  NatsConnection connection{};
  std::string subject{};
  /// False: core NATS. Then a send is confirmed when the server has it, also
  /// where nobody listens.
  bool jetstream = true;
  /// kStructured is what peers of 1.0.2 know; kBinary needs NATS 2.2.
  ContentMode mode = ContentMode::kStructured;
  std::size_t max_in_flight = 1'024;  ///< More are refused (kOverloaded).
  std::chrono::milliseconds timeout{5'000};  ///< From Send to its answer.
  std::string expected_stream{};  ///< That keeps the subject; empty: any.
  /// Each event has a message id of its source and id, so that the stream keeps
  /// it once within its own duplicate window, which this must name.
  bool message_ids = true;
  std::chrono::milliseconds duplicate_window{120'000};
};

}  // namespace cirro
