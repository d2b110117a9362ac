#include "cirro/cloudevents/error.h"

namespace cirro {

std::string_view ToString(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidEvent:
      return "invalid_event";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kTooLarge:
      return "too_large";
    case ErrorCode::kInvalidConfig:
      return "invalid_config";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kNoFunction:
      return "no_function";
    case ErrorCode::kRejected:
      return "rejected";
    case ErrorCode::kFunctionFailed:
      return "function_failed";
    case ErrorCode::kInvalidReply:
      return "invalid_reply";
    case ErrorCode::kDeadlineExceeded:
      return "deadline_exceeded";
    case ErrorCode::kOverloaded:
      return "overloaded";
    case ErrorCode::kDraining:
      return "draining";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kUnroutable:
      return "unroutable";
    case ErrorCode::kRefused:
      return "refused";
    case ErrorCode::kTimedOut:
      return "timed_out";
    case ErrorCode::kUnknownOutcome:
      return "unknown_outcome";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

bool IsRetryable(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kInvalidEvent:
    case ErrorCode::kUnsupported:
    case ErrorCode::kTooLarge:
    case ErrorCode::kInvalidConfig:
    case ErrorCode::kConflict:
    case ErrorCode::kNoFunction:
    case ErrorCode::kRejected:
    case ErrorCode::kUnroutable:
    case ErrorCode::kRefused:
      return false;
    // A reply may come out differently the next time: only the event itself
    // is known to be good.
    case ErrorCode::kFunctionFailed:
    case ErrorCode::kInvalidReply:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kOverloaded:
    case ErrorCode::kDraining:
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut:
    case ErrorCode::kUnknownOutcome:
    case ErrorCode::kInternal:
      return true;
  }
  return false;
}

}  // namespace cirro
