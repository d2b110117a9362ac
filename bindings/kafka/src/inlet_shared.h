#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/mutex.h"
#include "mailbox.h"

namespace cirro::internal::kafka {

/// What the thread that reads shares with all others.
class InletShared {
 public:
  /// How far its life is. Each leads to the next; others set it but kClosed.
  enum class Phase : std::uint8_t {
    kRunning,
    kDraining,  ///< Nothing new is delivered.
    kStopping,  ///< What is open is waited for, then it closes.
    kClosed,
  };

  Mailbox mailbox{};
  std::atomic<bool> demand{true};
  std::atomic<Phase> phase{Phase::kRunning};

  /// Sets the phase, if it is a later one, and wakes the reader.
  void Enter(Phase later) noexcept;
  /// Of kStopping: when waiting for what is open ends.
  void StopBy(TimePoint when) noexcept;
  [[nodiscard]] TimePoint stop_by() const noexcept;

  /// The reader has seen the phase and delivers nothing that it forbids.
  void Reached(Phase phase_seen) noexcept;
  /// False: not within `patience`.
  bool AwaitReached(Phase wanted, std::chrono::milliseconds patience) noexcept;
  /// Something was open when it closed.
  std::atomic<bool> left_open{false};

  /// One seek at a time: waits until the reader did it.
  [[nodiscard]] Result<void> Seek(const SeekPoint& to,
                                  std::chrono::milliseconds patience);
  [[nodiscard]] std::optional<SeekPoint> SeekWanted();
  void SeekDone(Result<void> result) noexcept;

  void SetLink(LinkState link) noexcept;
  [[nodiscard]] LinkState link() const noexcept;
  /// As Linked tells it: what was never connected is not disconnected.
  [[nodiscard]] LinkState link_as_told() const noexcept;
  void SetLag(std::vector<PartitionLag> lag);
  [[nodiscard]] std::vector<PartitionLag> lag() const;

  /// The slot of a partition, a new one where it has none yet.
  [[nodiscard]] std::uint32_t SlotOf(const std::string& topic,
                                     std::int32_t partition);
  /// "topic/3"; empty: there is no such slot.
  [[nodiscard]] std::string NameOf(std::uint32_t slot) const;

 private:
  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  Phase reached_ CIRRO_GUARDED_BY(mutex_) = Phase::kRunning;
  TimePoint stop_by_ CIRRO_GUARDED_BY(mutex_) = TimePoint::max();
  bool seeking_ CIRRO_GUARDED_BY(mutex_) = false;
  std::optional<SeekPoint> seek_ CIRRO_GUARDED_BY(mutex_);
  std::optional<Result<void>> sought_ CIRRO_GUARDED_BY(mutex_);
  LinkState link_ CIRRO_GUARDED_BY(mutex_);
  bool was_connected_ CIRRO_GUARDED_BY(mutex_) = false;
  std::vector<PartitionLag> lag_ CIRRO_GUARDED_BY(mutex_);
  std::vector<std::string> names_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::internal::kafka
