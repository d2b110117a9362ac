// event -> record -> event is the identity, in each mode.

#include <gtest/gtest.h>

#include <cstdint>
#include <variant>

#include "cirro/kafka/codec.h"
#include "support/event_fixtures.h"
#include "support/kafka_decode.h"

namespace cirro {
namespace {

class KafkaRoundTrip : public ::testing::TestWithParam<ContentMode> {
 protected:
  static void ExpectTheSame(const Event& event) {
    KafkaDraft draft;
    EncodeKafka(GetParam(), event, draft);

    const KafkaContent content =
        test::DecodeKafka(draft, test::FixtureOptions());

    EXPECT_EQ(content.mode, GetParam());
    EXPECT_EQ(test::EventOf(content), event);
    const DeadLetter letter{test::EventOf(content), content.original, {}, {}};
    KafkaDraft again;
    EncodeKafkaLetter(letter, {}, again);
    EXPECT_EQ(again.value, draft.value);
    EXPECT_EQ(again.headers.size(), draft.headers.size());
  }
};

TEST_P(KafkaRoundTrip, OfTheSmallestEvent) { ExpectTheSame(test::MinEvent()); }

TEST_P(KafkaRoundTrip, OfAFullEvent) { ExpectTheSame(test::FullEvent()); }

TEST_P(KafkaRoundTrip, OfGeneratedEvents) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    SCOPED_TRACE(seed);
    ExpectTheSame(test::EventGenerator(seed).Next());
    if (HasFailure()) return;
  }
}

// Kafka tells data of zero bytes from none: a value from its null.
TEST_P(KafkaRoundTrip, OfDataOfZeroBytes) {
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    SCOPED_TRACE(seed);
    ExpectTheSame(test::EventGenerator(seed).NextWithEmptyData());
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, KafkaRoundTrip,
                         ::testing::Values(ContentMode::kBinary,
                                           ContentMode::kStructured),
                         [](const auto& param_info) -> std::string {
                           return param_info.param == ContentMode::kBinary
                                      ? "Binary"
                                      : "Structured";
                         });

}  // namespace
}  // namespace cirro
