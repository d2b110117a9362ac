#include "bindings/kafka/src/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cirro::internal::kafka {
namespace {

using Take = Ledger::Take;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kEnd = 1'000;

// What the next owner of the partition reads of a commit.
OffsetMap Read(const Ledger::Commit& commit) {
  auto map = DecodeOffsetMap(commit.metadata, commit.offset, kEnd);
  EXPECT_TRUE(map) << (map ? "" : map.error().message);
  return map ? *std::move(map) : OffsetMap{};
}

class LedgerTest : public ::testing::Test {
 protected:
  void Deliver(std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t offset = from; offset < to; ++offset) {
      ASSERT_EQ(ledger_.Arrived(offset), Take::kDeliver) << offset;
    }
  }
  OffsetMap Commit(bool clean = false) {
    return Read(ledger_.ToCommit(clean, kMostMetadataBytes));
  }

  Ledger ledger_{{.max_span = 100, .max_crashes = 2, .offset_map = true}};
};

TEST_F(LedgerTest, SaysThatItBeganBeforeAnythingElse) {
  ledger_.Begin(nullptr, 10, kEnd);

  EXPECT_TRUE(ledger_.IsStale());
  EXPECT_EQ(Commit().base, 10U);
  EXPECT_EQ(Commit().starts, 1U);
  EXPECT_FALSE(Commit().clean);
}

TEST_F(LedgerTest, CommitsThePrefixAndTellsWhatIsDoneAboveIt) {
  ledger_.Begin(nullptr, 10, kEnd);
  Deliver(10, 20);

  for (const std::uint64_t offset : {10U, 12U, 13U, 19U}) {
    EXPECT_TRUE(ledger_.Done(offset));
  }

  EXPECT_EQ(ledger_.position(), 11U);
  EXPECT_THAT(Commit().done, ElementsAre(OffsetRun{12, 14}, OffsetRun{19, 20}));
  EXPECT_EQ(ledger_.open(), 6U);
}

TEST_F(LedgerTest, PassesOverWhatTheCommitSaysIsDone) {
  OffsetMap last;
  last.base = 10;
  last.done = {{12, 14}};

  ledger_.Begin(&last, 10, kEnd);

  EXPECT_EQ(ledger_.Arrived(10), Take::kDeliver);
  EXPECT_EQ(ledger_.Arrived(11), Take::kDeliver);
  EXPECT_EQ(ledger_.Arrived(12), Take::kPassOver);
  EXPECT_EQ(ledger_.Arrived(13), Take::kPassOver);
  EXPECT_EQ(ledger_.Arrived(14), Take::kDeliver);
}

TEST_F(LedgerTest, WithoutTheMapNothingAboveThePrefixIsTold) {
  Ledger ledger({.max_span = 100, .offset_map = false});
  OffsetMap last;
  last.base = 10;
  last.done = {{12, 14}};
  ledger.Begin(&last, 10, kEnd);
  for (std::uint64_t offset = 10; offset < 14; ++offset) {
    EXPECT_EQ(ledger.Arrived(offset), Take::kDeliver);
  }
  EXPECT_TRUE(ledger.Done(13));

  EXPECT_THAT(Read(ledger.ToCommit(false, kMostMetadataBytes)).done, IsEmpty());
}

TEST_F(LedgerTest, HoldsWhatIsPastTheSpan) {
  ledger_.Begin(nullptr, 0, kEnd);
  Deliver(0, 100);
  EXPECT_FALSE(ledger_.AtSpanBound());

  EXPECT_EQ(ledger_.Arrived(100), Take::kHold);
  EXPECT_TRUE(ledger_.AtSpanBound());
  EXPECT_TRUE(ledger_.Done(0));

  EXPECT_EQ(ledger_.Arrived(100), Take::kDeliver);
  EXPECT_FALSE(ledger_.AtSpanBound());
}

TEST_F(LedgerTest, MovesPastTheMarkersOfTransactions) {
  ledger_.Begin(nullptr, 0, kEnd);
  Deliver(0, 3);
  for (std::uint64_t offset = 0; offset < 3; ++offset) ledger_.Done(offset);
  ledger_.Committed(ledger_.version());

  ledger_.PassTo(4);

  EXPECT_EQ(ledger_.position(), 4U);
  EXPECT_TRUE(ledger_.IsStale());
}

TEST_F(LedgerTest, TheEndCountsOnlyWhenAllBeforeItIsDone) {
  ledger_.Begin(nullptr, 0, kEnd);
  Deliver(0, 2);
  ledger_.PassTo(500);  // Beyond the span.
  EXPECT_EQ(ledger_.position(), 0U);

  ledger_.Done(0);
  ledger_.Done(1);

  EXPECT_EQ(ledger_.position(), 500U);
}

TEST_F(LedgerTest, ALateOrSecondWordIsNone) {
  ledger_.Begin(nullptr, 0, kEnd);
  Deliver(0, 2);
  EXPECT_TRUE(ledger_.Done(0));

  EXPECT_FALSE(ledger_.Done(0));
  EXPECT_FALSE(ledger_.Done(7));
  EXPECT_FALSE(ledger_.GivenBack(0));
  EXPECT_EQ(ledger_.open(), 1U);
}

TEST_F(LedgerTest, WhatIsGivenBackIsNeitherOpenNorDone) {
  ledger_.Begin(nullptr, 0, kEnd);
  Deliver(0, 3);

  EXPECT_TRUE(ledger_.GivenBack(1));

  EXPECT_EQ(ledger_.open(), 2U);
  ledger_.Done(0);
  ledger_.Done(2);
  EXPECT_EQ(ledger_.position(), 1U);
  EXPECT_EQ(ledger_.Arrived(1), Take::kPassOver) << "nobody asked for it";
  ledger_.Again(1);
  EXPECT_EQ(ledger_.Arrived(1), Take::kDeliver);
  EXPECT_EQ(ledger_.Arrived(2), Take::kPassOver);
  EXPECT_TRUE(ledger_.Done(1));
  EXPECT_EQ(ledger_.position(), 3U);
  EXPECT_EQ(ledger_.open(), 0U);
}

TEST_F(LedgerTest, KeepsHowOftenOneWasTried) {
  ledger_.Begin(nullptr, 0, kEnd);
  Deliver(0, 2);
  ledger_.Failed(1, 3);
  const OffsetMap last = Commit();

  ledger_.Begin(&last, 0, kEnd);

  EXPECT_EQ(ledger_.AttemptOf(0), 1);
  EXPECT_EQ(ledger_.AttemptOf(1), 4);
}

TEST_F(LedgerTest, CountsNoAttemptsThatCannotBe) {
  OffsetMap forged;
  forged.attempts = {{.offset = 0, .count = 0xFFFF'FFFF},
                     {.offset = 1, .count = 0x7FFF'FFFF}};

  ledger_.Begin(&forged, 0, kEnd);

  EXPECT_EQ(ledger_.AttemptOf(0), 0x7FFF'FFFF);
  EXPECT_EQ(ledger_.AttemptOf(1), 0x7FFF'FFFF);
}

TEST_F(LedgerTest, InSuspicionOneRunsAtATimeAndIsChargedBefore) {
  OffsetMap last;
  last.base = 5;
  last.starts = 2;
  ledger_.Begin(&last, 5, kEnd);
  ASSERT_TRUE(ledger_.suspicious());

  EXPECT_EQ(ledger_.Arrived(5), Take::kCommit);
  EXPECT_THAT(Commit().crashes, ElementsAre(OffsetCount{5, 1}));
  EXPECT_EQ(ledger_.Arrived(5), Take::kDeliver);
  EXPECT_EQ(ledger_.Arrived(6), Take::kHold) << "5 runs alone";
  EXPECT_TRUE(ledger_.Done(5));

  EXPECT_EQ(ledger_.Arrived(6), Take::kCommit);
  EXPECT_THAT(Commit().crashes, ElementsAre(OffsetCount{6, 1}));
}

TEST_F(LedgerTest, WhatKilledTheProcessTooOftenIsGivenUpAndNotChargedAgain) {
  OffsetMap last;
  last.base = 5;
  last.starts = 4;
  last.next = 8;
  last.crashes = {{5, 2}};
  ledger_.Begin(&last, 5, kEnd);

  EXPECT_TRUE(ledger_.IsGivenUp(5));
  EXPECT_EQ(ledger_.Arrived(5), Take::kDeliver);
  EXPECT_EQ(ledger_.Arrived(6), Take::kHold);
  EXPECT_TRUE(ledger_.Done(5));
  EXPECT_EQ(ledger_.Arrived(6), Take::kCommit);
  EXPECT_THAT(Commit().crashes, ElementsAre(OffsetCount{6, 1}));
}

TEST_F(LedgerTest, ACleanEndForgetsTheStarts) {
  OffsetMap last;
  last.base = 5;
  last.starts = 1;
  ledger_.Begin(&last, 5, kEnd);

  EXPECT_EQ(Commit(true).starts, 0U);
  EXPECT_TRUE(Commit(true).clean);
}

TEST_F(LedgerTest, ACleanEndChargesNobodyWithWhatIsStillOpen) {
  OffsetMap last;
  last.base = 5;
  last.starts = 3;
  last.crashes = {{5, 1}};
  ledger_.Begin(&last, 5, kEnd);
  ASSERT_EQ(ledger_.Arrived(5), Take::kCommit);
  ASSERT_EQ(ledger_.Arrived(5), Take::kDeliver);
  ASSERT_EQ(ledger_.charged(), 5U);
  EXPECT_THAT(Commit().crashes, ElementsAre(OffsetCount{5, 2}));

  EXPECT_THAT(Commit(true).crashes, ElementsAre(OffsetCount{5, 1}));
}

TEST_F(LedgerTest, WhatIsGoneIsNotWaitedForAndWhatIsOpenIs) {
  ledger_.Begin(nullptr, 0, kEnd);
  Deliver(0, 6);
  for (const std::uint64_t offset : {1U, 2U, 4U}) {
    EXPECT_TRUE(ledger_.GivenBack(offset));
    ledger_.Again(offset);
  }
  EXPECT_EQ(ledger_.ReadsFrom(), 1U);

  EXPECT_EQ(ledger_.Gone(3), 2U);

  EXPECT_EQ(ledger_.ReadsFrom(), 4U);
  EXPECT_EQ(ledger_.position(), 0U);
  EXPECT_TRUE(ledger_.Done(0));
  EXPECT_EQ(ledger_.position(), 3U);
  EXPECT_EQ(ledger_.Arrived(4), Take::kDeliver);
}

TEST_F(LedgerTest, WhatIsGoneUnreadIsCounted) {
  ledger_.Begin(nullptr, 0, kEnd);
  Deliver(0, 2);

  EXPECT_EQ(ledger_.Gone(50), 48U);

  EXPECT_EQ(ledger_.ReadsFrom(), 50U);
  EXPECT_EQ(ledger_.position(), 0U);
  EXPECT_TRUE(ledger_.Done(1));
  EXPECT_TRUE(ledger_.Done(0));
  EXPECT_EQ(ledger_.position(), 50U);
}

TEST_F(LedgerTest, InSuspicionWhatWasGivenBackIsChargedAgain) {
  OffsetMap last;
  last.base = 5;
  last.starts = 2;
  ledger_.Begin(&last, 5, kEnd);
  ASSERT_EQ(ledger_.Arrived(5), Take::kCommit);
  ASSERT_EQ(ledger_.Arrived(5), Take::kDeliver);
  ASSERT_TRUE(ledger_.GivenBack(5));
  ledger_.Again(5);
  EXPECT_THAT(Commit().crashes, IsEmpty());

  EXPECT_EQ(ledger_.Arrived(5), Take::kCommit);

  EXPECT_THAT(Commit().crashes, ElementsAre(OffsetCount{5, 1}));
  EXPECT_EQ(ledger_.Arrived(5), Take::kDeliver);
  EXPECT_EQ(ledger_.Arrived(6), Take::kHold);
}

// What ran one at a time is told by the commits: a death there widens nothing.
TEST_F(LedgerTest, ADeathInSuspicionDoesNotSuspectMore) {
  OffsetMap last;
  last.base = 5;
  last.starts = 2;
  ledger_.Begin(&last, 5, kEnd);
  ASSERT_EQ(ledger_.suspect_until(), 105U);
  for (std::uint64_t offset = 5; offset < 60; ++offset) {
    ASSERT_EQ(ledger_.Arrived(offset), Take::kCommit);
    ASSERT_EQ(ledger_.Arrived(offset), Take::kDeliver);
    ASSERT_TRUE(ledger_.Done(offset));
  }
  ASSERT_EQ(ledger_.Arrived(60), Take::kCommit);
  const OffsetMap died = Commit();
  ASSERT_EQ(died.base, 60U);

  ledger_.Begin(&died, 60, kEnd);

  EXPECT_TRUE(ledger_.suspicious());
  EXPECT_EQ(ledger_.suspect_until(), 105U);
}

// Else a death among those that run in parallel then would be taken for one of
// the suspects', time and again.
TEST_F(LedgerTest, ThatSuspicionIsOverIsCommittedBeforeMoreRuns) {
  OffsetMap last;
  last.base = 5;
  last.starts = 2;
  ledger_.Begin(&last, 5, 7);
  for (const std::uint64_t offset : {5U, 6U}) {
    ASSERT_EQ(ledger_.Arrived(offset), Take::kCommit);
    ASSERT_EQ(ledger_.Arrived(offset), Take::kDeliver);
    ASSERT_TRUE(ledger_.Done(offset));
  }
  ASSERT_FALSE(ledger_.suspicious());

  EXPECT_EQ(ledger_.Arrived(7), Take::kCommit);

  EXPECT_EQ(Commit().starts, 1U);
  EXPECT_THAT(Commit().crashes, IsEmpty());
  EXPECT_EQ(ledger_.Arrived(7), Take::kDeliver);
  EXPECT_EQ(ledger_.Arrived(8), Take::kDeliver);
}

}  // namespace
}  // namespace cirro::internal::kafka
