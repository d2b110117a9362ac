// A function that does what the event's type says, for tests of a whole
// process: its signals, its exit, what it inherits.

#include <cirro/cirro.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

int main(int argc, char** argv) {
  cirro::App app;
  app.On({.name = "quick", .type = "quick", .inline_call = true},
         [](const cirro::Event&) {});
  app.On("pooled", [](const cirro::Event&) {});
  app.On({.name = "hang", .type = "hang", .timeout = std::chrono::hours(1)},
         [](const cirro::Event&, cirro::Context& context) {
           context.Log(cirro::LogLevel::kInfo, "hanging");
           std::mutex mutex;
           std::unique_lock lock(mutex);
           std::condition_variable never;
           for (;;) never.wait(lock);
         });
  return app.Run(argc, argv);
}
