#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cirro::internal {

/// Whether `text` is base64 in the standard alphabet, padded, without white
/// space and with zero pad bits. Source: RFC 4648 section 4, 3.5.
bool IsBase64(std::string_view text) noexcept;

/// The number of bytes behind base64 text. REQUIRES: IsBase64(text).
std::size_t Base64DecodedSize(std::string_view text) noexcept;

/// Writes the bytes behind `text` to `out`; false if it is not base64, what is
/// written being unspecified then. REQUIRES: room for text.size() / 4 * 3.
bool DecodeBase64(std::string_view text, char* out) noexcept;

/// Appends `bytes` as base64.
void AppendBase64(std::string_view bytes, std::string& out);

}  // namespace cirro::internal
