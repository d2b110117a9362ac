#include "cirro/cloudevents/event_draft.h"

#include <limits>
#include <utility>

#include "assembly.h"
#include "base64.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/media_type.h"
#include "cirro/cloudevents/utf8.h"
#include "json_scan.h"

namespace cirro {

Data Text(std::string text, std::string contenttype) {
  return {std::move(text), DataKind::kText, std::move(contenttype)};
}

Data JsonText(std::string json) {
  return {std::move(json), DataKind::kJson, "application/json"};
}

Data Binary(std::string bytes, std::string contenttype) {
  return {std::move(bytes), DataKind::kBinary, std::move(contenttype)};
}

Extension::Extension(std::string attribute_name, std::string value)
    : Extension(std::move(attribute_name), AttributeType::kString,
                std::move(value)) {}
Extension::Extension(std::string attribute_name, const char* value)
    : Extension(std::move(attribute_name), AttributeType::kString,
                std::string(value)) {}
Extension::Extension(std::string attribute_name, std::string_view value)
    : Extension(std::move(attribute_name), AttributeType::kString,
                std::string(value)) {}
Extension::Extension(std::string attribute_name, bool value)
    : Extension(std::move(attribute_name), AttributeType::kBoolean,
                value ? "true" : "false") {}
Extension::Extension(std::string attribute_name, std::int32_t value)
    : Extension(std::move(attribute_name), AttributeType::kInteger,
                std::to_string(value)) {}
Extension::Extension(std::string attribute_name, const Timestamp& value)
    : Extension(std::move(attribute_name), AttributeType::kTimestamp,
                FormatTimestamp(value)) {}
Extension::Extension(std::string attribute_name,
                     std::span<const std::byte> value)
    : Extension(std::move(attribute_name), AttributeType::kBinary,
                std::string()) {
  internal::AppendBase64(
      {reinterpret_cast<const char*>(value.data()), value.size()}, text);
}
Extension::Extension(std::string attribute_name, AttributeType value_type,
                     std::string canonical_text)
    : name(std::move(attribute_name)),
      text(std::move(canonical_text)),
      type(value_type) {}

namespace {

// An author's own event is bounded by what a block can hold, and not by what
// untrusted senders are allowed.
const DecodeOptions& NoLimits() {
  static const DecodeOptions kNoLimits = [] {
    constexpr std::size_t kMost = std::numeric_limits<std::size_t>::max();
    DecodeOptions options;
    options.max_attributes = kMost;
    options.max_attribute_name_bytes = kMost;
    options.max_attribute_value_bytes = kMost;
    options.max_event_bytes = kMost;
    options.max_json_depth = internal::kMostJsonDepth;
    return options;
  }();
  return kNoLimits;
}

}  // namespace

Result<Event> Build(const EventDraft& draft) {
  internal::Assembly assembly(NoLimits());
  const auto add = [&assembly](std::string_view name, std::string_view text) {
    if (!text.empty()) assembly.AddAttribute(name, text);
  };
  const Data& data = draft.data;
  const bool has_data = data.kind != DataKind::kNone || !data.bytes.empty();
  const std::string_view contenttype =
      draft.datacontenttype.empty() && has_data
          ? std::string_view(data.contenttype)
          : std::string_view(draft.datacontenttype);
  assembly.AddAttribute("specversion", "1.0");
  add("id", draft.id);
  add("source", draft.source);
  add("type", draft.type);
  add("datacontenttype", contenttype);
  add("dataschema", draft.dataschema);
  add("subject", draft.subject);
  add("time", draft.time);
  for (const Extension& extension : draft.extensions) {
    assembly.AddAttribute(extension.name, extension.text, extension.type);
  }
  if (has_data) {
    assembly.SetData(data.bytes, data.kind);
    // "[...] a JSON serializer MUST translate the data value to a JSON value":
    // an author who says JSON or text learns here that it is not.
    if (data.kind == DataKind::kJson &&
        !IsJson(data.bytes, internal::kMostJsonDepth)) {
      assembly.Report(47, "data that is said to be JSON MUST be a JSON value");
    }
    if (data.kind == DataKind::kText && !IsUtf8(data.bytes)) {
      assembly.Report(48, "data that is said to be text MUST be UTF-8");
    }
  }
  return assembly.Build();
}

}  // namespace cirro
