// event -> wire -> event is the identity, in each mode.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cirro/http/codec.h"
#include "support/event_fixtures.h"
#include "support/http_decode.h"

namespace cirro {
namespace {

class RoundTrip : public ::testing::TestWithParam<ContentMode> {
 protected:
  static HttpContent ThereAndBack(const Event& event) {
    std::string lines;
    std::string buffer;
    const std::string_view body = EncodeHttp(GetParam(), event, lines, buffer);
    return test::DecodeHttp(test::SplitHeaderLines(lines), body,
                            test::FixtureOptions());
  }
  static void ExpectTheSame(const Event& event) {
    const HttpContent content = ThereAndBack(event);

    EXPECT_EQ(content.mode, GetParam());
    EXPECT_EQ(content.forgiven, Leniency::kNone);
    if (GetParam() == ContentMode::kBatch) {
      const auto* const members =
          std::get_if<std::vector<Result<Event>>>(&content.value);
      ASSERT_NE(members, nullptr);
      ASSERT_EQ(members->size(), 1U);
      ASSERT_TRUE((*members)[0]) << (*members)[0].error().message;
      EXPECT_EQ(*(*members)[0], event);
    } else {
      EXPECT_EQ(test::EventOf(content), event);
    }
  }
};

TEST_P(RoundTrip, OfTheSmallestEvent) { ExpectTheSame(test::MinEvent()); }

TEST_P(RoundTrip, OfAFullEvent) { ExpectTheSame(test::FullEvent()); }

TEST_P(RoundTrip, OfGeneratedEvents) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    SCOPED_TRACE(seed);
    ExpectTheSame(test::EventGenerator(seed).Next());
    if (HasFailure()) return;
  }
}

// Structured mode and batches tell data of zero bytes from none; binary mode
// has but an empty body for both, and says none.
TEST_P(RoundTrip, OfDataOfZeroBytes) {
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    SCOPED_TRACE(seed);
    const Event event = test::EventGenerator(seed).NextWithEmptyData();
    ASSERT_TRUE(event.has_data());
    const Event none =
        test::MustBuild(EventBuilder(event).RemoveData().datacontenttype(
            event.datacontenttype()));
    ExpectTheSame(none);
    if (GetParam() == ContentMode::kBinary) {
      EXPECT_EQ(test::EventOf(ThereAndBack(event)), none);
    } else {
      ExpectTheSame(event);
    }
    if (HasFailure()) return;
  }
}

// Header injection: whatever an event holds, its header block has one line an
// attribute, and nothing in it but visible ASCII and the blank after a colon.
TEST(BinaryHeaders, AreOnePrintableLineAnAttribute) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    const Event event = test::EventGenerator(seed).Next();
    std::string lines;
    AppendBinaryHeaders(event, lines);

    const auto headers = test::SplitHeaderLines(lines);

    ASSERT_EQ(headers.size(), event.attribute_count());
    for (const HttpHeader& header : headers) {
      // A media type is no escaped text: its blanks are its own.
      const char least = header.name == "content-type" ? 0x1F : 0x20;
      for (const char c : header.value.substr(1)) {
        ASSERT_TRUE(c > least && c < 0x7F) << header.value;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, RoundTrip,
                         ::testing::Values(ContentMode::kBinary,
                                           ContentMode::kStructured,
                                           ContentMode::kBatch),
                         [](const auto& param_info) -> std::string {
                           switch (param_info.param) {
                             case ContentMode::kBinary:
                               return "Binary";
                             case ContentMode::kStructured:
                               return "Structured";
                             default:
                               return "Batch";
                           }
                         });

}  // namespace
}  // namespace cirro
