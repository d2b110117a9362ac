#include "cirro/cloudevents/timestamp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace cirro {
namespace {

using ::testing::HasSubstr;

TEST(Timestamp, ReadsTheExamplesOfItsSpecification) {
  EXPECT_EQ(ParseTimestamp("1985-04-12T23:20:50.52Z")->seconds, 482'196'050);
  EXPECT_EQ(ParseTimestamp("1996-12-19T16:39:57-08:00")->seconds, 851'042'397);
  EXPECT_EQ(ParseTimestamp("1937-01-01T12:00:27.87+00:20")->seconds,
            -1'041'337'173);
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00Z")->seconds, 0);
  EXPECT_EQ(ParseTimestamp("0000-01-01T00:00:00Z")->seconds, -62'167'219'200);
  EXPECT_EQ(ParseTimestamp("9999-12-31T23:59:59Z")->seconds, 253'402'300'799);
}

TEST(Timestamp, TakesAnyNumberOfFractionDigits) {
  const std::string begin = "2000-01-01T00:00:00.";
  EXPECT_EQ(ParseTimestamp(begin + "5Z")->nanoseconds, 500'000'000U);
  EXPECT_EQ(ParseTimestamp(begin + "000000001Z")->nanoseconds, 1U);
  EXPECT_EQ(ParseTimestamp(begin + "0000000019Z")->nanoseconds, 1U);
  EXPECT_EQ(ParseTimestamp(begin + std::string(1'000, '9') + "Z")->nanoseconds,
            999'999'999U);
}

TEST(Timestamp, TakesLowerCaseAndEveryOffset) {
  EXPECT_TRUE(IsTimestamp("2000-01-01t00:00:00z"));
  EXPECT_EQ(ParseTimestamp("2000-01-01T00:00:00+23:59")->offset_minutes, 1'439);
  EXPECT_EQ(ParseTimestamp("2000-01-01T00:00:00-23:59")->offset_minutes,
            -1'439);
  EXPECT_EQ(ParseTimestamp("2000-01-01T00:00:00-00:00")->offset_minutes, 0);
}

TEST(Timestamp, TakesALeapSecondAtTheEndOfAMonth) {
  EXPECT_EQ(ParseTimestamp("1990-12-31T23:59:60Z")->seconds,
            ParseTimestamp("1991-01-01T00:00:00Z")->seconds);
  EXPECT_TRUE(IsTimestamp("1990-12-31T15:59:60-08:00"));
  EXPECT_TRUE(IsTimestamp("2012-07-01T01:59:60+02:00"));
  EXPECT_FALSE(IsTimestamp("2021-01-18T14:00:60Z"));
  EXPECT_FALSE(IsTimestamp("1990-12-30T23:59:60Z"));
  EXPECT_FALSE(IsTimestamp("1990-12-31T23:59:60-08:00"));
  EXPECT_FALSE(IsTimestamp("1990-12-31T23:59:61Z"));
}

TEST(Timestamp, KnowsTheCalendar) {
  EXPECT_TRUE(IsTimestamp("2000-02-29T00:00:00Z"));
  EXPECT_TRUE(IsTimestamp("2024-02-29T00:00:00Z"));
  EXPECT_FALSE(IsTimestamp("2100-02-29T00:00:00Z"));
  EXPECT_FALSE(IsTimestamp("2023-02-29T00:00:00Z"));
  EXPECT_FALSE(IsTimestamp("2023-04-31T00:00:00Z"));
  EXPECT_FALSE(IsTimestamp("2023-00-01T00:00:00Z"));
  EXPECT_FALSE(IsTimestamp("2023-13-01T00:00:00Z"));
  EXPECT_FALSE(IsTimestamp("2023-01-00T00:00:00Z"));
}

TEST(Timestamp, RefusesWhatIsNotRfc3339) {
  for (const char* const text : {"",
                                 "garbage",
                                 "2021-01-18",
                                 "2021-01-18T14:52:01",
                                 "2021-01-18T14:52Z",
                                 "2021-01-18 14:52:01Z",
                                 "2021-01-18T14:52:01Z01",
                                 "2021-01-18T14:52:01+01",
                                 "2021-01-18T14:52:01+0100",
                                 "2021-01-18T14:52:01+01:30:30",
                                 "2021-01-18T14:52:01-00:60",
                                 "2021-01-18T14:52:01+24:00",
                                 "2021-01-18T24:00:00Z",
                                 "2021-01-18T14:60:00Z",
                                 "2021-01-18T14:52:01.Z",
                                 "2021-01-18T14:52:01,5Z",
                                 "10000-01-01T00:00:00Z",
                                 "100-01-01T00:00:00Z",
                                 "2021-1-01T00:00:00Z",
                                 " 2021-01-18T14:52:01Z",
                                 "2021-01-18T14:52:01Z ",
                                 "+2021-01-18T14:52:01Z",
                                 "2021-01-18T14:52:01.5"}) {
    EXPECT_FALSE(IsTimestamp(text)) << text;
  }
}

TEST(Timestamp, SaysWhatIsWrong) {
  const auto time = ParseTimestamp("2021-02-30T00:00:00Z");
  ASSERT_FALSE(time);
  EXPECT_THAT(time.error().message, HasSubstr("no such day"));
  EXPECT_THAT(time.error().message, HasSubstr("2021-02-30T00:00:00Z"));
}

TEST(Timestamp, FormatsWithItsOffsetAndTheDigitsItNeeds) {
  EXPECT_EQ(FormatTimestamp({0, 0, 0}), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTimestamp({0, 120'000'000, 90}),
            "1970-01-01T01:30:00.12+01:30");
  EXPECT_EQ(FormatTimestamp({-1, 1, -5}),
            "1969-12-31T23:54:59.000000001-00:05");
  EXPECT_EQ(FormatTimestamp({-62'167'219'200, 0, 0}), "0000-01-01T00:00:00Z");
}

TEST(Timestamp, ReadsBackWhatItFormatted) {
  for (std::int64_t day = -719'528; day <= 2'932'896; day += 97) {
    const Timestamp value{day * 86'400 + day % 86'400, 0, 0};
    const auto again = ParseTimestamp(FormatTimestamp(value));
    ASSERT_TRUE(again || value.seconds < -62'167'219'200)
        << FormatTimestamp(value);
    if (again) {
      ASSERT_EQ(again->seconds, value.seconds);
    }
  }
}

TEST(Timestamp, ComparesInstants) {
  EXPECT_EQ(*ParseTimestamp("2000-01-01T01:00:00+01:00"),
            *ParseTimestamp("2000-01-01T00:00:00Z"));
  EXPECT_LT(*ParseTimestamp("2000-01-01T00:00:00.1Z"),
            *ParseTimestamp("2000-01-01T00:00:00.11Z"));
}

TEST(Timestamp, GoesToTheSystemClockAndBack) {
  const Timestamp before_epoch{-1, 999'999'999, 0};
  EXPECT_EQ(ToTimestamp(ToSysTime(before_epoch)).seconds, -1);
  EXPECT_EQ(ToTimestamp(ToSysTime(before_epoch)).nanoseconds, 999'999'999U);
  EXPECT_EQ(ToSysTime(*ParseTimestamp("9999-01-01T00:00:00Z")),
            decltype(ToSysTime({}))::max());
  EXPECT_EQ(ToSysTime(*ParseTimestamp("0001-01-01T00:00:00Z")),
            decltype(ToSysTime({}))::min());
}

}  // namespace
}  // namespace cirro
