// A function that does what the event's type says, for tests of a whole
// process: its signals, its exit, what it inherits.

#include <cirro/cirro.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/mutex.h"

namespace {

using std::chrono::milliseconds;

// A function that hangs runs.
struct Hanging {
  cirro::Mutex mutex;
  std::condition_variable_any began;
  bool begun CIRRO_GUARDED_BY(mutex) = false;
};
Hanging hanging;

void WaitForEver() {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable never;
  for (;;) never.wait(lock);
}

void HangForEver(const cirro::Event& /*event*/, cirro::Context& context) {
  context.Log(cirro::LogLevel::kInfo, "hanging");
  {
    const cirro::MutexLock lock(hanging.mutex);
    hanging.begun = true;
    hanging.began.notify_all();
  }
  WaitForEver();
}

// An inlet without a thread.
class OfThisProgram : public cirro::Inlet {
 public:
  [[nodiscard]] const cirro::InletInfo& info() const noexcept override {
    return info_;
  }
  void SetDemand(bool /*wanted*/) noexcept override {}
  void BeginDrain(milliseconds /*patience*/) noexcept override {}
  cirro::Result<void> Stop(milliseconds /*grace*/) noexcept override {
    return {};
  }

 private:
  const cirro::InletInfo info_{.name = "own"};
};

class BringsAHang final : public OfThisProgram, private cirro::Settler {
 public:
  cirro::Result<void> Start(cirro::Sink& sink) override {
    auto event =
        cirro::EventBuilder().id("1").source("/probe").type("hang").Build();
    if (!event) return event.error();
    cirro::Delivery delivery(*std::move(event), info(), *this, {});
    sink.Deliver({&delivery, 1});
    return {};
  }

 private:
  void Settle(cirro::DeliveryToken /*token*/,
              cirro::Settlement /*settlement*/) noexcept override {}
};

// Fails when the function that hangs was called.
class DoesNotStart final : public OfThisProgram {
 public:
  cirro::Result<void> Start(cirro::Sink& /*sink*/) override {
    const cirro::MutexLock lock(hanging.mutex);
    while (!hanging.begun) hanging.began.wait(hanging.mutex);
    return cirro::Error{cirro::ErrorCode::kInvalidConfig, "never starts"};
  }
};

// As a client does whose server stands still.
class DoesNotStop final : public OfThisProgram {
 public:
  cirro::Result<void> Start(cirro::Sink& /*sink*/) override { return {}; }
  cirro::Result<void> Stop(milliseconds /*grace*/) noexcept override {
    WaitForEver();
    return {};
  }
};

}  // namespace

int main(int argc, char** argv) {
  cirro::App app;
  app.On({.name = "quick", .type = "quick", .inline_call = true},
         [](const cirro::Event&) {});
  app.On("pooled", [](const cirro::Event&) {});
  app.On({.name = "hang", .type = "hang", .timeout = std::chrono::hours(1)},
         HangForEver);
  app.On({.name = "hang_inline",
          .type = "hang_inline",
          .timeout = std::chrono::hours(1),
          .inline_call = true},
         HangForEver);
  app.On(
      {.name = "kept", .type = "kept"},
      [](const cirro::Event&, cirro::Context& context, cirro::Completion done) {
        // Never finished, never dropped.
        static auto* const kept = new cirro::Completion(std::move(done));
        static_cast<void>(kept);
        context.Log(cirro::LogLevel::kInfo, "hanging");
      });
  if (std::getenv("PROBE_FAILS_AT_ITS_SECOND_INLET") != nullptr) {
    app.AddInlet(std::make_unique<BringsAHang>());
    app.AddInlet(std::make_unique<DoesNotStart>());
  }
  if (std::getenv("PROBE_HAS_AN_INLET_THAT_DOES_NOT_STOP") != nullptr) {
    app.AddInlet(std::make_unique<DoesNotStop>());
  }
  app.On("several", [](const cirro::Event& event) {
    return std::vector<cirro::Event>(2, event);
  });
  return app.Run(argc, argv);
}
