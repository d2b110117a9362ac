#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/export.h"

namespace cirro {

/// What went wrong, as a closed set. Whether a code is worth another try
/// (IsRetryable), which HTTP status it has and what a broker does with it are
/// one switch each, without `default:`, so a new code does not compile until
/// all of them know it.
enum class ErrorCode {
  kInvalidEvent,      ///< Breaks the CloudEvents specification.
  kUnsupported,       ///< A media type, format or version we do not speak.
  kTooLarge,          ///< Over a size limit.
  kInvalidConfig,     ///< A setting, flag or registration is wrong.
  kConflict,          ///< The name is already taken.
  kNoFunction,        ///< No function matches the event.
  kRejected,          ///< The function says: never give me this again.
  kFunctionFailed,    ///< The function failed or threw.
  kInvalidReply,      ///< The function's reply is no event, or too large.
  kDeadlineExceeded,  ///< The function ran out of time.
  kOverloaded,        ///< A bounded queue is full.
  kDraining,          ///< The process is stopping, or not yet started.
  kUnavailable,       ///< A peer cannot be reached now; nothing was sent.
  kUnroutable,        ///< The peer has no place for the event.
  kRefused,           ///< The peer refused this event for good.
  kTimedOut,          ///< The peer did not confirm in time.
  kUnknownOutcome,    ///< Sent, and the connection went before an answer.
  kInternal,          ///< A bug in the runtime.
};

/// The code's stable name in snake case, for logs, metrics and answers.
[[nodiscard]] CIRRO_EXPORT std::string_view ToString(ErrorCode code) noexcept;

/// Whether trying the same event again, unchanged, may succeed.
[[nodiscard]] CIRRO_EXPORT bool IsRetryable(ErrorCode code) noexcept;

/// Why something did not happen.
struct Error {
  ErrorCode code;
  /// For a human: the value seen, the rule, the setting to change if any.
  std::string message;
  /// The numbers of the broken rules, as docs/conformance.md lists them, in
  /// ascending order; empty where no CloudEvents rule is concerned.
  std::vector<int> rules{};

  bool operator==(const Error&) const = default;
};

}  // namespace cirro
