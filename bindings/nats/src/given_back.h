#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "cirro/dispatch/clock.h"

namespace cirro::internal::nats {

/// Messages that were given back with a delay, and notices those that leave
/// their stream meanwhile: the server, which has nothing to give again, says
/// nothing of it. Who gets a message when its delay is over is not known here,
/// so only until then it is certain that nobody did it: what is counted is the
/// least that was lost. One thread at a time.
class GivenBack {
 public:
  /// What is more than so many is not watched.
  static constexpr std::size_t kMost = 10'000;

  void Add(std::uint64_t sequence, TimePoint due) {
    if (messages_.size() < kMost) messages_[sequence] = due;
  }
  /// Whether there is any whose delay is not over. Forgets the others.
  [[nodiscard]] bool Wait(TimePoint now);
  /// How many of them are gone, now that the stream begins at `first`.
  [[nodiscard]] std::uint64_t Look(std::uint64_t first, TimePoint now);
  void Clear() noexcept { messages_.clear(); }

 private:
  std::map<std::uint64_t, TimePoint> messages_;  // By sequence.
};

}  // namespace cirro::internal::nats
