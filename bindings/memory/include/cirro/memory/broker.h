#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/memory/record.h"

namespace cirro {

namespace internal::memory {
class BrokerCore;
}  // namespace internal::memory

struct MemoryBrokerOptions {
  std::uint32_t partitions = 4;  ///< Of a topic that its first use creates.
  /// Of each partition. When it is full, what every group has settled goes
  /// first; if there is nothing, what is produced is refused.
  std::size_t max_records = 65'536;
  std::size_t max_bytes = std::size_t{64} << 20;  ///< Of all topics together.
  std::size_t max_record_bytes = std::size_t{1} << 20;
  /// How long a rebalance waits for a member to give up what it has.
  std::chrono::milliseconds rebalance_timeout{10'000};
};

/// What a group has committed of one partition.
struct MemoryCommit {
  std::uint64_t offset = 0;
  std::string metadata{};
};

/// A broker inside the process, with the semantics of the real ones: topics of
/// partitions, groups whose members share the partitions and commit offsets,
/// and durable consumers that share single messages, with redelivery. It ends
/// with the process. Any thread.
class CIRRO_EXPORT MemoryBroker {
 public:
  /// REQUIRES: `clock` outlives it, and it outlives every inlet and outlet.
  explicit MemoryBroker(const Clock& clock, MemoryBrokerOptions options = {});
  MemoryBroker(const MemoryBroker&) = delete;
  MemoryBroker& operator=(const MemoryBroker&) = delete;
  ~MemoryBroker();

  /// Fails with kConflict where it is there with another number of partitions,
  /// with kInvalidConfig of 0 or more than 1,024.
  Result<void> CreateTopic(std::string_view name, std::uint32_t partitions);

  /// Appends, and gives the offset. Fails with kOverloaded (full), kTooLarge,
  /// or as a fault says.
  Result<std::uint64_t> Produce(std::string_view topic, MemoryRecord record);

  /// What a topic holds now, by partition and offset.
  [[nodiscard]] std::vector<MemoryRecord> Read(std::string_view topic) const;
  /// Nothing where the group has committed none of `partition` ("topic/3").
  [[nodiscard]] std::optional<MemoryCommit> Committed(
      std::string_view group, std::string_view partition) const;
  /// Messages of its topics that a group has not settled, as its commits say.
  [[nodiscard]] std::uint64_t Pending(std::string_view group) const;
  /// Members of a group that hold what they were assigned.
  [[nodiscard]] std::size_t Members(std::string_view group) const;

  // Faults, for tests: what real brokers and networks do.
  /// Commits and settlements vanish, the next so many.
  void LoseAcks(std::size_t count);
  /// Each of the next so many records is stored twice.
  void Duplicate(std::size_t count);
  /// Each of the next so many records is there after `by` alone.
  void Delay(std::size_t count, std::chrono::milliseconds by);
  /// The next so many calls of Produce fail with `code`.
  void FailProduces(std::size_t count, ErrorCode code);
  /// Until told otherwise, all to that topic fail with `code`.
  void Refuse(std::string_view topic, std::optional<ErrorCode> code);
  /// Nothing is fetched, committed or produced until it is reachable again.
  void SetReachable(bool reachable);
  /// So many offsets of each partition have no message (transaction markers).
  void LeaveGap(std::string_view topic, std::uint64_t count);
  /// Every member has to give up what it has, and gets it again.
  void Rebalance(std::string_view group);
  /// Every member is out of the group, and hears of it too late.
  void Fence(std::string_view group);
  /// Somebody else commits for the group.
  void OverwriteCommit(std::string_view group, std::string_view partition,
                       MemoryCommit commit);

 private:
  friend struct MemoryAccess;

  const std::unique_ptr<internal::memory::BrokerCore> core_;
};

}  // namespace cirro
