#include "cirro/dispatch/suspect_turn.h"

#include <gtest/gtest.h>

#include <chrono>

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Owner {
  int woken = 0;
  SuspectTurn turn{[this] { ++woken; }};
};

constexpr TimePoint kNow{seconds(100)};

TEST(SuspectTurn, OneHasItAtATime) {
  Owner first;
  Owner second;
  EXPECT_TRUE(first.turn.Take(kNow));

  EXPECT_FALSE(second.turn.Take(kNow));
  EXPECT_FALSE(first.turn.Take(kNow));
  EXPECT_EQ(second.woken, 0);
  second.turn.Give();  // What is not its own.
  EXPECT_FALSE(second.turn.Take(kNow));

  first.turn.Give();
  EXPECT_EQ(second.woken, 1);
  EXPECT_TRUE(second.turn.Take(kNow));
}

TEST(SuspectTurn, WhoHadItLetsOthersPassOnce) {
  Owner first;
  Owner second;
  ASSERT_TRUE(first.turn.Take(kNow));
  ASSERT_FALSE(second.turn.Take(kNow));

  first.turn.Give();

  EXPECT_FALSE(first.turn.Take(kNow));
  EXPECT_TRUE(first.turn.Take(kNow));  // Nobody came.
}

TEST(SuspectTurn, WhereNobodyWaitsItMayBeTakenAgain) {
  Owner only;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(only.turn.Take(kNow));
    ASSERT_FALSE(only.turn.Take(kNow));  // Its own suspect runs.
    only.turn.Give();
    EXPECT_EQ(only.woken, i + 1);
  }
}

TEST(SuspectTurn, WhatRunsForLongKeepsNobodyWaiting) {
  Owner first;
  Owner second;
  Owner third;
  ASSERT_TRUE(first.turn.Take(kNow));

  EXPECT_FALSE(
      second.turn.Take(kNow + SuspectTurn::kLongest - milliseconds(1)));
  EXPECT_TRUE(second.turn.Take(kNow + SuspectTurn::kLongest));

  first.turn.Give();  // Late: it is the second's.
  EXPECT_FALSE(third.turn.Take(kNow + SuspectTurn::kLongest));
  second.turn.Give();
  EXPECT_TRUE(third.turn.Take(kNow + SuspectTurn::kLongest));
}

TEST(SuspectTurn, WhoEndsGivesItBackAndIsNotWoken) {
  Owner stays;
  {
    Owner holds;
    Owner waits;
    ASSERT_TRUE(holds.turn.Take(kNow));
    ASSERT_FALSE(stays.turn.Take(kNow));
    ASSERT_FALSE(waits.turn.Take(kNow));
  }

  EXPECT_EQ(stays.woken, 1);
  EXPECT_TRUE(stays.turn.Take(kNow));
  stays.turn.Give();
}

}  // namespace
}  // namespace cirro
