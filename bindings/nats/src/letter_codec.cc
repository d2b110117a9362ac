#include <algorithm>
#include <utility>

#include "cirro/nats/codec.h"

namespace cirro {
namespace {

// What a letter says of itself is in its facts; the rest is as it came.
void Strip(MessageHeaders& headers) {
  headers.erase(std::remove_if(headers.begin(), headers.end(),
                               [](const auto& header) {
                                 return IsDeadLetterHeader(header.first);
                               }),
                headers.end());
}

}  // namespace

Result<std::optional<DeadLetter>> DecodeNatsLetter(
    std::span<const NatsHeader> headers, std::string_view payload,
    const DecodeOptions& options) {
  MessageHeaders said;
  for (const NatsHeader& header : headers) {
    if (!IsDeadLetterHeader(header.name)) continue;
    said.emplace_back(header.name, header.value);
  }
  auto facts = ParseDeadLetterHeaders(said);
  if (!facts) return std::move(facts).error();
  if (!*facts) return std::optional<DeadLetter>();

  NatsContent content = NatsDecoder(options).Decode(headers, payload);
  DeadLetter letter;
  letter.key = std::move(content.key);
  letter.facts = **std::move(facts);
  if (auto* const malformed = std::get_if<Malformed>(&content.content)) {
    Strip(malformed->headers);
    letter.content = std::move(*malformed);
    return std::optional(std::move(letter));
  }
  letter.content = std::get<Event>(std::move(content.content));
  if (content.original == nullptr) return std::optional(std::move(letter));
  Original original = *content.original;
  original.dead_letter = false;
  Strip(original.headers);
  if (original.bytes || !original.headers.empty()) {
    letter.original = std::make_shared<const Original>(std::move(original));
  }
  return std::optional(std::move(letter));
}

}  // namespace cirro
