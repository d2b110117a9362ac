#pragma once

#include <string_view>

#include "cirro/cloudevents/export.h"

namespace cirro {

/// Whether `text` is a URI: a scheme and what follows it, by the grammar of
/// RFC 3986. A fragment is allowed, although "absolute-URI" (section 4.3) has
/// none: schemas are commonly named by one.
[[nodiscard]] CIRRO_EXPORT bool IsUri(std::string_view text) noexcept;

/// Whether `text` is a URI-reference (RFC 3986 section 4.1): a URI or a
/// relative reference. The empty text is one.
[[nodiscard]] CIRRO_EXPORT bool IsUriReference(std::string_view text) noexcept;

}  // namespace cirro
