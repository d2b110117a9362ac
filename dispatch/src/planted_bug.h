#pragma once

#include <cstdint>

#include "cirro/dispatch/delivery.h"

namespace cirro::internal {

/// Bugs that the seeded schedules must find. They exist only where
/// CIRRO_PLANTED_BUG is defined: a test that compiles the engine once more.
enum class PlantedBug : std::uint8_t {
  kNothing,
  kSettleBeforeSuccess,
  kPassClosedLane,
  kSettleTwice,
  kIgnoreConcurrency,
  kIgnoreBatchConcurrency,
};

#if defined(CIRRO_PLANTED_BUG)
struct DeliveryAccess {
  static Delivery Twin(const Delivery& delivery) { return {delivery, true}; }
};

inline PlantedBug planted_bug = PlantedBug::kNothing;
inline bool Planted(PlantedBug bug) { return planted_bug == bug; }
inline Delivery Twin(const Delivery& delivery) {
  return DeliveryAccess::Twin(delivery);
}
#else
constexpr bool Planted(PlantedBug /*bug*/) { return false; }
inline Delivery Twin(const Delivery& delivery) { return delivery.Content(); }
#endif

}  // namespace cirro::internal
