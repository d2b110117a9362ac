// What a topic still has, once more: the module "kafka" against a real broker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/dispatch/replay.h"
#include "support/kafka_rig.h"

namespace cirro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Kind = ReplayPoint::Kind;

constexpr std::int64_t kNoon = 1'772'366'400'000;  // 2026-03-01T12:00:00Z

class KafkaReplayTest : public test::KafkaTest {
 protected:
  static KafkaInletOptions Options(const std::string& topic) {
    KafkaInletOptions options;
    options.name = "orders";
    options.connection.brokers = test::KafkaUrl();
    options.topics = {topic};
    options.group = "g-" + topic;
    return options;
  }
  std::unique_ptr<Replay> Open(const KafkaInletOptions& options,
                               ReplayRange range = {}) {
    auto replay = test::Kafka().open_replay(options, std::move(range), notes_);
    if (!replay) throw std::runtime_error(replay.error().message);
    return *std::move(replay);
  }
  std::unique_ptr<Replay> Open(const std::string& topic,
                               ReplayRange range = {}) {
    return Open(Options(topic), std::move(range));
  }
  static ReplayPoint Point(const std::string& text) {
    return *ParseReplayPoint(text);
  }
  // An event at so many seconds after noon.
  void Write(const std::string& topic, const std::string& id,
             std::int32_t partition, std::int64_t second) {
    tool().Write(topic, {.partition = partition,
                         .value = "data of " + id,
                         .headers = {{"ce_specversion", "1.0"},
                                     {"ce_id", id},
                                     {"ce_source", "/test"},
                                     {"ce_type", "t"}},
                         .time = kNoon + second * 1'000});
  }
  // The ids of what is left, `most` of them; the next is not passed.
  static std::vector<std::string> Ids(Replay& replay, std::size_t most = 1000) {
    std::vector<std::string> ids;
    const auto walked =
        replay.Walk([&](const ReplayedMessage& message) -> Result<bool> {
          if (ids.size() == most) return false;
          const auto* const event = std::get_if<Event>(&message.content);
          ids.emplace_back(event == nullptr ? "?" : event->id());
          return true;
        });
    EXPECT_TRUE(walked) << walked.error().message;
    return ids;
  }
  static Error ErrorOf(Replay& replay) {
    const auto walked =
        replay.Walk([](const ReplayedMessage&) { return Result<bool>(true); });
    if (!walked) return walked.error();
    ADD_FAILURE() << "it did not fail";
    return Error{ErrorCode::kInternal, {}};
  }
};

TEST_F(KafkaReplayTest, MergesPartitionsByTime) {
  const std::string topic = tool().MakeTopic(3);
  Write(topic, "a", 2, 1);
  Write(topic, "b", 0, 2);
  Write(topic, "c", 0, 5);
  Write(topic, "d", 1, 3);
  Write(topic, "e", 2, 5);
  Write(topic, "f", 1, 4);
  tool().Flush();
  const auto replay = Open(topic);

  EXPECT_THAT(Ids(*replay), ElementsAre("a", "b", "d", "f", "c", "e"));
  EXPECT_TRUE(replay->ended());
}

TEST_F(KafkaReplayTest, KeepsTheOrderOfAPartitionAlsoAgainstTime) {
  const std::string topic = tool().MakeTopic(2);
  Write(topic, "late", 0, 9);
  Write(topic, "early", 0, 1);
  Write(topic, "other", 1, 5);
  tool().Flush();

  EXPECT_THAT(Ids(*Open(topic)), ElementsAre("other", "late", "early"));
}

TEST_F(KafkaReplayTest, GivesTheMessageAsItCame) {
  const std::string topic = tool().MakeTopic(2);
  tool().Write(topic, {.partition = 1,
                       .value = R"({"n": 1})",
                       .headers = {{"ce_specversion", "1.0"},
                                   {"ce_id", "1"},
                                   {"ce_source", "/s"},
                                   {"ce_type", "t"},
                                   {"tenant", "a"},
                                   {"cirro-redrive-function", "bill"}},
                       .time = kNoon});
  tool().Write(topic, {.partition = 1, .value = "no event"});
  tool().Flush();
  std::vector<ReplayedMessage> messages;

  const auto walked = Open(topic)->Walk([&](const ReplayedMessage& message) {
    messages.push_back(message);
    return Result<bool>(true);
  });

  ASSERT_TRUE(walked) << walked.error().message;
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].position, topic + "/1@0");
  EXPECT_EQ(FormatTimestamp(messages[0].time), "2026-03-01T12:00:00Z");
  EXPECT_EQ(std::get<Event>(messages[0].content).data(), R"({"n": 1})");
  EXPECT_EQ(messages[0].original->headers, (MessageHeaders{{"tenant", "a"}}));
  EXPECT_EQ(messages[0].original->function, "bill");
  EXPECT_EQ(std::get<Malformed>(messages[1].content).bytes, "no event");
}

TEST_F(KafkaReplayTest, BeginsAndEndsWhereItIsTold) {
  const std::string topic = tool().MakeTopic(2);
  for (int i = 0; i < 5; ++i) {
    Write(topic, "0." + std::to_string(i), 0, 10L * i);
    Write(topic, "1." + std::to_string(i), 1, 10L * i + 5);
  }
  tool().Flush();
  struct Case {
    std::string from;
    std::string until;
    std::vector<std::string> ids;
  };
  for (const Case& one :
       {Case{"3", "end", {"0.3", "1.3", "0.4", "1.4"}},
        Case{"beginning", "1", {"0.0", "1.0"}},
        Case{"2026-03-01T12:00:30Z", "end", {"0.3", "1.3", "0.4", "1.4"}},
        Case{"2026-03-01T12:00:15.5Z", "2026-03-01T12:00:30Z", {"0.2", "1.2"}},
        Case{"2027-01-01T00:00:00Z", "end", {}}, Case{"end", "end", {}},
        Case{"4", "2", {}}, Case{topic + "/1@3", "end", {"1.3", "1.4"}},
        Case{topic + "/1@3," + topic + "/0@4",
             topic + "/1@4",
             {"1.3", "0.4"}}}) {
    const auto replay =
        Open(topic, {.from = Point(one.from), .until = Point(one.until)});

    EXPECT_EQ(Ids(*replay), one.ids) << one.from << " until " << one.until;
    EXPECT_TRUE(replay->ended());
  }
  EXPECT_THAT(Ids(*Open(topic, {.from = Point("3"), .partition = 1})),
              ElementsAre("1.3", "1.4"));
}

TEST_F(KafkaReplayTest, WhatIsLeftIsAnotherReplay) {
  const std::string topic = tool().MakeTopic(3);
  for (int i = 0; i < 6; ++i) Write(topic, std::to_string(i), i % 2, i);
  tool().Flush();
  const auto replay = Open(topic);
  ASSERT_THAT(Ids(*replay, 3), ElementsAre("0", "1", "2"));
  EXPECT_FALSE(replay->ended());
  Write(topic, "came later", 0, 0);
  Write(topic, "came later", 2, 0);
  tool().Flush();
  const ReplayRange left = replay->left();

  EXPECT_EQ(ToString(left.from), topic + "/0@2," + topic + "/1@1");
  EXPECT_EQ(ToString(left.until), topic + "/0@3," + topic + "/1@3");
  EXPECT_THAT(Ids(*Open(topic, left)), ElementsAre("3", "4", "5"));
  // The same goes on too.
  EXPECT_THAT(Ids(*replay), ElementsAre("3", "4", "5"));
}

TEST_F(KafkaReplayTest, AnErrorOfTheVisitPassesNothing) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 2);
  const auto replay = Open(topic);

  const auto walked = replay->Walk([](const ReplayedMessage&) {
    return Result<bool>(Error{ErrorCode::kRefused, "no"});
  });

  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().message, "no");
  EXPECT_THAT(Ids(*replay), ElementsAre("0", "1"));
}

TEST_F(KafkaReplayTest, AsksNothingOfTheGroup) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 5);
  const KafkaInletOptions options = Options(topic);
  tool().Commit(options.group, topic, 0, {3, "of the inlet"});

  EXPECT_EQ(Ids(*Open(options)).size(), 5U);

  const auto committed = tool().Committed(options.group, topic);
  EXPECT_EQ(committed.offset, 3);
  EXPECT_EQ(committed.metadata, "of the inlet");
  EXPECT_LT(tool().Committed("cirro-replay", topic).offset, 0);
}

TEST_F(KafkaReplayTest, ReadsSeveralTopicsAsOne) {
  const std::string first = tool().MakeTopic();
  const std::string second = tool().MakeTopic();
  Write(second, "a", 0, 1);
  Write(first, "b", 0, 2);
  Write(second, "c", 0, 3);
  tool().Flush();
  KafkaInletOptions options = Options(first);
  options.topics.push_back(second);

  EXPECT_THAT(Ids(*Open(options)), ElementsAre("a", "b", "c"));
}

TEST_F(KafkaReplayTest, ReadsMoreThanItHoldsAtOnce) {
  const std::string topic = tool().MakeTopic(2);
  constexpr int kCount = 30'000;
  for (int i = 0; i < kCount; ++i) {
    tool().WriteEvent(topic, std::to_string(i), i % 2);
  }
  tool().Flush();
  int count = 0;
  std::array<int, 2> next{0, 1};

  const auto walked =
      Open(topic)->Walk([&](const ReplayedMessage& message) -> Result<bool> {
        const int id =
            std::stoi(std::string(std::get<Event>(message.content).id()));
        EXPECT_EQ(id, std::exchange(next.at(static_cast<std::size_t>(id % 2)),
                                    id + 2));
        ++count;
        return !HasFailure();
      });

  EXPECT_TRUE(walked) << walked.error().message;
  EXPECT_EQ(count, kCount);
}

// A transaction of its own for each record; marks of it take an offset too.
void WriteInTransactions(const test::KafkaTool& tool, const std::string& topic,
                         const std::vector<std::pair<std::string, bool>>& ids) {
  rd_kafka_t* const producer =
      tool.Make(RD_KAFKA_PRODUCER, {{"transactional.id", topic}});
  ASSERT_EQ(rd_kafka_init_transactions(producer, 30'000), nullptr);
  for (const auto& [id, commit] : ids) {
    ASSERT_EQ(rd_kafka_begin_transaction(producer), nullptr);
    const std::string json = R"({"specversion":"1.0","source":"/s","type":"t",)"
                             R"("id":")" +
                             id + R"("})";
    ASSERT_EQ(
        rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(0),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE(const_cast<char*>(json.data()), json.size()),
            RD_KAFKA_V_HEADER("content-type", "application/cloudevents+json",
                              -1),
            RD_KAFKA_V_END),
        RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_flush(producer, 30'000);
    ASSERT_EQ(commit ? rd_kafka_commit_transaction(producer, 30'000)
                     : rd_kafka_abort_transaction(producer, 30'000),
              nullptr);
  }
  rd_kafka_destroy(producer);
}

TEST_F(KafkaReplayTest, PassesOverWhatWasAbortedAndTheMarksOfTransactions) {
  const std::string topic = tool().MakeTopic();
  // Offsets 0, 2 and 4; their marks are 1, 3 and 5.
  WriteInTransactions(tool(), topic,
                      {{"a", true}, {"aborted", false}, {"b", true}});
  KafkaInletOptions uncommitted = Options(topic);
  uncommitted.read_uncommitted = true;

  const auto all = Open(topic);
  EXPECT_THAT(Ids(*all), ElementsAre("a", "b"));
  EXPECT_TRUE(all->ended());
  EXPECT_THAT(Ids(*Open(uncommitted)), ElementsAre("a", "aborted", "b"));
  // What is next after the mark at 3 is past the end.
  const auto before = Open(topic, {.until = Point("4")});
  EXPECT_THAT(Ids(*before), ElementsAre("a"));
  EXPECT_TRUE(before->ended());
}

TEST_F(KafkaReplayTest, AnEmptyTopicHasEnded) {
  const auto replay = Open(tool().MakeTopic(2));

  EXPECT_THAT(Ids(*replay), IsEmpty());
  EXPECT_TRUE(replay->ended());
}

TEST_F(KafkaReplayTest, WhatThereIsNotIsNamed) {
  const std::string topic = tool().MakeTopic(2);
  tool().WriteEvents(topic, 3);
  struct Case {
    ReplayRange range;
    std::string says;
  };
  for (const Case& one :
       {Case{{.from = Point("9")}, "--from: every partition ends before"},
        Case{{.from = Point(topic + "/0@4")}, "/0 ends at offset 3"},
        Case{{.from = Point(topic + "/2@0")}, "/2'"},
        Case{{.from = Point("beginning"), .until = Point("elsewhere/0@1")},
             "'elsewhere/0'"},
        Case{{.partition = 2}, "--partition"},
        Case{{.from = Point(topic + "/0@1"), .partition = 1},
             "no offset of partition 1"}}) {
    const auto replay = Open(topic, one.range);
    const Error error = ErrorOf(*replay);

    EXPECT_EQ(error.code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(error.message, HasSubstr(one.says));
  }
  EXPECT_THAT(ErrorOf(*Open("nowhere")).message, HasSubstr("nowhere"));
}

TEST_F(KafkaReplayTest, ARegularExpressionAsksForItsTopics) {
  const auto replay =
      test::Kafka().open_replay(Options("^orders.*"), {}, notes_);

  ASSERT_FALSE(replay);
  EXPECT_EQ(replay.error().code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(replay.error().message, HasSubstr("--set inlet.orders.topics"));
}

}  // namespace
}  // namespace cirro
