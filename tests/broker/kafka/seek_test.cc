// Where a group begins to read, and where it is told to go on, against a real
// broker: by time, and at the end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/consumer_groups.h"
#include "support/kafka_inlet_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// The time of record i is kBase + i * kStep, in ms; long ago, so that none is
// in the future of any broker.
constexpr std::int64_t kBase = 1'700'000'000'123;
constexpr std::int64_t kStep = 1'000;
constexpr int kRecords = 10;

Timestamp AtMs(std::int64_t ms) {
  return {.seconds = ms / 1'000,
          .nanoseconds = static_cast<std::uint32_t>(ms % 1'000 * 1'000'000)};
}
Timestamp AtNs(std::int64_t ms, std::uint32_t more) {
  Timestamp at = AtMs(ms);
  at.nanoseconds += more;
  return at;
}

std::vector<std::string> Numbers(int from, int to) {
  std::vector<std::string> numbers;
  for (int i = from; i < to; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

class KafkaSeekTest : public test::KafkaInletTest {
 protected:
  void WriteAt(const std::string& topic, const std::string& id,
               std::int64_t time, std::int32_t partition = 0) {
    tool().Write(topic, {.partition = partition,
                         .value = "x",
                         .headers = {{"ce_specversion", "1.0"},
                                     {"ce_id", id},
                                     {"ce_source", "/test"},
                                     {"ce_type", "t"}},
                         .time = time});
  }
  /// A topic with the events 0 to 9.
  std::string TimedTopic() {
    std::string topic =
        tool().MakeTopic(1, {{"retention.ms", "-1"}});  // They are old.
    for (int i = 0; i < kRecords; ++i) {
      WriteAt(topic, std::to_string(i), kBase + i * kStep);
    }
    tool().Flush();
    return topic;
  }
  /// One that has done all of the topic, and its group has committed so.
  std::unique_ptr<Member> StartAtEnd(const std::string& topic) {
    auto member = Start(Options(topic));
    member->sink.SettleAll();
    EXPECT_TRUE(AwaitCommitted(topic, kRecords));
    return member;
  }
  static Result<void> Seek(Member& member, const SeekPoint& to) {
    return CapabilityOf<Seekable>(*member.inlet)
        ->Seek(to, milliseconds(10'000));
  }
  /// What came after the first `count`.
  static std::vector<std::string> After(Member& member, std::size_t count) {
    auto came = member.sink.came();
    came.erase(came.begin(), came.begin() + static_cast<std::ptrdiff_t>(
                                                std::min(count, came.size())));
    return came;
  }
};

struct TimeCase {
  std::string_view name;
  Timestamp time;
  int first;
};

void PrintTo(const TimeCase& test, std::ostream* out) { *out << test.name; }

class KafkaSeekToTime : public KafkaSeekTest,
                        public ::testing::WithParamInterface<TimeCase> {};

TEST_P(KafkaSeekToTime, BeginsWithTheFirstRecordThatIsNotBeforeIt) {
  const std::string topic = TimedTopic();
  const auto member = StartAtEnd(topic);
  const int first = GetParam().first;

  const auto sought =
      Seek(*member, {.kind = SeekPoint::Kind::kTime, .time = GetParam().time});

  ASSERT_TRUE(sought) << sought.error().message;
  const std::size_t again = static_cast<std::size_t>(kRecords - first);
  ASSERT_TRUE(member->sink.Await(kRecords + again));
  EXPECT_EQ(After(*member, kRecords), Numbers(first, kRecords));
  // And goes on from there: nothing is passed over, and nothing comes again.
  WriteAt(topic, "next", kBase + kRecords * kStep);
  tool().Flush();
  ASSERT_TRUE(AwaitCommitted(topic, kRecords + 1));
  EXPECT_EQ(member->sink.came().size(), kRecords + again + 1);
  EXPECT_EQ(member->sink.came().back(), "next");
}

TEST_P(KafkaSeekToTime, ANewGroupBeginsThere) {
  const std::string topic = TimedTopic();
  const int first = GetParam().first;
  KafkaInletOptions options = Options(topic);
  options.start = {.kind = KafkaStart::Kind::kTime, .time = GetParam().time};

  const auto member = Start(options);

  // Where it begins is committed before anything runs.
  ASSERT_TRUE(AwaitCommitted(topic, first));
  member->sink.SettleAll();
  WriteAt(topic, "next", kBase + kRecords * kStep);
  tool().Flush();
  ASSERT_TRUE(AwaitCommitted(topic, kRecords + 1));
  auto wanted = Numbers(first, kRecords);
  wanted.emplace_back("next");
  EXPECT_EQ(member->sink.came(), wanted);
}

INSTANTIATE_TEST_SUITE_P(
    Of, KafkaSeekToTime,
    ::testing::Values(
        TimeCase{"ARecord", AtMs(kBase + 4 * kStep), 4},
        TimeCase{"BetweenTwo", AtMs(kBase + 4 * kStep + 1), 5},
        // A broker knows milliseconds: what is less counts as the next one.
        TimeCase{"LessThanAMillisecondAfterARecord", AtNs(kBase + 4 * kStep, 1),
                 5},
        TimeCase{"BeforeAll", AtMs(kBase - kStep), 0},
        TimeCase{"BeforeTimeBegan", {.seconds = -1}, 0},
        TimeCase{"AfterAll", AtMs(kBase + kRecords * kStep), kRecords}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(KafkaSeekTest, ATimeIsElsewhereInEachPartition) {
  const std::string topic = tool().MakeTopic(2, {{"retention.ms", "-1"}});
  for (int i = 0; i < kRecords; ++i) {
    WriteAt(topic, "a" + std::to_string(i), kBase + i * kStep, 0);
  }
  for (int i = 0; i < 3; ++i) {
    WriteAt(topic, "b" + std::to_string(i), kBase + (i + 7) * kStep, 1);
  }
  tool().Flush();
  const auto member = Start(Options(topic));
  member->sink.SettleAll();
  ASSERT_TRUE(AwaitCommitted(topic, kRecords, 0));
  ASSERT_TRUE(AwaitCommitted(topic, 3, 1));

  const auto sought = Seek(*member, {.kind = SeekPoint::Kind::kTime,
                                     .time = AtMs(kBase + 8 * kStep)});

  ASSERT_TRUE(sought) << sought.error().message;
  ASSERT_TRUE(member->sink.Await(17));
  EXPECT_THAT(After(*member, 13),
              ::testing::UnorderedElementsAre("a8", "a9", "b1", "b2"));
  const auto one = Seek(*member, {.kind = SeekPoint::Kind::kTime,
                                  .partition = topic + "/1",
                                  .time = AtMs(kBase)});
  ASSERT_TRUE(one) << one.error().message;
  ASSERT_TRUE(member->sink.Await(20));
  EXPECT_THAT(After(*member, 17), ElementsAre("b0", "b1", "b2"));
}

// What is not done when it is told to go to the end is passed over.
TEST_F(KafkaSeekTest, TheEndIsPastAllThatIsThere) {
  const std::string topic = TimedTopic();
  const auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(kRecords));
  ASSERT_TRUE(AwaitCommitted(topic, 0));

  const auto sought = Seek(*member, {.kind = SeekPoint::Kind::kEnd});

  ASSERT_TRUE(sought) << sought.error().message;
  ASSERT_TRUE(AwaitCommitted(topic, kRecords));
  member->sink.Drop();  // Of before: counts nothing, and does not come again.
  WriteAt(topic, "next", kBase + kRecords * kStep);
  tool().Flush();
  ASSERT_TRUE(member->sink.Await(kRecords + 1));
  EXPECT_THAT(After(*member, kRecords), ElementsAre("next"));
  EXPECT_THAT(member->notes.warnings(), IsEmpty());
}

}  // namespace
}  // namespace cirro
