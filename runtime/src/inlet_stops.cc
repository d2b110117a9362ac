#include "inlet_stops.h"

#include <algorithm>
#include <chrono>
#include <system_error>

namespace cirro::internal {
namespace {

using std::chrono::milliseconds;

// For the last commit of an inlet whose grace time is used up: less than Cloud
// Run leaves beside the default of `drain.grace`.
constexpr milliseconds kLastWords{1'500};

}  // namespace

std::string InletStops::Stop(std::span<const std::unique_ptr<Inlet>> inlets,
                             TimePoint until) {
  {
    const MutexLock lock(mutex_);
    for (const auto& inlet : inlets) open_.push_back(inlet.get());
  }
  for (const auto& inlet : inlets) {
    try {
      threads_.emplace_back(
          [this, &stopped = *inlet, until] { StopOne(stopped, until); });
    } catch (const std::system_error&) {  // There is no thread to be had.
      StopOne(*inlet, until);
    }
  }
  const TimePoint last =
      std::max(until, std::chrono::steady_clock::now()) + kLastWords;
  const MutexLock lock(mutex_);
  ended_.wait_until(mutex_, last,
                    [this]() CIRRO_REQUIRES(mutex_) { return open_.empty(); });
  std::string names;
  for (const Inlet* const inlet : open_) {
    names += (names.empty() ? "" : ", ") + inlet->info().name;
  }
  return names;
}

void InletStops::StopOne(Inlet& inlet, TimePoint until) noexcept {
  const auto left =
      std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(
                                    until - std::chrono::steady_clock::now()));
  if (const auto stopped = inlet.Stop(left); !stopped) {
    logger_.Write(LogLevel::kWarning, stopped.error().message,
                  {{"inlet", inlet.info().name}});
  }
  const MutexLock lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), &inlet));
  ended_.notify_all();
}

}  // namespace cirro::internal
