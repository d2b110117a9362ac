#pragma once

#include <cstdint>

namespace cirro {

/// How a message of a protocol carries events. Source: CloudEvents v1.0.2,
/// "Message"; the protocol bindings, "Content modes".
enum class ContentMode : std::uint8_t {
  kNone,        ///< It carries no event.
  kBinary,      ///< Attributes are headers, the body is the data.
  kStructured,  ///< The body is one event in an event format.
  kBatch,       ///< The body is a batch format.
};

}  // namespace cirro
