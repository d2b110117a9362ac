#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/make_handler.h"
#include "contract/broker_under_test.h"
#include "support/live_executor.h"
#include "support/noting_observer.h"
#include "support/real_time.h"

namespace cirro::test {

constexpr std::chrono::seconds kPatience{30};

/// What happened, in its order, for tests that wait for it. Any thread.
class Diary {
 public:
  void Add(std::string_view what) {
    {
      const MutexLock lock(mutex_);
      all_.emplace_back(what);
    }
    changed_.notify_all();
  }
  [[nodiscard]] std::vector<std::string> all() {
    const MutexLock lock(mutex_);
    return all_;
  }
  [[nodiscard]] std::map<std::string, int> counts() {
    std::map<std::string, int> counts;
    for (const std::string& one : all()) ++counts[one];
    return counts;
  }
  /// False when there were fewer in the end.
  bool Await(std::size_t count) {
    const MutexLock lock(mutex_);
    return changed_.wait_for(mutex_, kPatience,
                             [this, count]() CIRRO_REQUIRES(mutex_) {
                               return all_.size() >= count;
                             });
  }

 private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::string> all_ CIRRO_GUARDED_BY(mutex_);
};

/// Functions wait here until a test lets them go on.
class Gate {
 public:
  void Open() {
    {
      const MutexLock lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }
  void Pass() {
    const MutexLock lock(mutex_);
    changed_.wait_for(mutex_, 2 * kPatience,
                      [this]() CIRRO_REQUIRES(mutex_) { return open_; });
  }

 private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  bool open_ CIRRO_GUARDED_BY(mutex_) = false;
};

/// Waits until `holds`, which asks a server, at most kPatience.
inline bool AwaitThat(const std::function<bool()>& holds) {
  return Eventually(holds, kPatience);
}

/// Attempts and troubles of a process, as its observer hears of them.
class ContractObserver final : public NotingObserver {
 public:
  void Started(std::string_view /*function*/, const Delivery& delivery,
               int attempt) noexcept override {
    started.Add(std::string(delivery.event()->id()) + "#" +
                std::to_string(attempt));
  }
  void NotBuried(const DeadLetterFacts& /*facts*/, const Delivery& /*delivery*/,
                 std::string_view /*place*/, const Error& /*error*/,
                 bool stalled) noexcept override {
    if (stalled) stalls.Add("stalled");
  }

  Diary started;
  Diary stalls;
};

/// One process that consumes: an inlet, a dispatcher, its threads and outlets.
class Process {
 public:
  Process(BrokerUnderTest& broker, InletWish wish)
      : broker_(broker), wish_(std::move(wish)) {
    options.retry = {.attempts = 3,
                     .base = std::chrono::milliseconds(5),
                     .cap = std::chrono::milliseconds(50)};
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (dispatcher_ != nullptr) Drain();
  }

  template <typename F>
  void On(FunctionSpec spec, F&& callable) {
    Must(registry_.Add(
        {std::move(spec), MakeHandler(std::forward<F>(callable))}));
  }
  /// An outlet, and place for dead letters, of that name.
  void AddOutlet(const std::string& name, const std::string& topic) {
    AddOutlet(broker_.MakeOutlet(name, topic));
  }
  void AddOutlet(std::unique_ptr<Outlet> outlet) {
    outlets_.push_back(std::move(outlet));
    Must(outlets_.back()->Start());
  }

  void Start() {
    inlet_ = broker_.MakeInlet(wish_, observer);
    if (dedup) {
      dedup_store_ = MakeMemoryDedup(clock_, std::chrono::minutes(10),
                                     std::chrono::seconds(30), 10'000);
    }
    DispatcherParts parts{.clock = clock_,
                          .executor = executor_,
                          .timers = timers_,
                          .observer = &observer,
                          .inlets = {inlet_.get()},
                          .dedup = dedup_store_.get()};
    for (const auto& outlet : outlets_) {
      parts.outlets.push_back({outlet.get()});
      if (auto* const place = dynamic_cast<DeadLetterPlace*>(outlet.get())) {
        parts.places.push_back(place);
      }
    }
    auto made = Dispatcher::Make(std::move(registry_), options, parts);
    if (!made) Fail(made.error());
    dispatcher_ = *std::move(made);
    Must(inlet_->Start(*dispatcher_));
  }

  /// As on SIGTERM.
  void Drain() {
    inlet_->BeginDrain(std::chrono::seconds(5));
    dispatcher_->BeginDrain();
    dispatcher_->GiveBackWaiting();
    dispatcher_->WaitIdle(kPatience);
    dispatcher_->GiveBackAll();
    static_cast<void>(inlet_->Stop(kPatience));
    End();
  }
  /// As by SIGKILL. Functions that wait at a gate are to be let go before.
  void Kill() {
    broker_.Kill(*inlet_);
    End();
  }

  [[nodiscard]] Inlet& inlet() { return *inlet_; }
  [[nodiscard]] Dispatcher& dispatcher() { return *dispatcher_; }

  DispatcherOptions options;
  bool dedup = false;
  ContractObserver observer;

 private:
  static void Fail(const Error& error) {
    std::cerr << error.message << '\n';
    std::abort();
  }
  static void Must(const Result<void>& result) {
    if (!result) Fail(result.error());
  }
  void End() {
    for (const auto& outlet : outlets_) outlet->Stop(kPatience);
    executor_.Stop();
    timers_.Stop();
    dispatcher_.reset();
    inlet_.reset();
  }

  BrokerUnderTest& broker_;
  const InletWish wish_;
  Registry registry_;
  RealClock clock_;
  LiveTimers timers_;
  LiveExecutor executor_{4};
  std::vector<std::unique_ptr<Outlet>> outlets_;
  std::unique_ptr<DedupStore> dedup_store_;
  std::unique_ptr<Inlet> inlet_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

}  // namespace cirro::test
