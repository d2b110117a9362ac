#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/nats/nats.h"
#include "support/load_module.h"

namespace cirro::test {

/// The module "nats", as a program loads it.
inline const NatsApi& Nats() { return LoadModule<NatsApi>(); }

/// Remembers what parts said of themselves.
class NotesObserver final : public Observer {
 public:
  void Received(const Delivery&) noexcept override {}
  void Started(std::string_view, const Delivery&, int) noexcept override {}
  void Finished(std::string_view, const Delivery&, Outcome::Kind, const Error*,
                Duration) noexcept override {}
  void Settled(const Delivery&, const Settlement&, Duration) noexcept override {
  }
  void Hung(std::string_view, const Delivery&) noexcept override {}
  void Logged(LogLevel, std::string_view, const Event*, const TraceContext&,
              std::string_view) noexcept override {}
  void Noted(LogLevel, std::string_view part,
             std::string_view message) noexcept override {
    if (std::getenv("CIRRO_TEST_VERBOSE") != nullptr) {
      std::fprintf(stderr, "%.*s: %.*s\n", static_cast<int>(part.size()),
                   part.data(), static_cast<int>(message.size()),
                   message.data());
    }
    const std::lock_guard lock(mutex_);
    notes_.emplace_back(message);
  }
  void Lost(std::string_view, std::uint64_t messages) noexcept override {
    const std::lock_guard lock(mutex_);
    lost_ += messages;
  }
  void Failed(std::string_view part, const Error& error) noexcept override {
    Noted(LogLevel::kError, part, error.message);
    const std::lock_guard lock(mutex_);
    failures_.push_back(error.message);
  }

  /// Whether something was said that has `text` in it.
  [[nodiscard]] bool Said(std::string_view text) {
    const std::lock_guard lock(mutex_);
    for (const std::string& note : notes_) {
      if (note.find(text) != std::string::npos) return true;
    }
    return false;
  }
  [[nodiscard]] std::vector<std::string> failures() {
    const std::lock_guard lock(mutex_);
    return failures_;
  }
  [[nodiscard]] std::uint64_t lost() {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  std::mutex mutex_;
  std::uint64_t lost_ = 0;
  std::vector<std::string> notes_;
  std::vector<std::string> failures_;
};

/// Hears how sends ended.
class SendResults final : public SendListener {
 public:
  void OnSent(std::uint64_t, Result<void> result,
              std::chrono::milliseconds) noexcept override {
    const std::lock_guard lock(mutex_);
    results_.push_back(std::move(result));
    changed_.notify_all();
  }
  [[nodiscard]] SendCompletion One() { return {*this, ++last_}; }
  /// Waits for so many; fewer after twenty seconds.
  std::vector<Result<void>> Take(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20),
                      [&] { return results_.size() >= count; });
    return std::exchange(results_, {});
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Result<void>> results_;
  std::uint64_t last_ = 0;
};

}  // namespace cirro::test
