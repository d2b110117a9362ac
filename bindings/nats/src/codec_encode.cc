#include <algorithm>
#include <cassert>
#include <cstddef>
#include <span>
#include <utility>

#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/media_type.h"
#include "cirro/nats/codec.h"

namespace cirro {
namespace {

bool HasHeader(std::span<const MessageHeaders::value_type> headers,
               std::string_view name) noexcept {
  return std::any_of(headers.begin(), headers.end(),
                     [name](const auto& header) {
                       return EqualsIgnoreCase(header.first, name);
                     });
}

// A line end would end the header, and so would NUL in libnats.
std::string OneLine(std::string_view value) {
  std::string line(value);
  std::replace_if(
      line.begin(), line.end(),
      [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return line;
}

void AppendOwn(const MessageHeaders& own, MessageHeaders& headers) {
  for (const auto& [name, value] : own) {
    const bool of_nats =
        name.size() >= 5 && EqualsIgnoreCase(name.substr(0, 5), "nats-");
    // Of a dead letter that failed again its newest reason counts.
    if (of_nats || IsDeadLetterHeader(name)) continue;
    headers.emplace_back(name, OneLine(value));
  }
}

void AppendBinaryHeaders(const Event& event, MessageHeaders& headers) {
  for (std::size_t i = 0; i < event.attribute_count(); ++i) {
    const Attribute attribute = event.attribute_at(i);
    std::string value;
    if (attribute.name == "datacontenttype") {
      value = attribute.text;
    } else {
      AppendHeaderText(attribute.text, value);
    }
    headers.emplace_back("ce-" + std::string(attribute.name), std::move(value));
  }
}

// The message as it came, which may be a view of `buffer`.
std::string_view EncodeOwn(const DeadLetter& letter, MessageHeaders& headers,
                           std::string& buffer) {
  const Original* const original = letter.original.get();
  if (const auto* const malformed = std::get_if<Malformed>(&letter.content)) {
    AppendOwn(malformed->headers, headers);
    return malformed->bytes;
  }
  if (original != nullptr && original->bytes) {
    AppendOwn(original->headers, headers);
    return *original->bytes;
  }
  MessageHeaders own;
  if (original != nullptr) AppendOwn(original->headers, own);
  const std::string_view payload = EncodeNats(
      ContentMode::kBinary, std::get<Event>(letter.content), headers, buffer);
  const std::size_t said = headers.size();
  for (auto& header : own) {
    // One that says what the data are is said by the event.
    if (HasHeader({headers.data(), said}, header.first)) continue;
    headers.push_back(std::move(header));
  }
  return payload;
}

// A word of a message id: whatever `text` is, without a space in it.
void AppendWord(std::string_view text, std::string& id) {
  id += ' ';
  AppendHeaderText(text, id);
}

}  // namespace

bool FitsNatsBinaryMode(const Event& event) noexcept {
  if (event.data_kind() != DataKind::kText) return true;
  std::string_view charset =
      MediaTypeParameter(event.datacontenttype(), "charset");
  if (charset.size() > 1 && charset.front() == '"') {
    charset = charset.substr(1, charset.size() - 2);
  }
  if (charset.empty() || EqualsIgnoreCase(charset, "utf-8")) return true;
  const std::string_view data = event.data();
  return EqualsIgnoreCase(charset, "us-ascii") &&
         std::all_of(data.begin(), data.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x80;
         });
}

std::string_view EncodeNats(ContentMode mode, const Event& event,
                            MessageHeaders& headers, std::string& buffer) {
  assert(mode == ContentMode::kBinary || mode == ContentMode::kStructured);
  if (mode == ContentMode::kBinary && FitsNatsBinaryMode(event)) {
    AppendBinaryHeaders(event, headers);
    return event.data();
  }
  headers.emplace_back("Content-Type", kJsonMediaType);
  buffer.clear();
  EncodeJson(event, buffer);
  return buffer;
}

std::string_view EncodeNatsDeadLetter(const DeadLetter& letter,
                                      MessageHeaders& headers,
                                      std::string& buffer) {
  const std::string_view payload = EncodeOwn(letter, headers, buffer);
  for (auto& [name, value] : DeadLetterHeaders(letter.facts)) {
    headers.emplace_back(std::move(name), OneLine(value));
  }
  return payload;
}

std::string_view EncodeNatsReturn(const DeadLetter& letter,
                                  MessageHeaders& headers,
                                  std::string& buffer) {
  const std::string_view payload = EncodeOwn(letter, headers, buffer);
  if (!letter.facts.function.empty()) {
    headers.emplace_back(kRedriveHeader, OneLine(letter.facts.function));
  }
  return payload;
}

std::string NatsMessageId(const Event& event) {
  std::string id = "ce";
  AppendWord(event.source(), id);
  AppendWord(event.id(), id);
  return id;
}

std::string NatsMessageId(const DeadLetter& letter) {
  std::string id = "cirro-dlq";
  AppendWord(letter.facts.function, id);
  AppendWord(letter.facts.inlet, id);
  AppendWord(letter.facts.position, id);
  // A sequence is given out again where a stream is made anew: with the time,
  // nothing that differs looks the same.
  AppendWord(letter.facts.time ? FormatTimestamp(*letter.facts.time) : "", id);
  if (const auto* const event = std::get_if<Event>(&letter.content)) {
    AppendWord(event->source(), id);
    AppendWord(event->id(), id);
  }
  return id;
}

}  // namespace cirro
