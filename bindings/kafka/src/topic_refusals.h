#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/kafka/codec.h"

namespace cirro::internal::kafka {

/// Tells records apart by what a broker may refuse them for. A function that
/// runs again may give another id, or another time in its data, but hardly
/// both.
struct RecordDigest {
  std::size_t name = 0;     ///< The event's source and id.
  std::size_t content = 0;  ///< Key, value, type and subject.
};

[[nodiscard]] RecordDigest DigestOf(const KafkaDraft& draft,
                                    std::string_view key) noexcept;

/// What one topic refuses for good, as far as its broker has said: it would
/// undo its transaction, and with it what others did, for ever.
///
/// A broker refuses whole batches. Those of one are written in sixteen groups
/// the next time, and so on, until one is refused by itself. What is known is
/// forgotten after a while, for somebody may have changed the topic.
///
/// Check and any: any thread; all else: the one that writes.
class TopicRefusals {
 public:
  static constexpr Duration kRecordKnown = std::chrono::minutes(5);
  /// Of a whole topic: it may have been made, or its use allowed.
  static constexpr Duration kTopicKnown = std::chrono::seconds(30);
  static constexpr std::size_t kMostRecords = 1'024;

  /// Whether Check may say something.
  [[nodiscard]] bool any(TimePoint now) const noexcept;
  /// Fails with kRefused or kUnroutable, and what the broker said.
  [[nodiscard]] Result<void> Check(const RecordDigest& record,
                                   TimePoint now) const;

  /// Whether what was written must be with the broker before this record is.
  [[nodiscard]] bool IsFullFor(const RecordDigest& record) const;
  /// It is: the next record begins a group.
  void BeginGroup() noexcept { in_group_ = 0; }
  void Wrote(const RecordDigest& record);
  /// It was in a batch that the broker refused; `why` is of all of them.
  void Refused(const RecordDigest& record, Error why);
  /// The topic takes nothing.
  void RefusedAll(Error why, TimePoint now);
  /// A transaction ended.
  void End(TimePoint now);

 private:
  struct Known {
    RecordDigest record;
    TimePoint until;
    Error why;
  };

  [[nodiscard]] bool IsSuspect(const RecordDigest& record) const;
  void KnownUntil(TimePoint when) noexcept;

  std::atomic<TimePoint::rep> known_until_{
      TimePoint::min().time_since_epoch().count()};

  // The writer's: those of this transaction, and of the last one.
  std::vector<RecordDigest> refused_{};
  Error why_{};
  std::unordered_set<std::size_t> suspects_{};  // Names and contents.
  std::size_t most_ = 0;                        // Suspects in a group.
  std::size_t in_group_ = 0;
  bool group_suspect_ = false;

  mutable Mutex mutex_;
  std::deque<Known> records_ CIRRO_GUARDED_BY(mutex_);  // As they were found.
  Error topic_ CIRRO_GUARDED_BY(mutex_){};
  TimePoint topic_until_ CIRRO_GUARDED_BY(mutex_) = TimePoint::min();
};

}  // namespace cirro::internal::kafka
