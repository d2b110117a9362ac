// What a source that settles in transactions cannot send: one answer or letter
// must not undo what all others did.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "support/dispatch_rig.h"
#include "support/transactional_inlet.h"

namespace cirro {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using State = test::MemoryInlet::State;
using test::DispatchRig;
using test::TypedEvent;

Event Large() {
  return *EventBuilder(TypedEvent("large"))
              .data(Text(std::string(200, 'x')))
              .Build();
}

class Transactions : public ::testing::Test {
 protected:
  // Inlets outlive the dispatcher.
  ~Transactions() override { rig_.dispatcher.reset(); }

  void Start() {
    inlet_.most_bytes = 100;
    auto parts = rig_.Parts();
    parts.inlets = {&inlet_};
    auto made = Dispatcher::Make(std::move(rig_.registry), rig_.options,
                                 std::move(parts));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    rig_.dispatcher = *std::move(made);
    ASSERT_TRUE(inlet_.Start(*rig_.dispatcher).has_value());
  }
  void Run() {
    while (inlet_.Pump() > 0 || rig_.executor.RunFirst() ||
           rig_.timers.RunDue()) {
    }
  }
  void Advance(std::chrono::milliseconds by) {
    const TimePoint end = rig_.clock.Now() + by;
    for (Run(); rig_.timers.next() <= end; Run()) {
      rig_.clock.AdvanceTo(rig_.timers.next());
    }
    rig_.clock.AdvanceTo(end);
    Run();
  }
  const Settlement& SettlementOf(std::size_t number) {
    settlement_ = inlet_.message(number).settlements.front();
    return settlement_;
  }

  DispatchRig rig_;
  test::TransactionalInlet inlet_{rig_.clock, {.name = "transactional"}};
  Settlement settlement_;
};

TEST_F(Transactions, AReplyThatCannotBeSentIsNoReply) {
  rig_.options.reply_to = "sink";
  rig_.options.dead_letter = {"letters"};
  rig_.On({.type = "t"}, [](const Event& event) {
    return Reply(event.id() == "1" ? Large() : TypedEvent("reply"));
  });
  Start();
  inlet_.Publish(TypedEvent("t", "1"));
  inlet_.Publish(TypedEvent("t", "2"));

  Advance(seconds(60));

  ASSERT_EQ(inlet_.message(0).state, State::kTermed);
  ASSERT_EQ(inlet_.message(1).state, State::kAcked);
  EXPECT_THAT(SettlementOf(1).outputs, SizeIs(1));
  const Settlement& first = SettlementOf(0);
  EXPECT_THAT(first.outputs, IsEmpty());
  ASSERT_THAT(first.letters, SizeIs(1));
  const DeadLetterFacts& facts = first.letters[0].letter.facts;
  EXPECT_EQ(facts.attempts, 3);
  EXPECT_THAT(facts.last_error,
              HasSubstr("invalid_reply: reply 1: outlet 0 cannot take it"));
}

TEST_F(Transactions, SoIsOneOfABatchOrOfAnAsynchronousFunction) {
  rig_.options.reply_to = "sink";
  rig_.options.dead_letter = {"letters"};
  rig_.On({.type = "b"}, [](std::span<const Event> events) {
    std::vector<Outcome> outcomes;
    for (const Event& event : events) {
      outcomes.push_back(
          Reply(event.id() == "1" ? Large() : TypedEvent("reply")));
    }
    return outcomes;
  });
  rig_.On({.type = "a"}, [](const Event& /*event*/, Completion completion) {
    std::move(completion).Finish(Reply(Large()));
  });
  Start();
  inlet_.Publish(TypedEvent("b", "1"));
  inlet_.Publish(TypedEvent("b", "2"));
  inlet_.Publish(TypedEvent("a", "3"));

  Advance(seconds(60));

  EXPECT_EQ(inlet_.message(0).state, State::kTermed);
  EXPECT_EQ(inlet_.message(1).state, State::kAcked);
  EXPECT_EQ(inlet_.message(2).state, State::kTermed);
}

TEST_F(Transactions, WhatCannotBeSentIsNotPublished) {
  Result<void> large;
  rig_.On({.type = "t"}, [&](const Event&, Context& context) {
    large = context.Publish("slow", Large());
    static_cast<void>(context.Publish("slow", TypedEvent("small")));
  });
  Start();
  inlet_.Publish(TypedEvent("t"));

  Run();

  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, ErrorCode::kTooLarge);
  ASSERT_EQ(inlet_.message(0).state, State::kAcked);
  ASSERT_THAT(SettlementOf(0).outputs, SizeIs(1));
  EXPECT_EQ(settlement_.outputs[0].event.type(), "small");
}

TEST_F(Transactions, ALetterGoesToTheFirstPlaceThatCanTakeIt) {
  rig_.options.dead_letter = {"letters", "file"};
  rig_.On({.type = "t"}, [](const Event&) { return Reject("never"); });
  Start();
  inlet_.full_places = {0};
  inlet_.Publish(TypedEvent("t"));

  Run();

  ASSERT_EQ(inlet_.message(0).state, State::kTermed);
  ASSERT_THAT(SettlementOf(0).letters, SizeIs(1));
  EXPECT_EQ(settlement_.letters[0].place, 1U);
  EXPECT_TRUE(settlement_.letters[0].letter.facts.time.has_value());
}

TEST_F(Transactions, ALetterThatNoPlaceCanTakeStallsItsLaneAlone) {
  rig_.options.dead_letter = {"letters", "file"};
  rig_.On({.type = "t"}, [](const Event& event) -> Outcome {
    return event.id() == "1" ? Reject("never") : Done();
  });
  Start();
  inlet_.full_places = {0, 1};
  inlet_.Publish(TypedEvent("t", "1"), "key");
  inlet_.Publish(TypedEvent("t", "2"), "key");
  inlet_.Publish(TypedEvent("t", "3"), "other");
  Advance(seconds(60));
  const State stalled = inlet_.message(0).state;
  const State behind = inlet_.message(1).state;
  const State other = inlet_.message(2).state;

  inlet_.full_places.clear();
  Advance(seconds(60));

  EXPECT_EQ(stalled, State::kOpen);
  EXPECT_EQ(behind, State::kOpen);
  EXPECT_EQ(other, State::kAcked);
  EXPECT_EQ(inlet_.message(0).state, State::kTermed);
  EXPECT_EQ(inlet_.message(1).state, State::kAcked);
}

}  // namespace
}  // namespace cirro
