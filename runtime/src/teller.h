#pragma once

#include <unistd.h>

#include <string>
#include <string_view>

#include "cirro/dispatch/observer.h"
#include "environment.h"
#include "log.h"
#include "module_loader.h"
#include "timer_thread.h"

// What commands that use a part of a configuration have in common.
namespace cirro::internal {

/// What a broker's part has to say to whoever typed the command, and its time.
class Teller final : public Observer {
 public:
  [[nodiscard]] const Clock& clock() const noexcept { return clock_; }
  void Noted(LogLevel level, std::string_view part,
             std::string_view message) noexcept override {
    if (logger_.Takes(level)) logger_.Write(level, message, {{"part", part}});
  }
  void Failed(std::string_view part, const Error& error) noexcept override {
    logger_.Write(LogLevel::kError, error.message, {{"part", part}});
  }
  void Received(const Delivery&) noexcept override {}
  void Started(std::string_view, const Delivery&, int) noexcept override {}
  void Finished(std::string_view, const Delivery&, Outcome::Kind, const Error*,
                Duration) noexcept override {}
  void Settled(const Delivery&, const Settlement&, Duration) noexcept override {
  }
  void Hung(std::string_view, const Delivery&) noexcept override {}
  void Logged(LogLevel, std::string_view, const Event*, const TraceContext&,
              std::string_view) noexcept override {}

 private:
  const SystemClock clock_{};
  Logger logger_{LogLevel::kWarning, false, false, STDERR_FILENO};
};

/// Finds modules where a process of this environment would.
[[nodiscard]] inline ModuleLoader CommandLoader() {
  return ModuleLoader(Find(ReadEnvironment(), "CIRRO_MODULE_PATH"));
}

/// A part says of its options, which are those of `section`.
[[nodiscard]] inline Error InSection(const std::string& section,
                                     const Error& error) {
  return {error.code, "[" + section + "] " + error.message};
}

/// Of a topic that no command can reach.
[[nodiscard]] inline Error EndsWithItsProcess() {
  return {ErrorCode::kUnsupported,
          "type: a topic in memory is reached by its own process alone, and "
          "ends with it"};
}

}  // namespace cirro::internal
