// Random schedules of the whole dispatcher on virtual time; see schedule.h.
// CIRRO_SEED=n replays one.

#include <gtest/gtest.h>

#include "unit/dispatch/schedule.h"

namespace cirro {
namespace {

TEST(SeededSchedules, KeepTheLawTheOrderTheBoundsAndSettleOnce) {
  constexpr std::uint64_t kSchedules = 10'000;
  const auto replay = test::ReplaySeed();
  const std::uint64_t first = replay.value_or(1);
  const std::uint64_t last = replay.value_or(kSchedules);

  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const auto violation = test::Schedule(seed).Run();
    ASSERT_FALSE(violation) << *violation;
  }
}

}  // namespace
}  // namespace cirro
