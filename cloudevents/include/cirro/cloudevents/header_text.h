#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cirro/cloudevents/attribute.h"
#include "cirro/cloudevents/event_assembler.h"
#include "cirro/cloudevents/export.h"

// Attributes as values of text headers: what the HTTP and the NATS binding have
// in common.
namespace cirro {

/// What was wrong with a message and forgiven, for whoever counts it; `strict`
/// refuses each. A set of bits. docs/conformance.md lists the cases.
enum class Leniency : std::uint8_t {
  kNone = 0,
  /// A `%` without two hex digits, or an open quoted-string: the sender does
  /// not encode, so the value was taken as it came.
  kLiteralValue = 1,
  /// Bytes that are not UTF-8 were taken as ISO-8859-1.
  kLatin1 = 2,
  /// An encoded-looking URI that is one only as it came was taken so.
  kLiteralUri = 4,
  /// A `ce-` header that can name no attribute was ignored.
  kIgnoredHeader = 8,
};
[[nodiscard]] constexpr Leniency operator|(Leniency a, Leniency b) noexcept {
  return static_cast<Leniency>(static_cast<unsigned>(a) |
                               static_cast<unsigned>(b));
}
constexpr Leniency& operator|=(Leniency& a, Leniency b) noexcept {
  return a = a | b;
}
/// Whether `set` holds all of `what`.
[[nodiscard]] constexpr bool Has(Leniency set, Leniency what) noexcept {
  return (set | what) == set;
}

/// An attribute's text as a header value carried it.
struct HeaderText {
  std::string_view text;
  Leniency forgiven = Leniency::kNone;
  /// 0, or the number of the rule that the value breaks, and how.
  int broken_rule = 0;
  const char* why = "";
};

/// Whether `value` stands for itself: no escape, no quote, ASCII only.
[[nodiscard]] CIRRO_EXPORT bool IsPlainHeaderText(
    std::string_view value) noexcept;

/// Undoes what a sender may have done to a value of `type`: quoted-strings,
/// then one round of percent-encoding. What is not in `value` as it should be
/// lies in the assembler's scratch memory.
/// Source: HTTP Protocol Binding v1.0.2, 3.1.3.2.
[[nodiscard]] CIRRO_EXPORT HeaderText ReadHeaderText(std::string_view value,
                                                     AttributeType type,
                                                     bool strict,
                                                     EventAssembler& scratch);

/// Appends `text` percent-encoded as the bindings have it.
CIRRO_EXPORT void AppendHeaderText(std::string_view text, std::string& out);

/// A header's name or value for a message to a human: printable, and cut if
/// long.
[[nodiscard]] CIRRO_EXPORT std::string ShownHeader(std::string_view value);

}  // namespace cirro
