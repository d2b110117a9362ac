// What becomes of one call in time: order, concurrency, deadlines, hung
// functions, retries, batches, completions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "support/dispatch_rig.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::DispatchRig;
using test::MemoryInlet;
using test::TypedEvent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const OrderBy kBySubject{OrderBy::Kind::kSubject, {}};

// What functions log, with the id of the event that it is about.
class Lines final : public Observer {
 public:
  std::vector<std::string> said;

  void Received(const Delivery& /*delivery*/) noexcept override {}
  void Started(std::string_view /*function*/, const Delivery& /*delivery*/,
               int /*attempt*/) noexcept override {}
  void Finished(std::string_view /*function*/, const Delivery& /*delivery*/,
                Outcome::Kind /*outcome*/, const Error* /*error*/,
                Duration /*took*/) noexcept override {}
  void Settled(const Delivery& /*delivery*/, const Settlement& /*settlement*/,
               Duration /*since_received*/) noexcept override {}
  void Hung(std::string_view /*function*/,
            const Delivery& /*delivery*/) noexcept override {}
  void Logged(LogLevel /*level*/, std::string_view /*function*/,
              const Event* event, const TraceContext& /*trace*/,
              std::string_view message) noexcept override {
    said.push_back((event == nullptr ? "" : std::string(event->id()) + ": ") +
                   std::string(message));
  }
};

// A function whose calls stay open until a test ends them.
class CallsTest : public ::testing::Test {
 protected:
  void OnHeld(FunctionSpec spec) {
    rig_.On(std::move(spec), [this](const Event& event, Context& context,
                                    Completion completion) {
      begun_ += std::string(event.id()) + ' ';
      attempts_.push_back(context.attempt());
      deadline_ = context.deadline();
      stop_ = context.stop_token();
      open_.push_back(std::move(completion));
    });
  }
  void Finish(Outcome outcome, std::size_t place = 0) {
    Completion completion = std::move(open_.at(place));
    open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(place));
    completion.Finish(std::move(outcome));
    rig_.Run();
  }
  Settlement::Kind KindOf(std::size_t number) {
    return rig_.Answer(number).kind;
  }

  std::string begun_;
  std::vector<int> attempts_;
  TimePoint deadline_;
  std::stop_token stop_;
  std::vector<Completion> open_;
  DispatchRig rig_;
};

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

TEST_F(CallsTest, PastTheirTimeoutAreReportedAndAnswered) {
  OnHeld({.type = "t", .order_by = kBySubject, .timeout = seconds(5)});
  rig_.Start();
  const std::size_t hung = rig_.Post(TypedEvent("t", "1", "x"));
  const std::size_t next = rig_.Post(TypedEvent("t", "2", "x"));

  rig_.Advance(seconds(5));

  EXPECT_EQ(rig_.Answer(hung).error->code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(stop_.stop_requested());
  EXPECT_EQ(rig_.dispatcher->counts().hung, 1U);
  EXPECT_EQ(begun_, "1 ") << "its lane stays closed";
  Finish(Done());
  EXPECT_EQ(begun_, "1 2 ");
  EXPECT_EQ(rig_.dispatcher->counts().hung, 0U);
  EXPECT_THAT(rig_.http.message(next).settlements, IsEmpty());
  EXPECT_EQ(rig_.http.wrong_settlements(), 0U);
}

TEST_F(CallsTest, ThatHangKeepTheEventOfASourceThatForgets) {
  OnHeld({.type = "t", .timeout = seconds(5)});
  rig_.Start();
  rig_.hasty.Publish(TypedEvent("t", "1"), "key");

  rig_.Advance(seconds(60));
  EXPECT_THAT(rig_.hasty.message(0).settlements, IsEmpty());
  Finish(Done());

  EXPECT_EQ(rig_.hasty.message(0).state, MemoryInlet::State::kAcked);
}

TEST_F(CallsTest, ThatHangGiveTheirEventBackWhereSomebodyElseGetsIt) {
  OnHeld({.type = "t", .timeout = seconds(5)});
  rig_.Start();
  rig_.broker.Publish(TypedEvent("t", "1"), "key");

  rig_.Advance(seconds(5));

  EXPECT_THAT(rig_.broker.message(0).settlements, SizeIs(1));
  EXPECT_EQ(begun_, "1 ") << "its lane stays closed";
  Finish(Done());
  EXPECT_EQ(begun_, "1 1 ");
}

// Kept completions hang without a thread, so no bound on threads counts them.
TEST_F(CallsTest, ThatHangForLongAndLeaveNoConcurrencyAreStuck) {
  OnHeld({.type = "t", .concurrency = 2, .timeout = seconds(5)});
  rig_.Start();
  rig_.Post(TypedEvent("t", "1"));
  rig_.Post(TypedEvent("t", "2"));

  rig_.Advance(seconds(9));
  EXPECT_EQ(rig_.dispatcher->counts().hung, 2U);
  EXPECT_EQ(rig_.stuck, 0) << "they may still end";
  rig_.Advance(seconds(1));

  EXPECT_GE(rig_.stuck, 1);
}

TEST_F(CallsTest, ThatHangAndLeaveOthersRoomAreNotStuck) {
  OnHeld({.name = "few", .type = "t", .concurrency = 2, .timeout = seconds(5)});
  OnHeld({.name = "many", .type = "u", .timeout = seconds(5)});
  rig_.options.max_in_flight = 20;
  rig_.Start();
  rig_.Post(TypedEvent("t", "1"));
  for (int i = 0; i < 8; ++i) rig_.Post(TypedEvent("u"));

  rig_.Advance(seconds(60));

  EXPECT_EQ(rig_.dispatcher->counts().hung, 9U);
  EXPECT_EQ(rig_.stuck, 0);
  rig_.Post(TypedEvent("u"));
  rig_.Advance(seconds(60));
  EXPECT_GE(rig_.stuck, 1) << "half of max_in_flight";
}

TEST_F(CallsTest, AreStuckEachFromItsOwnTimeout) {
  OnHeld({.type = "t", .concurrency = 2, .timeout = seconds(5)});
  rig_.Start();
  rig_.Post(TypedEvent("t", "1"));
  rig_.Advance(seconds(4));
  rig_.Post(TypedEvent("t", "2"));

  rig_.Advance(seconds(7));
  EXPECT_EQ(rig_.stuck, 0) << "the second has only begun to hang";
  rig_.Advance(seconds(3));
  EXPECT_EQ(rig_.stuck, 1);
}

TEST_F(CallsTest, ThatHangAndLeaveNoBytesAreStuck) {
  OnHeld({.type = "t", .timeout = seconds(5)});
  rig_.options.max_bytes = 10'000;
  rig_.Start();
  for (int i = 0; i < 2; ++i) {
    rig_.Post(*EventBuilder(TypedEvent("t"))
                   .data(Text(std::string(3'000, 'x')))
                   .Build());
  }

  rig_.Advance(seconds(10));

  EXPECT_GE(rig_.stuck, 1);
}

TEST_F(CallsTest, OfABatchThatHangsAreStuckEach) {
  int during = 0;
  rig_.On(
      {.type = "t", .max_in_flight = 4, .timeout = seconds(5), .batch_max = 4},
      [&](std::span<const Event> events) {
        rig_.clock.Advance(seconds(5));
        rig_.timers.RunDue();
        rig_.clock.Advance(seconds(5));
        rig_.timers.RunDue();
        during = rig_.stuck;
        return std::vector<Outcome>(events.size());
      });
  rig_.Start();
  for (int i = 0; i < 3; ++i) rig_.http.Publish(TypedEvent("t"));
  rig_.Run();

  EXPECT_EQ(during, 1);
  EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
  rig_.http.Publish(TypedEvent("t"));
  rig_.Run();
  EXPECT_EQ(rig_.stuck, 1) << "one of four is no half";
}

TEST_F(CallsTest, ThatEndLateAreNotStuck) {
  OnHeld({.type = "t", .concurrency = 1, .timeout = seconds(5)});
  rig_.Start();
  rig_.Post(TypedEvent("t", "1"));

  rig_.Advance(seconds(9));
  Finish(Done());
  rig_.Advance(seconds(60));

  EXPECT_EQ(rig_.stuck, 0);
  EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
}

TEST_F(CallsTest, EndWithThePatienceOfTheirPeer) {
  OnHeld({.type = "t", .concurrency = 1});
  rig_.Start();
  const std::size_t running = rig_.http.Publish(
      {.event = TypedEvent("t", "1"), .patience = seconds(3)});
  const std::size_t waiting = rig_.http.Publish(
      {.event = TypedEvent("t", "2"), .patience = seconds(3)});
  rig_.Run();
  EXPECT_EQ(deadline_, rig_.clock.Now() + seconds(3));

  rig_.Advance(seconds(3));

  for (const std::size_t number : {running, waiting}) {
    EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kDeadlineExceeded);
  }
  Finish(Done());
  EXPECT_EQ(begun_, "1 ");
  EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
}

// A queue that is full for long begins every call shortly before its peer's
// deadline: that is no reason to take its function for a hung one.
TEST_F(CallsTest, PastTheirPeersPatienceDoNotHang) {
  std::stop_token stop;
  rig_.On({.type = "t", .timeout = seconds(5)},
          [&](const Event&, Context& context) {
            stop = context.stop_token();
            rig_.clock.Advance(seconds(4));
            rig_.timers.RunDue();
          });
  rig_.Start();
  const std::size_t number =
      rig_.http.Publish({.event = TypedEvent("t"), .patience = seconds(3)});
  rig_.Run();

  EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_THAT(rig_.executor.hung(), IsEmpty());
  EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
}

TEST_F(CallsTest, PastTheirPeersPatienceHangAtTheirTimeout) {
  rig_.On({.type = "t", .timeout = seconds(5)}, [&](const Event&, Context&) {
    rig_.clock.Advance(seconds(4));
    rig_.timers.RunDue();
    rig_.clock.Advance(seconds(1));
    rig_.timers.RunDue();
  });
  rig_.Start();
  rig_.http.Publish({.event = TypedEvent("t"), .patience = seconds(3)});
  rig_.Run();

  EXPECT_THAT(rig_.executor.hung(), SizeIs(1));
  EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
}

TEST_F(CallsTest, ThatNeverReachedAWorkerEndInTimeToo) {
  OnHeld({.type = "t"});
  rig_.Start();
  const std::size_t number = rig_.http.Publish(
      {.event = TypedEvent("t", "1"), .patience = seconds(3)});
  rig_.http.Pump();

  rig_.clock.Advance(seconds(3));
  rig_.timers.RunDue();
  rig_.executor.RunAll();

  EXPECT_EQ(begun_, "");
  EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kDeadlineExceeded);
}

TEST_F(CallsTest, ThatHangOnAWorkerHaveItReplaced) {
  std::stop_token stop;
  rig_.On({.type = "t", .timeout = seconds(5)},
          [&](const Event&, Context& context) {
            stop = context.stop_token();
            rig_.clock.Advance(seconds(6));  // The world goes on meanwhile.
            rig_.timers.RunDue();
          });
  rig_.Start();

  const std::size_t number = rig_.Post(TypedEvent("t"));

  EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kDeadlineExceeded);
  EXPECT_TRUE(stop.stop_requested());
  EXPECT_THAT(rig_.executor.hung(), SizeIs(1));
  EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
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

TEST_F(CallsTest, OfABatchThatHangsAreAllAnswered) {
  rig_.On({.type = "t", .timeout = seconds(5)},
          [&](std::span<const Event> events) {
            rig_.clock.Advance(seconds(6));
            rig_.timers.RunDue();
            return std::vector<Outcome>(events.size());
          });
  rig_.Start();

  rig_.http.Publish(TypedEvent("t"));
  rig_.http.Publish(TypedEvent("t"));
  rig_.Run();

  for (const std::size_t number : {0U, 1U}) {
    EXPECT_EQ(rig_.Answer(number).error->code, ErrorCode::kDeadlineExceeded);
  }
  EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
}

TEST_F(CallsTest, OfABatchEndEachWithThePatienceOfItsPeer) {
  rig_.On({.type = "t", .timeout = seconds(60)},
          [&](std::span<const Event> events) {
            rig_.clock.Advance(seconds(4));
            rig_.timers.RunDue();
            return std::vector<Outcome>(events.size());
          });
  rig_.Start();

  std::vector<std::size_t> numbers;
  for (const int patience : {9, 3, 10}) {
    numbers.push_back(rig_.http.Publish(
        {.event = TypedEvent("t"), .patience = seconds(patience)}));
  }
  rig_.Run();

  EXPECT_EQ(rig_.Answer(numbers[0]).kind, Settlement::Kind::kAck);
  EXPECT_EQ(rig_.Answer(numbers[1]).error->code, ErrorCode::kDeadlineExceeded);
  EXPECT_EQ(rig_.Answer(numbers[2]).kind, Settlement::Kind::kAck);
  EXPECT_THAT(rig_.executor.hung(), IsEmpty());
  EXPECT_EQ(rig_.dispatcher->counts(), Dispatcher::Counts{});
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
