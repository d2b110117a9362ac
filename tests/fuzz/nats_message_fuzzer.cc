// Header lines, an empty line, a payload; the first byte is the strictness.
// What is taken is an event that goes out and comes back, in strict, in each
// mode; its dead letter is the message that it was.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cirro/nats/codec.h"
#include "fuzz_check.h"

namespace {

using namespace cirro;  // NOLINT(google-build-using-namespace): one file.

const DecodeOptions kStrict{.strict = true};

std::vector<NatsHeader> Split(std::string_view& text) {
  std::vector<NatsHeader> headers;
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

NatsContent Decode(const MessageHeaders& headers, std::string_view payload) {
  std::vector<NatsHeader> views;
  for (const auto& [name, value] : headers) {
    CIRRO_FUZZ_CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) ==
                     std::string::npos);
    views.push_back({name, value});
  }
  NatsDecoder decoder(kStrict);
  return decoder.Decode(views, payload);
}

void CheckEvent(const Event& event) {
  for (const ContentMode mode :
       {ContentMode::kBinary, ContentMode::kStructured}) {
    MessageHeaders headers;
    std::string buffer;
    const std::string_view payload = EncodeNats(mode, event, headers, buffer);
    const NatsContent back = Decode(headers, payload);
    const auto* const again = std::get_if<Event>(&back.content);
    CIRRO_FUZZ_CHECK(again != nullptr);
    CIRRO_FUZZ_CHECK(back.forgiven == Leniency::kNone);
    CIRRO_FUZZ_CHECK(again->id() == event.id());
    CIRRO_FUZZ_CHECK(again->source() == event.source());
    CIRRO_FUZZ_CHECK(again->data() == event.data());
    CIRRO_FUZZ_CHECK(again->attribute_count() == event.attribute_count());
    if (back.mode == ContentMode::kStructured) {
      CIRRO_FUZZ_CHECK(*again == event);
    }
  }
  CIRRO_FUZZ_CHECK(NatsMessageId(event).find('\n') == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const DecodeOptions options{.strict = (text[0] & 1) != 0};
  text.remove_prefix(1);
  const std::vector<NatsHeader> headers = Split(text);
  NatsDecoder decoder(options);

  NatsContent content = decoder.Decode(headers, text);

  if (const auto* const event = std::get_if<Event>(&content.content)) {
    CheckEvent(*event);
    CIRRO_FUZZ_CHECK(!options.strict || content.forgiven == Leniency::kNone);
  } else {
    const auto& malformed = std::get<Malformed>(content.content);
    CIRRO_FUZZ_CHECK(!malformed.error.message.empty());
    CIRRO_FUZZ_CHECK(malformed.bytes == text);
  }
  const bool whole = content.original && content.original->bytes;
  DeadLetter letter{.content = std::move(content.content),
                    .original = std::move(content.original)};
  MessageHeaders out;
  std::string buffer;
  const std::string_view payload = EncodeNatsDeadLetter(letter, out, buffer);
  if (whole || std::holds_alternative<Malformed>(letter.content)) {
    CIRRO_FUZZ_CHECK(payload == text);
  }
  static_cast<void>(NatsMessageId(letter));
  // One that is found is one that can be written and found again.
  if (const auto found = DecodeNatsLetter(headers, text, options);
      found && *found) {
    out.clear();
    const std::string_view kept = EncodeNatsDeadLetter(**found, out, buffer);
    std::vector<NatsHeader> views;
    for (const auto& [name, value] : out) views.push_back({name, value});
    const auto again = DecodeNatsLetter(views, kept, options);
    CIRRO_FUZZ_CHECK(again && *again);
    CIRRO_FUZZ_CHECK((*again)->facts.reason == (*found)->facts.reason);
    CIRRO_FUZZ_CHECK((*again)->facts.function == (*found)->facts.function);
  }
  return 0;
}
