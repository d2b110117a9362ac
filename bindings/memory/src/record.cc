#include "cirro/memory/record.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/media_type.h"

namespace cirro {
namespace {

std::string_view Header(const MessageHeaders& headers, std::string_view name) {
  for (const auto& [each, value] : headers) {
    if (EqualsIgnoreCase(each, name)) return value;
  }
  return {};
}

// What the headers themselves say of where a message came from.
Original WithHeaders(MessageHeaders headers) {
  Original original;
  original.function = Header(headers, kRedriveHeader);
  original.dead_letter =
      std::any_of(headers.begin(), headers.end(), [](const auto& header) {
        return EqualsIgnoreCase(header.first, "cirro-dlq-reason");
      });
  original.headers = std::move(headers);
  return original;
}

}  // namespace

MemoryRecord DecodeMemoryMessage(std::string bytes, MessageHeaders headers,
                                 std::string key) {
  const std::string_view type = Header(headers, "content-type");
  const bool structured =
      EqualsIgnoreCase(MediaTypeEssence(type), kJsonMediaType);
  auto event =
      structured
          ? DecodeJson(bytes)
          : Result<Event>(Error{ErrorCode::kUnsupported,
                                "content-type '" + std::string(type) +
                                    "' is not " + std::string(kJsonMediaType)});
  Original original = WithHeaders(headers);
  if (event) {
    original.bytes = std::move(bytes);
    return {.content = *std::move(event),
            .original = std::make_shared<const Original>(std::move(original)),
            .key = std::move(key)};
  }
  // What is malformed carries its bytes and headers itself.
  original.headers.clear();
  return {.content = Malformed{.bytes = std::move(bytes),
                               .headers = std::move(headers),
                               .error = std::move(event).error()},
          .original = std::make_shared<const Original>(std::move(original)),
          .key = std::move(key)};
}

MemoryRecord DeadLetterRecord(DeadLetter letter) {
  MessageHeaders why = DeadLetterHeaders(letter.facts);
  MemoryRecord record{.content = std::move(letter.content),
                      .key = std::move(letter.key)};
  auto* const malformed = std::get_if<Malformed>(&record.content);
  MessageHeaders headers = malformed != nullptr ? std::move(malformed->headers)
                           : letter.original != nullptr
                               ? letter.original->headers
                               : MessageHeaders();
  headers.insert(headers.end(), std::make_move_iterator(why.begin()),
                 std::make_move_iterator(why.end()));
  Original original = WithHeaders(headers);
  if (letter.original != nullptr) original.bytes = letter.original->bytes;
  if (malformed != nullptr) {
    malformed->headers = std::move(headers);
    original.headers.clear();
  }
  record.original = std::make_shared<const Original>(std::move(original));
  return record;
}

const MessageHeaders& HeadersOf(const MemoryRecord& record) noexcept {
  static const MessageHeaders kNone;
  if (const auto* const malformed = std::get_if<Malformed>(&record.content)) {
    return malformed->headers;
  }
  return record.original != nullptr ? record.original->headers : kNone;
}

std::string_view BytesOf(const MemoryRecord& record) noexcept {
  if (const auto* const malformed = std::get_if<Malformed>(&record.content)) {
    return malformed->bytes;
  }
  if (record.original != nullptr && record.original->bytes) {
    return *record.original->bytes;
  }
  return std::get<Event>(record.content).data();
}

}  // namespace cirro
