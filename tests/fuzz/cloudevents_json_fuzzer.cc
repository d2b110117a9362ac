// Structured JSON: whatever comes, an event or an error that names a rule; an
// event goes out as valid JSON and comes back equal.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/json_format.h"
#include "fuzz_check.h"

namespace cirro {
namespace {

void CheckEvent(const Event& event, const DecodeOptions& options) {
  CIRRO_FUZZ_CHECK(!event.id().empty() && !event.source().empty());
  CIRRO_FUZZ_CHECK(event.memory_size() >= event.data().size());
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    const Attribute attribute = event.attribute_at(i);
    CIRRO_FUZZ_CHECK(IsAttributeName(attribute.name));
    CIRRO_FUZZ_CHECK(IsCanonical(attribute.type, attribute.text));
  }
  CIRRO_FUZZ_CHECK(event.data_kind() != DataKind::kJson ||
                   IsJson(event.data(), options.max_json_depth));
  const std::string json = EncodeJson(event);
  // One level more: the envelope's own.
  CIRRO_FUZZ_CHECK(IsJson(json, options.max_json_depth + 1));
  const auto again = DecodeJson(json, options);
  CIRRO_FUZZ_CHECK(again.has_value());
  CIRRO_FUZZ_CHECK(*again == event);
  CIRRO_FUZZ_CHECK(EncodeJson(*again) == json);
  const auto copy = EventBuilder(event).Build();
  CIRRO_FUZZ_CHECK(copy.has_value() && *copy == event);
}

void CheckText(std::string_view text, const DecodeOptions& options) {
  const auto event = DecodeJson(text, options);
  if (event) {
    CIRRO_FUZZ_CHECK(IsJson(text, options.max_json_depth + 1));
    CheckEvent(*event, options);
  } else {
    CIRRO_FUZZ_CHECK(!event.error().message.empty());
    CIRRO_FUZZ_CHECK((event.error().code == ErrorCode::kTooLarge) ==
                     event.error().rules.empty());
  }
}

}  // namespace
}  // namespace cirro

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  cirro::DecodeOptions options;
  options.extension_types = {{"when", cirro::AttributeType::kTimestamp},
                             {"blob", cirro::AttributeType::kBinary},
                             {"flag", cirro::AttributeType::kBoolean},
                             {"where", cirro::AttributeType::kUri}};
  cirro::CheckText(text, options);
  options.strict = true;
  options.max_json_depth = 4;
  options.max_attributes = 12;
  options.max_attribute_value_bytes = 100;
  cirro::CheckText(text, options);
  return 0;
}
