#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/offset_map.h"
#include "cirro/kafka/outlet_options.h"
#include "handles.h"
#include "positions.h"

namespace cirro::internal::kafka {

/// Where records of a topic lie, and what of them a group is done with.
struct LetterPartition {
  Bounds bounds{};
  OffsetMap map{};  ///< `base` is the beginning where nothing is committed.
};

/// One topic, read at any place of it, and what a group committed of it. Each
/// call waits for the broker, `timeout` of the options at most without news,
/// and then fails with kUnavailable. One thread at a time.
class LetterTopic {
 public:
  /// The record, until it returns; false ends the reading.
  using Visit = std::function<Result<bool>(const rd_kafka_message_t& record)>;

  /// Fails with kInvalidConfig.
  [[nodiscard]] static Result<std::unique_ptr<LetterTopic>> Make(
      const KafkaOutletOptions& options, Observer& observer);

  [[nodiscard]] Voice& voice() noexcept { return voice_; }

  /// All partitions as they are now. Fails with kInvalidConfig where there is
  /// no such topic.
  [[nodiscard]] Result<std::map<std::int32_t, LetterPartition>> Ask();

  /// Visits the records of a partition from `begin` until `end`.
  [[nodiscard]] Result<void> Read(std::int32_t partition, std::uint64_t begin,
                                  std::uint64_t end, const Visit& visit);

  /// Commits for the group. Fails with kOverloaded, having committed nothing,
  /// where what is done does not fit the metadata.
  [[nodiscard]] Result<void> Commit(std::int32_t partition,
                                    const OffsetMap& map);

  /// Forgets the records before these offsets. Fails with kRefused where the
  /// topic's policy is against it.
  [[nodiscard]] Result<void> DeleteBefore(
      const std::map<std::int32_t, std::uint64_t>& offsets);

 private:
  LetterTopic(const KafkaOutletOptions& options, Observer& observer)
      : topic_(options.topic),
        timeout_(options.timeout),
        voice_(options.name, observer) {}

  [[nodiscard]] Error Failed(const std::string& what,
                             rd_kafka_resp_err_t code) const;
  [[nodiscard]] Result<void> Assign(std::int32_t partition,
                                    std::uint64_t offset);
  [[nodiscard]] int Patience() const {
    return static_cast<int>(timeout_.count());
  }

  const std::string topic_;
  const std::chrono::milliseconds timeout_;
  Voice voice_;
  Handle handle_;
  // What is being read, and the offset that comes next.
  std::int32_t partition_ = -1;
  std::uint64_t next_ = 0;
};

}  // namespace cirro::internal::kafka
