#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/kafka/codec.h"

namespace cirro::internal::kafka {

/// Most bytes of a record, by which librdkafka measures it against
/// `message.max.bytes`. Source: librdkafka 2.0, rd_kafka_msg_max_wire_size;
/// Kafka's record batch, version 2.
[[nodiscard]] std::size_t WireBytes(const KafkaDraft& draft,
                                    std::string_view key) noexcept;

/// What one topic takes, as far as its broker has said. librdkafka makes the
/// batches and knows its own `message.max.bytes` alone: a topic with a smaller
/// one would refuse the same batch, and undo its transaction, for ever.
///
/// What was refused in company is written in smaller groups the next time, down
/// to one record; what was refused by itself is too large. That is forgotten
/// after a while, for somebody may have changed the topic.
///
/// MostBytes: any thread; all else: the one that writes.
class TopicBound {
 public:
  static constexpr Duration kKnown = std::chrono::minutes(5);

  /// `own`: what librdkafka takes.
  explicit TopicBound(std::size_t own) noexcept
      : own_(own), record_(own), group_(own) {}

  /// Of one record.
  [[nodiscard]] std::size_t MostBytes(TimePoint now) const noexcept;

  /// A transaction begins.
  void Begin(TimePoint now) noexcept;
  /// Whether what was written must be with the broker before a record of so
  /// many bytes is.
  [[nodiscard]] bool IsFullFor(std::size_t bytes) const noexcept;
  /// It is: the next record begins a group.
  void BeginGroup();
  /// A record was written; its group.
  std::uint32_t Wrote(std::size_t bytes);
  /// The broker refused one of that group, of so many bytes, as too large.
  void Refused(std::uint32_t group, std::size_t bytes, TimePoint now) noexcept;

 private:
  struct Group {
    std::size_t bytes = 0;
    std::size_t records = 0;
  };

  const std::size_t own_;
  std::atomic<std::size_t> record_;
  std::atomic<TimePoint::rep> known_until_{0};
  std::size_t group_;
  TimePoint group_until_{};
  std::vector<Group> groups_{};  // Of this transaction.
};

}  // namespace cirro::internal::kafka
