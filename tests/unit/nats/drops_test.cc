#include "bindings/nats/src/drops.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "bindings/nats/src/server_words.h"

namespace cirro::internal::nats {
namespace {

TEST(Drops, NothingIsMissedWhereAllIsDelivered) {
  Drops drops(false);

  EXPECT_EQ(drops.Look({.deliveries = 0, .sequence = 0, .pending = 10}), 0U);
  EXPECT_EQ(drops.Look({.deliveries = 6, .sequence = 6, .pending = 4}), 0U);
  // Four more were published, eight delivered.
  EXPECT_EQ(drops.Look({.deliveries = 14, .sequence = 14, .pending = 0}), 0U);
}

TEST(Drops, TheFirstLookComparesWithNothing) {
  Drops drops(false);

  EXPECT_EQ(drops.Look({.deliveries = 3, .sequence = 100, .pending = 0}), 0U);
}

TEST(Drops, ANewLeaderIsNotHeldAgainstWhatTheLastOneSaid) {
  const auto position = [](const char* leader, int deliveries, int pending) {
    const auto facts = ParseConsumerInfo(
        R"({"cluster":{"leader":")" + std::string(leader) +
        R"("},"delivered":{"consumer_seq":)" + std::to_string(deliveries) +
        R"(,"stream_seq":7},"num_pending":)" + std::to_string(pending) + "}");
    return facts->position();
  };
  Drops drops(false);
  static_cast<void>(drops.Look(position("one", 5, 9)));

  EXPECT_EQ(drops.Look(position("two", 5, 6)), 0U);
  EXPECT_EQ(drops.Look(position("two", 5, 4)), 2U);
}

// What servers that look for a leader say of a consumer is of the past, or
// nothing.
TEST(Drops, AClusterWithoutALeaderSaysNothing) {
  const auto position = [](const char* cluster, int pending) {
    const auto facts = ParseConsumerInfo(
        R"({)" + std::string(cluster) +
        R"("delivered":{"consumer_seq":0,"stream_seq":0},"num_pending":)" +
        std::to_string(pending) + "}");
    return facts->position();
  };
  const char* const nobody = R"("cluster":{"name":"three"},)";
  const char* const one = R"("cluster":{"name":"three","leader":"one"},)";
  Drops drops(false);

  EXPECT_EQ(drops.Look(position(nobody, 15)), 0U);
  EXPECT_EQ(drops.Look(position(nobody, 3)), 0U);
  EXPECT_EQ(drops.Look(position(one, 9)), 0U);
  EXPECT_EQ(drops.Look(position(nobody, 3)), 0U);
  EXPECT_EQ(drops.Look(position(one, 3)), 0U);
  EXPECT_EQ(drops.Look(position(one, 2)), 1U);
  // Of a server without a cluster each word counts.
  EXPECT_EQ(drops.Look(position("", 9)), 0U);
  EXPECT_EQ(drops.Look(position("", 8)), 1U);
}

TEST(ServerWords, ATimeThatNanosecondsDoNotHoldIsTheFarthestThatTheyDo) {
  const auto created = [](const char* time) {
    return ParseConsumerInfo(R"({"created":")" + std::string(time) + "\"}")
        ->created;
  };

  EXPECT_EQ(created("0001-01-01T00:00:00Z"),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(created("9999-12-31T23:59:59Z"),
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(created("1970-01-01T00:00:01.5Z"), 1'500'000'000);
}

TEST(Drops, WhatIsPendingShrinksByDeliveriesAlone) {
  Drops drops(true);
  static_cast<void>(drops.Look({.deliveries = 0, .sequence = 0, .pending = 9}));

  EXPECT_EQ(drops.Look({.deliveries = 2, .sequence = 2, .pending = 3}), 4U);
}

TEST(Drops, ASequenceThatIsPassedOverWasNotDelivered) {
  Drops drops(false);
  static_cast<void>(drops.Look({.deliveries = 5, .sequence = 5, .pending = 0}));

  // Seven were published, six of them aged, one came.
  EXPECT_EQ(drops.Look({.deliveries = 6, .sequence = 12, .pending = 0}), 6U);
}

TEST(Drops, WithAFilterASequenceMayBeAnothers) {
  Drops drops(true);
  static_cast<void>(drops.Look({.deliveries = 5, .sequence = 5, .pending = 0}));

  EXPECT_EQ(drops.Look({.deliveries = 6, .sequence = 12, .pending = 0}), 0U);
}

TEST(Drops, WhatWasCountedAmongThePendingIsNotCountedWhenItIsPassed) {
  Drops drops(false);
  static_cast<void>(drops.Look({.deliveries = 0, .sequence = 0, .pending = 5}));

  EXPECT_EQ(drops.Look({.deliveries = 0, .sequence = 0, .pending = 0}), 5U);
  EXPECT_EQ(drops.Look({.deliveries = 1, .sequence = 6, .pending = 0}), 0U);
  // Another one, later.
  EXPECT_EQ(drops.Look({.deliveries = 2, .sequence = 8, .pending = 0}), 1U);
}

TEST(Drops, OneLookThatShowsThemBothWaysCountsThemOnce) {
  Drops drops(false);
  static_cast<void>(drops.Look({.deliveries = 0, .sequence = 0, .pending = 5}));

  EXPECT_EQ(drops.Look({.deliveries = 1, .sequence = 6, .pending = 0}), 5U);
}

TEST(Drops, ARedeliveryIsNoLoss) {
  Drops drops(false);
  static_cast<void>(drops.Look({.deliveries = 5, .sequence = 5, .pending = 2}));

  EXPECT_EQ(drops.Look({.deliveries = 9, .sequence = 5, .pending = 2}), 0U);
}

TEST(Drops, AConsumerThatWasMadeAnewIsAnother) {
  Drops drops(false);
  static_cast<void>(
      drops.Look({.deliveries = 0, .sequence = 0, .pending = 9, .created = 1}));

  EXPECT_EQ(
      drops.Look({.deliveries = 0, .sequence = 9, .pending = 0, .created = 2}),
      0U);
}

TEST(Drops, AServerThatForgotWhatItDeliveredLosesNothing) {
  Drops drops(false);
  static_cast<void>(drops.Look({.deliveries = 9, .sequence = 9, .pending = 3}));

  EXPECT_EQ(drops.Look({.deliveries = 4, .sequence = 4, .pending = 0}), 0U);
}

}  // namespace
}  // namespace cirro::internal::nats
