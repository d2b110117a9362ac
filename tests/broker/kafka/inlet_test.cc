// The inlet of the module "kafka", against a real broker: at least once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/offset_map.h"
#include "support/free_port.h"
#include "support/kafka_inlet_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class KafkaInletTest : public test::KafkaInletTest {};

std::vector<std::string> Numbers(int from, int to) {
  std::vector<std::string> numbers;
  for (int i = from; i < to; ++i) numbers.push_back(std::to_string(i));
  return numbers;
}

TEST_F(KafkaInletTest, DeliversInOrderAndCommitsWhatIsDone) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 1'000);
  const auto member = Start(Options(topic));
  member->sink.SettleAll();

  ASSERT_TRUE(member->sink.Await(1'000));

  EXPECT_EQ(member->sink.came(), Numbers(0, 1'000));
  EXPECT_EQ(member->sink.positions()[17], topic + "/0@17");
  EXPECT_TRUE(AwaitCommitted(topic, 1'000));
  EXPECT_EQ(LinkOf(*member->inlet), LinkState::Kind::kConnected);
  EXPECT_THAT(member->notes.warnings(), IsEmpty());
}

TEST_F(KafkaInletTest, TellsKeyTraceAndOtherHeaders) {
  const std::string topic = tool().MakeTopic();
  constexpr const char* kParent =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  tool().Write(topic, {.key = "k",
                       .value = "x",
                       .headers = {{"ce_specversion", "1.0"},
                                   {"ce_id", "1"},
                                   {"ce_source", "/s"},
                                   {"ce_type", "t"},
                                   {"traceparent", kParent}}});
  tool().Flush();
  const auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(1));

  const Delivery delivery = member->sink.Take("1");

  EXPECT_EQ(delivery.facts.key, "k");
  EXPECT_EQ(delivery.facts.trace.traceparent, kParent);
  EXPECT_EQ(delivery.facts.attempt, 1);
  ASSERT_NE(delivery.facts.original, nullptr);
  EXPECT_EQ(delivery.facts.original->headers.size(), 1U);
}

TEST_F(KafkaInletTest, ATombstoneIsMalformedAndItsDeadLetterLetsItGo) {
  const std::string topic = tool().MakeTopic();
  tool().Write(topic, {.key = "k"});
  tool().Flush();
  const auto member = Start(Options(topic));
  member->sink.SettleAll();

  ASSERT_TRUE(member->sink.Await(1));

  EXPECT_THAT(member->sink.came(), ElementsAre("(malformed)"));
  EXPECT_TRUE(AwaitCommitted(topic, 1));
}

// Story 1: a commit of a higher offset skips one that failed.
TEST_F(KafkaInletTest, Story1NeverCommitsPastWhatIsNotDone) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 10);
  auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(10));
  for (const int id : {9, 1, 0, 2, 4, 5}) {
    member->sink.Ack(std::to_string(id));
  }

  EXPECT_TRUE(AwaitCommitted(topic, 3));
  // What is open is given back when it stops, and comes again, alone.
  EXPECT_FALSE(member->Stop(milliseconds(0)));
  member.reset();
  EXPECT_EQ(tool().Committed(group_, topic).offset, 3);
  const auto next = Start(Options(topic));
  ASSERT_TRUE(next->sink.Await(4));
  next->sink.SettleAll();
  EXPECT_TRUE(AwaitCommitted(topic, 10));
  EXPECT_THAT(next->sink.came(), ElementsAre("3", "6", "7", "8"));
}

TEST_F(KafkaInletTest, WithoutTheOffsetMapAllAboveTheHoleComesAgain) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 5);
  KafkaInletOptions options = Options(topic);
  options.offset_map = false;
  auto member = Start(options);
  ASSERT_TRUE(member->sink.Await(5));
  for (const int id : {0, 2, 3}) member->sink.Ack(std::to_string(id));
  static_cast<void>(member->Stop(milliseconds(0)));
  member.reset();

  const auto next = Start(options);
  ASSERT_TRUE(next->sink.Await(4));

  EXPECT_THAT(next->sink.came(), ElementsAre("1", "2", "3", "4"));
}

TEST_F(KafkaInletTest, GivesAnAttemptsNumberToTheNextMember) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 2);
  auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(2));
  {
    const Delivery failing = member->sink.Take("0");
    CapabilityOf<KeepsAttempts>(*member->inlet)->Attempted(failing.token(), 3);
    static_cast<void>(member->Stop(milliseconds(0)));
  }
  member.reset();

  const auto next = Start(Options(topic));
  ASSERT_TRUE(next->sink.Await(2));

  EXPECT_EQ(next->sink.Take("0").facts.attempt, 4);
  EXPECT_EQ(next->sink.Take("1").facts.attempt, 1);
}

TEST_F(KafkaInletTest, WithoutDemandItDeliversNothingAndStaysInItsGroup) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 10);
  const auto member =
      Start(Options(topic), [](Member& each) { each.inlet->SetDemand(false); });
  ASSERT_TRUE(Eventually(
      [&] { return LinkOf(*member->inlet) == LinkState::Kind::kConnected; }));
  ASSERT_TRUE(AwaitCommitted(topic, 0));  // That it began.

  EXPECT_THAT(member->sink.came(), IsEmpty());
  member->inlet->SetDemand(true);

  EXPECT_TRUE(member->sink.Await(10));
}

TEST_F(KafkaInletTest, StopsAtTheSpanBoundAndSaysSo) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 100);
  KafkaInletOptions options = Options(topic);
  options.max_span = 20;
  const auto member = Start(options);
  ASSERT_TRUE(member->sink.Await(20));
  for (int id = 1; id < 20; ++id) member->sink.Ack(std::to_string(id));

  EXPECT_TRUE(
      Eventually([&] { return member->notes.Said("`max_span` (20)"); }));
  EXPECT_EQ(member->sink.came().size(), 20U);
  EXPECT_THAT(member->notes.warnings(),
              ElementsAre(HasSubstr(topic + "/0 waits: offset 0")));
  member->sink.SettleAll();
  EXPECT_TRUE(member->sink.Await(100));
  EXPECT_TRUE(AwaitCommitted(topic, 100));
}

// A dispatcher holds what is to be tried later; what comes back all the same is
// read again, alone.
TEST_F(KafkaInletTest, WhatIsGivenBackIsReadAgain) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 5);
  const auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(5));
  member->sink.Ack("4");
  member->sink.Take("1").Settle({.kind = Settlement::Kind::kNak});

  ASSERT_TRUE(member->sink.Await(6));

  EXPECT_EQ(member->sink.came()[5], "1");
  member->sink.SettleAll();
  EXPECT_TRUE(AwaitCommitted(topic, 5));
  EXPECT_EQ(member->sink.came().size(), 6U);
}

TEST_F(KafkaInletTest, LagIsWhatIsNotSettled) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 10);
  const auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(10));
  const auto lag = [&] {
    const auto all = CapabilityOf<LagReporter>(*member->inlet)->Lag();
    return all.empty() ? 999U : all[0].messages;
  };

  EXPECT_TRUE(Eventually([&] { return lag() == 10; }));
  member->sink.Ack("0");
  EXPECT_TRUE(Eventually([&] { return lag() == 9; }));
  // Though no commit can say so but in its metadata.
  member->sink.Ack("5");
  EXPECT_TRUE(Eventually([&] { return lag() == 8; }));
  member->sink.SettleAll();
  EXPECT_TRUE(Eventually([&] { return lag() == 0; }));
}

TEST_F(KafkaInletTest, BeginsWhereTheSettingSays) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 10);
  KafkaInletOptions options = Options(topic);
  options.start = {.kind = KafkaStart::Kind::kOffset, .offset = 7};
  const auto from_offset = Start(options);
  ASSERT_TRUE(from_offset->sink.Await(3));
  EXPECT_EQ(from_offset->sink.came(), Numbers(7, 10));

  options.group = test::KafkaTool::Fresh("latest");
  options.start = {.kind = KafkaStart::Kind::kLatest};
  const auto from_end = Start(options);
  // Its position is committed before anything comes: nothing is missed.
  ASSERT_TRUE(Eventually(
      [&] { return tool().Committed(options.group, topic).offset == 10; }));
  tool().WriteEvents(topic, 1, 0, 10);
  ASSERT_TRUE(from_end->sink.Await(1));
  EXPECT_THAT(from_end->sink.came(), ElementsAre("10"));
}

TEST_F(KafkaInletTest, SeeksAndForgetsWhatWasOpen) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 10);
  const auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(10));
  Delivery old = member->sink.Take("9");
  auto* const seekable = CapabilityOf<Seekable>(*member->inlet);

  const auto sought = seekable->Seek({.kind = SeekPoint::Kind::kOffset,
                                      .partition = topic + "/0",
                                      .offset = 8},
                                     milliseconds(10'000));

  ASSERT_TRUE(sought) << sought.error().message;
  ASSERT_TRUE(member->sink.Await(12));
  EXPECT_EQ(member->sink.came()[10], "8");
  EXPECT_EQ(member->sink.came()[11], "9");
  ASSERT_TRUE(AwaitCommitted(topic, 8));
  old.Settle({.kind = Settlement::Kind::kAck});  // Of before: counts nothing.
  const auto back = seekable->Seek({.kind = SeekPoint::Kind::kBeginning},
                                   milliseconds(10'000));
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_TRUE(member->sink.Await(22));
  member->sink.SettleAll();
  EXPECT_TRUE(AwaitCommitted(topic, 10));
}

TEST_F(KafkaInletTest, SeekNamesAPartitionThatIsNotItsOwn) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 1);
  const auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(1));

  const auto sought =
      CapabilityOf<Seekable>(*member->inlet)
          ->Seek({.partition = topic + "/7"}, milliseconds(10'000));

  ASSERT_FALSE(sought);
  EXPECT_THAT(sought.error().message, HasSubstr(topic + "/7"));
}

// A commit that somebody else wrote says nothing that is believed.
TEST_F(KafkaInletTest, AForeignCommitsMetadataAreIgnoredAndNothingIsSkipped) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 5);
  tool().Commit(group_, topic, 0, {2, "AAAA forged"});

  const auto member = Start(Options(topic));

  ASSERT_TRUE(member->sink.Await(3));
  EXPECT_EQ(member->sink.came(), Numbers(2, 5));
  EXPECT_THAT(member->notes.warnings(),
              ElementsAre(HasSubstr("what the commit of offset 2 says is "
                                    "ignored")));
}

// Nor what was damaged, belongs to another offset, partition or group, or tells
// of records that there are not: each is ignored, with why, and nothing is
// passed over.
TEST_F(KafkaInletTest, AForgedOrDamagedOffsetMapIsIgnoredAndSaysWhy) {
  OffsetMap map;
  map.base = 2;
  map.next = 5;
  map.done = {{3, 5}};
  const OffsetMap good = map;
  map.base = 1;
  const OffsetMap of_another_offset = map;
  map.base = 2;
  map.next = 5'000;
  map.done = {{3, 5'000}};
  const OffsetMap past_the_end = map;
  const auto text = [](const OffsetMap& what, const std::string& place) {
    return EncodeOffsetMap(what, kMostMetadataBytes, place);
  };
  const auto damaged = [&](const std::string& place) {
    std::string damage = text(good, place);
    char& middle = damage[damage.size() / 2];
    middle = middle == 'A' ? 'B' : 'A';
    return damage;
  };
  using MakesMetadata = std::function<std::string(
      const std::string& place, const KafkaInletOptions& options)>;
  const std::vector<std::pair<std::string, MakesMetadata>> cases = {
      {"check sum", [&](auto& place, auto&) { return damaged(place); }},
      {"of offset 1",
       [&](auto& place, auto&) { return text(of_another_offset, place); }},
      {"past the",
       [&](auto& place, auto&) { return text(past_the_end, place); }},
      {"",
       [&](auto& place, auto&) {
         return text(good, place).substr(0, text(good, place).size() - 1);
       }},
      {"", [&](auto& place, auto&) { return text(good, place) + "A"; }},
      {"another group", [&](auto&, auto&) { return text(good, {}); }},
      {"another group",
       [&](auto&, auto& options) {
         return text(good, MapPlace("other", options.topics[0], 0));
       }},
      {"partition", [&](auto&, auto& options) {
         return text(good, MapPlace(options.group, "other", 0));
       }}};
  for (const auto& [why, metadata] : cases) {
    SCOPED_TRACE(why);
    const std::string topic = tool().MakeTopic();
    tool().WriteEvents(topic, 5);
    KafkaInletOptions options = Options(topic);
    options.group = test::KafkaTool::Fresh("forged");
    tool().Commit(options.group, topic, 0,
                  {2, metadata(MapPlace(options.group, topic, 0), options)});

    const auto member = Start(options);

    ASSERT_TRUE(member->sink.Await(3));
    EXPECT_EQ(member->sink.came(), Numbers(2, 5));
    EXPECT_THAT(
        member->notes.warnings(),
        ElementsAre(AllOf(HasSubstr(topic + "/0: what the commit of offset 2 "
                                            "says is ignored: "),
                          HasSubstr(why))));
  }
  // The same as it was written is believed.
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 6);
  KafkaInletOptions options = Options(topic);
  options.group = test::KafkaTool::Fresh("believed");
  tool().Commit(options.group, topic, 0,
                {2, text(good, MapPlace(options.group, topic, 0))});
  const auto member = Start(options);
  ASSERT_TRUE(member->sink.Await(2));
  EXPECT_THAT(member->sink.came(), ElementsAre("2", "5"));
}

TEST_F(KafkaInletTest, OneThatWaitsToBeReadAgainKeepsNoOtherWaiting) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 2);
  const auto member = Start(Options(topic));
  ASSERT_TRUE(member->sink.Await(2));

  member->sink.Take("0").Settle({.kind = Settlement::Kind::kNak});
  member->sink.Take("1").Settle(
      {.kind = Settlement::Kind::kNak, .delay = std::chrono::minutes(10)});

  EXPECT_TRUE(member->sink.Await(3));
}

TEST_F(KafkaInletTest, ACommittedOffsetThatIsGoneBeginsAnewAndSaysSo) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 5);
  tool().Commit(group_, topic, 0, {500, ""});

  const auto member = Start(Options(topic));

  ASSERT_TRUE(member->sink.Await(5));
  EXPECT_THAT(member->notes.warnings(), ElementsAre(HasSubstr("500 is gone")));
}

TEST_F(KafkaInletTest, WaitsForABrokerThatIsAwayAndStopsWithout) {
  KafkaInletOptions options = Options("anything");
  options.connection.brokers = "127.0.0.1:" + std::to_string(test::FreePort());
  const auto member = Start(options);

  EXPECT_TRUE(Eventually([&] { return !member->notes.warnings().empty(); }));
  EXPECT_EQ(LinkOf(*member->inlet), LinkState::Kind::kConnecting);
  EXPECT_THAT(member->notes.warnings(),
              ElementsAre(AllOf(HasSubstr("no broker of `brokers` (" +
                                          options.connection.brokers),
                                HasSubstr("Connection refused"))));
  EXPECT_TRUE(member->Stop());
  EXPECT_THAT(member->notes.failures(), IsEmpty());
}

TEST_F(KafkaInletTest, NamesTheTopicThatIsNotThere) {
  const std::string absent = test::KafkaTool::Fresh("absent");
  const auto member = Start(Options(absent));

  EXPECT_TRUE(Eventually([&] { return member->notes.Said("see `topics`"); }));
  EXPECT_THAT(member->notes.warnings(), Contains(HasSubstr(absent)));
}

TEST_F(KafkaInletTest, SubscribesToAPattern) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 3);
  const auto member = Start(Options("^" + topic + ".*"));

  EXPECT_TRUE(member->sink.Await(3));
}

}  // namespace
}  // namespace cirro
