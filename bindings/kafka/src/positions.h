#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/kafka/inlet_options.h"
#include "handles.h"

namespace cirro::internal::kafka {

/// The first offset of a partition, and one past its last.
struct Bounds {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Where partitions begin and end and where a time is, asked of the broker, for
/// all of a list in one request each. They wait at most `patience` a request.
class Positions {
 public:
  using Key = std::pair<std::string, std::int32_t>;

  /// REQUIRES: both outlive *this; the list does not change.
  Positions(rd_kafka_t* handle, const rd_kafka_topic_partition_list_t& list,
            std::chrono::milliseconds patience)
      : handle_(handle), list_(list), patience_(patience) {}

  /// Fails with kUnavailable, or kTimedOut.
  [[nodiscard]] Result<std::map<Key, Bounds>> AskBounds() const;
  /// Where what can be read ends: unless the handle reads what is uncommitted,
  /// before the first transaction that is open. Fails likewise.
  [[nodiscard]] Result<std::map<Key, std::uint64_t>> AskEnds() const;
  /// The first record of each that is not before `time`; where there is none,
  /// the end. Fails likewise.
  [[nodiscard]] Result<std::map<Key, std::uint64_t>> AskTime(
      const Timestamp& time) const;

 private:
  [[nodiscard]] Result<PartitionList> Ask(std::int64_t what) const;

  rd_kafka_t* const handle_;
  const rd_kafka_topic_partition_list_t& list_;
  const std::chrono::milliseconds patience_;
};

}  // namespace cirro::internal::kafka
