#include "bindings/nats/src/header_lines.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cirro::internal::nats {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Nothing where the lines are not of this kind.
Pairs Parsed(std::string_view lines) {
  std::vector<NatsHeader> headers{{"left", "over"}};
  const bool parsed = ParseHeaderLines(lines, headers);
  Pairs pairs;
  for (const NatsHeader& header : headers) {
    pairs.emplace_back(header.name, header.value);
  }
  EXPECT_TRUE(parsed || pairs.empty());
  return pairs;
}

TEST(HeaderLines, AreHeadersInTheirOrder) {
  const Pairs headers =
      Parsed("NATS/1.0\r\nce-type: com.example\r\nA:1\r\nA: 2:3\r\n\r\n");

  EXPECT_EQ(headers,
            (Pairs{{"ce-type", "com.example"}, {"A", "1"}, {"A", "2:3"}}));
}

TEST(HeaderLines, LeaveOutTheSpaceAroundAValue) {
  const Pairs headers = Parsed("NATS/1.0\r\nA: \t b c \v\r\n\r\n");

  EXPECT_EQ(headers, (Pairs{{"A", "b c"}}));
}

TEST(HeaderLines, MayHaveNoValue) {
  const Pairs headers = Parsed("NATS/1.0\r\nA: \r\nB: b\r\n\r\n");

  EXPECT_EQ(headers, (Pairs{{"A", ""}, {"B", "b"}}));
}

TEST(HeaderLines, MayBeNone) {
  std::vector<NatsHeader> headers;

  EXPECT_TRUE(ParseHeaderLines("NATS/1.0\r\n\r\n", headers));
  EXPECT_TRUE(headers.empty());
}

TEST(HeaderLines, OfAnotherKindAreRefused) {
  std::vector<NatsHeader> headers;
  const std::string_view zero("NATS/1.0\r\nA: b\0c\r\n\r\n", 20);

  for (const std::string_view lines :
       {std::string_view(), std::string_view("NATS/1.0"),
        std::string_view("NATS/1.0 503\r\n\r\n"),
        std::string_view("NATS/1.0\r\nA: b\r\n"),
        std::string_view("NATS/1.0\r\nA: b\r\n c: d\r\n\r\n"),
        std::string_view("NATS/1.0\r\nA b\r\n\r\n"),
        std::string_view("NATS/1.0\r\n: b\r\n\r\n"),
        std::string_view("NATS/1.0\r\nA: b\r\n\r\nC: d\r\n\r\n"), zero}) {
    EXPECT_FALSE(ParseHeaderLines(lines, headers)) << lines;
    EXPECT_TRUE(headers.empty()) << lines;
  }
}

}  // namespace
}  // namespace cirro::internal::nats
