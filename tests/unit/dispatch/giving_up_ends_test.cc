// Events that fail where their peer waits for an answer, or the process ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/dispatch_rig.h"
#include "unit/dispatch/giving_up.h"

namespace cirro {
namespace {

using std::chrono::seconds;
using test::GivingUp;
using ::testing::IsEmpty;
using State = test::MemoryInlet::State;
using test::TypedEvent;

TEST_F(GivingUp, OverHttpARejectedEventIsDoneOnceItsLetterIsSafe) {
  OnFailing({.name = "f", .type = "t", .inline_call = true});
  outcome_ = Reject("never");
  rig_.Start();

  const auto number = rig_.Post(TypedEvent("t"));

  EXPECT_EQ(rig_.letters.kept().size(), 1U);
  EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kAck);
}

TEST_F(GivingUp, OverHttpItMayComeAgainWhileNoPlaceTakesIt) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.letters.FailWith(ErrorCode::kUnavailable);
  rig_.file.FailWith(ErrorCode::kTooLarge);
  rig_.Start();

  const auto number = rig_.Post(TypedEvent("t"));

  EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kNak);
  EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kUnavailable);
}

TEST_F(GivingUp, OverHttpItIsRejectedWhereNoPlaceWillEverTakeIt) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.letters.FailWith(ErrorCode::kTooLarge);
  rig_.file.FailWith(ErrorCode::kTooLarge);
  rig_.Start();

  const auto number = rig_.Post(TypedEvent("t"));

  EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kTerm);
  EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kRejected);
}

TEST_F(GivingUp, OverHttpAPeerDoesNotWaitForALetterPastItsDeadline) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.letters.Hold();
  rig_.Start();
  const auto number =
      rig_.http.Publish({.event = TypedEvent("t"), .patience = seconds(5)});

  rig_.Advance(seconds(6));
  const Settlement answer = rig_.Answer(number);
  rig_.letters.Confirm();
  rig_.Run();

  EXPECT_EQ(answer.kind, Settlement::Kind::kNak);
  EXPECT_EQ(rig_.http.wrong_settlements(), 0U);
}

TEST_F(GivingUp, OverHttpAFailedEventIsThePeersToRepeat) {
  OnFailing();
  rig_.Start();

  const auto number = rig_.Post(TypedEvent("t"));

  EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kNak);
  EXPECT_THAT(rig_.letters.kept(), IsEmpty());
}

TEST_F(GivingUp, ADrainGivesBackWhatIsStalled) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.letters.FailWith(ErrorCode::kUnavailable);
  rig_.file.FailWith(ErrorCode::kUnavailable);
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t"));
  rig_.Run();

  rig_.dispatcher->BeginDrain();
  rig_.dispatcher->GiveBackWaiting();

  EXPECT_EQ(rig_.hasty.message(number).state, State::kQueued);
  EXPECT_EQ(rig_.dispatcher->counts().in_flight, 0U);
}

TEST_F(GivingUp, ADrainWaitsForALetterOnItsWay) {
  OnFailing();
  outcome_ = Reject("never");
  rig_.letters.Hold();
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t"));
  rig_.Run();

  rig_.dispatcher->BeginDrain();
  rig_.dispatcher->GiveBackWaiting();
  const State before = rig_.hasty.message(number).state;
  rig_.letters.Confirm();

  EXPECT_EQ(before, State::kOpen);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kTermed);
}

}  // namespace
}  // namespace cirro
