// A function that does what the event's type says, for tests of a whole
// process: its signals, its exit, what it inherits.

#include <cirro/cirro.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>
#include <vector>

namespace {

void HangForEver(const cirro::Event& /*event*/, cirro::Context& context) {
  context.Log(cirro::LogLevel::kInfo, "hanging");
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable never;
  for (;;) never.wait(lock);
}

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
  app.On("several", [](const cirro::Event& event) {
    return std::vector<cirro::Event>(2, event);
  });
  return app.Run(argc, argv);
}
