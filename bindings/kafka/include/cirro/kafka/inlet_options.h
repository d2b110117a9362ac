#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/kafka/connection.h"

namespace cirro {

/// Where a group begins that has committed nothing, or whose offset is gone.
struct KafkaStart {
  enum class Kind : std::uint8_t { kEarliest, kLatest, kTime, kOffset };

  Kind kind = Kind::kEarliest;
  Timestamp time{};          ///< Of kTime: the first record not before it.
  std::uint64_t offset = 0;  ///< Of kOffset, in each partition.
};

/// How partitions are shared in a group. All its members have the same, or two
/// of them in common.
enum class KafkaAssignor : std::uint8_t {
  kRange,
  kRoundRobin,
  kCooperativeSticky,
};

/// Consume, process and produce in transactions: answers, dead letters and
/// offsets take effect together. Outlets and places of the inlet's functions
/// must then be topics of the same cluster.
struct KafkaExactlyOnce {
  bool enabled = false;
  /// One at a time uses it; empty: the group and the host's name.
  std::string transactional_id{};
  std::chrono::milliseconds transaction_timeout{15'000};
  /// A transaction ends after so long, or so many records.
  std::chrono::milliseconds interval{100};
  std::size_t max_records = 10'000;
};

/// What an inlet consumes, and how.
struct KafkaInletOptions {
  std::string name = "kafka";  ///< InletInfo::name.
  KafkaConnection connection{};
  /// One that begins with `^` is a regular expression.
  std::vector<std::string> topics{};
  std::string group{};
  /// Static membership: a restart within session_timeout is no rebalance.
  /// Unique in the group; empty: none.
  std::string instance_id{};
  KafkaStart start{};
  bool read_uncommitted = false;  ///< Also what was aborted.
  KafkaAssignor assignor = KafkaAssignor::kRange;
  std::chrono::milliseconds session_timeout{45'000};
  /// How long a rebalance waits for members that finish what is open.
  std::chrono::milliseconds max_poll_interval{300'000};

  std::uint32_t max_in_flight = 10'000;           ///< InletInfo::max_in_flight.
  std::size_t max_bytes = std::size_t{64} << 20;  ///< InletInfo::max_bytes.
  /// Offsets of one partition between the oldest unsettled and the newest
  /// delivered, at most 16,384: what is done of them fits a commit's metadata.
  std::uint32_t max_span = 16'384;
  std::chrono::milliseconds commit_every{1'000};
  /// Whether commits say what is done above their offset, so that it is not
  /// done again after a crash.
  bool offset_map = true;
  /// How long a partition that is taken away waits for what runs of it.
  std::chrono::milliseconds revoke_patience{20'000};
  /// A record that the process died over so often is given up.
  std::uint32_t max_crashes = 3;
  KafkaExactlyOnce exactly_once{};

  std::chrono::milliseconds lag_every{5'000};
  DecodeOptions decode{};
  /// Fetched ahead, of each partition.
  std::uint32_t queue_messages = 100'000;
  std::size_t queue_bytes = std::size_t{16} << 20;
};

}  // namespace cirro
