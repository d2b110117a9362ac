// Dead letters in a topic, for operators: the module "kafka" against a real
// broker.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/dispatch/letter_box.h"
#include "cirro/dispatch/offset_map.h"
#include "support/kafka_rig.h"

namespace cirro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class KafkaLetterBoxTest : public test::KafkaTest {
 protected:
  static KafkaOutletOptions Options(const std::string& topic) {
    KafkaOutletOptions options;
    options.name = "dead";
    options.connection.brokers = test::KafkaUrl();
    options.topic = topic;
    return options;
  }
  std::unique_ptr<LetterBox> Open(const std::string& topic) {
    auto box = test::Kafka().open_box(Options(topic), notes_);
    if (!box) throw std::runtime_error(box.error().message);
    return *std::move(box);
  }
  std::unique_ptr<LetterReturn> OpenReturn(const std::string& topic) {
    KafkaInletOptions options;
    options.name = "orders";
    options.connection.brokers = test::KafkaUrl();
    options.topics = {topic};
    options.group = "g";
    auto made = test::Kafka().open_return(options, clock_, notes_);
    if (!made) throw std::runtime_error(made.error().message);
    return *std::move(made);
  }
  // What an outlet writes of a letter.
  void WriteLetter(const std::string& topic, const std::string& position,
                   std::int32_t partition = 0,
                   const std::string& function = "bill",
                   std::size_t bytes = 4) {
    tool().Write(topic, {.partition = partition,
                         .key = "k",
                         .value = std::string(bytes, 'd'),
                         .headers = {{"ce_specversion", "1.0"},
                                     {"ce_id", position},
                                     {"ce_source", "/s"},
                                     {"ce_type", "t"},
                                     {"content-type", "text/plain"},
                                     {"tenant", "a"},
                                     {"cirro-dlq-reason", "rejected"},
                                     {"cirro-dlq-function", function},
                                     {"cirro-dlq-inlet", "orders"},
                                     {"cirro-dlq-position", position},
                                     {"cirro-dlq-attempts", "1"}}});
  }
  // orders/0@0, orders/0@1, ...
  void WriteLetters(const std::string& topic, int count) {
    for (int i = 0; i < count; ++i) {
      WriteLetter(topic, "orders/0@" + std::to_string(i));
    }
    tool().Flush();
  }
  static std::vector<KeptLetter> All(LetterBox& box,
                                     const LetterFilter& filter = {}) {
    std::vector<KeptLetter> all;
    const auto walked = box.Walk(filter, [&](const KeptLetter& kept) {
      all.push_back(kept);
      return Result<bool>(true);
    });
    EXPECT_TRUE(walked) << walked.error().message;
    return all;
  }
  static std::vector<std::string> Ids(LetterBox& box,
                                      const LetterFilter& filter = {}) {
    std::vector<std::string> ids;
    for (const KeptLetter& kept : All(box, filter)) ids.push_back(kept.id);
    return ids;
  }
};

TEST_F(KafkaLetterBoxTest, WalksInTheOrderOfTheSources) {
  const std::string topic = tool().MakeTopic(2);
  WriteLetter(topic, "orders/0@12", 0);
  WriteLetter(topic, "orders/0@9", 1);
  WriteLetter(topic, "orders/0@7", 0);
  WriteLetter(topic, "orders/0@8", 0);
  tool().Flush();
  const auto box = Open(topic);

  EXPECT_THAT(Ids(*box), ElementsAre("0@1", "0@2", "1@0", "0@0"));
}

TEST_F(KafkaLetterBoxTest, GivesTheLetterAsItWasBuried) {
  const std::string topic = tool().MakeTopic();
  WriteLetters(topic, 1);
  const auto box = Open(topic);

  const auto found = box->Find("0@0");

  ASSERT_TRUE(found && *found);
  const DeadLetter& letter = (*found)->letter;
  EXPECT_EQ(letter.key, "k");
  EXPECT_EQ(letter.facts.function, "bill");
  EXPECT_EQ(letter.facts.reason, DeadReason::kRejected);
  EXPECT_EQ(std::get<Event>(letter.content).id(), "orders/0@0");
  EXPECT_EQ(letter.original->headers, (MessageHeaders{{"tenant", "a"}}));
  EXPECT_FALSE(letter.original->dead_letter);
  EXPECT_FALSE(*box->Find("0@1"));
  EXPECT_FALSE(*box->Find("7@0"));
  EXPECT_FALSE(*box->Find("nonsense"));
}

TEST_F(KafkaLetterBoxTest, WhatIsMarkedIsPassedOverByAnother) {
  const std::string topic = tool().MakeTopic();
  WriteLetters(topic, 5);
  const auto box = Open(topic);

  for (const char* id : {"0@0", "0@1", "0@3"}) {
    const auto marked = box->MarkRedriven(id);
    ASSERT_TRUE(marked) << marked.error().message;
  }

  const auto other = Open(topic);
  EXPECT_THAT(Ids(*other), ElementsAre("0@2", "0@4"));
  EXPECT_THAT(Ids(*other, {.redriven = true}), SizeIs(5));
  EXPECT_TRUE((*other->Find("0@3"))->redriven);
  EXPECT_EQ(tool().Committed(kKafkaLetterGroup, topic).offset, 2);
  EXPECT_TRUE(other->MarkRedriven("0@1"));
  EXPECT_THAT(Ids(*Open(topic)), ElementsAre("0@2", "0@4"));
}

TEST_F(KafkaLetterBoxTest, AWalkDoesNotMeetWhatComesWhileItRuns) {
  const std::string topic = tool().MakeTopic();
  WriteLetters(topic, 2);
  const auto box = Open(topic);
  int met = 0;

  const auto walked =
      box->Walk({}, [&](const KeptLetter& kept) -> Result<bool> {
        ++met;
        WriteLetters(topic, 1);
        if (auto marked = box->MarkRedriven(kept.id); !marked) {
          return marked.error();
        }
        return true;
      });

  EXPECT_TRUE(walked);
  EXPECT_EQ(met, 2);
  EXPECT_THAT(Ids(*Open(topic)), ElementsAre("0@2", "0@3"));
}

TEST_F(KafkaLetterBoxTest, SaysWhereTheMarksDoNotFitTheCommit) {
  const std::string topic = tool().MakeTopic();
  constexpr std::uint64_t kRuns = 1'530;
  constexpr std::uint64_t kGap = 30;  // Too far apart for a bit each.
  for (std::uint64_t i = 0; i < (kRuns + 20) * kGap; ++i) {
    WriteLetter(topic, "orders/0@" + std::to_string(i));
  }
  tool().Flush();
  OffsetMap map{.next = (kRuns + 20) * kGap};
  for (std::uint64_t run = 1; run <= kRuns; ++run) {
    map.done.push_back({run * kGap, run * kGap + 1});
  }
  // As many as fit, and those that do not are marked.
  while (DecodeOffsetMap(EncodeOffsetMap(map), 0, map.next)->done.empty()) {
    map.done.pop_back();
  }
  const std::uint64_t next = map.done.back().begin + kGap;
  tool().Commit(kKafkaLetterGroup, topic, 0, {0, EncodeOffsetMap(map)});
  const auto box = Open(topic);

  Result<void> marked;
  for (std::uint64_t i = 0; i < 10 && marked; ++i) {
    marked = box->MarkRedriven("0@" + std::to_string(next + i * kGap));
  }

  ASSERT_FALSE(marked);
  EXPECT_EQ(marked.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(marked.error().message, HasSubstr("from 0@0"));
  // What was remembered before is still.
  const auto committed = tool().Committed(kKafkaLetterGroup, topic);
  const auto kept = DecodeOffsetMap(committed.metadata, 0, map.next);
  ASSERT_TRUE(kept);
  EXPECT_GE(kept->done.size(), map.done.size());
}

TEST_F(KafkaLetterBoxTest, IgnoresAForgedCommitAndSaysSo) {
  const std::string topic = tool().MakeTopic(2);
  WriteLetter(topic, "orders/0@0", 0);
  WriteLetter(topic, "orders/0@1", 0);
  WriteLetter(topic, "orders/0@2", 1);
  tool().Flush();
  tool().Commit(kKafkaLetterGroup, topic, 0, {1, "forged"});
  tool().Commit(kKafkaLetterGroup, topic, 1, {99, ""});

  EXPECT_THAT(Ids(*Open(topic)), ElementsAre("0@1", "1@0"));
  EXPECT_THAT(notes_.warnings(),
              ElementsAre(HasSubstr("0@1"), HasSubstr("1@99")));
}

TEST_F(KafkaLetterBoxTest, PassesOverWhatIsNoLetter) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvent(topic, "no letter");
  WriteLetter(topic, "orders/0@1");
  tool().Write(topic,
               {.value = "", .headers = {{"cirro-dlq-reason", "bored"}}});
  tool().Flush();
  const auto box = Open(topic);

  EXPECT_THAT(Ids(*box), ElementsAre("0@1"));
  EXPECT_TRUE(notes_.Said("record 0@2 is passed over"));
  EXPECT_FALSE(*box->Find("0@0"));
}

TEST_F(KafkaLetterBoxTest, ReadsAgainWhatIsTooMuchToKeep) {
  const std::string topic = tool().MakeTopic(2);
  for (int i = 0; i < 30; ++i) {
    WriteLetter(topic, "orders/0@" + std::to_string(30 - i), i % 2, "bill",
                800'000);
  }
  tool().Flush();
  const auto box = Open(topic);

  std::vector<std::string> positions;
  for (const KeptLetter& kept : All(*box)) {
    EXPECT_THAT(std::get<Event>(kept.letter.content).data(), SizeIs(800'000));
    positions.push_back(kept.letter.facts.position);
  }

  ASSERT_THAT(positions, SizeIs(30));
  EXPECT_EQ(positions.front(), "orders/0@1");
  EXPECT_EQ(positions.back(), "orders/0@30");
}

TEST_F(KafkaLetterBoxTest, RemovesTheOldestAndWhatWasRedriven) {
  const std::string topic = tool().MakeTopic();
  WriteLetters(topic, 6);
  const auto box = Open(topic);
  for (const char* id : {"0@1", "0@4"}) ASSERT_TRUE(box->MarkRedriven(id));
  const std::vector<std::string> ids{"0@2", "0@0"};

  const auto removed = box->RemoveAll(ids);

  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(*removed, 2U);
  // Also what is above the new beginning is still known to be redriven.
  EXPECT_THAT(Ids(*Open(topic)), ElementsAre("0@3", "0@5"));
  EXPECT_FALSE(*box->Find("0@1"));
}

TEST_F(KafkaLetterBoxTest, RemovesNothingWhereOthersLieBefore) {
  const std::string topic = tool().MakeTopic(2);
  WriteLetter(topic, "orders/0@0", 0);
  WriteLetter(topic, "orders/0@1", 1);
  WriteLetter(topic, "orders/0@2", 1);
  tool().Flush();
  const auto box = Open(topic);
  const std::vector<std::string> ids{"0@0", "1@1"};

  const auto removed = box->RemoveAll(ids);

  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(removed.error().message, HasSubstr("1@0, which is not meant"));
  EXPECT_THAT(Ids(*box), SizeIs(3));
  EXPECT_FALSE(box->Remove("1@1"));
  EXPECT_TRUE(*box->Remove("0@0"));
  EXPECT_FALSE(*box->Remove("0@0"));
}

TEST_F(KafkaLetterBoxTest, ATopicThatThereIsNotIsNamed) {
  const auto walked =
      Open("nowhere")->Walk({}, [](const KeptLetter&) { return true; });

  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(walked.error().message, HasSubstr("nowhere"));
}

TEST_F(KafkaLetterBoxTest, ALetterGoesBackAsItCame) {
  const std::string topic = tool().MakeTopic(3);
  const std::string dead = tool().MakeTopic();
  WriteLetter(dead, topic + "/2@7");
  tool().Flush();
  const auto kept = *Open(dead)->Find("0@0");
  ASSERT_TRUE(kept);

  const auto sent = OpenReturn(topic)->Return(kept->letter);

  ASSERT_TRUE(sent) << sent.error().message;
  const auto records = tool().Read(topic, 3);
  ASSERT_THAT(records, SizeIs(1));
  EXPECT_EQ(records[0].partition, 2);
  EXPECT_EQ(records[0].key, "k");
  EXPECT_EQ(records[0].value, "dddd");
  EXPECT_EQ(records[0].Header("tenant"), "a");
  EXPECT_EQ(records[0].Header("ce_id"), topic + "/2@7");
  EXPECT_EQ(records[0].Header("cirro-redrive-function"), "bill");
  EXPECT_THAT(records[0].headers, SizeIs(7));
}

TEST_F(KafkaLetterBoxTest, ARedriveThatEndsMidwayGoesOnWithTheUnmarked) {
  const std::string topic = tool().MakeTopic();
  const std::string dead = tool().MakeTopic(2);
  for (int i = 0; i < 6; ++i) {
    WriteLetter(dead, topic + "/0@" + std::to_string(i), i % 2);
  }
  tool().Flush();
  // Each run is another process, which is no more after a send.
  const auto redrive = [&](int sends, bool mark_last) {
    const auto box = Open(dead);
    const auto to = OpenReturn(topic);
    const auto walked =
        box->Walk({}, [&](const KeptLetter& kept) -> Result<bool> {
          if (auto sent = to->Return(kept.letter); !sent) return sent.error();
          --sends;
          if (sends == 0 && !mark_last) return false;
          if (auto marked = box->MarkRedriven(kept.id); !marked) {
            return marked.error();
          }
          return sends > 0;
        });
    EXPECT_TRUE(walked) << walked.error().message;
  };

  redrive(2, false);
  redrive(3, false);
  redrive(100, true);

  std::vector<std::string> ids;
  for (const auto& record : tool().Read(topic)) {
    ids.push_back(record.Header("ce_id").substr(topic.size()));
  }
  EXPECT_THAT(ids, ElementsAre("/0@0", "/0@1", "/0@1", "/0@2", "/0@3", "/0@3",
                               "/0@4", "/0@5"));
  EXPECT_THAT(Ids(*Open(dead)), IsEmpty());
}

TEST_F(KafkaLetterBoxTest, ALetterGoesToNoOtherTopic) {
  const std::string topic = tool().MakeTopic();
  const std::string other = tool().MakeTopic();
  const auto back = OpenReturn(topic);

  for (const std::string& position : {other + "/0@1", topic, std::string()}) {
    DeadLetter letter;
    letter.facts.position = position;
    const auto sent = back->Return(letter);

    ASSERT_FALSE(sent) << position;
    EXPECT_EQ(sent.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(sent.error().message, HasSubstr("position '" + position));
  }
  EXPECT_THAT(tool().Read(other), IsEmpty());
}

}  // namespace
}  // namespace cirro
