#pragma once

#include <condition_variable>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/mutex.h"
#include "log.h"

namespace cirro::internal {

/// Stops inlets, each on a thread of its own: an inline function that does not
/// return holds the thread of its inlet, which cannot end, and with it whoever
/// stops it.
class InletStops {
 public:
  /// REQUIRES: `logger` outlives *this.
  explicit InletStops(Logger& logger) : logger_(logger) {}
  /// REQUIRES: Stop was not called, or all came back.
  ~InletStops() = default;
  InletStops(const InletStops&) = delete;
  InletStops& operator=(const InletStops&) = delete;

  /// Gives each until `until`, and all a moment more. What they fail with is
  /// logged. The names of those that have not come back, with commas between.
  /// Once. REQUIRES: the inlets outlive *this.
  [[nodiscard]] std::string Stop(std::span<const std::unique_ptr<Inlet>> inlets,
                                 TimePoint until);

 private:
  void StopOne(Inlet& inlet, TimePoint until) noexcept;

  Logger& logger_;

  Mutex mutex_;
  std::condition_variable_any ended_;
  std::vector<const Inlet*> open_ CIRRO_GUARDED_BY(mutex_);

  std::vector<std::jthread> threads_;
};

}  // namespace cirro::internal
