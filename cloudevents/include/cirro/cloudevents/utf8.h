#pragma once

#include <string_view>

#include "cirro/cloudevents/export.h"

namespace cirro {

/// Whether `text` is well-formed UTF-8: no overlong form, no surrogate, none
/// above U+10FFFF. Source: RFC 3629.
[[nodiscard]] CIRRO_EXPORT bool IsUtf8(std::string_view text) noexcept;

/// Whether `text` may be the value of a String attribute: UTF-8 without
/// control characters (C0, DEL, C1) and noncharacters.
/// Source: CloudEvents v1.0.2, "Type System".
[[nodiscard]] CIRRO_EXPORT bool IsAttributeString(
    std::string_view text) noexcept;

}  // namespace cirro
