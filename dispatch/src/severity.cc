#include "severity.h"

#include <algorithm>
#include <utility>

namespace cirro::internal {

Severity SeverityOf(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kNoFunction:
    case ErrorCode::kRejected:
    // A reply without a place to go: sent again it would fail again.
    case ErrorCode::kInvalidConfig:
      return Severity::kRejected;
    case ErrorCode::kInvalidEvent:
    case ErrorCode::kUnsupported:
    case ErrorCode::kTooLarge:
      return Severity::kInvalid;
    case ErrorCode::kOverloaded:
    case ErrorCode::kDraining:
      return Severity::kBusy;
    case ErrorCode::kConflict:
    case ErrorCode::kFunctionFailed:
    case ErrorCode::kInvalidReply:
    case ErrorCode::kUnavailable:
    case ErrorCode::kUnroutable:
    case ErrorCode::kRefused:
    case ErrorCode::kTimedOut:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kInternal:
      return Severity::kFailed;
    case ErrorCode::kDeadlineExceeded:
      return Severity::kTimeout;
  }
  return Severity::kFailed;  // Not reached: the switch is complete.
}

Settlement FailureOf(Error error, std::chrono::milliseconds delay,
                     const InletInfo& inlet, std::chrono::milliseconds hold) {
  Settlement settlement{.kind = Settlement::Kind::kNak, .delay = delay};
  if (SeverityOf(error.code) <= Severity::kInvalid) {
    if (inlet.peer_waits) {
      settlement.kind = Settlement::Kind::kTerm;
    } else {
      settlement.delay = std::max(delay, hold);
    }
  }
  settlement.error = std::move(error);
  return settlement;
}

}  // namespace cirro::internal
