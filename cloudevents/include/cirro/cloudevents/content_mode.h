#pragma once

#include <cstdint>
#include <string_view>

#include "cirro/cloudevents/export.h"

namespace cirro {

class Event;

/// How a message of a protocol carries events. Source: CloudEvents v1.0.2,
/// "Message"; the protocol bindings, "Content modes".
enum class ContentMode : std::uint8_t {
  kNone,        ///< It carries no event.
  kBinary,      ///< Attributes are headers, the body is the data.
  kStructured,  ///< The body is one event in an event format.
  kBatch,       ///< The body is a batch format.
};

/// The mode that a content type names: by its prefix and in any case, the
/// longer prefix first; kBinary for any other. Source: HTTP Protocol Binding
/// v1.0.2, section 3; Kafka Protocol Binding v1.0.2, section 3.
[[nodiscard]] CIRRO_EXPORT ContentMode
ContentModeOf(std::string_view content_type) noexcept;

/// Whether `event` can be sent in binary mode: not if its data has the media
/// type of an event format, which would be read as structured mode, and not if
/// it is text whose media type names a charset that its bytes are not in.
[[nodiscard]] CIRRO_EXPORT bool FitsBinaryMode(const Event& event) noexcept;

}  // namespace cirro
