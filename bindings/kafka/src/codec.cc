#include "cirro/kafka/codec.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/media_type.h"
#include "cirro/cloudevents/utf8.h"

namespace cirro {
namespace {

constexpr std::string_view kContentType = "content-type";
constexpr std::string_view kDatacontenttype = "datacontenttype";
constexpr std::string_view kPrefix = "ce_";

constexpr char ToLower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// `value` for a message to a human: printable, and cut if long.
std::string Shown(std::string_view value) {
  constexpr std::size_t kMost = 64;
  std::string shown;
  for (const char c : value.substr(0, kMost)) {
    shown += c >= 0x20 && c < 0x7F ? c : '?';
  }
  if (value.size() > kMost) shown += "...";
  return shown;
}

// Header keys are defined in lower case only. Peers exist that send others,
// which harms nobody: strict refuses them.
bool IsAttributeHeader(std::string_view name) noexcept {
  return name.size() >= kPrefix.size() && ToLower(name[0]) == 'c' &&
         ToLower(name[1]) == 'e' && name[2] == '_';
}

// What a character of an attribute's name is in lower case; 0: it is none.
constexpr std::array<char, 256> kOfNames = [] {
  std::array<char, 256> lower{};
  for (unsigned char c = 'a'; c <= 'z'; ++c) {
    lower.at(c) = static_cast<char>(c);
    lower.at(c - 'a' + 'A') = static_cast<char>(c);
  }
  for (unsigned char c = '0'; c <= '9'; ++c) lower.at(c) = static_cast<char>(c);
  return lower;
}();

// The attribute that a `ce_` header names, in lower case; empty if it can name
// none.
std::string_view AttributeName(std::string_view name, EventAssembler& scratch) {
  unsigned fold = 0;
  for (const char c : name) {
    const char lower = kOfNames[static_cast<unsigned char>(c)];
    if (lower == 0) return {};
    fold |= static_cast<unsigned>(lower ^ c);
  }
  if (fold == 0) return name;
  char* const out = scratch.Scratch(name.size());
  std::transform(name.begin(), name.end(), out, ToLower);
  return {out, name.size()};
}

Malformed ToMalformed(const KafkaRecord& record, Error error) {
  Malformed malformed{std::string(record.value.value_or(std::string_view())),
                      {},
                      std::move(error),
                      record.value.has_value()};
  malformed.headers.reserve(record.headers.size());
  for (const KafkaHeader& header : record.headers) {
    malformed.headers.emplace_back(header.name, header.value);
  }
  return malformed;
}

// What `record` was beyond the event, and where dead letters are concerned.
template <typename Headers>
void FillOriginal(const Headers& headers, Original& original) {
  original.headers.reserve(headers.size());
  for (const auto& each : headers) {
    const KafkaHeader& header = *each;
    if (EqualsIgnoreCase(header.name, kRedriveHeader)) {
      original.function = header.value;
      continue;  // Of this way here, not of the message.
    }
    if (IsDeadLetterHeader(header.name)) original.dead_letter = true;
    original.headers.emplace_back(header.name, header.value);
  }
}

std::string_view ValueOf(const std::vector<const KafkaHeader*>& headers,
                         std::string_view name) noexcept {
  for (const KafkaHeader* const header : headers) {
    if (EqualsIgnoreCase(header->name, name)) return header->value;
  }
  return {};
}

}  // namespace

KafkaDecoder::KafkaDecoder(const DecodeOptions& options)
    : options_(options), assembler_(options) {}

KafkaContent KafkaDecoder::Decode(const KafkaRecord& record) {
  KafkaContent content;
  const KafkaHeader* content_type = nullptr;
  bool has_attributes = false;
  bool has_two_types = false;
  others_.clear();
  assembler_.Clear();
  for (const KafkaHeader& header : record.headers) {
    if (!IsAttributeHeader(header.name)) {
      if (header.name == kContentType ||
          EqualsIgnoreCase(header.name, kContentType)) {
        has_two_types = has_two_types || content_type != nullptr;
        content_type = &header;
      } else {
        others_.push_back(&header);
      }
      continue;
    }
    has_attributes = true;
    const std::string_view bare = header.name.substr(kPrefix.size());
    // Mostly it is one of the core's, spelled as it should be.
    if (bare.size() != kDatacontenttype.size() &&
        header.name.starts_with(kPrefix) &&
        assembler_.AddCore(bare, header.value)) {
      continue;
    }
    const std::string_view name = AttributeName(bare, assembler_);
    // 3.2.1: content-type is where datacontenttype is, and the one place.
    const bool misplaced = name == kDatacontenttype;
    const bool foreign = name.empty() || misplaced;
    if (options_.strict && (foreign || name.data() != bare.data() ||
                            !header.name.starts_with(kPrefix))) {
      assembler_.Report(
          misplaced ? 73 : 72,
          "header '" + Shown(header.name) +
              (misplaced ? "' must not be sent: content-type is datacontenttype"
                         : "' names no attribute in lower case"));
    } else if (foreign) {
      others_.push_back(&header);
    } else {
      assembler_.AddAttribute(name, header.value);
    }
  }

  const std::string_view type =
      content_type == nullptr ? std::string_view() : content_type->value;
  content.mode = ContentModeOf(type);
  if (content.mode == ContentMode::kBinary && !has_attributes) {
    content.mode = ContentMode::kNone;
  }
  Result<Event> event =
      has_two_types
          ? Result<Event>(Error{ErrorCode::kInvalidEvent,
                                "more than one content-type header",
                                {3}})
          : Read(content.mode, content_type == nullptr, type, record.value);

  if (content.mode == ContentMode::kStructured && event) {
    auto original = std::make_shared<Original>();
    original->bytes = std::string(*record.value);
    std::vector<const KafkaHeader*> all;
    for (const KafkaHeader& header : record.headers) all.push_back(&header);
    FillOriginal(all, *original);
    content.original = std::move(original);
  } else if (!others_.empty()) {
    auto original = std::make_shared<Original>();
    FillOriginal(others_, *original);
    content.original = std::move(original);
  }
  if (content.original != nullptr || event) {
    content.trace = TraceContextOf(ValueOf(others_, "traceparent"),
                                   ValueOf(others_, "tracestate"),
                                   event ? &*event : nullptr);
  }
  if (event) {
    content.value = *std::move(event);
  } else {
    content.value = ToMalformed(record, std::move(event).error());
  }
  return content;
}

// The attributes of binary mode are in the assembler.
Result<Event> KafkaDecoder::Read(ContentMode mode, bool untyped,
                                 std::string_view type,
                                 std::optional<std::string_view> value) {
  switch (mode) {
    case ContentMode::kBinary:
      if (!untyped) assembler_.AddAttribute(kDatacontenttype, type);
      if (value) assembler_.SetData(*value);
      return assembler_.Build();
    case ContentMode::kStructured:
      if (type != kJsonMediaType &&
          !EqualsIgnoreCase(MediaTypeEssence(type), kJsonMediaType)) {
        return Error{ErrorCode::kUnsupported,
                     "the event format of '" + Shown(type) +
                         "' is not known; known is " +
                         std::string(kJsonMediaType),
                     {70}};
      }
      if (!value) {
        return Error{ErrorCode::kInvalidEvent,
                     "a structured event without a value",
                     {74}};
      }
      return DecodeJson(*value, options_);
    case ContentMode::kBatch:
      // Section 1.3 knows structured and binary mode, and no other.
      return Error{ErrorCode::kUnsupported,
                   "Kafka has no batch mode (content-type is '" + Shown(type) +
                       "'): one record is one event",
                   {70}};
    case ContentMode::kNone:
      break;
  }
  return Error{ErrorCode::kUnsupported,
               "neither 'ce_' headers nor the media type of an event "
               "(content-type is '" +
                   Shown(type) + "')",
               {71}};
}

void EncodeKafka(ContentMode mode, const Event& event, KafkaDraft& draft) {
  assert(mode == ContentMode::kBinary || mode == ContentMode::kStructured);
  draft.headers.clear();
  if (mode == ContentMode::kStructured || !FitsBinaryMode(event)) {
    draft.text.clear();
    EncodeJson(event, draft.text);
    draft.value = draft.text;
    draft.headers.push_back({std::string(kContentType), kJsonMediaType});
    return;
  }
  draft.value.reset();
  if (event.has_data()) draft.value = event.data();
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    const Attribute attribute = event.attribute_at(i);
    std::string name(kContentType);
    if (attribute.name != kDatacontenttype) {
      name = kPrefix;
      name += attribute.name;
    }
    draft.headers.push_back({std::move(name), attribute.text});
  }
}

void EncodeKafkaLetter(const DeadLetter& letter, const MessageHeaders& more,
                       KafkaDraft& draft) {
  // What an earlier letter of the same message said is not said again.
  const auto add = [&draft](const MessageHeaders& headers) {
    for (const auto& [name, value] : headers) {
      if (!IsDeadLetterHeader(name)) draft.headers.push_back({name, value});
    }
  };

  const Original* const original = letter.original.get();
  if (const auto* const malformed = std::get_if<Malformed>(&letter.content)) {
    draft.headers.clear();
    draft.value.reset();
    if (malformed->has_bytes) draft.value = malformed->bytes;
    add(malformed->headers);
  } else if (original != nullptr && original->bytes) {
    draft.headers.clear();
    draft.value = *original->bytes;
    const bool has_type =
        std::any_of(original->headers.begin(), original->headers.end(),
                    [](const auto& header) {
                      return EqualsIgnoreCase(header.first, kContentType);
                    });
    if (!has_type) {
      draft.headers.push_back({std::string(kContentType), kJsonMediaType});
    }
    add(original->headers);
  } else {
    EncodeKafka(ContentMode::kBinary, std::get<Event>(letter.content), draft);
    if (original != nullptr) add(original->headers);
  }
  for (const auto& [name, value] : more) draft.headers.push_back({name, value});
}

}  // namespace cirro
