// The engine compiled once more, with bugs that the schedules must find.

#include <gtest/gtest.h>

#include "dispatch/src/planted_bug.h"
#include "unit/dispatch/schedule.h"

namespace cirro {
namespace {

using internal::PlantedBug;

// The schedules that were run until `bug` was found; 0 when it was not.
std::uint64_t Find(PlantedBug bug, std::string& violation) {
  internal::planted_bug = bug;
  std::uint64_t found = 0;
  for (std::uint64_t seed = 1; seed <= 10'000 && found == 0; ++seed) {
    if (const auto what = test::Schedule(seed).Run(); what) {
      violation = *what;
      found = seed;
    }
  }
  internal::planted_bug = PlantedBug::kNothing;
  return found;
}

TEST(PlantedBug, OfSettlingBeforeSuccessIsFound) {
  std::string violation;

  EXPECT_GT(Find(PlantedBug::kSettleBeforeSuccess, violation), 0U);
  // What may be dropped is found when it begins.
  EXPECT_TRUE(violation.find("acknowledged before") != violation.npos ||
              violation.find("settled delivery's call") != violation.npos)
      << violation;
}

TEST(PlantedBug, OfPassingAClosedLaneIsFound) {
  std::string violation;

  EXPECT_GT(Find(PlantedBug::kPassClosedLane, violation), 0U);
  EXPECT_NE(violation.find("was passed"), violation.npos) << violation;
}

TEST(PlantedBug, OfSettlingTwiceIsFound) {
  std::string violation;

  EXPECT_GT(Find(PlantedBug::kSettleTwice, violation), 0U);
  EXPECT_NE(violation.find("settled twice"), violation.npos) << violation;
}

TEST(PlantedBug, OfTooManyCallsAtOnceIsFound) {
  std::string violation;

  EXPECT_GT(Find(PlantedBug::kIgnoreConcurrency, violation), 0U);
  EXPECT_NE(violation.find("more calls at once"), violation.npos) << violation;
}

TEST(PlantedBug, OfTooManyBatchesAtOnceIsFound) {
  std::string violation;

  EXPECT_GT(Find(PlantedBug::kIgnoreBatchConcurrency, violation), 0U);
  EXPECT_NE(violation.find("more batches at once"), violation.npos)
      << violation;
}

}  // namespace
}  // namespace cirro
