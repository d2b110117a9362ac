// A process that ends while functions, letters and replies are on their way:
// what is given back leaves nothing behind, and nothing waits for the end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <span>

#include "support/dispatch_rig.h"
#include "support/transactional_inlet.h"

namespace cirro {
namespace {

using std::chrono::seconds;
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

}  // namespace
}  // namespace cirro
