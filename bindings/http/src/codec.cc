#include "cirro/http/codec.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "cirro/cloudevents/header_text.h"
#include "cirro/cloudevents/media_type.h"

namespace cirro {
namespace {

constexpr char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

template <typename Word>
Word Load(std::string_view text, std::size_t at) noexcept {
  Word word = 0;
  std::memcpy(&word, text.data() + at, sizeof word);
  return word;
}

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view Trim(std::string_view text) noexcept {
  if (text.empty() || (!IsBlank(text.front()) && !IsBlank(text.back()))) {
    return text;
  }
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return text;
}

// Whether the format that a structured or batched message names is `format`.
bool IsFormat(std::string_view content_type, std::string_view format) noexcept {
  return content_type == format ||
         EqualsIgnoreCase(MediaTypeEssence(content_type), format);
}

// Whether `text` is `letters`, in any case. `|` folds them: no other byte
// becomes a letter by it.
bool AreLetters(std::string_view text, std::string_view letters) noexcept {
  constexpr std::uint64_t kFold = 0x2020202020202020;
  const std::size_t size = letters.size();
  if (text.size() != size) return false;
  if (size >= sizeof(std::uint64_t)) {
    return (Load<std::uint64_t>(text, 0) | kFold) ==
               Load<std::uint64_t>(letters, 0) &&
           (Load<std::uint64_t>(text, size - 8) | kFold) ==
               Load<std::uint64_t>(letters, size - 8);
  }
  if (size >= sizeof(std::uint32_t)) {
    constexpr auto kFold4 = static_cast<std::uint32_t>(kFold);
    return (Load<std::uint32_t>(text, 0) | kFold4) ==
               Load<std::uint32_t>(letters, 0) &&
           (Load<std::uint32_t>(text, size - 4) | kFold4) ==
               Load<std::uint32_t>(letters, size - 4);
  }
  for (std::size_t i = 0; i < size; ++i) {
    if ((text[i] | 0x20) != letters[i]) return false;
  }
  return true;
}

bool IsAttributeHeader(std::string_view name) noexcept {
  return name.size() >= 3 && (name[0] | 0x20) == 'c' &&
         (name[1] | 0x20) == 'e' && name[2] == '-';
}

bool IsContentType(std::string_view name) noexcept {
  return name.size() == 12 && name[7] == '-' &&
         AreLetters(name.substr(0, 7), "content") &&
         AreLetters(name.substr(8), "type");
}

Error UnknownFormat(std::string_view content_type, std::string_view known) {
  return {ErrorCode::kUnsupported,
          "the event format of '" + ShownHeader(content_type) +
              "' is not known; known is " + std::string(known),
          {30}};
}

// The core attribute of this name in any case, in its own spelling; empty for
// other names. Eight names come with almost every event.
std::string_view CoreName(std::string_view name) noexcept {
  std::string_view core;
  switch (name.size()) {
    case 2:
      core = "id";
      break;
    case 4:
      core = (name[1] | 0x20) == 'y' ? "type" : "time";
      break;
    case 6:
      core = "source";
      break;
    case 7:
      core = "subject";
      break;
    case 10:
      core = "dataschema";
      break;
    case 11:
      core = "specversion";
      break;
    default:
      return {};
  }
  return AreLetters(name, core) ? core : std::string_view();
}

// The attribute that a `ce-` header names, in lower case; empty if it can name
// none.
std::string_view AttributeName(std::string_view name, EventAssembler& scratch) {
  if (const std::string_view core = CoreName(name); !core.empty()) return core;
  bool fold = false;
  for (const char c : name) {
    const char lower = ToLower(c);
    const bool letter = lower >= 'a' && lower <= 'z';
    if (!letter && (c < '0' || c > '9')) return {};
    fold = fold || lower != c;
  }
  if (!fold) return name;
  char* const out = scratch.Scratch(name.size());
  for (std::size_t i = 0; i < name.size(); ++i) out[i] = ToLower(name[i]);
  return {out, name.size()};
}

AttributeType TypeOf(std::string_view name, const DecodeOptions& options) {
  if (name == "source") return AttributeType::kUriReference;
  if (name == "dataschema") return AttributeType::kUri;
  const auto declared = options.extension_types.find(name);
  return declared == options.extension_types.end() ? AttributeType::kString
                                                   : declared->second;
}

// One `ce-` header, into the assembler.
void AddHeader(const HttpHeader& header, const DecodeOptions& options,
               EventAssembler& assembler, Leniency& forgiven) {
  const std::string_view name = AttributeName(header.name.substr(3), assembler);
  // Content-Type is where datacontenttype is, and the one place: 3.1.1.
  const bool misplaced = name == "datacontenttype";
  if (name.empty() || misplaced) {
    if (options.strict) {
      assembler.Report(misplaced ? 34 : 35,
                       "header '" + ShownHeader(header.name) +
                           (misplaced ? "' must not be sent: Content-Type is "
                                        "datacontenttype"
                                      : "' names no attribute"));
    } else {
      forgiven |= Leniency::kIgnoredHeader;
    }
    return;
  }

  const std::string_view value = Trim(header.value);
  if (IsPlainHeaderText(value)) {
    assembler.AddAttribute(name, value);
    return;
  }
  const HeaderText text =
      ReadHeaderText(value, TypeOf(name, options), options.strict, assembler);
  if (text.broken_rule != 0) {
    assembler.Report(text.broken_rule,
                     "the value '" + ShownHeader(value) + "' of header '" +
                         ShownHeader(header.name) + "' " + text.why);
    // Present, so that it is not reported as missing too.
    if (name == "id" || name == "source" || name == "type" ||
        name == "specversion") {
      assembler.AddAttribute(name, "1.0");
    }
    return;
  }
  forgiven |= text.forgiven;
  assembler.AddAttribute(name, text.text);
}

}  // namespace

HttpDecoder::HttpDecoder(const DecodeOptions& options)
    : options_(options), assembler_(options) {}

HttpContent HttpDecoder::Decode(std::span<const HttpHeader> headers,
                                std::string_view body) {
  HttpContent content;
  const HttpHeader* content_type = nullptr;
  bool has_attributes = false;
  bool has_two_types = false;
  assembler_.Clear();
  for (const HttpHeader& header : headers) {
    if (IsAttributeHeader(header.name)) {
      has_attributes = true;
      AddHeader(header, options_, assembler_, content.forgiven);
    } else if (IsContentType(header.name)) {
      has_two_types = has_two_types || content_type != nullptr;
      content_type = &header;
    }
  }
  const std::string_view type =
      content_type == nullptr ? std::string_view() : Trim(content_type->value);
  if (has_two_types) {
    content.value = Error{
        ErrorCode::kInvalidEvent, "more than one Content-Type header", {3}};
    return content;
  }

  content.mode = ContentModeOf(type);
  // What headers repeat of an event in the body means nothing: 3.2.3.
  if (content.mode != ContentMode::kBinary) content.forgiven = Leniency::kNone;
  switch (content.mode) {
    case ContentMode::kBatch:
      if (!IsFormat(type, kJsonBatchMediaType)) {
        content.value = UnknownFormat(type, kJsonBatchMediaType);
      } else if (auto batch = DecodeJsonBatch(body, options_)) {
        content.value = *std::move(batch);
      } else {
        content.value = std::move(batch).error();
      }
      return content;
    case ContentMode::kStructured:
      if (!IsFormat(type, kJsonMediaType)) {
        content.value = UnknownFormat(type, kJsonMediaType);
      } else if (auto event = DecodeJson(body, options_)) {
        content.value = *std::move(event);
      } else {
        content.value = std::move(event).error();
      }
      return content;
    case ContentMode::kNone:
    case ContentMode::kBinary:
      break;
  }

  if (!has_attributes) {
    content.mode = ContentMode::kNone;
    content.value = Error{
        ErrorCode::kUnsupported,
        "neither 'ce-' headers nor the media type of an event (Content-Type "
        "is '" +
            ShownHeader(type) + "')",
        {31}};
    return content;
  }
  if (content_type != nullptr) {
    assembler_.AddAttribute("datacontenttype", type);
  }
  // HTTP cannot tell an empty body from none.
  if (!body.empty()) assembler_.SetData(body);
  if (auto event = assembler_.Build()) {
    content.value = *std::move(event);
  } else {
    content.value = std::move(event).error();
  }
  return content;
}

void AppendBinaryHeaders(const Event& event, std::string& out) {
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    const Attribute attribute = event.attribute_at(i);
    if (attribute.name == "datacontenttype") {
      // A media type is ASCII by its grammar, and its quotes are its own.
      out += "content-type: ";
      out += attribute.text;
    } else {
      out += "ce-";
      out += attribute.name;
      out += ": ";
      AppendHeaderText(attribute.text, out);
    }
    out += "\r\n";
  }
}

std::string_view EncodeHttp(ContentMode mode, const Event& event,
                            std::string& header_lines, std::string& buffer) {
  switch (mode) {
    case ContentMode::kBatch:
      header_lines += kBatchHeaderLine;
      buffer = EncodeJsonBatch(std::span(&event, 1));
      return buffer;
    case ContentMode::kNone:
      assert(false && "no event is encoded as none");
      break;
    case ContentMode::kBinary:
      if (!FitsBinaryMode(event)) break;
      AppendBinaryHeaders(event, header_lines);
      return event.data();
    case ContentMode::kStructured:
      break;
  }
  header_lines += kStructuredHeaderLine;
  buffer.clear();
  EncodeJson(event, buffer);
  return buffer;
}

}  // namespace cirro
