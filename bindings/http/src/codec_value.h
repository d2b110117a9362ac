#pragma once

#include <string>
#include <string_view>

#include "cirro/cloudevents/attribute.h"
#include "cirro/cloudevents/event_assembler.h"
#include "cirro/http/codec.h"

namespace cirro::internal {

/// An attribute's text as a header value carried it.
struct HeaderText {
  std::string_view text;
  Leniency forgiven = Leniency::kNone;
  /// 0, or the number of the rule that the value breaks, and how.
  int broken_rule = 0;
  const char* why = "";
};

/// Whether `value` stands for itself: no escape, no quote, ASCII only.
[[nodiscard]] bool IsPlainHeaderText(std::string_view value) noexcept;

/// Undoes what a sender may have done to a value of `type`: quoted-strings,
/// then one round of percent-encoding. What is not in `value` as it should be
/// lies in the assembler's scratch memory.
[[nodiscard]] HeaderText ReadHeaderText(std::string_view value,
                                        AttributeType type, bool strict,
                                        EventAssembler& scratch);

/// Appends `text` percent-encoded as the binding has it.
void AppendHeaderText(std::string_view text, std::string& out);

/// `value` for a message to a human: printable, and cut if long.
[[nodiscard]] std::string Shown(std::string_view value);

}  // namespace cirro::internal
