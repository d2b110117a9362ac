// What becomes of one call in time: order, concurrency, retries, batches,
// completions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <utility>
#include <vector>

#include "support/dispatch_rig.h"
#include "unit/dispatch/calls.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::CallsTest;
using test::kBySubject;
using test::Lines;
using test::MemoryInlet;
using test::TypedEvent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(CallsTest, OfOneKeyRunOneAfterTheOther) {
  OnHeld({.type = "t", .order_by = kBySubject});
  rig_.Start();

  rig_.Post(TypedEvent("t", "x1", "x"));
  rig_.Post(TypedEvent("t", "x2", "x"));
  rig_.Post(TypedEvent("t", "y1", "y"));
  rig_.Post(TypedEvent("t", "n1"));
  rig_.Post(TypedEvent("t", "n2"));

  EXPECT_EQ(begun_, "x1 y1 n1 n2 ");
  Finish(Done());
  EXPECT_EQ(begun_, "x1 y1 n1 n2 x2 ");
}

TEST_F(CallsTest, AreOrderedByWhatTheFunctionSays) {
  OnHeld({.name = "pointer",
          .type = "t",
          .order_by = {OrderBy::Kind::kJsonPointer, "/order/id"}});
  rig_.Start();
  const auto event = [](const char* id, const char* json) {
    return *EventBuilder()
                .id(id)
                .source("/")
                .type("t")
                .data(JsonText(json))
                .Build();
  };

  rig_.Post(event("1", R"({"order":{"id":7}})"));
  rig_.Post(event("2", R"({"a":[1,{}],"order":{"x":0,"id": 7}})"));
  rig_.Post(event("3", R"({"order":{"id":8}})"));
  rig_.Post(event("4", R"({"order":{}})"));

  EXPECT_EQ(begun_, "1 3 4 ");
}

TEST_F(CallsTest, FromABrokerFollowTheRecordKey) {
  OnHeld({.type = "t"});
  rig_.Start();

  rig_.broker.Publish(TypedEvent("t", "1"), "key");
  rig_.broker.Publish(TypedEvent("t", "2"), "key");
  rig_.Run();

  EXPECT_EQ(begun_, "1 ");
}

TEST_F(CallsTest, AreNoMoreAtOnceThanTheConcurrency) {
  OnHeld({.type = "t", .concurrency = 2});
  rig_.Start();

  for (const char* id : {"1", "2", "3"}) rig_.Post(TypedEvent("t", id));

  EXPECT_EQ(begun_, "1 2 ");
  Finish(Done());
  EXPECT_EQ(begun_, "1 2 3 ");
}

TEST_F(CallsTest, FromABrokerAreRetriedWithBackoffInTheirLane) {
  OnHeld({.type = "t"});
  rig_.Start();
  rig_.broker.Publish(TypedEvent("t", "1"), "key");
  rig_.broker.Publish(TypedEvent("t", "2"), "key");
  rig_.broker.Publish(TypedEvent("t", "3"), "other");
  rig_.Run();

  Finish(Retry("not yet"));
  rig_.Advance(milliseconds(100));  // The first backoff's longest.

  EXPECT_EQ(begun_, "1 3 1 ");
  EXPECT_THAT(attempts_, ElementsAre(1, 1, 2));
  EXPECT_THAT(rig_.broker.message(0).settlements, IsEmpty());
}

TEST_F(CallsTest, WaitAtLeastAsLongAsTheFunctionSays) {
  OnHeld({.type = "t"});
  rig_.Start();
  rig_.broker.Publish(TypedEvent("t", "1"));
  rig_.Run();

  Finish(Retry(seconds(7), "later"));

  rig_.Advance(milliseconds(6999));
  EXPECT_EQ(begun_, "1 ");
  rig_.Advance(milliseconds(1));
  EXPECT_EQ(begun_, "1 1 ");
}

TEST_F(CallsTest, WithoutALaneWaitInASourceThatDelays) {
  OnHeld({.type = "t"});
  rig_.Start();
  rig_.broker.Publish(TypedEvent("t", "1"));
  rig_.Run();

  for (int i = 0; i < rig_.options.retry.attempts; ++i) {
    Finish(Retry("never works"));
    rig_.Advance(milliseconds(200));
  }

  const auto message = rig_.broker.message(0);
  ASSERT_THAT(message.settlements, SizeIs(3));
  EXPECT_EQ(message.settlements[0].kind, Settlement::Kind::kNak);
  EXPECT_LE(message.settlements[0].delay, milliseconds(100));
  EXPECT_EQ(message.settlements[2].delay, rig_.options.retry.cap);
}

TEST_F(CallsTest, KeepTheirLaneClosedHoweverOftenTheyFail) {
  OnHeld({.type = "t"});
  rig_.Start();
  rig_.broker.Publish(TypedEvent("t", "1"), "key");
  rig_.broker.Publish(TypedEvent("t", "2"), "key");
  rig_.Run();

  for (int i = 0; i < 6; ++i) {
    Finish(i == 3 ? Reject("poison") : Retry("never works"));
    rig_.Advance(rig_.options.retry.cap);
  }
  EXPECT_EQ(begun_, "1 1 1 1 1 1 1 ");
  Finish(Done());

  EXPECT_EQ(begun_, "1 1 1 1 1 1 1 2 ");
  EXPECT_EQ(rig_.broker.message(0).state, MemoryInlet::State::kAcked);
}

// No time passes but what is said here, and each other event runs at once.
TEST_F(CallsTest, OfAKeyThatHangsOrBacksOffDelayNoOther) {
  OnHeld({.type = "t", .timeout = milliseconds(50)});
  rig_.Start();
  rig_.broker.Publish(TypedEvent("t", "failing"), "f");
  rig_.broker.Publish(TypedEvent("t", "behind"), "f");
  rig_.broker.Publish(TypedEvent("t", "hung"), "h");
  rig_.broker.Publish(TypedEvent("t", "behind"), "h");
  rig_.Run();
  Finish(Retry(seconds(9), "not yet"));
  std::string expected = "failing hung ";
  ASSERT_EQ(begun_, expected);

  for (int i = 0; i < 200; ++i) {
    const std::string id = std::to_string(i);
    rig_.broker.Publish(TypedEvent("t", id), i % 2 == 0 ? "o" : id);
    rig_.Run();
    expected += id + ' ';
    ASSERT_EQ(begun_, expected);
    Finish(Done(), 1);
    if (i == 100) rig_.Advance(milliseconds(100));  // It hangs from here on.
  }
}

// A capability that a source lacks is the dispatcher's to replace.
TEST_F(CallsTest, WaitHereForASourceThatCannotDelayThem) {
  OnHeld({.type = "t"});
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t", "1"));
  rig_.broker.Publish(TypedEvent("t", "2"));
  rig_.Run();

  for (int i = 0; i < 2 * rig_.options.retry.attempts; ++i) {
    Finish(Retry("never works"));
    if (open_.empty()) rig_.Advance(rig_.options.retry.cap);
  }

  EXPECT_THAT(rig_.hasty.message(0).settlements, IsEmpty());
  EXPECT_THAT(rig_.broker.message(0).settlements, Not(IsEmpty()));
  EXPECT_EQ(rig_.hasty.open(), 1U);
}

TEST_F(CallsTest, ThatDropTheirCompletionFail) {
  OnHeld({.type = "t"});
  rig_.Start();
  const std::size_t number = rig_.Post(TypedEvent("t"));

  open_.clear();
  rig_.Run();

  EXPECT_EQ(KindOf(number), Settlement::Kind::kNak);
  EXPECT_THAT(rig_.Answer(number).error->message, HasSubstr("Completion"));
}

TEST_F(CallsTest, ThatThrowSayWhatTheyThrew) {
  rig_.On({.type = "t"}, [](const Event&, Completion) {
    throw std::runtime_error("no luck");
  });
  rig_.Start();

  const std::size_t number = rig_.Post(TypedEvent("t"));

  EXPECT_EQ(rig_.Answer(number).error->message, "no luck");
}

TEST_F(CallsTest, MayBeCompletedBeforeTheFunctionReturns) {
  rig_.On({.type = "t"}, [](const Event& event, Completion completion) {
    completion.Finish(Done());
    EXPECT_EQ(event.type(), "t");  // The event lives until the return.
  });
  rig_.Start();

  EXPECT_EQ(KindOf(rig_.Post(TypedEvent("t"))), Settlement::Kind::kAck);
}

TEST_F(CallsTest, MayBeCompletedPastTheDispatchersEnd) {
  OnHeld({.type = "t"});
  rig_.Start();
  const std::size_t number = rig_.Post(TypedEvent("t"));

  rig_.dispatcher.reset();
  open_.clear();

  EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kDraining);
}

TEST_F(CallsTest, OfABatchFunctionTakeWhatIsQueuedNow) {
  std::vector<std::size_t> sizes;
  rig_.On({.type = "t", .batch_max = 3}, [&](std::span<const Event> events) {
    sizes.push_back(events.size());
    std::vector<Outcome> outcomes(events.size());
    outcomes.back() = Reject("the last");
    return outcomes;
  });
  rig_.Start();

  for (int i = 0; i < 5; ++i) rig_.http.Publish(TypedEvent("t"));
  rig_.Run();

  EXPECT_THAT(sizes, ElementsAre(3, 2));
  EXPECT_EQ(KindOf(0), Settlement::Kind::kAck);
  EXPECT_EQ(KindOf(2), Settlement::Kind::kTerm);
  EXPECT_EQ(KindOf(3), Settlement::Kind::kAck);
  EXPECT_EQ(KindOf(4), Settlement::Kind::kTerm);
}

TEST_F(CallsTest, OfABatchFailTogetherWhenTheirOutcomesDoNotAddUp) {
  rig_.On({.type = "t"},
          [](std::span<const Event>) { return std::vector<Outcome>(1); });
  rig_.Start();

  rig_.http.Publish(TypedEvent("t"));
  rig_.http.Publish(TypedEvent("t"));
  rig_.Run();

  for (const std::size_t number : {0U, 1U}) {
    EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kFunctionFailed);
    EXPECT_THAT(rig_.Answer(number).error->message, HasSubstr("2 events"));
  }
}

// A Context that a function keeps is of no use then, and does no harm.
TEST_F(CallsTest, AskInVainWhenTheirDispatcherIsGone) {
  Context* kept = nullptr;
  std::vector<Completion> completions;
  rig_.On({.type = "t"},
          [&](const Event&, Context& context, Completion completion) {
            kept = &context;
            completions.push_back(std::move(completion));
          });
  Lines lines;
  rig_.observer = &lines;
  rig_.Start();
  rig_.Post(TypedEvent("t"));
  kept->Log(LogLevel::kInfo, "before");

  rig_.dispatcher.reset();
  kept->Log(LogLevel::kInfo, "after");
  const auto published = kept->Publish("sink", TypedEvent("u"));

  EXPECT_THAT(lines.said, ElementsAre("1: before"));
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, ErrorCode::kDraining);
}

TEST_F(CallsTest, OfABatchLogOfTheEventTheyName) {
  rig_.On({.type = "t"}, [](std::span<const Event> events, Context& context) {
    context.Log(LogLevel::kInfo, "all");
    for (const Event& event : events) {
      context.Log(LogLevel::kInfo, event, "one");
    }
  });
  Lines lines;
  rig_.observer = &lines;
  rig_.Start();

  rig_.http.Publish(TypedEvent("t", "1"));
  rig_.http.Publish(TypedEvent("t", "2"));
  rig_.Run();

  EXPECT_THAT(lines.said, ElementsAre("all", "1: one", "2: one"));
}

TEST_F(CallsTest, OnlyTheFailedOneOfSeveralRunsAgain) {
  int calm = 0;
  OnHeld({.name = "held", .type = "t"});
  rig_.On({.name = "calm", .type = "t"}, [&](const Event&) { ++calm; });
  rig_.Start();
  rig_.broker.Publish(TypedEvent("t", "1"));
  rig_.Run();

  Finish(Retry("not yet"));
  rig_.Advance(seconds(1));
  Finish(Done());

  EXPECT_EQ(begun_, "1 1 ");
  EXPECT_EQ(calm, 1);
  EXPECT_EQ(rig_.broker.message(0).state, MemoryInlet::State::kAcked);
}

}  // namespace
}  // namespace cirro
