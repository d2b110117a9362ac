#pragma once

#include <chrono>
#include <cstdint>

#include "cirro/cloudevents/error.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/inlet.h"

namespace cirro::internal {

/// How bad an error is for a delivery that several functions were called for:
/// the worst one is its outcome. In ascending order.
enum class Severity : std::uint8_t {
  kRejected,  // 422
  kInvalid,   // 400
  kBusy,      // 429
  kFailed,    // 500
  kTimeout,   // 504
};

[[nodiscard]] Severity SeverityOf(ErrorCode code) noexcept;

/// The settlement of a delivery that failed with `error`. What must never be
/// given again is kTerm where the peer waits for the verdict. Another source
/// must keep it, since no dead letter holds it: kNak, after `hold`.
[[nodiscard]] Settlement FailureOf(Error error, std::chrono::milliseconds delay,
                                   const InletInfo& inlet,
                                   std::chrono::milliseconds hold);

}  // namespace cirro::internal
