// One function that does what is hard on its runtime, by the type of the event:
//
//   com.example.good     is done
//   com.example.poison   kills the process
//   com.example.hung     heeds no deadline and no stop
//   com.example.slow     takes its time, within its deadline
//   com.example.failing  fails
//
// The last three go on so until there is a file `release` in the folder that
// HARD_WORK names, and are done then. What is done is a line "TIME ID KEY"
// (nanoseconds of the monotonic clock) of the process's file `done.PID` there.
// HARD_PAUSE_US is how long each takes. Where HARD_ECHO is set what is done is
// answered with itself.

#include <cirro/cirro.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>

namespace {

class Work {
 public:
  Work()
      : folder_(std::getenv("HARD_WORK")),
        file_(open((folder_ + "/done." + std::to_string(getpid())).c_str(),
                   O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}

  [[nodiscard]] bool IsReleased() const {
    return std::filesystem::exists(folder_ + "/release");
  }
  void AwaitRelease() const {
    while (!IsReleased()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void Done(const cirro::Event& event) const {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const std::string line =
        std::to_string(std::chrono::nanoseconds(now).count()) + " " +
        std::string(event.id()) + " " +
        std::string(event.extension("partitionkey").value_or("-")) + "\n";
    if (write(file_, line.data(), line.size()) < 0) _exit(1);
  }

 private:
  const std::string folder_;
  const int file_;
};

}  // namespace

int main(int argc, char** argv) {
  const Work work;
  const char* const text = std::getenv("HARD_PAUSE_US");
  const int pause = text == nullptr ? 0 : std::atoi(text);
  cirro::App app;
  app.On({.name = "work", .type = "com.example.*"},
         [&](const cirro::Event& event) -> cirro::Outcome {
           const std::string_view type = event.type();
           if (type.ends_with("poison")) kill(getpid(), SIGKILL);
           if (type.ends_with("hung") || type.ends_with("slow")) {
             work.AwaitRelease();
           } else if (type.ends_with("failing") && !work.IsReleased()) {
             return cirro::Retry("not yet");
           }
           if (pause > 0) {
             std::this_thread::sleep_for(std::chrono::microseconds(pause));
           }
           work.Done(event);
           if (std::getenv("HARD_ECHO") != nullptr) {
             return cirro::Reply(event);
           }
           return cirro::Done();
         });
  return app.Run(argc, argv);
}
