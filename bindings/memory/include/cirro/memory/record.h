#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/message.h"

namespace cirro {

/// One message of a topic in memory: an event, or what is none, and what it was
/// beyond that. A dead letter's `cirro-dlq-*` headers are among its headers.
struct MemoryRecord {
  std::variant<Event, Malformed> content;
  std::shared_ptr<const Original> original{};  ///< Never changed.
  std::string key{};    ///< Names the partition; empty: each in turn.
  Timestamp time{};     ///< When it was produced; set by the broker.
  std::string topic{};  ///< Set by the broker, as are the next two.
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;
};

/// A message as a foreign producer would write it: in structured mode by its
/// `content-type`, else malformed. Events of binary mode are Event themselves.
[[nodiscard]] CIRRO_EXPORT MemoryRecord DecodeMemoryMessage(
    std::string bytes, MessageHeaders headers, std::string key = {});

/// The record that keeps a dead letter: as it came, with the headers that say
/// why.
[[nodiscard]] CIRRO_EXPORT MemoryRecord DeadLetterRecord(DeadLetter letter);

/// Headers of a record, whatever it holds.
[[nodiscard]] CIRRO_EXPORT const MessageHeaders& HeadersOf(
    const MemoryRecord& record) noexcept;
/// Its body: of structured mode and of what is malformed the message's, else
/// the event's data.
[[nodiscard]] CIRRO_EXPORT std::string_view BytesOf(
    const MemoryRecord& record) noexcept;

}  // namespace cirro
