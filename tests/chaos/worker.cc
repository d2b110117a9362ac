// The function that is killed: one event in, one reply with the same data out.
// Where events come from and replies go to is said by its settings alone.
//
// CHAOS_WORK_US is how long a call takes at most, CHAOS_FAILURES how many of a
// thousand calls fail, half of them by an exception. With CHAOS_STALLS
// none ends.

#include <cirro/cirro.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

int Number(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

}  // namespace

int main(int argc, char** argv) {
  const int most_work = Number("CHAOS_WORK_US", 0);
  const int failures = Number("CHAOS_FAILURES", 0);
  const bool stalls = Number("CHAOS_STALLS", 0) != 0;
  cirro::App app;
  app.On("com.example.chaos", [=](const cirro::Event& event) -> cirro::Outcome {
    if (stalls) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable().wait(lock, [] { return false; });
    }
    thread_local std::minstd_rand dice{std::random_device{}()};
    const auto roll = [](int most) {
      return std::uniform_int_distribution<int>(0, most)(dice);
    };
    if (most_work > 0) {
      std::this_thread::sleep_for(std::chrono::microseconds(roll(most_work)));
    }
    if (roll(999) < failures) {
      if (roll(1) == 0) throw std::runtime_error("by chance");
      return cirro::Retry("by chance");
    }
    const std::string data(event.data());
    return cirro::Reply(
        {.type = "com.example.chaos.done",
         .source = "/chaos",
         .data = cirro::Text(data),
         .extensions = {{"partitionkey", data.substr(0, data.find(' '))}}});
  });
  return app.Run(argc, argv);
}
