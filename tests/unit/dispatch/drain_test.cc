// A process that ends while functions, letters and replies are on their way:
// what is given back leaves nothing behind, and nothing waits for the end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "support/dispatch_rig.h"
#include "support/transactional_inlet.h"

namespace cirro {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using State = test::MemoryInlet::State;
using test::DispatchRig;
using test::TransactionalInlet;
using test::TypedEvent;

class Drain : public ::testing::Test {
 protected:
  // Inlets outlive the dispatcher.
  ~Drain() override { rig_.dispatcher.reset(); }

  void StartTransactional() {
    auto parts = rig_.Parts();
    parts.inlets = {&transactional_};
    auto made = Dispatcher::Make(std::move(rig_.registry), rig_.options,
                                 std::move(parts));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    rig_.dispatcher = *std::move(made);
    ASSERT_TRUE(transactional_.Start(*rig_.dispatcher).has_value());
  }

  DispatchRig rig_;
  TransactionalInlet transactional_{rig_.clock, {.name = "transactional"}};
};

TEST_F(Drain, WhatWasGivenBackPublishesNothingPastItsTransaction) {
  Result<void> published;
  rig_.On({.type = "t"}, [&](const Event&, Context& context) {
    rig_.dispatcher->GiveBackAll();
    published = context.Publish("sink", TypedEvent("published"));
  });
  StartTransactional();
  transactional_.Publish(TypedEvent("t"));

  transactional_.Pump();
  rig_.executor.RunAll();

  EXPECT_EQ(transactional_.message(0).state, State::kQueued);
  EXPECT_THAT(rig_.sink.taken(), IsEmpty());
  ASSERT_FALSE(published.has_value());
  EXPECT_EQ(published.error().code, ErrorCode::kUnavailable);
}

TEST_F(Drain, AContextThatOutlivesItsCallPublishesNothingPastItsTransaction) {
  std::optional<Context> kept;
  rig_.On({.type = "t"},
          [&](const Event&, Context& context) { kept.emplace(context); });
  StartTransactional();
  transactional_.Publish(TypedEvent("t"));
  transactional_.Pump();
  rig_.executor.RunAll();

  const auto published = kept->Publish("sink", TypedEvent("published"));

  EXPECT_EQ(transactional_.message(0).state, State::kAcked);
  EXPECT_THAT(rig_.sink.taken(), IsEmpty());
  EXPECT_FALSE(published.has_value());
}

TEST_F(Drain, ALetterThatNoPlaceTakesIsGivenBackAtOnce) {
  rig_.options.dead_letter = {"letters", "file"};
  rig_.On({.type = "t"}, [](const Event&) { return Reject("never"); });
  rig_.letters.Hold();
  rig_.file.FailWith(ErrorCode::kUnavailable);
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t"));
  rig_.Run();

  rig_.hasty.BeginDrain({});
  rig_.dispatcher->GiveBackWaiting();
  const State while_it_is_on_its_way = rig_.hasty.message(number).state;
  rig_.letters.Fail(ErrorCode::kUnavailable);

  EXPECT_EQ(while_it_is_on_its_way, State::kOpen);
  EXPECT_EQ(rig_.hasty.message(number).state, State::kQueued);
  EXPECT_TRUE(rig_.dispatcher->WaitIdle({}));
}

// The source counts its assignments as it counts attempts.
constexpr std::uint64_t kFirst[] = {1};

TEST_F(Drain, WhatIsWithdrawnIsGivenBackAtOnceUnlessItRuns) {
  int calls = 0;
  std::vector<State> while_it_runs;
  rig_.On({.type = "t"}, [&](const Event&) {
    ++calls;
    rig_.dispatcher->Withdraw(rig_.hasty.info(), kFirst);
    for (std::size_t i = 0; i < 3; ++i) {
      while_it_runs.push_back(rig_.hasty.message(i).state);
    }
    return Retry("not yet");
  });
  rig_.Start();
  for (int i = 0; i < 3; ++i) rig_.hasty.Publish(TypedEvent("t"), "key");

  rig_.hasty.Pump();
  rig_.executor.RunAll();

  EXPECT_THAT(while_it_runs,
              ElementsAre(State::kOpen, State::kQueued, State::kQueued));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(rig_.hasty.open(), 0U);
  EXPECT_EQ(rig_.hasty.message(0).state, State::kQueued);
  EXPECT_EQ(rig_.hasty.wrong_settlements(), 0U);
  EXPECT_TRUE(rig_.dispatcher->WaitIdle({}));
  EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
}

TEST_F(Drain, WhatWaitsToBeTriedAgainIsWithdrawn) {
  rig_.On({.type = "t"}, [](const Event&) { return Retry("not yet"); });
  rig_.Start();
  const auto number = rig_.hasty.Publish(TypedEvent("t"), "key");
  rig_.Run();
  ASSERT_EQ(rig_.hasty.message(number).state, State::kOpen);

  rig_.dispatcher->Withdraw(rig_.hasty.info(), kFirst);

  EXPECT_EQ(rig_.hasty.message(number).state, State::kQueued);
}

TEST_F(Drain, WhatIsOfAnotherAssignmentOrInletIsNotWithdrawn) {
  int calls = 0;
  rig_.On({.type = "t"}, [&](const Event&) { ++calls; });
  rig_.Start();
  const auto of_broker = rig_.broker.Publish(TypedEvent("t"), "key");
  const auto of_hasty = rig_.hasty.Publish(TypedEvent("t"), "key");
  rig_.broker.Pump();
  rig_.hasty.Pump();

  constexpr std::uint64_t kSecond[] = {2};
  rig_.dispatcher->Withdraw(rig_.hasty.info(), kSecond);
  EXPECT_EQ(rig_.hasty.message(of_hasty).state, State::kOpen);
  rig_.dispatcher->Withdraw(rig_.hasty.info(), kFirst);
  EXPECT_EQ(rig_.hasty.message(of_hasty).state, State::kQueued);
  rig_.executor.RunAll();

  EXPECT_EQ(rig_.broker.message(of_broker).state, State::kAcked);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace cirro
