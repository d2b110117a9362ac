#include "bindings/nats/src/pulls.h"

#include <gtest/gtest.h>

#include <chrono>

namespace cirro::internal::nats {
namespace {

using std::chrono::seconds;

const TimePoint kNow{seconds(1'000)};

Pulls TenAtOnce() { return Pulls(10, seconds(30), seconds(5)); }

TEST(Pulls, AskForABatchAtMost) {
  Pulls pulls = TenAtOnce();

  const auto ask = pulls.Next(100, kNow);

  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->batch, 10U);
  EXPECT_EQ(pulls.expected(), 10U);
}

TEST(Pulls, AskForNoMoreThanThereIsRoomFor) {
  Pulls pulls = TenAtOnce();

  const auto ask = pulls.Next(3, kNow);

  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->batch, 3U);
  EXPECT_FALSE(pulls.Next(3, kNow));
}

TEST(Pulls, AskForNothingWithoutRoom) {
  Pulls pulls = TenAtOnce();

  EXPECT_FALSE(pulls.Next(0, kNow));
  EXPECT_FALSE(pulls.open());
}

TEST(Pulls, AskForTwoBatchesSoThatTheServerAlwaysHasOneToServe) {
  Pulls pulls = TenAtOnce();

  EXPECT_TRUE(pulls.Next(100, kNow));
  EXPECT_TRUE(pulls.Next(100, kNow));

  EXPECT_FALSE(pulls.Next(100, kNow));
  EXPECT_EQ(pulls.expected(), 20U);
}

TEST(Pulls, AskAgainWhenOneOfTwoIsServed) {
  Pulls pulls = TenAtOnce();
  ASSERT_TRUE(pulls.Next(100, kNow) && pulls.Next(100, kNow));

  for (int i = 0; i < 9; ++i) pulls.Arrived(kNow);
  EXPECT_FALSE(pulls.Next(100, kNow));
  pulls.Arrived(kNow);

  EXPECT_TRUE(pulls.Next(100, kNow));
}

TEST(Pulls, AskForNoScrapOfABatchWhileOneIsOpen) {
  Pulls pulls = TenAtOnce();
  ASSERT_TRUE(pulls.Next(100, kNow));

  EXPECT_FALSE(pulls.Next(14, kNow));
  EXPECT_TRUE(pulls.Next(15, kNow));
}

TEST(Pulls, WhatTheServerDidNotSendIsNotExpected) {
  Pulls pulls = TenAtOnce();
  const auto ask = pulls.Next(100, kNow);
  for (int i = 0; i < 5; ++i) pulls.Arrived(kNow);
  const auto second = pulls.Next(100, kNow);
  ASSERT_TRUE(ask && second);

  pulls.Closed(ask->id, 5, kNow);

  EXPECT_EQ(pulls.expected(), 10U);
  EXPECT_TRUE(pulls.open());
}

TEST(Pulls, OneThatEndedWithoutANumberIsOverWhole) {
  Pulls pulls = TenAtOnce();
  const auto ask = pulls.Next(100, kNow);
  ASSERT_TRUE(ask);
  pulls.Arrived(kNow);

  pulls.Closed(ask->id, std::nullopt, kNow);

  EXPECT_FALSE(pulls.open());
  EXPECT_EQ(pulls.expected(), 0U);
}

TEST(Pulls, AnEndOfBeforeAResetChangesNothing) {
  Pulls pulls = TenAtOnce();
  const auto before = pulls.Next(100, kNow);
  ASSERT_TRUE(before);
  pulls.Reset();
  ASSERT_TRUE(pulls.Next(100, kNow));

  pulls.Closed(before->id, 10, kNow);

  EXPECT_EQ(pulls.expected(), 10U);
}

TEST(Pulls, MoreThanWasExpectedIsTaken) {
  Pulls pulls = TenAtOnce();
  ASSERT_TRUE(pulls.Next(1, kNow));

  pulls.Arrived(kNow);
  pulls.Arrived(kNow);

  EXPECT_EQ(pulls.expected(), 0U);
  EXPECT_FALSE(pulls.open());
}

TEST(Pulls, TwoHeartbeatsLateIsSilent) {
  Pulls pulls = TenAtOnce();
  ASSERT_TRUE(pulls.Next(1, kNow));

  pulls.Heard(kNow + seconds(3));

  EXPECT_FALSE(pulls.IsSilent(kNow + seconds(13)));
  EXPECT_TRUE(pulls.IsSilent(kNow + seconds(14)));
}

TEST(Pulls, NobodyIsSilentWhoWasNotAsked) {
  const Pulls pulls = TenAtOnce();

  EXPECT_FALSE(pulls.IsSilent(kNow + seconds(100)));
}

TEST(Pulls, ARequestWhoseEndGotLostIsAskedAgain) {
  Pulls pulls = TenAtOnce();
  ASSERT_TRUE(pulls.Next(10, kNow));

  EXPECT_FALSE(pulls.Next(10, kNow + seconds(30)));
  EXPECT_TRUE(pulls.Next(10, kNow + seconds(36)));
}

}  // namespace
}  // namespace cirro::internal::nats
