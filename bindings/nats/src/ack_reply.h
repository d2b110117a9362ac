#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cirro::internal::nats {

/// What the reply subject of a JetStream message says of its delivery.
struct AckReply {
  std::uint64_t delivered = 0;  ///< How often; 1 the first time.
  std::uint64_t sequence = 0;   ///< In the stream.
  std::int64_t stored_at = 0;   ///< Nanoseconds since 1970.
  std::uint64_t pending = 0;    ///< Messages that the consumer has behind it.
};

/// Nothing where `reply` is no such subject:
///   $JS.ACK.stream.consumer.delivered.sequence.consumer_sequence.time.pending
/// or, from NATS 2.10 or another domain,
///   $JS.ACK.domain.account.stream.consumer.(the same five)[.token]
[[nodiscard]] std::optional<AckReply> ParseAckReply(
    std::string_view reply) noexcept;

}  // namespace cirro::internal::nats
