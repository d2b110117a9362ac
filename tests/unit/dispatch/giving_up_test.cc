// What becomes of an event that fails, from a source that does not wait: tried
// again, kept, dropped, or buried where it is safe.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/dispatch_rig.h"
#include "unit/dispatch/giving_up.h"

namespace cirro {
namespace {

using std::chrono::seconds;
using test::GivingUp;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = test::MemoryInlet::State;
using test::TypedEvent;

TEST_F(GivingUp, BuriesAnExhaustedEventBeforeItsSourceForgetsIt) {
  OnFailing();
  rig_.letters.Hold();
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t", "7"), "key");

  rig_.Advance(seconds(60));
  const bool open_meanwhile = rig_.hasty.message(number).state == State::kOpen;
  rig_.letters.Confirm();
  rig_.Run();

  EXPECT_EQ(calls_, 3);
  EXPECT_TRUE(open_meanwhile);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kTermed);
  ASSERT_EQ(rig_.letters.kept().size(), 1U);
  const DeadLetter letter = rig_.letters.kept().front();
  EXPECT_EQ(std::get<Event>(letter.content).id(), "7");
  EXPECT_EQ(letter.key, "key");
  EXPECT_EQ(letter.facts.reason, DeadReason::kExhausted);
  EXPECT_EQ(letter.facts.function, "f");
  EXPECT_EQ(letter.facts.inlet, "hasty");
  EXPECT_EQ(letter.facts.position, "0");
  EXPECT_EQ(letter.facts.attempts, 3);
  EXPECT_EQ(letter.facts.first_error, "function_failed: not now");
  EXPECT_TRUE(letter.facts.time.has_value());
  EXPECT_THAT(told_.lines, ElementsAre("retrying f 2", "retrying f 3",
                                       "buried f at letters"));
}

TEST_F(GivingUp, SaysTheFirstErrorAndTheLast) {
  rig_.On({.name = "f", .type = "t"}, [this](const Event&) -> Outcome {
    return Retry("try " + std::to_string(++calls_));
  });
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t"));

  rig_.Advance(seconds(60));

  ASSERT_EQ(rig_.letters.kept().size(), 1U);
  const DeadLetterFacts facts = rig_.letters.kept().front().facts;
  EXPECT_EQ(facts.first_error, "function_failed: try 1");
  EXPECT_EQ(facts.last_error, "function_failed: try 3");
}

TEST_F(GivingUp, BuriesARejectedEventAtOnce) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.Start();
  const auto number = rig_.broker.Publish(TypedEvent("t"));

  rig_.Run();

  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(rig_.broker.message(number).state, State::kTermed);
  ASSERT_EQ(rig_.letters.kept().size(), 1U);
  EXPECT_EQ(rig_.letters.kept().front().facts.reason, DeadReason::kRejected);
}

TEST_F(GivingUp, BuriesWhatIsNoEventAndWhatIsNobodys) {
  OnFailing();
  rig_.Start();
  const auto broken = rig_.hasty.Publish({.broken = "{"});
  const auto nobodys = rig_.hasty.Publish(TypedEvent("other"));

  rig_.Run();

  EXPECT_EQ(rig_.hasty.message(broken).state, State::kTermed);
  EXPECT_EQ(rig_.hasty.message(nobodys).state, State::kTermed);
  ASSERT_EQ(rig_.letters.kept().size(), 2U);
  const DeadLetter first = rig_.letters.kept()[0];
  EXPECT_EQ(std::get<Malformed>(first.content).bytes, "{");
  EXPECT_EQ(first.facts.reason, DeadReason::kMalformed);
  EXPECT_EQ(rig_.letters.kept()[1].facts.reason, DeadReason::kUnmatched);
  EXPECT_EQ(rig_.letters.kept()[1].facts.function, "");
}

TEST_F(GivingUp, AsksTheNextPlaceWhereOneDoesNotTakeIt) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.letters.FailWith(ErrorCode::kTooLarge);
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t"));

  rig_.Run();

  EXPECT_EQ(rig_.hasty.message(number).state, State::kTermed);
  EXPECT_EQ(rig_.file.kept().size(), 1U);
  EXPECT_THAT(told_.lines,
              ElementsAre("letters failed: too_large", "buried f at file"));
}

TEST_F(GivingUp, AcknowledgesNothingWhileNoPlaceTakesIt) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.letters.FailWith(ErrorCode::kUnavailable);
  rig_.file.FailWith(ErrorCode::kUnavailable);
  rig_.options.max_in_flight = 8;
  rig_.Start();
  for (int i = 0; i < 20; ++i) {
    rig_.hasty.Publish(TypedEvent("t", std::to_string(i)));
  }

  rig_.Advance(seconds(120));
  std::size_t unsettled = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    const State state = rig_.hasty.message(i).state;
    unsettled += state == State::kOpen || state == State::kQueued ? 1 : 0;
  }
  const bool stalled = !rig_.hasty.demand();
  rig_.file.Mend();
  rig_.Advance(seconds(120));

  EXPECT_EQ(unsettled, 20U);
  EXPECT_TRUE(stalled);
  EXPECT_EQ(rig_.file.kept().size(), 20U);
  for (std::size_t i = 0; i < 20; ++i) {
    EXPECT_EQ(rig_.hasty.message(i).state, State::kTermed) << i;
  }
  EXPECT_TRUE(rig_.hasty.demand());
}

TEST_F(GivingUp, ALetterThatIsSentAgainSaysWhenItWasGivenUp) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.letters.FailWith(ErrorCode::kUnavailable);
  rig_.file.FailWith(ErrorCode::kUnavailable);
  rig_.Start();
  const Timestamp given_up = rig_.clock.WallTime();
  rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Run();

  rig_.Advance(seconds(120));
  rig_.letters.Mend();
  rig_.Advance(seconds(120));

  ASSERT_EQ(rig_.letters.kept().size(), 1U);
  EXPECT_EQ(rig_.letters.kept().front().facts.time, given_up);
}

TEST_F(GivingUp, ALetterThatNoPlaceWillTakeStallsItsLaneAlone) {
  rig_.On({.name = "f", .type = "t"}, [this](const Event& event) -> Outcome {
    ++calls_;
    return event.id() == "bad" ? Reject("never") : Done();
  });
  rig_.letters.FailWith(ErrorCode::kTooLarge);
  rig_.file.FailWith(ErrorCode::kRefused);
  rig_.Start();
  const auto bad = rig_.hasty.Publish(TypedEvent("t", "bad"), "a");
  const auto behind = rig_.hasty.Publish(TypedEvent("t", "1"), "a");
  const auto beside = rig_.hasty.Publish(TypedEvent("t", "2"), "b");

  rig_.Advance(seconds(60));

  EXPECT_EQ(rig_.hasty.message(bad).state, State::kOpen);
  EXPECT_EQ(rig_.hasty.message(behind).state, State::kOpen);
  EXPECT_EQ(rig_.hasty.message(beside).state, State::kAcked);
  EXPECT_EQ(calls_, 2);
}

TEST_F(GivingUp, ASendWhoseEndNobodyKnowsIsDoneAgain) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.letters.FailWith(ErrorCode::kUnknownOutcome);
  rig_.file.FailWith(ErrorCode::kTimedOut);
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t"));
  rig_.Run();
  const int asked = rig_.letters.asked();

  rig_.letters.Mend();
  rig_.Advance(seconds(30));

  EXPECT_EQ(asked, 1);
  EXPECT_EQ(rig_.letters.kept().size(), 1U);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kTermed);
}

TEST_F(GivingUp, WithoutAPlaceItIsTriedForEverAndSaidOnce) {
  rig_.options.dead_letter.clear();
  OnFailing();
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t"));

  rig_.Advance(seconds(100));

  EXPECT_GE(calls_, 10);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kOpen);
  EXPECT_THAT(told_.lines,
              ElementsAre("retrying f 2", "retrying f 3", "kept f exhausted"));
}

TEST_F(GivingUp, WithoutAPlaceWhatIsNoEventStays) {
  rig_.options.dead_letter.clear();
  OnFailing();
  rig_.Start();
  const auto number = rig_.hasty.Publish({.broken = "{"});

  rig_.Advance(seconds(100));
  const State before = rig_.hasty.message(number).state;
  rig_.dispatcher->GiveBackWaiting();

  EXPECT_EQ(before, State::kOpen);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kQueued);
  EXPECT_THAT(told_.lines, ElementsAre("kept  malformed"));
}

TEST_F(GivingUp, DropsWhatTheConfigurationSays) {
  OnFailing({.name = "f", .type = "t", .on_exhausted = OnExhausted::kDrop});
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t"));

  rig_.Advance(seconds(60));

  EXPECT_EQ(rig_.hasty.message(number).state, State::kTermed);
  EXPECT_THAT(rig_.letters.kept(), IsEmpty());
  EXPECT_THAT(told_.lines, ElementsAre("retrying f 2", "retrying f 3",
                                       "dropped f exhausted"));
}

TEST_F(GivingUp, EachFunctionHasItsOwnPolicyAndPlaces) {
  OnFailing({.name = "f",
             .type = "t",
             .retry = RetryPolicy{.attempts = 1},
             .dead_letter = std::vector<std::string>{"file"}});
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t"));

  rig_.Run();

  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(rig_.file.kept().size(), 1U);
  EXPECT_THAT(rig_.letters.kept(), IsEmpty());
}

TEST_F(GivingUp, OnlyTheCallsThatAreOpenRunAgain) {
  int good = 0;
  rig_.On({.name = "good", .type = "t"}, [&good](const Event&) { ++good; });
  OnFailing({.name = "bad", .type = "t"});
  rig_.Start();
  const auto number = rig_.broker.Publish(TypedEvent("t"));

  rig_.Advance(seconds(60));

  EXPECT_EQ(good, 1);
  EXPECT_EQ(calls_, 3);
  EXPECT_EQ(rig_.broker.message(number).attempts, 1);
  EXPECT_EQ(rig_.broker.message(number).state, State::kTermed);
  ASSERT_EQ(rig_.letters.kept().size(), 1U);
  EXPECT_EQ(rig_.letters.kept().front().facts.function, "bad");
}

TEST_F(GivingUp, ASourceThatDelaysKeepsWhatIsToBeTriedAgain) {
  OnFailing();
  rig_.Start();
  const auto number = rig_.broker.Publish(TypedEvent("t"));

  rig_.Run();
  const State between = rig_.broker.message(number).state;
  rig_.Advance(seconds(60));

  EXPECT_EQ(between, State::kQueued);
  EXPECT_EQ(calls_, 3);
  EXPECT_EQ(rig_.broker.message(number).attempts, 3);
  EXPECT_EQ(rig_.broker.message(number).state, State::kTermed);
  EXPECT_EQ(rig_.letters.kept().front().facts.attempts, 3);
}

TEST_F(GivingUp, ADeadLetterOfADeadLetterIsRefused) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.Start();
  Original original;
  original.dead_letter = true;
  const auto number = rig_.hasty.Publish(
      {.event = TypedEvent("t"),
       .original = std::make_shared<const Original>(original)});

  rig_.Advance(seconds(30));

  EXPECT_EQ(rig_.hasty.message(number).state, State::kOpen);
  EXPECT_THAT(rig_.letters.kept(), IsEmpty());
  EXPECT_THAT(told_.lines, ElementsAre("kept f rejected"));
}

TEST_F(GivingUp, WhatTheProcessDiedOverIsBuriedUnseen) {
  OnFailing();
  rig_.Start();
  const auto number =
      rig_.hasty.Publish({.event = TypedEvent("t"), .crashed = true});

  rig_.Run();

  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kTermed);
  ASSERT_EQ(rig_.letters.kept().size(), 1U);
  EXPECT_EQ(rig_.letters.kept().front().facts.reason, DeadReason::kCrashed);
}

TEST_F(GivingUp, WhatTheProcessDiedOverIsALetterOfEachFunction) {
  rig_.options.dead_letter.clear();
  OnFailing({.name = "f",
             .type = "t",
             .dead_letter = std::vector<std::string>{"file"}});
  OnFailing({.name = "g",
             .type = "t",
             .dead_letter = std::vector<std::string>{"letters"}});
  rig_.Start();
  const auto number =
      rig_.hasty.Publish({.event = TypedEvent("t"), .crashed = true});

  rig_.Run();

  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kTermed);
  ASSERT_EQ(rig_.file.kept().size(), 1U);
  EXPECT_EQ(rig_.file.kept().front().facts.function, "f");
  ASSERT_EQ(rig_.letters.kept().size(), 1U);
  EXPECT_EQ(rig_.letters.kept().front().facts.function, "g");
}

TEST_F(GivingUp, WhatTheProcessDiedOverIsNotRunWhereNoPlaceKeepsIt) {
  rig_.options.dead_letter.clear();
  OnFailing();
  rig_.Start();
  const auto number =
      rig_.hasty.Publish({.event = TypedEvent("t"), .crashed = true});

  rig_.Advance(seconds(100));

  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kOpen);
  EXPECT_THAT(told_.lines, ElementsAre("kept f crashed"));
}

TEST_F(GivingUp, AFunctionWithAPlaceOfItsOwnLosesNothing) {
  rig_.options.on_exhausted = OnExhausted::kDrop;
  OnFailing({.name = "f",
             .type = "t",
             .dead_letter = std::vector<std::string>{"file"}});
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t"));

  rig_.Advance(seconds(60));

  EXPECT_EQ(rig_.file.kept().size(), 1U);
}

TEST_F(GivingUp, ARedrivenLetterIsForItsFunctionAlone) {
  int others = 0;
  rig_.On({.name = "other", .type = "t"},
          [&others](const Event&) { ++others; });
  OnFailing({.name = "My Function", .type = "t"});
  outcome_ = Done();
  rig_.Start();
  Original original;
  original.function = "My Function";
  const auto number = rig_.hasty.Publish(
      {.event = TypedEvent("t"),
       .original = std::make_shared<const Original>(original)});

  rig_.Run();

  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(others, 0);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kAcked);
}

TEST_F(GivingUp, ANameThatIsNoPlaceEndsTheStart) {
  OnFailing();
  rig_.options.dead_letter = {"leters"};

  const auto made =
      Dispatcher::Make(std::move(rig_.registry), rig_.options, rig_.Parts());

  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(made.error().message, ::testing::HasSubstr("'leters'"));
}

TEST_F(GivingUp, PlacesOfAFunctionThatDoesNotUseThemEndTheStart) {
  OnFailing({.name = "f",
             .type = "t",
             .on_exhausted = OnExhausted::kDrop,
             .dead_letter = std::vector<std::string>{"file"}});

  const auto made =
      Dispatcher::Make(std::move(rig_.registry), rig_.options, rig_.Parts());

  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().code, ErrorCode::kInvalidConfig);
}

}  // namespace
}  // namespace cirro
