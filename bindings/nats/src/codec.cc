#include "cirro/nats/codec.h"

#include <algorithm>
#include <utility>

#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/media_type.h"

namespace cirro {
namespace {

constexpr char ToLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool StartsWithIgnoreCase(std::string_view text,
                          std::string_view prefix) noexcept {
  return text.size() >= prefix.size() &&
         EqualsIgnoreCase(text.substr(0, prefix.size()), prefix);
}

bool IsAttributeHeader(std::string_view name) noexcept {
  return name.size() >= 3 && (name[0] | 0x20) == 'c' &&
         (name[1] | 0x20) == 'e' && name[2] == '-';
}

std::string_view Trim(std::string_view text) noexcept {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  return text;
}

// The attribute that a `ce-` header names, in lower case; empty if it can name
// none.
std::string_view AttributeName(std::string_view name, EventAssembler& scratch) {
  bool fold = false;
  for (const char c : name) {
    const char lower = ToLower(c);
    if ((lower < 'a' || lower > 'z') && (c < '0' || c > '9')) return {};
    fold = fold || lower != c;
  }
  if (!fold) return name;
  char* const out = scratch.Scratch(name.size());
  std::transform(name.begin(), name.end(), out, ToLower);
  return {out, name.size()};
}

AttributeType TypeOf(std::string_view name, const DecodeOptions& options) {
  if (name == "source") return AttributeType::kUriReference;
  if (name == "dataschema") return AttributeType::kUri;
  const auto declared = options.extension_types.find(name);
  return declared == options.extension_types.end() ? AttributeType::kString
                                                   : declared->second;
}

// One `ce-` header, into the assembler; its name, empty where it has none.
std::string_view AddHeader(const NatsHeader& header,
                           const DecodeOptions& options,
                           EventAssembler& assembler, Leniency& forgiven) {
  const std::string_view name = AttributeName(header.name.substr(3), assembler);
  if (name.empty()) {
    if (options.strict) {
      assembler.Report(
          79, "header '" + ShownHeader(header.name) + "' names no attribute");
    } else {
      forgiven |= Leniency::kIgnoredHeader;
    }
    return {};
  }
  const std::string_view value = Trim(header.value);
  if (name == "datacontenttype" || IsPlainHeaderText(value)) {
    // The quotes of a media type are its own.
    assembler.AddAttribute(name, value);
    return name;
  }
  const HeaderText text =
      ReadHeaderText(value, TypeOf(name, options), options.strict, assembler);
  if (text.broken_rule != 0) {
    assembler.Report(79, "the value '" + ShownHeader(value) + "' of header '" +
                             ShownHeader(header.name) + "' " + text.why);
    // Present, so that it is not reported as missing too.
    assembler.AddAttribute(name, name == "specversion" ? "1.0" : "x");
    return name;
  }
  forgiven |= text.forgiven;
  assembler.AddAttribute(name, text.text);
  return name;
}

// What the headers say as a whole.
struct Survey {
  std::string_view content_type{};
  bool has_attributes = false;
  bool has_two_types = false;
  bool has_others = false;
  bool dead_letter = false;
  std::string_view function{};
  std::string_view traceparent{};
  std::string_view tracestate{};
};

bool IsNatsOwn(std::string_view name) noexcept {
  return StartsWithIgnoreCase(name, "nats-");
}

Survey Look(std::span<const NatsHeader> headers) {
  Survey found;
  for (const NatsHeader& header : headers) {
    if (IsAttributeHeader(header.name)) {
      found.has_attributes = true;
      continue;
    }
    if (IsNatsOwn(header.name)) continue;
    if (EqualsIgnoreCase(header.name, "content-type")) {
      found.has_two_types = found.has_two_types || !found.content_type.empty();
      found.content_type = Trim(header.value);
      continue;
    }
    if (EqualsIgnoreCase(header.name, kRedriveHeader)) {
      found.function = Trim(header.value);
      continue;
    }
    found.has_others = true;
    if (EqualsIgnoreCase(header.name, "traceparent")) {
      found.traceparent = Trim(header.value);
    } else if (EqualsIgnoreCase(header.name, "tracestate")) {
      found.tracestate = Trim(header.value);
    } else if (StartsWithIgnoreCase(header.name, "cirro-dlq-")) {
      found.dead_letter = true;
    }
  }
  return found;
}

// Those that are to be with the message in its dead letter.
MessageHeaders Kept(std::span<const NatsHeader> headers, bool attributes) {
  MessageHeaders kept;
  for (const NatsHeader& header : headers) {
    const bool is_attribute = IsAttributeHeader(header.name) ||
                              EqualsIgnoreCase(header.name, "content-type");
    if (IsNatsOwn(header.name) || (is_attribute && !attributes) ||
        EqualsIgnoreCase(header.name, kRedriveHeader)) {
      continue;
    }
    kept.emplace_back(header.name, header.value);
  }
  return kept;
}

bool MayBeJsonEvent(std::string_view payload) noexcept {
  const std::size_t first = payload.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && payload[first] == '{';
}

Error UnknownFormat(std::string_view content_type) {
  return {ErrorCode::kUnsupported,
          "the event format of '" + ShownHeader(content_type) +
              "' is not known; known is " + std::string(kJsonMediaType) +
              ", and no batch",
          {77}};
}

Error NoEvent(std::string_view content_type) {
  return {ErrorCode::kUnsupported,
          "neither 'ce-' headers, nor a 'Content-Type' header of an event ('" +
              ShownHeader(content_type) + "'), nor an event in the JSON format",
          {78}};
}

}  // namespace

NatsDecoder::NatsDecoder(const DecodeOptions& options)
    : options_(options), assembler_(options) {}

Result<Event> NatsDecoder::DecodeBinary(std::span<const NatsHeader> headers,
                                        std::string_view content_type,
                                        std::string_view payload,
                                        Leniency& forgiven) {
  assembler_.Clear();
  bool has_type = false;
  for (const NatsHeader& header : headers) {
    if (!IsAttributeHeader(header.name)) continue;
    has_type = AddHeader(header, options_, assembler_, forgiven) ==
                   "datacontenttype" ||
               has_type;
  }
  // The binding has no mapping to Content-Type; senders that know HTTP have.
  if (!has_type && !content_type.empty()) {
    assembler_.AddAttribute("datacontenttype", content_type);
  }
  // NATS cannot tell an empty payload from none.
  if (!payload.empty()) assembler_.SetData(payload);
  return assembler_.Build();
}

NatsContent NatsDecoder::Decode(std::span<const NatsHeader> headers,
                                std::string_view payload) {
  const Survey found = Look(headers);
  NatsContent result{.content = Malformed{}};
  Result<Event> event = Error{ErrorCode::kInternal, {}};
  if (found.has_two_types) {
    event = Error{
        ErrorCode::kInvalidEvent, "more than one Content-Type header", {78}};
  } else if (StartsWithIgnoreCase(found.content_type,
                                  "application/cloudevents")) {
    result.mode = ContentMode::kStructured;
    if (EqualsIgnoreCase(MediaTypeEssence(found.content_type),
                         kJsonMediaType)) {
      event = DecodeJson(payload, options_);
    } else {
      event = UnknownFormat(found.content_type);
    }
  } else if (found.has_attributes) {
    result.mode = ContentMode::kBinary;
    event = DecodeBinary(headers, found.content_type, payload, result.forgiven);
  } else if (MayBeJsonEvent(payload)) {
    // 1.0.2 has structured mode alone, which needs no header.
    result.mode = ContentMode::kStructured;
    event = DecodeJson(payload, options_);
  } else {
    event = NoEvent(found.content_type);
  }

  result.trace = TraceContextOf(found.traceparent, found.tracestate,
                                event ? &*event : nullptr);
  Original original{.function = std::string(found.function),
                    .dead_letter = found.dead_letter};
  if (!event) {
    result.content = Malformed{std::string(payload), Kept(headers, true),
                               std::move(event).error()};
    if (original.dead_letter || !original.function.empty()) {
      result.original = std::make_shared<const Original>(std::move(original));
    }
    return result;
  }

  if (const auto key = event->attribute("partitionkey")) {
    result.key = std::string(key->text);
  }
  if (result.mode == ContentMode::kStructured) {
    original.bytes = std::string(payload);
    original.headers = Kept(headers, true);
    result.original = std::make_shared<const Original>(std::move(original));
  } else if (found.has_others || !original.function.empty()) {
    original.headers = Kept(headers, false);
    result.original = std::make_shared<const Original>(std::move(original));
  }
  result.content = *std::move(event);
  return result;
}

}  // namespace cirro
