#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/timestamp.h"

namespace cirro {

/// The seven types of CloudEvents' type system. Transports that carry only
/// text (HTTP headers) yield kString for extensions, unless the extension's
/// type was declared (DecodeOptions::extension_types).
/// Source: CloudEvents v1.0.2, "Type System".
enum class AttributeType : std::uint8_t {
  kBoolean,
  kInteger,
  kString,
  kBinary,
  kUri,
  kUriReference,
  kTimestamp,
};

/// The type's name in the specification's spelling: "Boolean", "Integer", ...
[[nodiscard]] CIRRO_EXPORT std::string_view ToString(
    AttributeType type) noexcept;

/// One attribute of an Event: its name, its type, and the canonical text its
/// producer wrote. Views into the Event; valid as long as the Event is.
struct CIRRO_EXPORT Attribute {
  std::string_view name;
  std::string_view text;
  AttributeType type = AttributeType::kString;

  // Typed access. Each reads the text, whatever the declared type, for a
  // transport may have known no types; nothing when the text is no such value.
  /// `true` or `false`; in any letter case when the type is kString, because
  /// some senders write `True`.
  [[nodiscard]] std::optional<bool> AsBoolean() const noexcept;
  /// Decimal, -2147483648 to 2147483647, no sign but `-`.
  [[nodiscard]] std::optional<std::int32_t> AsInteger() const noexcept;
  /// The bytes behind RFC 4648 base64 with padding.
  [[nodiscard]] std::optional<std::string> AsBinary() const;
  [[nodiscard]] std::optional<Timestamp> AsTimestamp() const noexcept;
};

/// Whether `text` is the canonical form of a value of `type`.
/// Source: CloudEvents v1.0.2, "Type System".
[[nodiscard]] CIRRO_EXPORT bool IsCanonical(AttributeType type,
                                            std::string_view text) noexcept;

/// Whether `name` may name an attribute: `[a-z0-9]+`, not `data`.
[[nodiscard]] CIRRO_EXPORT bool IsAttributeName(std::string_view name) noexcept;

}  // namespace cirro
