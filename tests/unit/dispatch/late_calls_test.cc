// Calls that take too long: deadlines, the patience of their peers, functions
// that hang.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "support/dispatch_rig.h"
#include "unit/dispatch/calls.h"

namespace cirro {
namespace {

using std::chrono::seconds;
using test::CallsTest;
using test::kBySubject;
using test::MemoryInlet;
using test::TypedEvent;
using ::testing::IsEmpty;
using ::testing::SizeIs;

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

}  // namespace
}  // namespace cirro
