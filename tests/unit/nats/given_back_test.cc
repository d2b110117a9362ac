#include "bindings/nats/src/given_back.h"

#include <gtest/gtest.h>

#include <chrono>

#include "bindings/nats/src/server_words.h"

namespace cirro::internal::nats {
namespace {

using std::chrono::seconds;

constexpr TimePoint kNow{seconds(1'000)};

TEST(GivenBack, WhatLeavesTheStreamBeforeItsDelayIsOverIsCountedOnce) {
  GivenBack given;
  given.Add(7, kNow + seconds(10));
  given.Add(8, kNow + seconds(10));
  given.Add(9, kNow + seconds(10));

  EXPECT_EQ(given.Look(7, kNow), 0U);
  EXPECT_EQ(given.Look(9, kNow), 2U);
  EXPECT_EQ(given.Look(9, kNow), 0U);
  EXPECT_TRUE(given.Wait(kNow));
}

// Somebody may have got it, and have done it.
TEST(GivenBack, NothingIsSaidOfOneWhoseDelayIsOver) {
  GivenBack given;
  given.Add(7, kNow + seconds(10));

  EXPECT_EQ(given.Look(100, kNow + seconds(10)), 0U);
  EXPECT_FALSE(given.Wait(kNow));
}

TEST(GivenBack, WatchesNoMoreThanItMay) {
  GivenBack given;
  for (std::uint64_t i = 1; i <= GivenBack::kMost + 5; ++i) {
    given.Add(i, kNow + seconds(1));
  }

  EXPECT_EQ(given.Look(1'000'000, kNow), GivenBack::kMost);
}

TEST(StreamInfo, SaysWhereTheStreamBegins) {
  EXPECT_EQ(ParseFirstSequence(R"({"state":{"first_seq":12}})"), 12U);
  for (const char* const other :
       {"", "[]", R"({"error":{"code":404}})", R"({"state":[]})",
        R"({"state":{"first_seq":-1}})", R"({"state":{"first_seq":"12"}})"}) {
    EXPECT_FALSE(ParseFirstSequence(other)) << other;
  }
}

}  // namespace
}  // namespace cirro::internal::nats
