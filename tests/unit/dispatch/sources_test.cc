// What the dispatcher does with what a source can do: extend, count, delay,
// stop asking, or settle together with what was sent.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "support/dispatch_rig.h"
#include "support/transactional_inlet.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using State = test::MemoryInlet::State;
using test::DispatchRig;
using test::MemoryInlet;
using test::TransactionalInlet;
using test::TypedEvent;

class LeasingInlet final : public MemoryInlet,
                           public InProgress,
                           public KeepsAttempts {
 public:
  using MemoryInlet::MemoryInlet;

  [[nodiscard]] milliseconds extend_every() const noexcept override {
    return seconds(10);
  }
  void Extend(std::span<const DeliveryToken> tokens) noexcept override {
    extended.emplace_back();
    for (const DeliveryToken& token : tokens) {
      extended.back().push_back(token.low);
    }
  }
  void Attempted(DeliveryToken token, int attempts) noexcept override {
    attempted.emplace_back(token.low, attempts);
  }

  std::vector<std::vector<std::uint64_t>> extended;
  std::vector<std::pair<std::uint64_t, int>> attempted;
};

class Sources : public ::testing::Test {
 protected:
  // Inlets outlive the dispatcher.
  ~Sources() override { rig_.dispatcher.reset(); }

  // The rig, with this inlet in place of its others.
  template <typename Inlet>
  void Start(Inlet& inlet) {
    auto parts = rig_.Parts();
    parts.inlets = {&inlet};
    auto made = Dispatcher::Make(std::move(rig_.registry), rig_.options,
                                 std::move(parts));
    ASSERT_TRUE(made.has_value()) << made.error().message;
    rig_.dispatcher = *std::move(made);
    ASSERT_TRUE(inlet.Start(*rig_.dispatcher).has_value());
    pump_ = [&inlet] { return inlet.Pump(); };
  }
  void Run() {
    while (pump_() > 0 || rig_.executor.RunFirst() || rig_.timers.RunDue()) {
    }
  }
  void Advance(milliseconds by) {
    const TimePoint end = rig_.clock.Now() + by;
    for (Run(); rig_.timers.next() <= end; Run()) {
      rig_.clock.AdvanceTo(rig_.timers.next());
    }
    rig_.clock.AdvanceTo(end);
    Run();
  }

  DispatchRig rig_;
  LeasingInlet leasing_{rig_.clock, {.name = "leasing"}};
  TransactionalInlet transactional_{rig_.clock, {.name = "transactional"}};
  MemoryInlet bounded_{rig_.clock, {.name = "bounded", .max_in_flight = 8}};
  std::function<std::size_t()> pump_;
};

TEST_F(Sources, WhatIsOpenIsExtendedWhereverItWaitsOrRuns) {
  std::vector<Completion> open;
  rig_.On({.type = "t", .concurrency = 1},
          [&open](const Event&, Completion completion) {
            open.push_back(std::move(completion));
          });
  Start(leasing_);
  leasing_.Publish(TypedEvent("t", "running"));
  leasing_.Publish(TypedEvent("t", "queued"));
  Advance(seconds(10));

  open[0].Finish(Done());
  Advance(seconds(10));
  open[1].Finish(Done());
  Advance(seconds(30));

  EXPECT_THAT(leasing_.extended,
              ElementsAre(ElementsAre(0, 1), ElementsAre(1)));
}

TEST_F(Sources, WhatIsToBeTriedAgainIsExtendedAndCounted) {
  rig_.On({.type = "t"}, [](const Event&) { return Retry("not now"); });
  rig_.options.retry = {.attempts = 3, .base = seconds(20), .cap = seconds(40)};
  Start(leasing_);
  leasing_.Publish(TypedEvent("t"));

  Advance(seconds(10));

  EXPECT_THAT(leasing_.attempted, ::testing::Contains(std::pair(0UL, 1)));
  EXPECT_THAT(leasing_.extended, ElementsAre(ElementsAre(0)));
}

// A source that is told none takes its own, which may be far longer.
TEST_F(Sources, ThatKeepADelayAreToldOneWhateverTheJitter) {
  rig_.options.retry = {
      .attempts = 100, .base = milliseconds(1), .cap = milliseconds(1)};
  int calls = 0;
  rig_.On({.type = "t"}, [&](const Event&) -> Outcome {
    if (++calls <= 50) return Retry("not yet");
    return Done();
  });
  rig_.Start();

  const auto number = rig_.broker.Publish(TypedEvent("t"));
  rig_.Advance(seconds(1));

  const auto settlements = rig_.broker.message(number).settlements;
  ASSERT_EQ(settlements.size(), 51U);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_GT(settlements[i].delay, milliseconds(0)) << i;
  }
}

TEST_F(Sources, DemandEndsAtThreeQuartersOfTheInletsOwnBound) {
  std::vector<Completion> open;
  rig_.On({.type = "t"}, [&open](const Event&, Completion completion) {
    open.push_back(std::move(completion));
  });
  Start(bounded_);
  for (int i = 0; i < 6; ++i) {
    bounded_.Publish(TypedEvent("t", std::to_string(i)));
    Run();
  }
  const bool at_six = bounded_.demand();

  open[0].Finish(Done());
  const bool at_five = bounded_.demand();
  open[1].Finish(Done());
  const bool at_four = bounded_.demand();

  EXPECT_FALSE(at_six);
  EXPECT_FALSE(at_five);
  EXPECT_TRUE(at_four);
}

TEST_F(Sources, AFunctionThatIsFullEndsTheDemandOfItsSourceAlone) {
  std::vector<Completion> open;
  rig_.On({.type = "t", .max_in_flight = 2},
          [&open](const Event&, Completion completion) {
            open.push_back(std::move(completion));
          });
  rig_.Start();
  for (int i = 0; i < 2; ++i) {
    rig_.hasty.Publish(TypedEvent("t", std::to_string(i)));
  }
  rig_.Run();
  const bool full = !rig_.hasty.demand();
  const bool other = rig_.broker.demand();

  open[0].Finish(Done());

  EXPECT_TRUE(full);
  EXPECT_TRUE(other);
  EXPECT_TRUE(rig_.hasty.demand());
}

// Peers that wait are told when there is no room, and keep what they get.
TEST_F(Sources, ASourceIsNotKeptWaitingByPeersThatKeepHalfOfABound) {
  std::vector<Completion> open;
  rig_.On({.type = "t"}, [&open](const Event&, Completion completion) {
    open.push_back(std::move(completion));
  });
  rig_.options.max_in_flight = 8;
  rig_.Start();
  for (int i = 0; i < 6; ++i) rig_.Post(TypedEvent("t"));
  rig_.hasty.Publish(TypedEvent("t"));
  rig_.hasty.Publish(TypedEvent("t"));
  rig_.Run();

  EXPECT_EQ(rig_.hasty.open(), 2U);
  EXPECT_FALSE(rig_.hasty.demand());
}

TEST_F(Sources, ASourceIsNotKeptWaitingByPeersThatKeepHalfOfAFunction) {
  std::vector<Completion> open;
  rig_.On({.type = "t", .max_in_flight = 4},
          [&open](const Event&, Completion completion) {
            open.push_back(std::move(completion));
          });
  rig_.Start();
  for (int i = 0; i < 3; ++i) rig_.Post(TypedEvent("t"));
  rig_.hasty.Publish(TypedEvent("t"));
  rig_.Run();
  const bool at_its_bound = rig_.hasty.demand();

  open.back().Finish(Done());
  open.pop_back();
  const bool with_room = rig_.hasty.demand();

  EXPECT_FALSE(at_its_bound);
  EXPECT_TRUE(with_room);
}

TEST_F(Sources, ABatchPastABoundIsHeldAndNotRefused) {
  std::vector<Completion> open;
  rig_.On({.type = "t"}, [&open](const Event&, Completion completion) {
    open.push_back(std::move(completion));
  });
  rig_.options.max_in_flight = 4;
  rig_.Start();
  for (int i = 0; i < 10; ++i) {
    rig_.hasty.Publish(TypedEvent("t", std::to_string(i)));
  }

  rig_.Run();

  EXPECT_EQ(rig_.hasty.open(), 10U);
  EXPECT_FALSE(rig_.hasty.demand());
}

// The common way of an inline function takes no room in the dispatcher.
TEST_F(Sources, AnInlineFunctionRunsAtOnceAndInOrder) {
  std::string begun;
  std::uint32_t in_flight = 0;
  rig_.On({.type = "t", .inline_call = true}, [&](const Event& event) {
    begun += event.id();
    in_flight = std::max(in_flight, rig_.dispatcher->counts().in_flight);
  });
  Start(bounded_);
  for (const char* id : {"1", "2", "3"}) {
    bounded_.Publish(TypedEvent("t", id), "key");
  }

  Run();

  EXPECT_EQ(begun, "123");
  EXPECT_EQ(in_flight, 0U);
  EXPECT_EQ(bounded_.message(2).state, State::kAcked);
}

TEST_F(Sources, AnInlineFunctionThatFailedClosesTheLane) {
  std::string begun;
  rig_.On({.type = "t", .inline_call = true},
          [&](const Event& event) -> Outcome {
            begun += event.id();
            return begun == "1" ? Retry("not now") : Done();
          });
  Start(bounded_);
  for (const char* id : {"1", "2", "3"}) {
    bounded_.Publish(TypedEvent("t", id), id == std::string("3") ? "b" : "a");
  }

  Run();
  const std::string at_once = begun;
  Advance(seconds(10));

  EXPECT_EQ(at_once, "13");
  EXPECT_EQ(begun, "1312");
  EXPECT_EQ(bounded_.message(1).state, State::kAcked);
}

TEST_F(Sources, AnInlineFunctionsRepliesAreConfirmedBeforeItsEventIsForgotten) {
  rig_.options.reply_to = "slow";
  rig_.On({.type = "t", .inline_call = true},
          [](const Event&) { return Reply(TypedEvent("reply")); });
  Start(bounded_);
  bounded_.Publish(TypedEvent("t"), "a");
  Run();
  const State before = bounded_.message(0).state;

  rig_.slow.Confirm();

  EXPECT_EQ(before, State::kOpen);
  EXPECT_EQ(bounded_.message(0).state, State::kAcked);
}

TEST_F(Sources, OfATransactionGetWhatWasSentWithTheSettlement) {
  rig_.options.reply_to = "sink";
  rig_.On({.type = "t"}, [](const Event&, Context& context) -> Outcome {
    if (!context.Publish("slow", TypedEvent("published"))) return Retry("");
    return Reply(TypedEvent("reply"));
  });
  Start(transactional_);
  transactional_.Publish(TypedEvent("t"));

  Run();

  const auto message = transactional_.message(0);
  ASSERT_EQ(message.state, State::kAcked);
  const auto& outputs = message.settlements.front().outputs;
  ASSERT_THAT(outputs, SizeIs(2));
  EXPECT_EQ(outputs[0].outlet, 1U);
  EXPECT_EQ(outputs[0].event.type(), "published");
  EXPECT_EQ(outputs[1].outlet, 0U);
  EXPECT_EQ(outputs[1].event.type(), "reply");
  EXPECT_THAT(rig_.sink.taken(), IsEmpty());
  EXPECT_EQ(rig_.slow.open(), 0U);
}

TEST_F(Sources, OfATransactionGetNothingOfAnAttemptThatFailed) {
  int calls = 0;
  rig_.On({.type = "t"}, [&calls](const Event&, Context& context) -> Outcome {
    if (!context.Publish("slow", TypedEvent("published"))) return Reject("");
    return ++calls == 1 ? Retry("not now") : Done();
  });
  Start(transactional_);
  transactional_.Publish(TypedEvent("t"));

  Advance(seconds(10));

  const auto message = transactional_.message(0);
  ASSERT_EQ(message.state, State::kAcked);
  EXPECT_THAT(message.settlements.front().outputs, SizeIs(1));
}

TEST_F(Sources, OfATransactionGetTheDeadLetterWithTheSettlement) {
  rig_.options.dead_letter = {"letters"};
  rig_.On({.name = "f", .type = "t"},
          [](const Event&) { return Reject("never"); });
  Start(transactional_);
  transactional_.Publish(TypedEvent("t", "7"));

  Run();

  const auto message = transactional_.message(0);
  ASSERT_EQ(message.state, State::kTermed);
  const auto& letters = message.settlements.front().letters;
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].place, 0U);
  EXPECT_EQ(std::get<Event>(letters[0].letter.content).id(), "7");
  EXPECT_EQ(letters[0].letter.facts.function, "f");
  EXPECT_EQ(letters[0].letter.facts.position, "0");
  EXPECT_THAT(rig_.letters.kept(), IsEmpty());
}

TEST_F(Sources, OfATransactionMayBePublishedToByAnInlineFunction) {
  rig_.On({.type = "t", .inline_call = true},
          [](const Event&, Context& context) -> Outcome {
            if (!context.Publish("slow", TypedEvent("published"))) {
              return Reject("");
            }
            return Done();
          });
  Start(transactional_);
  transactional_.Publish(TypedEvent("t"));

  Run();

  EXPECT_EQ(transactional_.message(0).state, State::kAcked);
  EXPECT_THAT(transactional_.message(0).settlements.front().outputs, SizeIs(1));
}

TEST_F(Sources, OfATransactionABatchsEventsGoWithTheFirstThatIsDone) {
  rig_.On({.type = "t"}, [](std::span<const Event> events, Context& context) {
    std::vector<Outcome> outcomes;
    for (const Event& event : events) {
      static_cast<void>(context.Publish("slow", TypedEvent("published")));
      outcomes.push_back(event.id() == "0" ? Reject("never") : Done());
    }
    return outcomes;
  });
  rig_.options.dead_letter = {"letters"};
  Start(transactional_);
  for (int i = 0; i < 3; ++i) {
    transactional_.Publish(TypedEvent("t", std::to_string(i)));
  }

  Run();

  EXPECT_THAT(transactional_.message(0).settlements.front().outputs, IsEmpty());
  EXPECT_THAT(transactional_.message(1).settlements.front().outputs, SizeIs(3));
  EXPECT_THAT(transactional_.message(2).settlements.front().outputs, IsEmpty());
}

// A source that asks, while it is told.
class AskingSource final : public Settler {
 public:
  explicit AskingSource(DispatchRig& rig) : rig_(rig) {}

  void Settle(DeliveryToken /*token*/,
              Settlement /*settlement*/) noexcept override {
    idle_while_told.push_back(rig_.dispatcher->WaitIdle(milliseconds(0)));
  }
  [[nodiscard]] std::string PositionOf(DeliveryToken /*token*/) const override {
    return "1";
  }

  std::vector<bool> idle_while_told;

 private:
  DispatchRig& rig_;
};

TEST_F(Sources, NothingIsIdleBeforeItsSourceHasHeard) {
  rig_.On({.type = "t"}, [](const Event&) {});
  Start(leasing_);
  AskingSource source(rig_);
  Delivery delivery(TypedEvent("t"), leasing_.info(), source, {});
  rig_.dispatcher->Deliver({&delivery, 1});

  Run();

  EXPECT_THAT(source.idle_while_told, ElementsAre(false));
  EXPECT_TRUE(rig_.dispatcher->WaitIdle(milliseconds(0)));
}

}  // namespace
}  // namespace cirro
