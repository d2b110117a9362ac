#pragma once

#include <dlfcn.h>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/dispatch/dispatcher.h"
#include "cirro/module/module.h"
#include "cirro/nats/nats.h"

namespace cirro::test {

/// The module "nats", as a program loads it.
inline const NatsApi& Nats() {
  static const NatsApi* const api = [] {
    void* const module = dlopen(CIRRO_BINARY_DIR "/lib/cirro/modules/nats.so",
                                RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) throw std::runtime_error(dlerror());
    auto* const entry =
        reinterpret_cast<ModuleEntry*>(dlsym(module, "cirro_module_nats"));
    const ModuleDescriptor* const descriptor = entry();
    if (descriptor->abi != std::string_view(CIRRO_ABI_TAG) ||
        descriptor->kind != std::string_view(NatsApi::kKind)) {
      throw std::runtime_error("not the module that this test was built with");
    }
    return static_cast<const NatsApi*>(descriptor->api);
  }();
  return *api;
}

/// The time that it is.
class RealClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const noexcept override {
    return std::chrono::steady_clock::now();
  }
  [[nodiscard]] Timestamp WallTime() const noexcept override {
    return {.seconds = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count()};
  }
};

/// Looks until `holds`; false: not within `patience`.
inline bool Eventually(
    const std::function<bool()>& holds,
    std::chrono::seconds patience = std::chrono::seconds(20)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

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
  void Noted(LogLevel, std::string_view,
             std::string_view message) noexcept override {
    const std::lock_guard lock(mutex_);
    notes_.emplace_back(message);
  }
  void Failed(std::string_view, const Error& error) noexcept override {
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

 private:
  std::mutex mutex_;
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
