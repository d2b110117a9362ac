#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "cirro/kafka/codec.h"

namespace cirro::test {

/// Decodes with a decoder of its own.
inline KafkaContent DecodeKafka(std::span<const KafkaHeader> headers,
                                std::optional<std::string_view> value = {},
                                const DecodeOptions& options = {}) {
  KafkaDecoder decoder(options);
  return decoder.Decode({.value = value, .headers = headers});
}

/// A draft as a reader of its topic gets it.
inline KafkaContent DecodeKafka(const KafkaDraft& draft,
                                const DecodeOptions& options = {}) {
  std::vector<KafkaHeader> headers;
  for (const KafkaDraft::Header& header : draft.headers) {
    headers.push_back({header.name, header.value});
  }
  return DecodeKafka(headers, draft.value, options);
}

/// What is wrong with `content`; kInternal and empty if nothing is.
inline Error ErrorOf(const KafkaContent& content) {
  const auto* const malformed = std::get_if<Malformed>(&content.value);
  return malformed == nullptr ? Error{ErrorCode::kInternal, {}}
                              : malformed->error;
}

/// The event in `content`; the test fails where there is none.
inline const Event& EventOf(const KafkaContent& content) {
  if (const auto* const event = std::get_if<Event>(&content.value)) {
    return *event;
  }
  ADD_FAILURE() << "no event: " << ErrorOf(content).message;
  static const Event* const kNone = nullptr;
  return *kNone;
}

}  // namespace cirro::test
