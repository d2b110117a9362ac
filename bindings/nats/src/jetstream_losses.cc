// What a JetStream inlet hears of messages that left their stream too early.

#include <chrono>
#include <string>
#include <utility>

#include "jetstream_inlet.h"

namespace cirro::internal::nats {
namespace {

constexpr std::chrono::minutes kDropsSaidEvery{1};

}  // namespace

// Where the stream begins now, while something waits to be given again.
void JetStreamInlet::AskForFirst(TimePoint now) {
  {
    const MutexLock lock(mutex_);
    if (!given_back_.Wait(now)) return;
  }
  static_cast<void>(natsConnection_PublishRequest(
      link_.get(),
      (consumer_.prefix() + ".STREAM.INFO." + options_.stream).c_str(),
      (control_inbox_ + ".stream").c_str(), nullptr, 0));
}

void JetStreamInlet::Heard(const ConsumerFacts& facts) noexcept {
  std::uint64_t lost = 0;
  {
    const MutexLock lock(mutex_);
    if (facts.led) heard_ = facts;
    lost = drops_.Look(facts.position());
  }
  TellLost(lost);
}

void JetStreamInlet::HeardFirst(std::uint64_t first) noexcept {
  std::uint64_t lost = 0;
  {
    const MutexLock lock(mutex_);
    lost = given_back_.Look(first, std::chrono::steady_clock::now());
  }
  TellLost(lost);
}

// Messages that the stream lets go before they were delivered are lost whatever
// is done here, but not without a word.
void JetStreamInlet::TellLost(std::uint64_t lost) noexcept {
  const TimePoint now = std::chrono::steady_clock::now();
  std::uint64_t unsaid = 0;
  {
    const MutexLock lock(mutex_);
    drops_unsaid_ += lost;
    if (drops_unsaid_ > 0 && now >= drops_said_at_ + kDropsSaidEvery) {
      drops_said_at_ = now;
      unsaid = std::exchange(drops_unsaid_, 0);
    }
  }
  if (lost > 0) observer_.Lost(options_.name, lost);
  if (unsaid == 0) return;
  observer_.Noted(
      LogLevel::kError, options_.name,
      std::to_string(unsaid) + " messages left the stream '" + options_.stream +
          "' before the consumer '" + options_.durable +
          "' was given them, or given them again: they were too old or too "
          "many for the stream's limits (max_age, max_msgs, max_bytes), or "
          "somebody removed them");
}

}  // namespace cirro::internal::nats
