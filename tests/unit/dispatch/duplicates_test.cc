// Functions with `dedup`: an event that was done is not done again, and a
// duplicate that comes meanwhile waits.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "support/dispatch_rig.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using State = test::MemoryInlet::State;
using test::DispatchRig;
using test::TypedEvent;

class Duplicates : public ::testing::Test {
 protected:
  void OnCounted(FunctionSpec spec = {
                     .name = "f", .type = "t", .dedup = true}) {
    rig_.On(std::move(spec), [this](const Event&) -> Outcome {
      ++calls_;
      return std::exchange(outcome_, Done());
    });
  }

  DispatchRig rig_;
  Outcome outcome_ = Done();
  int calls_ = 0;
};

TEST_F(Duplicates, OfWhatWasDoneAreAcknowledgedWithoutACall) {
  OnCounted();
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Run();

  const auto again = rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Run();

  EXPECT_EQ(calls_, 1);
  EXPECT_EQ(rig_.hasty.message(again).state, State::kAcked);
}

TEST_F(Duplicates, OfWhatFailedAreNotTakenForDone) {
  OnCounted();
  outcome_ = Retry("not now");
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t", "1"));

  rig_.Advance(seconds(30));

  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kAcked);
}

TEST_F(Duplicates, WaitWhileTheOtherIsToBeTriedAgain) {
  OnCounted();
  outcome_ = Retry(seconds(5), "not now");
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Run();

  const auto again = rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Advance(seconds(4));
  const int meanwhile = calls_;
  const State state = rig_.hasty.message(again).state;
  rig_.Advance(seconds(30));

  EXPECT_EQ(meanwhile, 1);
  EXPECT_EQ(state, State::kOpen);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(rig_.hasty.message(again).state, State::kAcked);
}

// The source could keep it meanwhile, and then nobody would keep its claim.
TEST_F(Duplicates, WaitAlsoWhereTheSourceCouldKeepWhatIsToBeTriedAgain) {
  OnCounted();
  outcome_ = Retry(seconds(5), "not now");
  rig_.Start();
  rig_.broker.Publish(TypedEvent("t", "1"));
  rig_.Run();

  const auto again = rig_.broker.Publish(TypedEvent("t", "1"));
  rig_.Advance(seconds(4));
  const int meanwhile = calls_;
  rig_.Advance(seconds(30));

  EXPECT_EQ(meanwhile, 1);
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(rig_.broker.message(again).state, State::kAcked);
}

TEST_F(Duplicates, WaitForAClaimOfAnotherProcess) {
  OnCounted();
  rig_.dedup.ClaimElsewhere("f /test 1");
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Advance(seconds(20));
  const int meanwhile = calls_;

  rig_.dedup.ReleaseElsewhere("f /test 1");
  rig_.Advance(seconds(20));

  EXPECT_EQ(meanwhile, 0);
  EXPECT_EQ(calls_, 1);
}

TEST_F(Duplicates, OverHttpAreThePeersToSendAgain) {
  OnCounted();
  rig_.dedup.ClaimElsewhere("f /test 1");
  rig_.Start();

  const auto number = rig_.Post(TypedEvent("t", "1"));

  EXPECT_EQ(rig_.Answer(number).kind, Settlement::Kind::kNak);
  EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kOverloaded);
  EXPECT_EQ(rig_.Answer(number).delay, rig_.options.overload_delay);
}

TEST_F(Duplicates, AreNotJudgedWhileTheStoreIsDown) {
  OnCounted();
  rig_.dedup.down = true;
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Advance(seconds(20));
  const int meanwhile = calls_;

  rig_.dedup.down = false;
  rig_.Advance(seconds(20));

  EXPECT_EQ(meanwhile, 0);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kAcked);
}

TEST_F(Duplicates, ClaimsAreRenewedWhileTheirCallIsOpen) {
  OnCounted();
  outcome_ = Retry(seconds(60), "not now");
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Run();

  rig_.Advance(seconds(31));

  EXPECT_EQ(rig_.dedup.renewed, 3);
}

TEST_F(Duplicates, ADeadLetterIsNotDone) {
  OnCounted();
  rig_.options.dead_letter = {"letters"};
  outcome_ = Reject("not yet");
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Run();

  rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.Run();

  EXPECT_EQ(rig_.letters.kept().size(), 1U);
  EXPECT_EQ(calls_, 2);
}

// Its peer went while the store was asked.
TEST_F(Duplicates, AnAnswerThatComesTooLateLeavesNoClaim) {
  OnCounted();
  rig_.dedup.answers_late = true;
  rig_.Start();
  rig_.http.Publish({.event = TypedEvent("t", "1"), .patience = seconds(1)});
  rig_.Advance(seconds(2));

  rig_.dedup.Answer();

  EXPECT_EQ(rig_.dedup.known(), 0U);
}

// Each waits to answer until its other call has ended.
TEST_F(Duplicates, OfSeveralFunctionsDoNotWaitForEachOther) {
  std::vector<Completion> open;
  for (const char* name : {"f", "g"}) {
    rig_.On({.name = name, .type = "t", .dedup = true},
            [&open](const Event&, Completion completion) {
              open.push_back(std::move(completion));
            });
  }
  rig_.dedup.ClaimElsewhere("g /test 1");
  rig_.Start();
  const auto first =
      rig_.http.Publish({.event = TypedEvent("t", "1"), .reply_capacity = 9});
  rig_.Run();
  rig_.dedup.ReleaseElsewhere("g /test 1");
  const auto second =
      rig_.http.Publish({.event = TypedEvent("t", "1"), .reply_capacity = 9});
  rig_.Run();

  for (Completion& completion : open) {
    completion.Finish(Reply(EventDraft{.type = "r", .source = "/r"}));
  }
  rig_.Run();

  EXPECT_EQ(rig_.http.message(first).state, State::kRefused);
  EXPECT_EQ(rig_.http.message(second).state, State::kRefused);
  EXPECT_EQ(rig_.dispatcher->counts().in_flight, 0U);
}

}  // namespace
}  // namespace cirro
