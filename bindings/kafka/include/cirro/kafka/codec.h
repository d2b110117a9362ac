#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/cloudevents/content_mode.h"
#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_assembler.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/message.h"

namespace cirro {

/// One header of a record, as it lies in the broker's memory. A header without
/// a value (Kafka's null) has an empty one.
struct KafkaHeader {
  std::string_view name;
  std::string_view value;
};

/// A record as it came. No value is Kafka's null, which is not an empty one.
struct KafkaRecord {
  std::string_view key{};
  std::optional<std::string_view> value{};
  std::span<const KafkaHeader> headers{};
};

/// What a record holds: an event, or why it holds none.
struct KafkaContent {
  ContentMode mode = ContentMode::kNone;
  std::variant<Malformed, Event> value{};
  TraceContext trace{};
  /// Null where a binary record has no header beside its attributes.
  std::shared_ptr<const Original> original{};
};

/// Reads events from records: binary mode and structured mode in JSON. Made to
/// be kept: a warm decoder allocates the event alone for a binary record whose
/// headers are all attributes. One thread at a time.
///
/// Malformed with kUnsupported: neither `ce_` headers nor the media type of an
/// event, or of one in a format that is not spoken here, or of a batch, which
/// Kafka has none of. With kInvalidEvent or kTooLarge: an event was meant.
///
/// The record key is no attribute; the event is not changed by it.
/// Source: Kafka Protocol Binding for CloudEvents v1.0.2, section 3.
class CIRRO_EXPORT KafkaDecoder {
 public:
  /// REQUIRES: options outlives *this.
  explicit KafkaDecoder(const DecodeOptions& options);

  [[nodiscard]] KafkaContent Decode(const KafkaRecord& record);

 private:
  [[nodiscard]] Result<Event> Read(ContentMode mode, bool untyped,
                                   std::string_view type,
                                   std::optional<std::string_view> value);

  const DecodeOptions& options_;
  EventAssembler assembler_;
  std::vector<const KafkaHeader*> others_;
};

/// A record to be written. Views lead into the event or letter that it was made
/// from, and into `text`. Made to be kept and filled again.
struct KafkaDraft {
  struct Header {
    std::string name;
    std::string_view value;
  };

  /// Nothing: Kafka's null, a tombstone where a topic is compacted.
  std::optional<std::string_view> value{};
  std::vector<Header> headers{};
  std::string text{};
};

/// Writes the event to `draft`. One that does not fit binary mode becomes a
/// structured one. An event without data has no value in binary mode and always
/// one in structured mode. REQUIRES: mode is kBinary or kStructured; `event`
/// outlives what `draft` views.
CIRRO_EXPORT void EncodeKafka(ContentMode mode, const Event& event,
                              KafkaDraft& draft);

/// Writes a letter: the message as it came, and `more` headers, which say why
/// it is kept (DeadLetterHeaders). An event that came in structured mode stays
/// in it, byte by byte. REQUIRES: `letter` and `more` outlive what `draft`
/// views.
CIRRO_EXPORT void EncodeKafkaLetter(const DeadLetter& letter,
                                    const MessageHeaders& more,
                                    KafkaDraft& draft);

/// The letter in a record that EncodeKafkaLetter wrote; nothing where the
/// record is no letter. Fails with kInvalidEvent as ParseDeadLetterHeaders.
[[nodiscard]] CIRRO_EXPORT Result<std::optional<DeadLetter>> DecodeKafkaLetter(
    const KafkaRecord& record, const DecodeOptions& options);

}  // namespace cirro
