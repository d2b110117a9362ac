#include "cirro/dispatch/offset_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/dispatch/watermark.h"

namespace cirro {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kEnd = 2'000'000;

OffsetMap FullMap() {
  return {.base = 1'000'000,
          .starts = 3,
          .clean = true,
          .next = 1'000'400,
          .done = {{1'000'001, 1'000'005}, {1'000'300, 1'000'400}},
          .crashes = {{1'000'000, 2}},
          .attempts = {{1'000'000, 4}, {1'000'200, 1}}};
}

std::string WhyNot(std::string_view text, std::uint64_t committed = 1'000'000,
                   std::uint64_t end = kEnd) {
  const auto map = DecodeOffsetMap(text, committed, end);
  if (map) return "it is read";
  EXPECT_EQ(map.error().code, ErrorCode::kUnsupported);
  return map.error().message;
}

// Every second offset of so many: bits are shorter than runs.
std::vector<OffsetRun> EverySecond(std::uint64_t base, std::uint64_t count) {
  std::vector<OffsetRun> runs;
  for (std::uint64_t at = base + 1; at < base + count; at += 2) {
    runs.push_back({at, at + 1});
  }
  return runs;
}

TEST(OffsetMap, IsReadAsItWasWritten) {
  const OffsetMap map = FullMap();

  const auto read = DecodeOffsetMap(EncodeOffsetMap(map), map.base, kEnd);

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, map);
}

TEST(OffsetMap, IsShortWhereNothingIsToBeSaid) {
  const OffsetMap map{.base = 12, .starts = 1, .next = 12};

  const std::string text = EncodeOffsetMap(map);

  EXPECT_LE(text.size(), 16U);
  const auto read = DecodeOffsetMap(text, 12, 12);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, map);
}

TEST(OffsetMap, HoldsTheLongestSpanInAnyPattern) {
  OffsetMap map = FullMap();
  map.done = EverySecond(map.base, Watermark::kLongestSpan);
  map.next = map.base + Watermark::kLongestSpan;

  const std::string text = EncodeOffsetMap(map);

  EXPECT_LE(text.size(), kMostMetadataBytes);
  const auto read = DecodeOffsetMap(text, map.base, kEnd);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, map);
}

TEST(OffsetMap, IsLettersDigitsAndTwoMarks) {
  OffsetMap map = FullMap();
  map.done = EverySecond(map.base, 500);

  EXPECT_THAT(EncodeOffsetMap(map), testing::MatchesRegex("[A-Za-z0-9_-]+"));
}

TEST(OffsetMap, LeavesOutAttemptsThenTheMapAndNeverTheHeader) {
  OffsetMap map = FullMap();
  map.done = EverySecond(map.base, 1'000);
  map.attempts.clear();
  for (std::uint64_t i = 0; i < 100; ++i) {
    map.attempts.push_back({map.base + 2 * i, 3});
  }
  const std::size_t whole = EncodeOffsetMap(map).size();
  const auto within = [&](std::size_t most) {
    const std::string text = EncodeOffsetMap(map, most);
    EXPECT_LE(text.size(), most);
    auto read = DecodeOffsetMap(text, map.base, kEnd);
    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->starts, map.starts);
    EXPECT_EQ(read->clean, map.clean);
    EXPECT_EQ(read->crashes, map.crashes);
    return *std::move(read);
  };

  const OffsetMap fewer = within(whole - 40);
  EXPECT_EQ(fewer.done, map.done);
  ASSERT_FALSE(fewer.attempts.empty());
  EXPECT_LT(fewer.attempts.size(), map.attempts.size());
  EXPECT_EQ(fewer.attempts.back(), map.attempts[fewer.attempts.size() - 1]);

  const OffsetMap none = within(150);
  EXPECT_LT(none.attempts.size(), map.attempts.size());
  EXPECT_TRUE(none.done.empty());

  EXPECT_TRUE(within(kLeastMetadataBytes).done.empty());
}

TEST(OffsetMap, WritesItsHeaderAtTheLeastSizeWhateverItsNumbers) {
  const OffsetMap map{.base = (std::uint64_t{1} << 63) - 2,
                      .starts = 0xFFFF'FFFF,
                      .next = (std::uint64_t{1} << 63) - 1,
                      .crashes = {{(std::uint64_t{1} << 63) - 2, 0xFFFF'FFFF}}};

  const std::string text = EncodeOffsetMap(map, kLeastMetadataBytes);

  EXPECT_LE(text.size(), kLeastMetadataBytes);
  const auto read = DecodeOffsetMap(text, map.base, map.next);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, map);
}

TEST(OffsetMap, RefusesWhatAnotherWrote) {
  EXPECT_THAT(WhyNot(""), HasSubstr("they are empty"));
  EXPECT_THAT(WhyNot("NO_METADATA:"), HasSubstr("not base64url"));
  EXPECT_THAT(WhyNot("consumer-7"), HasSubstr("version 114 is not 1"));
  EXPECT_THAT(WhyNot("AQ"), HasSubstr("cut off"));
  EXPECT_THAT(WhyNot("AQAAAAAAAAAAAAAAAAAA"), HasSubstr("check sum"));
}

TEST(OffsetMap, RefusesAnotherVersion) {
  std::string text = EncodeOffsetMap(FullMap());
  text[1] = text[1] == 'g' ? 'w' : 'g';  // The second half of the first byte.

  EXPECT_THAT(WhyNot(text), HasSubstr("version 2 is not 1"));
}

TEST(OffsetMap, RefusesOneThatIsCutOffAnywhereOrHasMoreBehind) {
  const std::string text = EncodeOffsetMap(FullMap());

  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_NE(WhyNot(std::string_view(text).substr(0, size)), "it is read");
  }
  EXPECT_NE(WhyNot(text + "A"), "it is read");
  EXPECT_NE(WhyNot(text + "AAAA"), "it is read");
}

TEST(OffsetMap, RefusesOneWithAnyBitFlipped) {
  const std::string text = EncodeOffsetMap(FullMap());

  for (std::size_t at = 0; at < text.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string flipped = text;
      flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^
                                      (1U << bit));
      EXPECT_NE(WhyNot(flipped), "it is read") << at << ' ' << bit;
    }
  }
}

TEST(OffsetMap, RefusesThatOfAnotherCommit) {
  const std::string text = EncodeOffsetMap(FullMap());

  EXPECT_THAT(WhyNot(text, 999'999),
              HasSubstr("of offset 1000000, and the commit of 999999"));
}

TEST(OffsetMap, RefusesOneThatWasCopied) {
  const OffsetMap map = FullMap();
  const std::string text =
      EncodeOffsetMap(map, kMostMetadataBytes, MapPlace("g", "t", 11));

  EXPECT_TRUE(DecodeOffsetMap(text, map.base, kEnd, MapPlace("g", "t", 11)));
  for (const std::string& other :
       {MapPlace("h", "t", 11), MapPlace("g", "u", 11), MapPlace("g", "t", 1),
        MapPlace("1/g", "t", 1), std::string()}) {
    EXPECT_FALSE(DecodeOffsetMap(text, map.base, kEnd, other)) << other;
  }
}

TEST(OffsetMap, RefusesOneThatReachesPastThePartitionsEnd) {
  OffsetMap map = FullMap();

  EXPECT_THAT(WhyNot(EncodeOffsetMap(map), map.base, 1'000'399),
              HasSubstr("next offset 1000400 is past the partition's end "
                        "1000399"));
  map.done.push_back({1'000'500, 1'000'600});
  EXPECT_THAT(WhyNot(EncodeOffsetMap(map), map.base, 1'000'599),
              HasSubstr("end of what is done 1000600"));
  map.crashes.push_back({1'000'700, 1});
  EXPECT_THAT(WhyNot(EncodeOffsetMap(map), map.base, 1'000'700),
              HasSubstr("crash count 1000701"));
  map.attempts.push_back({1'000'800, 1});
  EXPECT_THAT(WhyNot(EncodeOffsetMap(map), map.base, 1'000'800),
              HasSubstr("attempt count 1000801"));
  EXPECT_EQ(WhyNot(EncodeOffsetMap(map), map.base, 1'000'801), "it is read");
}

TEST(OffsetMap, SaysThatItIsIgnored) {
  EXPECT_THAT(WhyNot("consumer-7"), HasSubstr("they are ignored"));
}

OffsetMap RandomMap(std::mt19937_64& random) {
  const auto below = [&](std::uint64_t most) { return random() % most; };
  OffsetMap map;
  map.base = random() >> (1 + below(60));
  if (map.base > std::uint64_t{1} << 62) map.base >>= 1;
  map.starts = static_cast<std::uint32_t>(random() >> (32 + below(32)));
  map.clean = below(2) == 0;
  map.next = map.base + below(20'000);
  const std::uint64_t sparse = 1 + below(40);
  std::uint64_t at = map.base;
  for (std::uint64_t left = below(400); left > 0; --left) {
    const std::uint64_t begin = at + 1 + below(sparse);
    map.done.push_back({begin, begin + 1 + below(sparse)});
    at = map.done.back().end;
  }
  for (auto* const counts : {&map.crashes, &map.attempts}) {
    at = map.base;
    for (std::uint64_t left = below(30); left > 0; --left) {
      counts->push_back(
          {at + below(500), 1 + static_cast<std::uint32_t>(below(9))});
      at = counts->back().offset + 1;
    }
  }
  return map;
}

TEST(OffsetMap, IsReadAsItWasWrittenWhateverItIs) {
  std::mt19937_64 random(4711);
  for (int round = 0; round < 3'000; ++round) {
    const OffsetMap map = RandomMap(random);

    const auto read = DecodeOffsetMap(EncodeOffsetMap(map, 1 << 20), map.base,
                                      map.base + 100'000);

    ASSERT_TRUE(read) << round << ": " << read.error().message;
    ASSERT_EQ(*read, map) << round;
  }
}

TEST(OffsetMap, KeepsWithinAnyBoundAndIsReadThen) {
  std::mt19937_64 random(1147);
  for (int round = 0; round < 3'000; ++round) {
    const OffsetMap map = RandomMap(random);
    const std::size_t most = kLeastMetadataBytes + random() % 1'500;

    const std::string text = EncodeOffsetMap(map, most);

    ASSERT_LE(text.size(), most);
    const auto read = DecodeOffsetMap(text, map.base, map.base + 100'000);
    ASSERT_TRUE(read) << round << ": " << read.error().message;
    ASSERT_EQ(read->starts, map.starts);
    ASSERT_TRUE(read->done.empty() || read->done == map.done);
    ASSERT_LE(read->attempts.size(), map.attempts.size());
  }
}

}  // namespace
}  // namespace cirro
