// The JetStream inlet, with a server of each test's own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/link.h"
#include "support/jetstream_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Done;
using test::Eventually;
using test::Failed;
using test::HoldingSink;
using test::IdsOf;
using test::InlineSink;
using test::JetStreamRig;
using test::RunningInlet;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(JetStream, DeliversInOrderAndAcknowledges) {
  JetStreamRig rig;
  rig.Publish(1'000);

  RunningInlet<InlineSink> running(rig.Make());

  EXPECT_TRUE(rig.AllSettled());
  const auto ids = running.sink.ids();
  ASSERT_THAT(ids, SizeIs(1'000));
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_EQ(ids[static_cast<std::size_t>(i)], std::to_string(i + 1));
  }
  EXPECT_TRUE(running.inlet->Stop(seconds(5)));
}

TEST(JetStream, SaysWhereAMessageStands) {
  JetStreamRig rig;
  rig.Publish(1);
  RunningInlet<HoldingSink> running(rig.Make());

  Delivery delivery = running.sink.TakeOne();

  EXPECT_EQ(delivery.position(), "ORDERS/worker@1");
  EXPECT_EQ(delivery.facts.attempt, 1);
  delivery.Settle(Done());
}

TEST(JetStream, GivesBackAfterADelayWithTheAttemptsCounted) {
  JetStreamRig rig;
  rig.Publish(1);
  RunningInlet<HoldingSink> running(rig.Make());
  const auto since = std::chrono::steady_clock::now();
  running.sink.TakeOne().Settle(
      Failed(ErrorCode::kFunctionFailed, "no", milliseconds(300)));

  Delivery again = running.sink.TakeOne();

  EXPECT_GE(std::chrono::steady_clock::now() - since, milliseconds(290));
  EXPECT_EQ(again.facts.attempt, 2);
  EXPECT_FALSE(again.facts.crashed);
  again.Settle(Done());
  EXPECT_TRUE(rig.AllSettled());
}

// An instant Nak would burn its attempts in milliseconds.
TEST(JetStream, Story17ANakWithoutADelayIsNotGivenBackAtOnce) {
  JetStreamRig rig;
  rig.Publish(1);
  RunningInlet<HoldingSink> running(rig.Make());
  const auto since = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    running.sink.TakeOne().Settle(Failed(ErrorCode::kFunctionFailed));
  }

  Delivery again = running.sink.TakeOne();

  // 200 ms, 400 ms and 800 ms.
  EXPECT_GE(std::chrono::steady_clock::now() - since, milliseconds(1'390));
  EXPECT_EQ(again.facts.attempt, 4);
  again.Settle(Done());
}

// Exhausted messages would stay there for ever.
TEST(JetStream, Story18WhatIsTerminatedLeavesAWorkQueue) {
  JetStreamRig rig(js_WorkQueuePolicy);
  rig.Publish(3);
  RunningInlet<HoldingSink> running(rig.Make());
  auto taken = running.sink.Take(3);
  ASSERT_THAT(taken, SizeIs(3));

  taken[0].Settle(Failed(ErrorCode::kRejected));
  taken[1].Settle(Done());

  EXPECT_TRUE(Eventually([&] { return rig.peer.MessagesIn("ORDERS") == 1; }));
  taken[2].Settle(Failed(ErrorCode::kRejected));
  EXPECT_TRUE(Eventually([&] { return rig.peer.MessagesIn("ORDERS") == 0; }));
}

TEST(JetStream, HoldsNoMoreThanItMay) {
  JetStreamRig rig;
  rig.Publish(50);
  JetStreamInletOptions options = rig.Options();
  options.max_in_flight = 7;
  RunningInlet<HoldingSink> running(rig.Make(options));
  auto taken = running.sink.Take(7);

  // All that the server gave out is here.
  EXPECT_EQ(rig.peer.ConsumerOf("ORDERS", "worker").ack_pending, 7);
  EXPECT_EQ(running.sink.held(), 0U);

  std::size_t most = 0;
  std::size_t settled = 0;
  while (settled < 50) {
    ASSERT_FALSE(taken.empty());
    for (Delivery& delivery : taken) {
      delivery.Settle(Done());
      ++settled;
    }
    taken = running.sink.Take(std::min<std::size_t>(1, 50 - settled));
    most = std::max(most, taken.size() + running.sink.held());
  }
  EXPECT_LE(most, 7U);
}

TEST(JetStream, FetchesNothingWithoutDemand) {
  JetStreamRig rig;
  auto inlet = rig.Make();
  inlet->SetDemand(false);
  RunningInlet<HoldingSink> running(std::move(inlet));
  ASSERT_TRUE(Eventually([&] { return rig.notes.Said("fetches from"); }));
  rig.Publish(3);
  EXPECT_EQ(rig.peer.ConsumerOf("ORDERS", "worker").waiting, 0);
  EXPECT_EQ(running.sink.held(), 0U);

  running.inlet->SetDemand(true);

  for (Delivery& delivery : running.sink.Take(3)) delivery.Settle(Done());
  EXPECT_TRUE(rig.AllSettled());
}

// It runs for longer than the source waits, beside another that asks.
TEST(JetStream, Story14WhatIsExtendedRunsOnceHoweverLong) {
  JetStreamRig rig;
  rig.Publish(1);
  JetStreamInletOptions options = rig.Options();
  options.ack_wait = milliseconds(2'100);  // A machine stands still for less.
  RunningInlet<HoldingSink> first(rig.Make(options));
  Delivery running = first.sink.TakeOne();
  RunningInlet<HoldingSink> second(rig.Make(options));
  auto* const in_progress = CapabilityOf<InProgress>(*first.inlet);
  ASSERT_NE(in_progress, nullptr);
  EXPECT_EQ(in_progress->extend_every(), milliseconds(700));
  const DeliveryToken token = running.token();

  const auto until = std::chrono::steady_clock::now() + seconds(6);
  EXPECT_FALSE(Eventually([&] {
                 in_progress->Extend({&token, 1});
                 return second.sink.held() + first.sink.held() > 0 ||
                        std::chrono::steady_clock::now() > until;
               }) &&
               std::chrono::steady_clock::now() <= until);

  running.Settle(Done());
  EXPECT_TRUE(rig.AllSettled());
}

// And by the same process, where nobody extends it.
TEST(JetStream, Story14ARedeliveryOfWhatStillRunsIsNotDeliveredTwice) {
  JetStreamRig rig;
  rig.Publish(1);
  JetStreamInletOptions options = rig.Options();
  options.ack_wait = milliseconds(200);
  RunningInlet<HoldingSink> running(rig.Make(options));
  Delivery delivery = running.sink.TakeOne();

  // The server gives it out again and again.
  ASSERT_TRUE(Eventually([&] {
    jsConsumerInfo* info = nullptr;
    js_GetConsumerInfo(&info, rig.peer.js(), "ORDERS", "worker", nullptr,
                       nullptr);
    const bool thrice = info->Delivered.Consumer >= 3;
    jsConsumerInfo_Destroy(info);
    return thrice;
  }));

  EXPECT_EQ(running.sink.held(), 0U);
  delivery.Settle(Done());
  EXPECT_TRUE(rig.AllSettled());
}

TEST(JetStream, ADrainGivesAnotherInstanceWhatIsLeftAtOnce) {
  JetStreamRig rig;
  rig.Publish(100);
  JetStreamInletOptions options = rig.Options();
  // Long, but a server of 2.9 forgets until then what is given back between two
  // requests of the other.
  options.ack_wait = seconds(5);
  RunningInlet<HoldingSink> first(rig.Make(options));
  auto taken = first.sink.Take(100);
  ASSERT_THAT(taken, SizeIs(100));
  RunningInlet<HoldingSink> second(rig.Make(options));
  // It is there, and hears what others give back.
  auto* const lag = CapabilityOf<LagReporter>(*second.inlet);
  ASSERT_TRUE(Eventually([&] { return !lag->Lag().empty(); }));

  first.inlet->BeginDrain(seconds(5));
  for (std::size_t i = 0; i < 50; ++i) taken[i].Settle(Done());
  taken.clear();
  EXPECT_TRUE(first.inlet->Stop(seconds(5)));

  std::set<std::string> ids;
  for (Delivery& delivery : second.sink.Take(50)) {
    ids.emplace(delivery.event()->id());
    EXPECT_FALSE(delivery.facts.crashed);
    delivery.Settle(Done());
  }
  EXPECT_THAT(ids, SizeIs(50));
  EXPECT_TRUE(rig.AllSettled());
}

TEST(JetStream, StopGivesBackWhatNobodySettled) {
  JetStreamRig rig;
  rig.Publish(2);
  JetStreamInletOptions options = rig.Options();
  // What is given back does not wait for it, though nobody asks.
  options.ack_wait = seconds(600);
  RunningInlet<HoldingSink> first(rig.Make(options));
  auto taken = first.sink.Take(2);

  const auto stopped = first.inlet->Stop(seconds(5));
  RunningInlet<HoldingSink> second(rig.Make(options));

  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::kDeadlineExceeded);
  for (Delivery& delivery : second.sink.Take(2)) delivery.Settle(Done());
  EXPECT_TRUE(rig.AllSettled());
  for (Delivery& delivery : taken) delivery.Settle(Done());  // Too late.
}

TEST(JetStream, WhatTheProcessBeforeGaveBackRunsTogether) {
  JetStreamRig rig;
  rig.Publish(20);
  {
    RunningInlet<HoldingSink> before(rig.Make());
    const auto held = before.sink.Take(20);
    ASSERT_EQ(held.size(), 20U);
    EXPECT_FALSE(before.inlet->Stop(milliseconds(0)));
  }

  RunningInlet<HoldingSink> after(rig.Make());

  EXPECT_EQ(after.sink.Take(20).size(), 20U);
}

TEST(JetStream, ADoubleAckIsConfirmedBeforeStopReturns) {
  JetStreamRig rig;
  rig.Publish(200);
  JetStreamInletOptions options = rig.Options();
  options.double_ack = true;
  RunningInlet<HoldingSink> running(rig.Make(options));
  for (Delivery& delivery : running.sink.Take(200)) delivery.Settle(Done());

  EXPECT_TRUE(running.inlet->Stop(seconds(5)));

  EXPECT_EQ(rig.peer.ConsumerOf("ORDERS", "worker").ack_floor, 200U);
}

TEST(JetStream, SeeksBySequenceAndTime) {
  JetStreamRig rig;
  rig.Publish(10);
  RunningInlet<HoldingSink> running(rig.Make());
  auto before = running.sink.Take(10);
  auto* const seekable = CapabilityOf<Seekable>(*running.inlet);
  ASSERT_NE(seekable, nullptr);

  ASSERT_TRUE(seekable->Seek({.kind = SeekPoint::Kind::kOffset, .offset = 8},
                             seconds(10)));
  auto again = running.sink.Take(3);
  for (Delivery& delivery : before) delivery.Settle(Done());  // Of nothing.

  EXPECT_THAT(IdsOf(again), ElementsAre("8", "9", "10"));
  EXPECT_EQ(rig.peer.ConsumerOf("ORDERS", "worker").ack_pending, 3);
  ASSERT_TRUE(seekable->Seek(
      {.kind = SeekPoint::Kind::kTime, .time = {.seconds = 1'000'000'000}},
      seconds(10)));
  EXPECT_THAT(IdsOf(running.sink.Take(10)), SizeIs(10));
  ASSERT_TRUE(seekable->Seek({.kind = SeekPoint::Kind::kEnd}, seconds(10)));
  rig.Publish(1, 11);
  EXPECT_THAT(IdsOf(running.sink.Take(1)), ElementsAre("11"));
}

TEST(JetStream, ATimeThatNanosecondsDoNotHoldIsBeforeOrAfterAll) {
  constexpr std::int64_t kYear = 31'556'952;
  JetStreamRig rig;
  rig.Publish(3);
  RunningInlet<HoldingSink> running(rig.Make());
  const auto first = running.sink.Take(3);
  auto* const seekable = CapabilityOf<Seekable>(*running.inlet);
  const auto seek = [&](std::int64_t seconds_since_1970) {
    return seekable
        ->Seek({.kind = SeekPoint::Kind::kTime,
                .time = {.seconds = seconds_since_1970}},
               seconds(10))
        .has_value();
  };

  EXPECT_TRUE(seek(8'000 * kYear));
  EXPECT_EQ(rig.peer.ConsumerOf("ORDERS", "worker").pending, 0U);
  EXPECT_TRUE(seek(-1'900 * kYear));
  EXPECT_THAT(IdsOf(running.sink.Take(3)), ElementsAre("1", "2", "3"));
}

TEST(JetStream, LagIsWhatIsNotSettled) {
  JetStreamRig rig;
  rig.Publish(20);
  JetStreamInletOptions options = rig.Options();
  options.max_in_flight = 5;
  RunningInlet<HoldingSink> running(rig.Make(options));
  auto* const lag = CapabilityOf<LagReporter>(*running.inlet);
  ASSERT_NE(lag, nullptr);
  const auto messages = [&] {
    const auto lags = lag->Lag();
    return lags.empty() ? 1'000'000 : lags.front().messages;
  };

  EXPECT_TRUE(Eventually([&] { return messages() == 20; }));
  EXPECT_EQ(lag->Lag().front().partition, "ORDERS/worker");
  for (int i = 0; i < 20; ++i) running.sink.TakeOne().Settle(Done());
  EXPECT_TRUE(Eventually([&] { return messages() == 0; }));
}

// While servers look for a leader they answer with a position of zeros.
TEST(JetStream, AnAnswerWithoutALeaderChangesNoLag) {
  JetStreamRig rig;
  rig.Publish(3);
  RunningInlet<HoldingSink> running(rig.Make());
  auto* const lag = CapabilityOf<LagReporter>(*running.inlet);
  const auto messages = [&] {
    const auto lags = lag->Lag();
    return lags.empty() ? 0 : lags.front().messages;
  };
  ASSERT_TRUE(Eventually([&] { return messages() == 3; }));
  test::NatsListener questions(rig.peer, "$JS.API.CONSUMER.INFO.ORDERS.worker");
  std::string inbox;
  ASSERT_TRUE(Eventually([&] { return questions.Take(&inbox).has_value(); }));
  test::NatsListener answers(rig.peer, inbox);
  std::set<std::uint64_t> seen;
  // Behind the server's own answer to what the inlet asks next.
  const auto answer = [&](const std::string& facts) {
    ASSERT_TRUE(Eventually([&] {
      seen.insert(messages());
      const auto heard = answers.Take();
      return heard && heard->find("num_waiting") != std::string::npos;
    }));
    rig.peer.PublishCore(inbox, facts);
  };

  answer(R"({"num_pending":555,"cluster":{"name":"C"}})");
  answer(R"({"num_pending":777,"cluster":{"name":"C","leader":"n1"}})");

  EXPECT_TRUE(Eventually([&] {
    seen.insert(messages());
    return seen.contains(777);
  }));
  EXPECT_FALSE(seen.contains(555));
  for (int i = 0; i < 3; ++i) running.sink.TakeOne().Settle(Done());
}

TEST(JetStream, HasWhatItTrulyHas) {
  JetStreamRig rig;
  JetStreamInletOptions ordered = rig.Options();
  ordered.max_ack_pending = 1;

  const auto inlet = rig.Make();
  const auto one_by_one = rig.Make(ordered);
  ordered.create = JetStreamInletOptions::Create::kBind;
  const auto bound = rig.Make(ordered);

  EXPECT_NE(CapabilityOf<DelayedRedelivery>(*inlet), nullptr);
  EXPECT_NE(CapabilityOf<SharedDurable>(*inlet), nullptr);
  EXPECT_NE(CapabilityOf<Batched>(*inlet), nullptr);
  EXPECT_EQ(CapabilityOf<PartitionOrdered>(*inlet), nullptr);
  EXPECT_EQ(CapabilityOf<ConsumerGroups>(*inlet), nullptr);
  EXPECT_EQ(CapabilityOf<OrderedDelivery>(*inlet), nullptr);
  EXPECT_NE(CapabilityOf<OrderedDelivery>(*one_by_one), nullptr);
  EXPECT_NE(CapabilityOf<OrderedDelivery>(*bound), nullptr);
}

// What cannot be decoded stops no consumer.
TEST(JetStream, Story12WhatIsMalformedIsDeliveredAndStopsNobody) {
  JetStreamRig rig;
  rig.Publish(1);
  rig.peer.Publish("orders.new", "no event", {{"X-A", "b"}});
  rig.Publish(1, 3);
  RunningInlet<HoldingSink> running(rig.Make());

  auto taken = running.sink.Take(3);

  ASSERT_THAT(taken, SizeIs(3));
  ASSERT_NE(taken[1].malformed(), nullptr);
  EXPECT_EQ(taken[1].malformed()->bytes, "no event");
  for (Delivery& delivery : taken) delivery.Settle(Done());
  EXPECT_TRUE(rig.AllSettled());
}

}  // namespace
}  // namespace cirro
