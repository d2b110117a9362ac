#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "cirro/dispatch/mutex.h"

namespace cirro::internal {

/// How often what should be rare came about: one map behind one mutex, where
/// Metrics counts what is common. Any thread.
class TroubleCounts {
 public:
  enum class Kind : std::uint8_t {
    kBuried,     // inlet, function, reason, place
    kNotBuried,  // inlet, place, code
    kStalled,    // inlet, function, reason
    kKept,       // inlet, function, reason
    kDropped,    // inlet, function, reason
    kDuplicate,  // inlet, function
    kLost,       // inlet
    kHeld,       // inlet, partition
    kWentOn,     // inlet, partition: of those, how many are over.
  };
  static constexpr std::size_t kKinds = 9;
  // Values of the kind's labels, in its order.
  using Labels = std::array<std::string, 4>;
  using Counts = std::map<Labels, std::uint64_t>;

  void Add(Kind kind, std::string_view first, std::string_view second,
           std::string_view third = {}, std::string_view fourth = {}) noexcept {
    AddTo(kind, {std::string(first), std::string(second), std::string(third),
                 std::string(fourth)});
  }
  void AddTo(Kind kind, const Labels& labels, std::uint64_t more = 1) noexcept {
    const MutexLock lock(mutex_);
    counts_.at(static_cast<std::size_t>(kind))[labels] += more;
  }

  [[nodiscard]] Counts Of(Kind kind) const {
    const MutexLock lock(mutex_);
    return counts_.at(static_cast<std::size_t>(kind));
  }

 private:
  mutable Mutex mutex_;
  std::array<Counts, kKinds> counts_ CIRRO_GUARDED_BY(mutex_){};
};

}  // namespace cirro::internal
