#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/message.h"

namespace cirro::internal::memory {

/// A record as it is kept. Neither event nor malformed: an offset without a
/// message.
struct Stored {
  std::optional<Event> event{};
  std::shared_ptr<const Malformed> malformed{};
  std::shared_ptr<const Original> original{};
  std::string key{};
  TimePoint visible{};  ///< Nobody gets it before.
  Timestamp time{};
  std::size_t bytes = 0;

  [[nodiscard]] bool is_gap() const { return !event && malformed == nullptr; }
};

/// The records of one partition: a ring that grows as far as it is asked to.
class PartitionLog {
 public:
  [[nodiscard]] std::uint64_t start() const { return start_; }
  [[nodiscard]] std::uint64_t end() const { return start_ + count_; }
  [[nodiscard]] std::size_t size() const { return count_; }

  /// An empty one, which holds until the next.
  Stored& Append() {
    if (count_ == ring_.size()) Grow();
    return ring_[(first_ + count_++) & (ring_.size() - 1)];
  }
  /// REQUIRES: start() <= offset < end().
  [[nodiscard]] const Stored& At(std::uint64_t offset) const {
    return ring_[(first_ + static_cast<std::size_t>(offset - start_)) &
                 (ring_.size() - 1)];
  }
  /// Forgets all before `offset`; the bytes that they took.
  std::size_t DropBefore(std::uint64_t offset) {
    std::size_t bytes = 0;
    while (count_ > 0 && start_ < offset) {
      bytes += ring_[first_].bytes;
      ring_[first_] = {};
      first_ = (first_ + 1) & (ring_.size() - 1);
      ++start_;
      --count_;
    }
    return bytes;
  }

 private:
  void Grow() {
    std::vector<Stored> larger(std::max<std::size_t>(64, ring_.size() * 2));
    for (std::size_t i = 0; i < count_; ++i) {
      larger[i] = std::move(ring_[(first_ + i) & (ring_.size() - 1)]);
    }
    ring_ = std::move(larger);
    first_ = 0;
  }

  std::vector<Stored> ring_;  // A power of two.
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::uint64_t start_ = 0;
};

}  // namespace cirro::internal::memory
