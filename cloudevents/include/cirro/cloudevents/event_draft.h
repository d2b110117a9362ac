#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/attribute.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/cloudevents/timestamp.h"

namespace cirro {

/// Data on its way into an event. `contenttype` becomes datacontenttype
/// where the draft or builder has none of its own. `Json(...)` of
/// <cirro/json.h> makes one from a nlohmann::json value.
struct Data {
  std::string bytes{};
  DataKind kind = DataKind::kNone;
  std::string contenttype{};

  bool operator==(const Data&) const = default;
};

/// Data of `text/plain` (or `contenttype`). Checked to be UTF-8 by the build.
[[nodiscard]] CIRRO_EXPORT Data Text(std::string text,
                                     std::string contenttype = "text/plain");
/// Data of `application/json` from JSON text; checked by the build.
[[nodiscard]] CIRRO_EXPORT Data JsonText(std::string json);
/// Bytes of `application/octet-stream` (or `contenttype`).
[[nodiscard]] CIRRO_EXPORT Data
Binary(std::string bytes, std::string contenttype = "application/octet-stream");

/// An extension attribute of a draft. The constructors pick the type, so that
/// `{"sampledrate", 3}` and `{"partitionkey", "a"}` do what they say.
struct CIRRO_EXPORT Extension {
  Extension(std::string attribute_name, std::string value);
  Extension(std::string attribute_name, const char* value);
  Extension(std::string attribute_name, std::string_view value);
  Extension(std::string attribute_name, bool value);
  Extension(std::string attribute_name, std::int32_t value);
  Extension(std::string attribute_name, const Timestamp& value);
  /// A Binary; Attribute::AsBinary gives the bytes back. Those of a std::string
  /// are `std::as_bytes(std::span(text))`: the string itself is a String.
  Extension(std::string attribute_name, std::span<const std::byte> value);
  /// `text` is the canonical text of a value of `type`.
  Extension(std::string attribute_name, AttributeType value_type,
            std::string canonical_text);

  std::string name;
  std::string text;
  AttributeType type;

  bool operator==(const Extension&) const = default;
};

/// What an event is made from, member by member; nothing is checked until it
/// is built. An empty string is an absent attribute.
struct EventDraft {
  std::string type{};
  std::string source{};
  std::string id{};
  std::string subject{};
  std::string time{};  ///< RFC 3339.
  std::string datacontenttype{};
  std::string dataschema{};
  Data data{};
  std::vector<Extension> extensions{};
};

/// The event of a draft. Fails with kInvalidEvent, naming every broken rule.
[[nodiscard]] CIRRO_EXPORT Result<Event> Build(const EventDraft& draft);

}  // namespace cirro
