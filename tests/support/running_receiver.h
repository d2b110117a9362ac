#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "cirro/http/receiver.h"
#include "support/raw_http.h"
#include "support/sinks.h"

namespace cirro::test {

/// A started receiver on a free port of 127.0.0.1. Declared after its sink.
class RunningReceiver {
 public:
  explicit RunningReceiver(Sink& sink, HttpOptions options = {},
                           HttpSideRoutes* routes = nullptr)
      : receiver_(OnLoopback(std::move(options)), routes) {
    if (const Result<void> started = receiver_.Start(sink); !started) {
      throw std::runtime_error(started.error().message);
    }
  }

  HttpReceiver* operator->() { return &receiver_; }
  [[nodiscard]] RawHttpClient Connect() const {
    return RawHttpClient(receiver_.port());
  }
  /// One request on a connection of its own.
  RawResponse Exchange(std::string_view bytes) const {
    return Connect().Exchange(bytes);
  }
  [[nodiscard]] std::uint64_t rejected(HttpReject reason) const {
    return receiver_.counters().rejected[static_cast<std::size_t>(reason)];
  }

 private:
  static HttpOptions OnLoopback(HttpOptions options) {
    options.address = "127.0.0.1";
    options.port = 0;
    return options;
  }

  HttpReceiver receiver_;
};

}  // namespace cirro::test
