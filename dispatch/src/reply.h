#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/event.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/outcome.h"

namespace cirro::internal {

/// How one call ended, as the engine takes it: replies are finished events.
struct CallResult {
  Outcome::Kind kind = Outcome::Kind::kDone;
  std::optional<std::chrono::milliseconds> after{};  ///< Of kRetry.
  std::optional<Error> error{};  ///< Of kRetry and kReject, always.
  std::vector<Event> replies{};  ///< Of kReply, at least one.
};

/// No call, source or place waits longer, whatever it is told: a year. More is
/// past the end of the clock, and of what brokers can keep.
inline constexpr std::chrono::milliseconds kLongestDelay =
    std::chrono::hours(24) * 365;

/// A failure that another try may mend.
[[nodiscard]] CallResult Failed(ErrorCode code, std::string message);

/// How large the replies of one call may be: each, and all together.
struct ReplyBounds {
  std::size_t event_bytes;
  std::size_t all_bytes;
};

/// The result of an outcome: drafts are completed from the event they answer
/// and replies are checked against `bounds`. What is no event, or
/// too large, makes it a kRetry with kInvalidReply. REQUIRES: `answered` is
/// the delivery of an event.
[[nodiscard]] CallResult ToResult(Outcome outcome, const Delivery& answered,
                                  std::string_view function, const Clock& clock,
                                  const ReplyBounds& bounds);

/// The id of a reply that was given none: the same on each redelivery, so that
/// its receiver can recognise it. A UUID of version 5 over the four; it never
/// changes between versions. Source: RFC 9562 section 5.5.
[[nodiscard]] std::string DerivedId(std::string_view source,
                                    std::string_view id,
                                    std::string_view function,
                                    std::uint32_t index);

/// `text`, cut to 1 KiB at a character's end, with a space for each control
/// character and each that ends or reorders a line.
[[nodiscard]] std::string ErrorText(std::string_view text);

}  // namespace cirro::internal
