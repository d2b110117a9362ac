#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/memory/broker.h"
#include "cirro/memory/memory.h"
#include "group.h"
#include "partition_log.h"

namespace cirro::internal::memory {

/// What a reader gets of one message.
struct Fetched {
  // NOLINTNEXTLINE(modernize-pass-by-value): a move more for each message.
  Fetched(const Stored& its, std::uint32_t its_partition,
          std::uint64_t its_offset)
      : record(its), partition(its_partition), offset(its_offset) {}

  Stored record;
  std::uint32_t partition;
  std::uint64_t offset;
  DeliveryToken token{};  ///< Of a durable consumer alone.
  int attempt = 1;
};

/// All of a broker, behind one mutex that a reader takes once a batch. It calls
/// Wakers with the mutex held, so none of them calls back. A `name` is the
/// topic's or the group's that the call is about.
class BrokerCore {
 public:
  BrokerCore(const Clock& clock, const MemoryBrokerOptions& options)
      : clock_(clock), options_(options) {}

  Result<void> CreateTopic(std::string_view name, std::uint32_t partitions);
  Result<std::uint64_t> Produce(std::string_view name, MemoryRecord&& record);
  [[nodiscard]] std::vector<MemoryRecord> Read(std::string_view name) const;
  [[nodiscard]] std::optional<MemoryCommit> Committed(
      std::string_view group, std::string_view partition) const;
  [[nodiscard]] std::uint64_t Pending(std::string_view name) const;
  [[nodiscard]] std::size_t Members(std::string_view name) const;
  [[nodiscard]] std::string NameOf(std::uint32_t partition) const;
  [[nodiscard]] bool reachable() const;

  // Members of a group. An id is never used again.
  /// Fails with kInvalidConfig where the group consumes in the other mode.
  Result<std::uint64_t> Join(const MemoryInletOptions& options, Waker& waker);
  /// Forgets a member; the group goes on without it at once.
  void Leave(std::string_view name, std::uint64_t member);

  // A group whose members own partitions.
  [[nodiscard]] GroupView Look(std::string_view name, std::uint64_t member);
  /// What the member owns from now on; it is then of that generation.
  [[nodiscard]] std::vector<Assignment> Adopt(std::string_view name,
                                              std::uint64_t member,
                                              bool from_beginning);
  /// The member delivers nothing more of what it owned.
  void Release(std::string_view name, std::uint64_t member);
  /// Fails with kUnavailable, or kConflict where the member is out of date.
  Result<void> Commit(std::string_view name, std::uint64_t member,
                      std::uint32_t partition, MemoryCommit commit);
  /// Appends at most `most` records from `offset` on to `batch`.
  FetchEnd Fetch(std::uint32_t partition, std::uint64_t offset,
                 std::size_t most, std::vector<Fetched>& batch);
  [[nodiscard]] std::uint64_t OffsetOf(std::uint32_t partition,
                                       const SeekPoint& to) const;

  // A durable consumer whose members share messages.
  /// When there may be more, where `batch` gets none.
  TimePoint Take(std::string_view name, std::size_t most,
                 std::vector<Fetched>& batch);
  void Settle(std::string_view name, std::span<const SharedEnd> ends);
  void Extend(std::string_view name, std::span<const DeliveryToken> tokens);
  [[nodiscard]] std::string PositionOf(std::string_view name,
                                       DeliveryToken token) const;
  [[nodiscard]] std::vector<PartitionLag> LagOf(std::string_view name) const;

  // MemoryBroker's faults.
  void LoseAcks(std::size_t count);
  void Duplicate(std::size_t count);
  void Delay(std::size_t count, Duration by);
  void FailProduces(std::size_t count, ErrorCode code);
  void Refuse(std::string_view topic, std::optional<ErrorCode> code);
  void SetReachable(bool reachable);
  void LeaveGap(std::string_view topic, std::uint64_t count);
  void Rebalance(std::string_view name);
  void Fence(std::string_view name);
  void OverwriteCommit(std::string_view name, std::string_view partition,
                       MemoryCommit commit);

 private:
  struct Partition {
    std::string topic;
    std::uint32_t index = 0;  // Within its topic.
    PartitionLog log{};
  };
  struct Topic {
    std::vector<std::uint32_t> partitions{};
    std::uint64_t turn = 0;
    std::optional<ErrorCode> refused{};
  };
  using Topics = std::map<std::string, Topic, std::less<>>;
  using Groups = std::map<std::string, std::unique_ptr<Group>, std::less<>>;

  Topics::iterator TopicOf(std::string_view name, std::uint32_t partitions)
      CIRRO_REQUIRES(mutex_);
  [[nodiscard]] static std::string NameOf(const Partition& partition);
  [[nodiscard]] Group* GroupOf(std::string_view name) const
      CIRRO_REQUIRES(mutex_);
  [[nodiscard]] bool HasRoom(const Partition& partition,
                             std::size_t bytes) const CIRRO_REQUIRES(mutex_);
  bool MakeRoom(Partition& partition, std::uint32_t id, std::size_t bytes)
      CIRRO_REQUIRES(mutex_);
  [[nodiscard]] Result<void> MayProduce(const Topic& topic)
      CIRRO_REQUIRES(mutex_);
  void WakeAll() CIRRO_REQUIRES(mutex_);
  [[nodiscard]] std::vector<std::uint32_t> PartitionsOfTopics(
      const std::vector<std::string>& topics) CIRRO_REQUIRES(mutex_);

  const Clock& clock_;
  const MemoryBrokerOptions options_;

  mutable Mutex mutex_;
  Topics topics_ CIRRO_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Partition>> partitions_ CIRRO_GUARDED_BY(mutex_);
  Groups groups_ CIRRO_GUARDED_BY(mutex_);
  std::size_t bytes_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::uint64_t last_member_ CIRRO_GUARDED_BY(mutex_) = 0;

  bool reachable_ CIRRO_GUARDED_BY(mutex_) = true;
  std::size_t lost_acks_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::size_t duplicates_ CIRRO_GUARDED_BY(mutex_) = 0;
  std::size_t delayed_ CIRRO_GUARDED_BY(mutex_) = 0;
  Duration delay_ CIRRO_GUARDED_BY(mutex_){};
  std::size_t failing_ CIRRO_GUARDED_BY(mutex_) = 0;
  ErrorCode failure_ CIRRO_GUARDED_BY(mutex_) = ErrorCode::kUnavailable;
};

}  // namespace cirro::internal::memory

namespace cirro {

/// The way from a broker to its core, for this binding alone.
struct MemoryAccess {
  static internal::memory::BrokerCore& Core(MemoryBroker& broker) {
    return *broker.core_;
  }
};

}  // namespace cirro
