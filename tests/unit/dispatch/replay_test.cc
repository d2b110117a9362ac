#include "cirro/dispatch/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace cirro {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using Kind = ReplayPoint::Kind;

TEST(ReplayPoint, IsReadAsItIsWritten) {
  for (const std::string text :
       {"beginning", "end", "0", "18446744073709551615",
        "2026-03-01T12:00:00.5Z", "2026-03-01T12:00:00+01:00", "orders/3@1234",
        "ORDERS/billing@17", "orders.a/0@1,orders.a/12@99,orders.b/0@0"}) {
    const auto point = ParseReplayPoint(text);

    ASSERT_TRUE(point) << text << ": " << point.error().message;
    EXPECT_EQ(ToString(*point), text);
  }
}

TEST(ReplayPoint, TellsANumberFromATimeAndFromPositions) {
  EXPECT_EQ(ParseReplayPoint("2026")->kind, Kind::kNumber);
  EXPECT_EQ(ParseReplayPoint("2026")->number, 2026U);
  EXPECT_EQ(ParseReplayPoint("2026-03-01T00:00:00Z")->kind, Kind::kTime);
  const auto positions = ParseReplayPoint("a/1@7,a/0@8");
  ASSERT_TRUE(positions);
  EXPECT_EQ(positions->kind, Kind::kPositions);
  EXPECT_THAT(positions->positions,
              UnorderedElementsAre(Pair("a/0", 8U), Pair("a/1", 7U)));
}

TEST(ReplayPoint, IsRefusedWithWhatThereIs) {
  for (const std::string text :
       {"", "begin", "-1", "1.5", "18446744073709551616", "2026-03-01", "@",
        "@1", "orders/3@", "orders/3@x", "orders/3@1,", ",orders/3@1",
        "orders/3@1,orders/3@2", "orders/3@1, orders/4"}) {
    const auto point = ParseReplayPoint(text);

    ASSERT_FALSE(point) << text;
    EXPECT_EQ(point.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(point.error().message, HasSubstr("orders/3@1234,orders/4@99"));
  }
}

}  // namespace
}  // namespace cirro
