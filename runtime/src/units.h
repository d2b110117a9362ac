#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cirro::internal {

/// "250ms", "10s", "1m30s", "1.5h", "2d", or ISO 8601 ("PT0.2S"). Nothing when
/// `text` is no such thing, is finer than a millisecond or over 1000 days.
[[nodiscard]] std::optional<std::chrono::milliseconds> ParseDuration(
    std::string_view text);
/// The shortest text that ParseDuration reads as `value`.
[[nodiscard]] std::string FormatDuration(std::chrono::milliseconds value);

/// "65536", "64KiB", "1MiB", "2GiB", "10kB", "5MB". Nothing when `text` is no
/// such thing, or does not fit.
[[nodiscard]] std::optional<std::int64_t> ParseByteSize(std::string_view text);
[[nodiscard]] std::string FormatByteSize(std::int64_t bytes);

/// A whole decimal number, nothing else.
[[nodiscard]] std::optional<std::int64_t> ParseInteger(std::string_view text);

/// Whether it is an http or https URL with a host, and a port of 1 to 65535 if
/// any. The rest is the business of who connects to it.
[[nodiscard]] bool IsHttpUrl(std::string_view text);

/// `url` with `***` for what may be secret: all up to the last `@`, the query,
/// the fragment.
[[nodiscard]] std::string RedactUrl(std::string_view url);

/// How many keystrokes (insert, delete, replace, swap neighbours) lie between.
[[nodiscard]] std::size_t TypingDistance(std::string_view a,
                                         std::string_view b);

}  // namespace cirro::internal
