#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "cirro/cloudevents/content_mode.h"
#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_assembler.h"
#include "cirro/cloudevents/header_text.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/message.h"

// Events as NATS messages: pure, without a connection.
// Source: CloudEvents NATS Protocol Binding, working draft of v1.0.3 (binary
// mode), v1.0.2 (structured mode).
namespace cirro {

/// One header of a message; the name in any letter case.
struct NatsHeader {
  std::string_view name;
  std::string_view value;
};

/// What a message holds.
struct NatsContent {
  /// kNone: it does not say that it is an event.
  ContentMode mode = ContentMode::kNone;
  Leniency forgiven = Leniency::kNone;
  std::variant<Event, Malformed> content;
  /// Null where the event says it all. Headers of NATS's own (`Nats-...`) are
  /// in none of this: they are between a publisher and its server.
  std::shared_ptr<const Original> original{};
  std::string key{};  ///< The extension `partitionkey`.
  TraceContext trace{};
};

/// Reads messages. Made to be kept: a warm decoder allocates nothing for a
/// binary event without headers of the application's own but the event. One
/// thread at a time.
class NatsDecoder {
 public:
  /// REQUIRES: options outlives *this.
  explicit NatsDecoder(const DecodeOptions& options);

  /// The views live during the call.
  [[nodiscard]] NatsContent Decode(std::span<const NatsHeader> headers,
                                   std::string_view payload);

 private:
  [[nodiscard]] Result<Event> DecodeBinary(std::span<const NatsHeader> headers,
                                           std::string_view content_type,
                                           std::string_view payload,
                                           Leniency& forgiven);

  const DecodeOptions& options_;
  EventAssembler assembler_;
};

/// Whether `event` can be sent in binary mode: not if it is text whose media
/// type names a charset that its bytes, which are UTF-8, are not in.
[[nodiscard]] bool FitsNatsBinaryMode(const Event& event) noexcept;

/// Appends the headers that `event` needs and returns the payload: a view of
/// the event's data in binary mode, else of `buffer`, which is overwritten.
/// Valid while both live unchanged. An event that does not fit binary mode
/// becomes a structured one. REQUIRES: mode is kBinary or kStructured.
[[nodiscard]] std::string_view EncodeNats(ContentMode mode, const Event& event,
                                          MessageHeaders& headers,
                                          std::string& buffer);

/// The message that `letter` was, with the headers that say why it is one.
/// What NATS's own headers said to the server that it was published to is left
/// out: a dead letter is no duplicate of its event, and expects nothing.
[[nodiscard]] std::string_view EncodeNatsDeadLetter(const DeadLetter& letter,
                                                    MessageHeaders& headers,
                                                    std::string& buffer);

/// The message that `letter` was, for the one function that it died of
/// (kRedriveHeader).
[[nodiscard]] std::string_view EncodeNatsReturn(const DeadLetter& letter,
                                                MessageHeaders& headers,
                                                std::string& buffer);

/// The letter in a message that EncodeNatsDeadLetter wrote; nothing where it is
/// no letter. Fails with kInvalidEvent as ParseDeadLetterHeaders.
[[nodiscard]] Result<std::optional<DeadLetter>> DecodeNatsLetter(
    std::span<const NatsHeader> headers, std::string_view payload,
    const DecodeOptions& options);

/// The `Nats-Msg-Id` of an event: no two events of different source or id have
/// the same.
[[nodiscard]] std::string NatsMessageId(const Event& event);
/// That of a dead letter, which is the same when it is sent again: no event's.
[[nodiscard]] std::string NatsMessageId(const DeadLetter& letter);

}  // namespace cirro
