#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "cirro/cloudevents/attribute.h"

namespace cirro {

/// How untrusted bytes become events: bounds, and how much is forgiven.
/// A value; read by any number of threads.
struct DecodeOptions {
  /// Refuses what the specification does not allow although it harms nobody:
  /// malformed percent escapes, header bytes that are not UTF-8, and each
  /// further leniency that docs/conformance.md lists.
  bool strict = false;

  std::size_t max_attributes = 128;  ///< Core ones included.
  std::size_t max_attribute_name_bytes = 256;
  std::size_t max_attribute_value_bytes = 65'535;
  std::size_t max_event_bytes = 1'048'576;  ///< Data and attributes.
  std::size_t max_batch_events = 1'000;
  std::size_t max_json_depth = 64;  ///< Of nesting inside `data`; up to 1,024.

  /// Extensions whose type is known here, so that a transport without types
  /// (HTTP headers) and JSON strings yield it and have it checked.
  std::map<std::string, AttributeType, std::less<>> extension_types{};
};

}  // namespace cirro
