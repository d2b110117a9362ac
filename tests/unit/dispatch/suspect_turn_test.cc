#include "cirro/dispatch/suspect_turn.h"

#include <gtest/gtest.h>

#include <chrono>

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Ticket = SuspectTurn::Ticket;

struct Owner {
  int woken = 0;
  SuspectTurn turn{[this] { ++woken; }};
};

constexpr TimePoint kNow{seconds(100)};

TEST(SuspectTurn, OneHasItAtATime) {
  Owner first;
  Owner second;
  const Ticket ticket = first.turn.Take(kNow);
  EXPECT_NE(ticket, 0U);

  EXPECT_EQ(second.turn.Take(kNow), 0U);
  EXPECT_EQ(first.turn.Take(kNow), 0U);
  EXPECT_EQ(second.woken, 0);
  second.turn.Give(0);  // It has none.
  EXPECT_EQ(second.turn.Take(kNow), 0U);

  first.turn.Give(ticket);
  EXPECT_EQ(second.woken, 1);
  EXPECT_NE(second.turn.Take(kNow), 0U);
}

TEST(SuspectTurn, OwnersTakeTurnsInTheOrderInWhichTheyAsked) {
  Owner first;
  Owner second;
  Owner third;
  Ticket ticket = first.turn.Take(kNow);
  ASSERT_EQ(second.turn.Take(kNow), 0U);
  ASSERT_EQ(third.turn.Take(kNow), 0U);

  for (int round = 0; round < 3; ++round) {
    // Whoever asks first: it is another's turn.
    first.turn.Give(ticket);
    EXPECT_EQ(first.turn.Take(kNow), 0U);
    EXPECT_EQ(first.turn.Take(kNow), 0U);
    EXPECT_EQ(third.turn.Take(kNow), 0U);
    EXPECT_EQ(second.woken, round + 1);
    ticket = second.turn.Take(kNow);
    ASSERT_NE(ticket, 0U);

    second.turn.Give(ticket);
    EXPECT_EQ(second.turn.Take(kNow), 0U);
    EXPECT_EQ(third.woken, round + 1);
    ticket = third.turn.Take(kNow);
    ASSERT_NE(ticket, 0U);

    third.turn.Give(ticket);
    EXPECT_EQ(third.turn.Take(kNow), 0U);
    EXPECT_EQ(first.woken, round + 1);
    ticket = first.turn.Take(kNow);
    ASSERT_NE(ticket, 0U);
  }
}

TEST(SuspectTurn, AnOwnerWhoIsAloneIsWokenForItsNext) {
  Owner only;
  for (int i = 0; i < 3; ++i) {
    const Ticket ticket = only.turn.Take(kNow);
    ASSERT_NE(ticket, 0U);
    ASSERT_EQ(only.turn.Take(kNow), 0U);  // Its own suspect runs.
    only.turn.Give(ticket);
    EXPECT_EQ(only.woken, i + 1);
  }
}

TEST(SuspectTurn, WhoDoesNotComeKeepsNobodyWaiting) {
  Owner first;
  Owner absent;
  const Ticket ticket = first.turn.Take(kNow);
  ASSERT_EQ(absent.turn.Take(kNow), 0U);
  first.turn.Give(ticket);

  const TimePoint later = kNow + seconds(9);
  EXPECT_EQ(first.turn.Take(later), 0U);
  EXPECT_EQ(first.turn.Take(later + SuspectTurn::kComing - milliseconds(1)),
            0U);
  EXPECT_NE(first.turn.Take(later + SuspectTurn::kComing), 0U);
}

TEST(SuspectTurn, WhatRunsForLongKeepsNobodyWaiting) {
  Owner first;
  Owner second;
  Owner third;
  const Ticket late = first.turn.Take(kNow);
  const TimePoint over = kNow + SuspectTurn::kLongest;
  EXPECT_EQ(second.turn.Take(over - milliseconds(1)), 0U);

  const Ticket ticket = second.turn.Take(over);

  EXPECT_NE(ticket, 0U);
  first.turn.Give(late);  // It is the second's.
  EXPECT_EQ(third.turn.Take(over), 0U);
  second.turn.Give(ticket);
  EXPECT_NE(third.turn.Take(over), 0U);
}

// So the first of them does not give back what the second one has.
TEST(SuspectTurn, TwoTurnsOfOneOwnerAreTwo) {
  Owner owner;
  Owner other;
  const Ticket hung = owner.turn.Take(kNow);
  const TimePoint over = kNow + SuspectTurn::kLongest;
  const Ticket ticket = owner.turn.Take(over);
  ASSERT_NE(ticket, 0U);

  owner.turn.Give(hung);

  EXPECT_EQ(other.turn.Take(over), 0U);
  owner.turn.Give(ticket);
  EXPECT_NE(other.turn.Take(over), 0U);
}

TEST(SuspectTurn, WhoEndsGivesItBackAndIsNotWoken) {
  Owner stays;
  {
    Owner waits;
    Owner holds;
    ASSERT_NE(holds.turn.Take(kNow), 0U);
    ASSERT_EQ(waits.turn.Take(kNow), 0U);
    ASSERT_EQ(stays.turn.Take(kNow), 0U);
  }  // Its turn was passed to one that ended, too.

  EXPECT_EQ(stays.woken, 1);
  EXPECT_NE(stays.turn.Take(kNow), 0U);
}

}  // namespace
}  // namespace cirro
