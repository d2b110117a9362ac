#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/observer.h"

namespace cirro::test {

/// Keeps what inlets and outlets say of themselves, and passes over the rest.
class NotingObserver : public Observer {
 public:
  void Received(const Delivery& /*delivery*/) noexcept override {}
  void Started(std::string_view /*function*/, const Delivery& /*delivery*/,
               int /*attempt*/) noexcept override {}
  void Finished(std::string_view /*function*/, const Delivery& /*delivery*/,
                Outcome::Kind /*outcome*/, const Error* /*error*/,
                Duration /*took*/) noexcept override {}
  void Settled(const Delivery& /*delivery*/, const Settlement& /*settlement*/,
               Duration /*since_received*/) noexcept override {}
  void Hung(std::string_view /*function*/,
            const Delivery& /*delivery*/) noexcept override {}
  void Logged(LogLevel /*level*/, std::string_view /*function*/,
              const Event* /*event*/, const TraceContext& /*trace*/,
              std::string_view /*message*/) noexcept override {}
  void Lost(std::string_view part, std::uint64_t messages) noexcept override {
    const MutexLock lock(mutex_);
    notes_.push_back(std::string(part) + ": lost " + std::to_string(messages));
  }
  void Noted(LogLevel /*level*/, std::string_view part,
             std::string_view message) noexcept override {
    const MutexLock lock(mutex_);
    notes_.push_back(std::string(part) + ": " + std::string(message));
  }

  [[nodiscard]] std::vector<std::string> notes() {
    const MutexLock lock(mutex_);
    return notes_;
  }

 private:
  Mutex mutex_;
  std::vector<std::string> notes_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::test
