// One byte of flags (1: strict, 2: no value), header lines `name:value`, an
// empty line, the value. What is taken is an event that goes out and comes back
// in strict, in each mode; and its dead letter is the record as it came.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "cirro/kafka/codec.h"
#include "fuzz_check.h"

namespace {

using namespace cirro;  // NOLINT(google-build-using-namespace): one file.

const DecodeOptions kStrict{.strict = true};

std::vector<KafkaHeader> Split(std::string_view& text) {
  std::vector<KafkaHeader> headers;
  for (;;) {
    const std::size_t at = text.find('\n');
    const std::string_view line = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    if (line.empty()) return headers;
    const std::size_t colon = line.find(':');
    headers.push_back({line.substr(0, colon), colon == std::string_view::npos
                                                  ? std::string_view()
                                                  : line.substr(colon + 1)});
  }
}

KafkaContent Decode(const KafkaDraft& draft, const DecodeOptions& options) {
  std::vector<KafkaHeader> headers;
  for (const auto& header : draft.headers) {
    headers.push_back({header.name, header.value});
  }
  KafkaDecoder decoder(options);
  return decoder.Decode({.value = draft.value, .headers = headers});
}

Event ThereAndBack(ContentMode mode, const Event& event) {
  KafkaDraft draft;
  EncodeKafka(mode, event, draft);
  const KafkaContent back = Decode(draft, kStrict);
  CIRRO_FUZZ_CHECK(std::holds_alternative<Event>(back.value));
  return std::get<Event>(back.value);
}

// Types of attributes are lost in binary mode, their texts are not.
bool HasTheTextsOf(const Event& a, const Event& b) {
  if (a.attribute_count() != b.attribute_count()) return false;
  for (std::size_t i = 0; i < a.attribute_count(); ++i) {
    const Attribute attribute = a.attribute_at(i);
    const auto other = b.attribute(attribute.name);
    if (!other || other->text != attribute.text) return false;
  }
  return a.has_data() == b.has_data() && a.data() == b.data();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const DecodeOptions options{.strict = (text[0] & 1) != 0};
  const bool has_value = (text[0] & 2) == 0;
  text.remove_prefix(1);
  const std::vector<KafkaHeader> headers = Split(text);
  KafkaRecord record{.headers = headers};
  if (has_value) record.value = text;

  KafkaDecoder decoder(options);
  KafkaContent content = decoder.Decode(record);

  DeadLetter letter{Malformed{}, content.original, {}, {}};
  if (auto* const event = std::get_if<Event>(&content.value)) {
    CIRRO_FUZZ_CHECK(!event->id().empty() && event->specversion() == "1.0");
    CIRRO_FUZZ_CHECK(ThereAndBack(ContentMode::kStructured, *event) == *event);
    CIRRO_FUZZ_CHECK(
        HasTheTextsOf(ThereAndBack(ContentMode::kBinary, *event), *event));
    letter.content = *event;
  } else {
    const auto& malformed = std::get<Malformed>(content.value);
    CIRRO_FUZZ_CHECK(!malformed.error.message.empty());
    CIRRO_FUZZ_CHECK(malformed.has_bytes == has_value);
    CIRRO_FUZZ_CHECK(malformed.headers.size() == headers.size());
    letter.content = malformed;
  }

  KafkaDraft draft;
  EncodeKafkaLetter(letter, {}, draft);
  if (content.mode != ContentMode::kBinary) {
    CIRRO_FUZZ_CHECK(draft.value == record.value);
  }
  const KafkaContent again = Decode(draft, options);
  CIRRO_FUZZ_CHECK(again.value.index() == content.value.index());
  if (const auto* const event = std::get_if<Event>(&again.value)) {
    CIRRO_FUZZ_CHECK(HasTheTextsOf(*event, std::get<Event>(content.value)));
  }
  if (const auto found = DecodeKafkaLetter(record, options); !found) {
    CIRRO_FUZZ_CHECK(found.error().code == ErrorCode::kInvalidEvent);
  }
  return 0;
}
