#pragma once

#include <string_view>

#include "cirro/cloudevents/export.h"

namespace cirro {

/// Whether `text` is a media type with its parameters: `type/subtype` and any
/// number of `; name=value`, values being tokens or quoted strings; empty ones
/// (`;`) are passed over. White space is allowed around `;`, but not at the
/// end, and nowhere else.
/// Source: RFC 2045 section 5.1, RFC 2046, RFC 9110 sections 5.6.6 and 8.3.1.
[[nodiscard]] CIRRO_EXPORT bool IsMediaType(std::string_view text) noexcept;

/// `type/subtype` of a media type, without parameters and white space.
[[nodiscard]] CIRRO_EXPORT std::string_view MediaTypeEssence(
    std::string_view media_type) noexcept;

/// The raw value of a parameter, still quoted if it came so; empty when
/// absent. Names are compared without regard to case.
[[nodiscard]] CIRRO_EXPORT std::string_view MediaTypeParameter(
    std::string_view media_type, std::string_view name) noexcept;

/// Whether a datacontenttype says JSON: `*/json` or `*/*+json`, in any case,
/// parameters aside; an absent one (empty) does not.
/// Source: CloudEvents JSON Event Format v1.0.2, section 3.1.1.
[[nodiscard]] CIRRO_EXPORT bool IsJsonMediaType(
    std::string_view datacontenttype) noexcept;

/// Whether a datacontenttype says text in UTF-8 or ASCII: `text/*`, XML, in
/// any case, without a charset that is another one.
[[nodiscard]] CIRRO_EXPORT bool IsTextMediaType(
    std::string_view datacontenttype) noexcept;

/// ASCII comparison without regard to case, as media types are compared.
[[nodiscard]] CIRRO_EXPORT bool EqualsIgnoreCase(std::string_view a,
                                                 std::string_view b) noexcept;

}  // namespace cirro
