#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/capability.h"

namespace cirro {

/// Where reading begins.
struct SeekPoint {
  enum class Kind : std::uint8_t { kBeginning, kEnd, kOffset, kTime };

  Kind kind = Kind::kBeginning;
  std::string partition{};   ///< "topic/3"; empty: all of them.
  std::uint64_t offset = 0;  ///< Of kOffset: an offset, a stream sequence.
  Timestamp time{};          ///< Of kTime: the first message not before it.
};

/// Reading can begin anew elsewhere, while messages are open: what is settled
/// of before then counts for nothing.
class CIRRO_EXPORT Seekable : public Capability {
 public:
  ~Seekable() override;
  /// Any thread; waits for the broker at most `patience`.
  virtual Result<void> Seek(const SeekPoint& to,
                            std::chrono::milliseconds patience) = 0;
};

/// Partitions come and go as members join and leave the group.
class CIRRO_EXPORT PartitionHooks {
 public:
  PartitionHooks() = default;
  PartitionHooks(const PartitionHooks&) = delete;
  PartitionHooks& operator=(const PartitionHooks&) = delete;
  virtual ~PartitionHooks();

  /// "topic/3"; before the first delivery of it. May block for moments.
  virtual void OnAssigned(std::span<const std::string> partitions) noexcept = 0;
  /// After its last delivery was settled, or when `lost`: it is another's now.
  virtual void OnRevoked(std::span<const std::string> partitions,
                         bool lost) noexcept = 0;
};

class CIRRO_EXPORT ConsumerGroups : public Capability {
 public:
  ~ConsumerGroups() override;
  /// REQUIRES: before Start; `hooks` outlives the inlet.
  virtual void SetPartitionHooks(PartitionHooks& hooks) noexcept = 0;
};

}  // namespace cirro
