#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"

namespace cirro {

/// A point in time as RFC 3339 writes it: years 0000 to 9999, to the
/// nanosecond, with the offset its producer used.
struct Timestamp {
  std::int64_t seconds = 0;         ///< Since 1970-01-01T00:00:00Z.
  std::uint32_t nanoseconds = 0;    ///< 0 to 999,999,999.
  std::int16_t offset_minutes = 0;  ///< Of the producer's clock, -1439..1439.

  /// Compares the instant; the offset is how it was written, not when it was.
  friend constexpr std::strong_ordering operator<=>(
      const Timestamp& a, const Timestamp& b) noexcept {
    const auto by_second = a.seconds <=> b.seconds;
    return by_second != 0 ? by_second : a.nanoseconds <=> b.nanoseconds;
  }
  friend constexpr bool operator==(const Timestamp& a,
                                   const Timestamp& b) noexcept {
    return (a <=> b) == 0;
  }
};

/// Reads an RFC 3339 date-time with seconds, any number of fraction digits
/// (digits past the ninth do not change the value) and a `Z` or numeric
/// offset; `T` and `Z` in either case. A leap second (:60) is taken at the end
/// of a minute where RFC 3339 allows it and counts as the second after.
/// Fails with kInvalidEvent, naming what is wrong.
/// Source: RFC 3339 section 5.6; CloudEvents v1.0.2 "Type System".
[[nodiscard]] CIRRO_EXPORT Result<Timestamp> ParseTimestamp(
    std::string_view text);

/// Whether ParseTimestamp would succeed. Allocates nothing.
[[nodiscard]] CIRRO_EXPORT bool IsTimestamp(std::string_view text) noexcept;

/// Writes RFC 3339 with the timestamp's own offset (`Z` for 0) and as many
/// fraction digits as needed, none for a whole second.
[[nodiscard]] CIRRO_EXPORT std::string FormatTimestamp(const Timestamp& value);

/// From and to the system clock. A Timestamp outside of what sys_time of
/// nanoseconds holds (1677 to 2262) saturates.
[[nodiscard]] CIRRO_EXPORT Timestamp
ToTimestamp(std::chrono::sys_time<std::chrono::nanoseconds> value) noexcept;
[[nodiscard]] CIRRO_EXPORT std::chrono::sys_time<std::chrono::nanoseconds>
ToSysTime(const Timestamp& value) noexcept;

}  // namespace cirro
