#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cirro::internal::nats {

/// Where a consumer stands, as the server says it in one answer.
struct ConsumerPosition {
  std::uint64_t deliveries = 0;  ///< So far, those of one message all counted.
  std::uint64_t sequence = 0;    ///< Of the newest message delivered.
  std::uint64_t pending = 0;     ///< Not delivered so far.
  std::int64_t created = 0;      ///< Nanoseconds since 1970.
  std::string leader{};          ///< The server that said so, of a cluster.
  bool led = true;               ///< Not a cluster that looks for a leader.
};

/// Notices messages that left the stream before they were delivered: they were
/// too old or too many, or somebody removed them. From two positions alone it
/// cannot tell all of them (a redelivery looks like a delivery), so what it
/// counts is the least that it must have been.
class Drops {
 public:
  /// `filtered`: the consumer does not take all subjects, so that a sequence
  /// which it passes over may be none of its messages.
  explicit Drops(bool filtered) : filtered_(filtered) {}

  /// How many more there are since the last look.
  [[nodiscard]] std::uint64_t Look(ConsumerPosition position) noexcept;

 private:
  const bool filtered_;
  std::optional<ConsumerPosition> last_;
  // Counted when they were missed among the pending, and not passed so far.
  std::uint64_t ahead_ = 0;
};

}  // namespace cirro::internal::nats
