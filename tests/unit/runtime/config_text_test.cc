// How values, names and flags are written.

#include <gtest/gtest.h>

#include <string>

#include "runtime/src/flags.h"
#include "runtime/src/units.h"

namespace cirro::internal {
namespace {

using std::chrono::milliseconds;

struct DurationCase {
  const char* text;
  std::int64_t ms;  // -1: it is none.
};

class Durations : public ::testing::TestWithParam<DurationCase> {};

TEST_P(Durations, AreReadAsWritten) {
  const auto value = ParseDuration(GetParam().text);

  EXPECT_EQ(value.value_or(milliseconds(-1)).count(), GetParam().ms)
      << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    All, Durations,
    ::testing::Values(
        DurationCase{"0", 0}, DurationCase{"0s", 0}, DurationCase{"250ms", 250},
        DurationCase{"10s", 10'000}, DurationCase{"1m30s", 90'000},
        DurationCase{"1.5h", 5'400'000}, DurationCase{"2d", 172'800'000},
        DurationCase{"0.001s", 1}, DurationCase{"PT0.2S", 200},
        DurationCase{"P1DT1H", 90'000'000}, DurationCase{"PT1M", 60'000},
        DurationCase{"", -1}, DurationCase{"10", -1}, DurationCase{"s", -1},
        DurationCase{"-1s", -1}, DurationCase{"1s1m", -1},
        DurationCase{"1s1s", -1}, DurationCase{"0.0001s", -1},
        DurationCase{"0.5ms", -1}, DurationCase{"1e3s", -1},
        DurationCase{"1 s", -1}, DurationCase{"1.s", -1},
        DurationCase{"99999999999999999999s", -1}, DurationCase{"1001d", -1},
        DurationCase{"P", -1}, DurationCase{"PT", -1}, DurationCase{"P1M", -1},
        DurationCase{"P1H", -1}, DurationCase{"PT1S1M", -1},
        DurationCase{"PT1", -1}));

TEST(DurationText, ReadsBackAsTheSameValue) {
  for (const std::int64_t ms :
       {0LL, 1LL, 999LL, 1'000LL, 90'061'001LL, 3'600'000LL}) {
    const std::string text = FormatDuration(milliseconds(ms));
    EXPECT_EQ(ParseDuration(text), milliseconds(ms)) << text;
  }
}

TEST(ByteSizes, AreReadAsWritten) {
  EXPECT_EQ(ParseByteSize("65536"), 65'536);
  EXPECT_EQ(ParseByteSize("64KiB"), 65'536);
  EXPECT_EQ(ParseByteSize("5MB"), 5'000'000);
  EXPECT_EQ(ParseByteSize("2GiB"), 2LL << 30);
  EXPECT_EQ(ParseByteSize("7B"), 7);
  EXPECT_EQ(ParseByteSize(""), std::nullopt);
  EXPECT_EQ(ParseByteSize("KiB"), std::nullopt);
  EXPECT_EQ(ParseByteSize("-1KiB"), std::nullopt);
  EXPECT_EQ(ParseByteSize("1.5MiB"), std::nullopt);
  EXPECT_EQ(ParseByteSize("99999999999GiB"), std::nullopt);
  EXPECT_EQ(ParseByteSize("1TiB"), std::nullopt);
}

TEST(TypingDistance, CountsASwapOfNeighboursAsOne) {
  EXPECT_EQ(TypingDistance("prot", "port"), 1U);
  EXPECT_EQ(TypingDistance("port", "port"), 0U);
  EXPECT_EQ(TypingDistance("", "port"), 4U);
  EXPECT_EQ(TypingDistance("kitten", "sitting"), 3U);
}

TEST(Flags, TakeValuesInBothForms) {
  const auto flags = ParseFlags(
      std::vector<std::string>{"--port", "80", "--host=::1", "--set",
                               "drain.grace=1s", "--address", "127.0.0.1"});

  ASSERT_TRUE(flags) << flags.error().message;
  ASSERT_EQ(flags->settings.size(), 4U);
  EXPECT_EQ(flags->settings[0].setting, "http.port");
  EXPECT_EQ(flags->settings[0].value, "80");
  EXPECT_EQ(flags->settings[1].value, "::1");
  EXPECT_EQ(flags->settings[2].setting, "drain.grace");
  EXPECT_EQ(flags->settings[3].setting, "http.host");
}

TEST(Flags, ADefaultIsNoSettingOfTheCommandLine) {
  const auto flags =
      ParseFlags(std::vector<std::string>{"--default", "http.host=127.0.0.1"});
  const auto shape = ParseFlags(std::vector<std::string>{"--default=a.b"});

  ASSERT_TRUE(flags) << flags.error().message;
  EXPECT_TRUE(flags->settings.empty());
  ASSERT_EQ(flags->defaults.size(), 1U);
  EXPECT_EQ(flags->defaults[0].setting, "http.host");
  EXPECT_EQ(flags->defaults[0].value, "127.0.0.1");
  EXPECT_EQ(shape.error().message, "--default a.b: must be SECTION.KEY=VALUE");
}

TEST(Flags, MistakesNameTheNearestFlag) {
  const auto typo = ParseFlags(std::vector<std::string>{"--prot=80"});
  const auto missing = ParseFlags(std::vector<std::string>{"--port"});
  const auto extra = ParseFlags(std::vector<std::string>{"--help=yes"});
  const auto shape = ParseFlags(std::vector<std::string>{"--set", "a.b"});

  EXPECT_EQ(typo.error().message, "unknown flag --prot; did you mean --port?");
  EXPECT_EQ(missing.error().message, "--port needs a value");
  EXPECT_EQ(extra.error().message, "--help takes no value");
  EXPECT_EQ(shape.error().message, "--set a.b: must be SECTION.KEY=VALUE");
}

}  // namespace
}  // namespace cirro::internal
