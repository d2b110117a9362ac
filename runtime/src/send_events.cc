#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "cirro/dispatch/mutex.h"
#include "cirro/runtime/command.h"
#include "config.h"
#include "endpoints.h"
#include "environment.h"
#include "flags.h"
#include "teller.h"

namespace cirro {
namespace {

// What is on its way at once, where the outlet takes so much.
constexpr std::size_t kWindow = 256;

// Counts what is on its way, and keeps the first failure.
class Sends final : public SendListener {
 public:
  explicit Sends(std::size_t window) : window_(window) {}

  void OnSent(std::uint64_t /*send*/, Result<void> result,
              std::chrono::milliseconds /*retry_after*/) noexcept override {
    const MutexLock lock(mutex_);
    --open_;
    if (!result && result_) result_ = std::move(result);
    changed_.notify_all();
  }

  // Waits for room; false after a failure: the rest is not sent.
  bool Begin() {
    const MutexLock lock(mutex_);
    while (open_ >= window_) changed_.wait(mutex_);
    if (!result_) return false;
    ++open_;
    return true;
  }

  Result<void> Wait() {
    const MutexLock lock(mutex_);
    while (open_ > 0) changed_.wait(mutex_);
    return result_;
  }

 private:
  const std::size_t window_;

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::size_t open_ CIRRO_GUARDED_BY(mutex_) = 0;
  Result<void> result_ CIRRO_GUARDED_BY(mutex_){};
};

}  // namespace

Result<void> SendEvents(std::span<const std::string> flags,
                        std::string_view outlet,
                        const std::function<std::optional<Event>()>& next) {
  const auto parsed = internal::ParseFlags(flags);
  if (!parsed) return parsed.error();
  const internal::Environment environment = internal::ReadEnvironment();
  internal::ConfigSources sources;
  sources.environment = environment;
  sources.flags = parsed->settings;
  auto config = LoadConfig(sources);
  if (!config) return config.error();
  const auto wanted = config->outlets.find(outlet);
  if (wanted == config->outlets.end()) {
    return Error{ErrorCode::kInvalidConfig,
                 "there is no [outlet." + std::string(outlet) + "]"};
  }
  if (wanted->second.type == internal::OutletType::kMemory) {
    return Error{ErrorCode::kInvalidConfig,
                 "outlet." + std::string(outlet) +
                     ".type = \"memory\": the topic is in the memory of its "
                     "own process; give it an http_path there, and send to "
                     "that"};
  }
  const std::size_t window =
      std::clamp<std::size_t>(wanted->second.max_in_flight, 1, kWindow);
  // The other parts of a process are not this command's.
  config->outlets = {*wanted};
  config->inlets.clear();
  config->dead_letters.clear();
  config->knative.sink.clear();

  internal::Teller teller;
  internal::Endpoints endpoints(
      *config, internal::Find(environment, "CIRRO_MODULE_PATH"), teller.clock(),
      teller);
  if (auto made = endpoints.Make(); !made) return made;
  if (auto started = endpoints.StartOutlets(); !started) return started;
  Sends sends(window);
  Outlet& to = *endpoints.outlets().front();
  std::uint64_t number = 0;
  for (auto event = next(); event && sends.Begin(); event = next()) {
    to.Send(*std::move(event), SendCompletion(sends, number++));
  }
  // Each outlet has a timeout of its own, after which it completes.
  auto sent = sends.Wait();
  endpoints.StopOutlets(teller.clock().Now());
  return sent;
}

}  // namespace cirro
