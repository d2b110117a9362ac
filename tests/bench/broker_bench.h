#pragma once

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "broker_event.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/make_handler.h"
#include "module_of.h"

namespace cirro::bench {

/// Rate and processor time of this process, from Begin to Print.
class Stopwatch {
 public:
  void Begin() {
    processor_ = ProcessorSeconds();
    begin_ = std::chrono::steady_clock::now();
  }
  /// One line of JSON, which tests/bench/driver/brokers.py reads.
  void Print(const char* what, const char* side, int messages) const {
    const std::chrono::duration<double> took =
        std::chrono::steady_clock::now() - begin_;
    const double used = ProcessorSeconds() - processor_;
    std::printf(
        "{\"what\":\"%s\",\"side\":\"%s\",\"per_second\":%.0f,"
        "\"processor_us\":%.4f}\n",
        what, side, messages / took.count(), used * 1e6 / messages);
    std::fflush(stdout);
  }

 private:
  static double ProcessorSeconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) +
             static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }

  double processor_ = 0;
  std::chrono::steady_clock::time_point begin_{};
};

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const noexcept override {
    return std::chrono::steady_clock::now();
  }
  [[nodiscard]] Timestamp WallTime() const noexcept override { return {}; }
};

/// Says warnings, and counts nothing: metrics are the runtime's.
class Quiet final : public Observer {
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
  void Noted(LogLevel level, std::string_view,
             std::string_view text) noexcept override {
    if (level < LogLevel::kWarning) return;
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
  }
  void Kept(std::string_view, const Delivery&, DeadReason,
            const Error& error) noexcept override {
    bench::Fail(error.message);
  }
  void Failed(std::string_view, const Error& error) noexcept override {
    bench::Fail(error.message);
  }
};

/// Sends through an outlet, with so many sends open at most.
class Production final : public SendListener {
 public:
  /// Until every one of `messages` is confirmed.
  void Run(Outlet& outlet, int messages, int window) {
    if (auto started = outlet.Start(); !started) Fail(started.error().message);
    for (int i = 0; i < messages; ++i) {
      for (int done = 0; i - (done = confirmed_.load()) >= window;) {
        confirmed_.wait(done);
      }
      outlet.Send(MakeEvent(i), SendCompletion(*this, 0));
    }
    for (int done = 0; (done = confirmed_.load()) < messages;) {
      confirmed_.wait(done);
    }
  }
  void OnSent(std::uint64_t, Result<void> result,
              std::chrono::milliseconds) noexcept override {
    if (!result) Fail(result.error().message);
    confirmed_.fetch_add(1);
    confirmed_.notify_one();
  }

 private:
  std::atomic<int> confirmed_{0};
};

/// An inlet with an inline function behind the whole dispatcher. The stopwatch
/// begins with the first event.
class Consumption {
 public:
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] Observer& observer() { return observer_; }

  /// Until `messages` were settled and the inlet has told its server.
  void Run(Inlet& inlet, int messages, Stopwatch& watch) {
    Run(
        inlet, messages, watch, [](const Event&) {}, [] {});
  }
  /// `look` is called with each event, and `feed` when the inlet has started.
  template <typename Look, typename Feed>
  void Run(Inlet& inlet, int messages, Stopwatch& watch, Look look, Feed feed) {
    FunctionSpec spec{.type = kEvent[3].text};
    spec.inline_call = true;
    spec.order_by.kind = OrderBy::Kind::kNone;
    Registry registry;
    std::atomic<int> done{0};
    const auto added =
        registry.Add({spec, MakeHandler([&](const Event& event) {
                        if (done.load(std::memory_order_relaxed) == 0)
                          watch.Begin();
                        read_ += Touch(event);
                        look(event);
                        if (done.fetch_add(1) + 1 == messages)
                          done.notify_all();
                      })});
    if (!added) Fail(added.error().message);
    auto dispatcher = Dispatcher::Make(std::move(registry), {},
                                       {.clock = clock_,
                                        .executor = executor_,
                                        .timers = timers_,
                                        .observer = &observer_,
                                        .inlets = {&inlet}});
    if (!dispatcher) Fail(dispatcher.error().message);
    if (auto started = inlet.Start(**dispatcher); !started) {
      Fail(started.error().message);
    }
    feed();
    for (int seen = 0; (seen = done.load()) < messages;) done.wait(seen);
    (*dispatcher)->WaitIdle(std::chrono::seconds(5));
    if (auto stopped = inlet.Stop(std::chrono::seconds(10)); !stopped) {
      Fail(stopped.error().message);
    }
    if (read_ == 0) Fail("nothing was read");
  }

 private:
  class NoExecutor final : public Executor {
   public:
    void Post(std::span<const Task>) noexcept override { std::abort(); }
    bool ReplaceHung(const Task&) noexcept override { return false; }
  };
  class NoTimers final : public TimerQueue {
   public:
    void Arm(TimePoint, const Task&) noexcept override {}
  };

  SteadyClock clock_;
  NoExecutor executor_;
  NoTimers timers_;
  Quiet observer_;
  std::size_t read_ = 0;
};

}  // namespace cirro::bench
