#pragma once

#include <chrono>
#include <cstdint>

namespace cirro {

/// When a failed call is tried again: exponential backoff with full jitter.
struct RetryPolicy {
  /// Calls of one event, the first included, before it is exhausted. Where the
  /// peer waits and retries by itself there is one, whatever this says.
  int attempts = 5;
  std::chrono::milliseconds base{200};
  std::chrono::milliseconds cap{30'000};

  bool operator==(const RetryPolicy&) const = default;
};

/// What becomes of an event that is exhausted, rejected, malformed or
/// unmatched, where the peer does not wait for the verdict.
enum class OnExhausted : std::uint8_t {
  kDeadLetter,  ///< To the dead-letter places; where there are none, as kRetry.
  kRetry,       ///< It is tried for ever, at the longest backoff.
  kDrop,        ///< It is lost, counted and logged.
};

}  // namespace cirro
