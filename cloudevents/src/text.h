#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cirro/cloudevents/timestamp.h"

namespace cirro::internal {

/// Reads one UTF-8 sequence at `at` and moves past it. Returns the code point,
/// or kBadUtf8 with `at` unchanged. REQUIRES: at < end.
inline constexpr std::uint32_t kBadUtf8 = 0xFFFFFFFFU;
std::uint32_t NextCodePoint(const char*& at, const char* end) noexcept;

/// Writes a code point as UTF-8 and returns the end of it. REQUIRES: room for
/// four bytes; `code_point` is no surrogate.
char* PutCodePoint(char* out, std::uint32_t code_point) noexcept;

/// A hostile value made fit for a message: quoted, cut, printable ASCII.
std::string Excerpt(std::string_view value);

/// ParseTimestamp without the words, for those who only want the value.
std::optional<Timestamp> ReadTimestamp(std::string_view text) noexcept;

}  // namespace cirro::internal
