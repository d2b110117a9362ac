// What a stream still has, once more: the module "nats" against a real server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/dispatch/replay.h"
#include "support/jetstream_rig.h"

namespace cirro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ReplayPoint Point(const std::string& text) { return *ParseReplayPoint(text); }

struct ReplayRig : test::JetStreamRig {
  using JetStreamRig::JetStreamRig;

  std::unique_ptr<Replay> Open(const JetStreamInletOptions& options,
                               ReplayRange range = {}) {
    auto replay =
        test::Nats().open_replay(options, std::move(range), clock, notes);
    if (!replay) throw std::runtime_error(replay.error().message);
    return *std::move(replay);
  }
  std::unique_ptr<Replay> Open(ReplayRange range = {}) {
    return Open(Options(), std::move(range));
  }
  void Remove(std::uint64_t sequence) const {
    ASSERT_EQ(js_DeleteMsg(peer.js(), "ORDERS", sequence, nullptr, nullptr),
              NATS_OK);
  }
};

// What is left, `most` of them; the next is not passed.
std::vector<ReplayedMessage> All(Replay& replay, std::size_t most = 1'000) {
  std::vector<ReplayedMessage> all;
  const auto walked =
      replay.Walk([&](const ReplayedMessage& message) -> Result<bool> {
        if (all.size() == most) return false;
        all.push_back(message);
        return true;
      });
  EXPECT_TRUE(walked) << walked.error().message;
  return all;
}

std::vector<std::string> Ids(Replay& replay, std::size_t most = 1'000) {
  std::vector<std::string> ids;
  for (const ReplayedMessage& message : All(replay, most)) {
    const auto* const event = std::get_if<Event>(&message.content);
    ids.emplace_back(event == nullptr ? "?" : event->id());
  }
  return ids;
}

Error ErrorOf(Replay& replay) {
  const auto walked =
      replay.Walk([](const ReplayedMessage&) { return Result<bool>(true); });
  if (!walked) return walked.error();
  ADD_FAILURE() << "it did not fail";
  return Error{ErrorCode::kInternal, {}};
}

TEST(NatsReplay, ReadsAStreamInItsOrder) {
  ReplayRig rig;
  rig.Publish(200);
  const auto replay = rig.Open();

  const auto ids = Ids(*replay);

  ASSERT_EQ(ids.size(), 200U);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EXPECT_EQ(ids[i], std::to_string(i + 1));
  }
  EXPECT_TRUE(replay->ended());
}

TEST(NatsReplay, GivesTheMessageAsItCame) {
  ReplayRig rig;
  rig.peer.Publish("orders.new", R"({"n": 1})",
                   {{"ce-specversion", "1.0"},
                    {"ce-id", "1"},
                    {"ce-source", "/s"},
                    {"ce-type", "t"},
                    {"tenant", "a"},
                    {"cirro-redrive-function", "bill"}});
  rig.peer.Publish("orders.new", "no event", {});

  const auto messages = All(*rig.Open());

  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].position, "ORDERS/worker@1");
  EXPECT_EQ(std::get<Event>(messages[0].content).data(), R"({"n": 1})");
  EXPECT_EQ(messages[0].original->headers, (MessageHeaders{{"tenant", "a"}}));
  EXPECT_EQ(messages[0].original->function, "bill");
  EXPECT_EQ(std::get<Malformed>(messages[1].content).bytes, "no event");
  EXPECT_LE(messages[0].time, messages[1].time);
  EXPECT_GT(messages[0].time.seconds, 1'700'000'000);
}

TEST(NatsReplay, PassesOverWhatWasRemovedAndOtherSubjects) {
  ReplayRig rig;
  rig.Publish(4);
  rig.peer.PublishEvent("orders.old", "old");
  rig.Publish(2, 5);
  rig.Remove(1);
  rig.Remove(3);
  rig.Remove(7);
  JetStreamInletOptions options = rig.Options();
  options.filter = "orders.new";

  EXPECT_THAT(Ids(*rig.Open()), ElementsAre("2", "4", "old", "5"));
  const auto replay = rig.Open(options);
  EXPECT_THAT(Ids(*replay), ElementsAre("2", "4", "5"));
  EXPECT_TRUE(replay->ended());
}

TEST(NatsReplay, BeginsAndEndsAtSequences) {
  ReplayRig rig;
  rig.Publish(6);
  struct Case {
    std::string from;
    std::string until;
    std::vector<std::string> ids;
  };
  for (const Case& one :
       {Case{"5", "end", {"5", "6"}}, Case{"0", "2", {"1"}},
        Case{"beginning", "3", {"1", "2"}}, Case{"7", "end", {}},
        Case{"end", "end", {}}, Case{"ORDERS/worker@5", "end", {"5", "6"}},
        // A sequence is the stream's, whoever said it.
        Case{"ORDERS/other@4", "ORDERS/x@5", {"4"}}}) {
    const auto replay =
        rig.Open({.from = Point(one.from), .until = Point(one.until)});

    EXPECT_EQ(Ids(*replay), one.ids) << one.from << " until " << one.until;
    EXPECT_TRUE(replay->ended());
  }
}

TEST(NatsReplay, BeginsAndEndsAtTimes) {
  ReplayRig rig;
  rig.Publish(20);
  rig.Remove(8);
  const auto messages = All(*rig.Open());
  ASSERT_EQ(messages.size(), 19U);
  const ReplayPoint at{.kind = ReplayPoint::Kind::kTime,
                       .time = messages[9].time};
  const Timestamp last = messages.back().time;
  const ReplayPoint after{
      .kind = ReplayPoint::Kind::kTime,
      .time = {.seconds = last.seconds + 1, .nanoseconds = last.nanoseconds}};

  const auto from = Ids(*rig.Open({.from = at}));
  const auto until = Ids(*rig.Open({.until = at}));

  // Ids are sequences here; two messages may have one time.
  EXPECT_EQ(from.size() + until.size(), 19U);
  EXPECT_LE(std::stoi(from.front()), 11);
  EXPECT_GE(std::stoi(from.front()), 9);
  EXPECT_EQ(from.back(), "20");
  EXPECT_EQ(until.front(), "1");
  EXPECT_THAT(Ids(*rig.Open({.from = after})), IsEmpty());
  EXPECT_EQ(Ids(*rig.Open({.until = after})).size(), 19U);
}

TEST(NatsReplay, WhatIsLeftIsAnotherReplay) {
  ReplayRig rig;
  rig.Publish(5);
  const auto replay = rig.Open();
  ASSERT_THAT(Ids(*replay, 2), ElementsAre("1", "2"));
  EXPECT_FALSE(replay->ended());
  rig.Publish(1, 6);
  const ReplayRange left = replay->left();

  EXPECT_EQ(ToString(left.from), "ORDERS/worker@3");
  EXPECT_EQ(ToString(left.until), "ORDERS/worker@6");
  EXPECT_THAT(Ids(*rig.Open(left)), ElementsAre("3", "4", "5"));
  EXPECT_THAT(Ids(*replay), ElementsAre("3", "4", "5"));
}

TEST(NatsReplay, LeavesConsumersAloneAndHasNone) {
  ReplayRig rig;
  test::RunningInlet<test::InlineSink> running(rig.Make());
  rig.Publish(3);
  ASSERT_TRUE(rig.AllSettled());
  const auto before = rig.peer.ConsumerOf("ORDERS", "worker");
  std::int64_t consumers = 0;

  const auto walked = rig.Open()->Walk([&](const ReplayedMessage&) {
    jsStreamInfo* info = nullptr;
    EXPECT_EQ(
        js_GetStreamInfo(&info, rig.peer.js(), "ORDERS", nullptr, nullptr),
        NATS_OK);
    consumers = info->State.Consumers;
    jsStreamInfo_Destroy(info);
    return Result<bool>(true);
  });

  EXPECT_TRUE(walked);
  EXPECT_EQ(consumers, 1);  // The inlet's.
  const auto after = rig.peer.ConsumerOf("ORDERS", "worker");
  EXPECT_EQ(after.ack_floor, before.ack_floor);
  EXPECT_EQ(after.pending, 0U);
}

TEST(NatsReplay, ReadsWhatAWorkQueueStillHas) {
  ReplayRig rig(js_WorkQueuePolicy);
  rig.Publish(3);

  EXPECT_THAT(Ids(*rig.Open()), ElementsAre("1", "2", "3"));
  EXPECT_EQ(rig.peer.MessagesIn("ORDERS"), 3U);
}

TEST(NatsReplay, SaysWhatIsNoLongerThere) {
  ReplayRig rig;
  rig.Publish(4);
  rig.Remove(1);
  rig.Remove(2);

  EXPECT_THAT(Ids(*rig.Open({.from = Point("1")})), ElementsAre("3", "4"));

  EXPECT_TRUE(rig.notes.Said("before sequence 3 is no longer there"));
}

TEST(NatsReplay, WhatThereIsNotIsNamed) {
  ReplayRig rig;
  rig.Publish(3);
  struct Case {
    ReplayRange range;
    std::string says;
  };
  for (const Case& one :
       {Case{{.from = Point("5")},
             "--from: stream 'ORDERS' ends at sequence 3"},
        Case{{.until = Point("BILLS/worker@1")}, "--until: 'BILLS/worker'"},
        Case{{.from = Point("ORDERS/a@1,ORDERS/b@1")}, "--from"},
        Case{{.partition = 0}, "--partition"}}) {
    const auto replay = rig.Open(one.range);
    const Error error = ErrorOf(*replay);

    EXPECT_EQ(error.code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(error.message, HasSubstr(one.says));
  }
  JetStreamInletOptions options = rig.Options();
  options.stream = "NOWHERE";
  EXPECT_THAT(ErrorOf(*rig.Open(options)).message, HasSubstr("'NOWHERE'"));
}

TEST(NatsReplay, GoesOnOverABrokenConnection) {
  ReplayRig rig;
  rig.Publish(4);
  const auto replay = rig.Open();
  ASSERT_EQ(Ids(*replay, 2).size(), 2U);

  rig.server.Kill();
  rig.server.Start();

  EXPECT_THAT(Ids(*replay), ElementsAre("3", "4"));
}

}  // namespace
}  // namespace cirro
