#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "drops.h"

// What a server says in JSON, to whoever asked and to whoever listens.
namespace cirro::internal::nats {

/// How a consumer is set, of what matters to those who share it.
struct ConsumerConfig {
  std::chrono::milliseconds ack_wait{};
  std::int64_t max_deliver = -1;      ///< Unlimited where not positive; so is
  std::int64_t max_ack_pending = -1;  ///< this.
  std::string filter{};               ///< Several are told with commas.
  bool headers_only = false;
};

/// What the server says of a consumer.
struct ConsumerFacts {
  std::optional<ConsumerConfig> config{};
  std::uint64_t pending = 0;      ///< Not yet delivered.
  std::uint64_t ack_pending = 0;  ///< Delivered and not settled.
  std::uint64_t ack_floor = 0;    ///< All up to this sequence are settled.
  std::uint64_t deliveries = 0;   ///< So far, those of one message all counted.
  std::uint64_t sequence = 0;     ///< Of the newest message delivered.

  std::int64_t created = 0;  ///< Nanoseconds since 1970.
  std::string leader{};      ///< The server that answered, of a cluster.
  bool led = true;           ///< Not a cluster that looks for a leader.

  [[nodiscard]] ConsumerPosition position() const {
    return {deliveries, sequence, pending, created, leader, led};
  }
};

/// What an answer of the server's CONSUMER.INFO says; nothing: an error.
[[nodiscard]] std::optional<ConsumerFacts> ParseConsumerInfo(
    std::string_view json);

/// The sequence of the first message that an answer of the server's STREAM.INFO
/// says the stream has; nothing: an error.
[[nodiscard]] std::optional<std::uint64_t> ParseFirstSequence(
    std::string_view json);

/// The stream sequence and the number of the delivery that an advisory says
/// was given back (MSG_NAKED).
struct NakAdvisory {
  std::uint64_t sequence = 0;
  std::uint64_t delivered = 0;
};
[[nodiscard]] std::optional<NakAdvisory> ParseNakAdvisory(
    std::string_view json);

}  // namespace cirro::internal::nats
