#pragma once

#include <chrono>
#include <string_view>

#include "cirro/cloudevents/error.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/http/options.h"

namespace cirro::internal::http {

/// The one table: what an error is to an HTTP sender. docs/http.md shows it.
[[nodiscard]] int StatusOf(ErrorCode code, const HttpOptions& options) noexcept;

/// The status of a settlement without replies. What is only a passing fault
/// (kNak) never gets a status that means "throw the event away" to a sender.
[[nodiscard]] int StatusOf(const Settlement& settlement,
                           const HttpOptions& options) noexcept;

/// "422" -> "Unprocessable Content"; a class name for unknown ones.
[[nodiscard]] std::string_view ReasonPhrase(int status) noexcept;

/// "Throw it away" in the mouth of a receiver: Knative and Event Grid do not
/// send such an event again.
[[nodiscard]] bool IsFinal(int status) noexcept;

/// Of two statuses in one batch, the worse: 504, 500, 503, 429, 404, 400,
/// other client errors, 422, then any success.
[[nodiscard]] int Worse(int a, int b) noexcept;

/// For Retry-After; 0: the answer carries none.
[[nodiscard]] std::chrono::seconds RetryAfter(
    int status, std::chrono::milliseconds known) noexcept;

/// What a problem body tells about an error of an event: texts about the
/// sender's own message and what a function's author wrote for it, cut short;
/// nothing of exceptions and the inside.
[[nodiscard]] std::string_view PublicDetail(const Error& error) noexcept;

}  // namespace cirro::internal::http
