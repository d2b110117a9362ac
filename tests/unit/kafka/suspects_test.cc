#include "bindings/kafka/src/suspects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace cirro::internal::kafka {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kBase = 100;
constexpr std::uint64_t kHorizon = 200;

// What a commit says of an assignment that did not end in good order.
OffsetMap Unfinished(std::uint32_t starts) {
  OffsetMap map;
  map.base = kBase;
  map.starts = starts;
  return map;
}

TEST(Suspects, AFirstAssignmentSuspectsNothing) {
  Suspects suspects(3);

  suspects.Begin(nullptr, kBase, kHorizon);

  EXPECT_FALSE(suspects.active());
  EXPECT_EQ(suspects.starts(), 1U);
}

TEST(Suspects, OneUnfinishedStartIsCountedAndForgiven) {
  const OffsetMap last = Unfinished(1);
  Suspects suspects(3);

  suspects.Begin(&last, kBase, kHorizon);

  EXPECT_FALSE(suspects.active());
  EXPECT_EQ(suspects.starts(), 2U);
}

TEST(Suspects, TwoUnfinishedStartsAtOneOffsetAreNot) {
  const OffsetMap last = Unfinished(2);
  Suspects suspects(3);

  suspects.Begin(&last, kBase, kHorizon);

  EXPECT_TRUE(suspects.active());
}

TEST(Suspects, AnAssignmentThatEndedCleanForgetsTheStarts) {
  OffsetMap last = Unfinished(5);
  last.clean = true;
  Suspects suspects(3);

  suspects.Begin(&last, kBase, kHorizon);

  EXPECT_FALSE(suspects.active());
  EXPECT_EQ(suspects.starts(), 1U);
}

TEST(Suspects, StartsBeginAnewWhereAnAssignmentGetsOn) {
  const OffsetMap last = Unfinished(1);
  Suspects suspects(3);
  suspects.Begin(&last, kBase, kHorizon);

  suspects.MoveTo(kBase + 1);

  EXPECT_EQ(suspects.starts(), 1U);
}

TEST(Suspects, ItEndsPastWhatCanHaveBeenInFlightAndNotBefore) {
  const OffsetMap last = Unfinished(2);
  Suspects suspects(3);
  suspects.Begin(&last, kBase, kHorizon);

  suspects.MoveTo(kHorizon - 1);
  EXPECT_TRUE(suspects.active());
  EXPECT_EQ(suspects.starts(), 3U) << "a death now leads straight back to it";
  suspects.MoveTo(kHorizon);

  EXPECT_FALSE(suspects.active());
  EXPECT_EQ(suspects.starts(), 1U);
}

TEST(Suspects, AChargeThatStaysIsTheCulpritsAndNoNeighbours) {
  OffsetMap map = Unfinished(2);
  for (int death = 0; death < 3; ++death) {
    Suspects suspects(3);
    suspects.Begin(&map, kBase, kHorizon);
    ASSERT_TRUE(suspects.active());
    EXPECT_FALSE(suspects.IsGivenUp(kBase + 1));
    suspects.Charge(kBase);
    suspects.Discharge(kBase);
    suspects.Charge(kBase + 1);  // And here the process dies.
    map.starts = suspects.starts();
    map.crashes = suspects.crashes();
  }
  Suspects suspects(3);

  suspects.Begin(&map, kBase, kHorizon);

  EXPECT_TRUE(suspects.IsGivenUp(kBase + 1));
  EXPECT_FALSE(suspects.IsGivenUp(kBase));
  EXPECT_FALSE(suspects.IsGivenUp(kBase + 2));
  EXPECT_THAT(suspects.crashes(), ElementsAre(OffsetCount{kBase + 1, 3}));
}

TEST(Suspects, WhatIsPassedIsForgotten) {
  OffsetMap last = Unfinished(2);
  last.crashes = {{kBase + 3, 1}, {kBase + 5, 2}};
  Suspects suspects(3);
  suspects.Begin(&last, kBase, kHorizon);

  suspects.MoveTo(kBase + 4);
  EXPECT_THAT(suspects.crashes(), ElementsAre(OffsetCount{kBase + 5, 2}));
  suspects.MoveTo(kBase + 6);

  EXPECT_THAT(suspects.crashes(), IsEmpty());
}

TEST(Suspects, AChargeOutlivesACleanEnd) {
  OffsetMap last;
  last.base = kBase;
  last.clean = true;
  last.next = kHorizon - 10;
  last.crashes = {{kBase + 3, 1}};
  Suspects suspects(3);

  suspects.Begin(&last, kBase, kHorizon);

  EXPECT_TRUE(suspects.active());
  EXPECT_EQ(suspects.horizon(), kHorizon - 10);
}

TEST(Suspects, AnAssignmentThatWasLostIsForgivenToItsProcess) {
  OffsetMap last = Unfinished(2);
  last.crashes = {{kBase + 1, 1}, {kBase + 3, 2}};

  Forgive(kBase + 3, last);

  EXPECT_EQ(last.starts, 1U);
  EXPECT_THAT(last.crashes, ElementsAre(OffsetCount{kBase + 1, 1},
                                        OffsetCount{kBase + 3, 1}));
}

TEST(Suspects, SessionsThatAreLostOneAfterTheOtherAreNoDeaths) {
  OffsetMap map = Unfinished(1);
  for (int lost = 0; lost < 10; ++lost) {
    Forgive(std::nullopt, map);
    Suspects suspects(3);
    suspects.Begin(&map, kBase, kHorizon);
    EXPECT_FALSE(suspects.active());
    map = Unfinished(suspects.starts());
  }
}

TEST(Suspects, NothingIsForgivenToWhatEndedCleanSince) {
  OffsetMap last;
  last.base = kBase;
  last.clean = true;
  last.crashes = {{kBase + 3, 2}};

  Forgive(kBase + 3, last);

  EXPECT_THAT(last.crashes, ElementsAre(OffsetCount{kBase + 3, 2}));
}

}  // namespace
}  // namespace cirro::internal::kafka
