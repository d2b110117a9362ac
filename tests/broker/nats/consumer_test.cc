// The durable consumer of a JetStream inlet: where one that is made begins, and
// what one that is there must be like.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/consumer_groups.h"
#include "contract/contract_fixture.h"
#include "contract/jetstream_under_test.h"
#include "support/jetstream_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Done;
using test::Eventually;
using test::HoldingSink;
using test::IdsOf;
using test::InlineSink;
using test::JetStreamRig;
using test::RunningInlet;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Five, in a second of which a tenth is over, and two are left.
void PublishFive(JetStreamRig& rig) {
  ASSERT_TRUE(Eventually([] {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto fraction = now % seconds(1);
    return fraction > milliseconds(100) && fraction < milliseconds(800);
  }));
  rig.Publish(5);
}

// The moment that the server stored it.
Timestamp TimeOf(JetStreamRig& rig, std::uint64_t sequence) {
  return ToTimestamp(std::chrono::sys_time<std::chrono::nanoseconds>(
      std::chrono::nanoseconds(rig.peer.Read("ORDERS", sequence).time)));
}

// --- Where one that is made begins -------------------------------------------

struct StartCase {
  const char* name;
  void (*set)(JetStreamInletOptions& options, const Timestamp& of_the_third);
  std::vector<std::string> expected;  // With one that comes later, "6".
};

void PrintTo(const StartCase& start, std::ostream* out) { *out << start.name; }

class JetStreamStart : public ::testing::TestWithParam<StartCase> {};

TEST_P(JetStreamStart, IsWhereTheSettingSays) {
  JetStreamRig rig;
  PublishFive(rig);
  JetStreamInletOptions options = rig.Options();
  GetParam().set(options, TimeOf(rig, 3));

  RunningInlet<InlineSink> running(rig.Make(options));
  ASSERT_TRUE(Eventually([&] { return rig.notes.Said("fetches from"); }));
  rig.Publish(1, 6);

  EXPECT_TRUE(rig.AllSettled());
  EXPECT_EQ(running.sink.ids(), GetParam().expected);
}

using Deliver = JetStreamInletOptions::Deliver;
INSTANTIATE_TEST_SUITE_P(
    Each, JetStreamStart,
    ::testing::Values(
        StartCase{"Beginning",
                  [](JetStreamInletOptions& options, const Timestamp&) {
                    options.deliver = Deliver::kAll;
                  },
                  {"1", "2", "3", "4", "5", "6"}},
        StartCase{"End",
                  [](JetStreamInletOptions& options, const Timestamp&) {
                    options.deliver = Deliver::kNew;
                  },
                  {"6"}},
        StartCase{"Last",
                  [](JetStreamInletOptions& options, const Timestamp&) {
                    options.deliver = Deliver::kLast;
                  },
                  {"5", "6"}},
        StartCase{"Sequence",
                  [](JetStreamInletOptions& options, const Timestamp&) {
                    options.deliver = Deliver::kByStartSequence;
                    options.start_sequence = 4;
                  },
                  {"4", "5", "6"}},
        // Nothing that came after it is passed over.
        StartCase{"TimeWithASmallFraction",
                  [](JetStreamInletOptions& options, const Timestamp& third) {
                    options.deliver = Deliver::kByStartTime;
                    options.start_time = third;
                    options.start_time.nanoseconds = 99'000'000;
                  },
                  {"1", "2", "3", "4", "5", "6"}},
        StartCase{"Time",
                  [](JetStreamInletOptions& options, const Timestamp& third) {
                    options.deliver = Deliver::kByStartTime;
                    options.start_time = third;
                  },
                  {"3", "4", "5", "6"}}),
    [](const auto& test) { return test.param.name; });

// It is of a consumer that is made: one that is there goes on where it was.
TEST(JetStreamConsumer, OneThatIsThereGoesOnWhateverTheStart) {
  JetStreamRig rig;
  rig.Publish(2);
  {
    RunningInlet<InlineSink> before(rig.Make());
    ASSERT_TRUE(rig.AllSettled());
    ASSERT_TRUE(before.inlet->Stop(seconds(5)));
  }
  rig.Publish(2, 3);
  JetStreamInletOptions options = rig.Options();
  options.deliver = Deliver::kNew;

  RunningInlet<InlineSink> running(rig.Make(options));

  EXPECT_TRUE(rig.AllSettled());
  EXPECT_THAT(running.sink.ids(), ElementsAre("3", "4"));
}

TEST(JetStreamConsumer, ASeekToATimeWithinTheStreamBeginsAtTheFirstNotBefore) {
  JetStreamRig rig;
  PublishFive(rig);
  RunningInlet<HoldingSink> running(rig.Make());
  const auto before = running.sink.Take(5);
  ASSERT_EQ(before.size(), 5U);
  auto* const seekable = CapabilityOf<Seekable>(*running.inlet);
  const auto seek = [&](const Timestamp& time) {
    const auto sought = seekable->Seek(
        {.kind = SeekPoint::Kind::kTime, .time = time}, seconds(10));
    ASSERT_TRUE(sought) << sought.error().message;
  };

  seek(TimeOf(rig, 3));
  EXPECT_THAT(IdsOf(running.sink.Take(3)), ElementsAre("3", "4", "5"));
  // Between two messages: none has just that time.
  seek(
      ToTimestamp(ToSysTime(TimeOf(rig, 2)) +
                  (ToSysTime(TimeOf(rig, 3)) - ToSysTime(TimeOf(rig, 2))) / 2));
  EXPECT_THAT(IdsOf(running.sink.Take(3)), ElementsAre("3", "4", "5"));
}

// --- What one that is there must be like -------------------------------------

struct MadeOtherwise {
  const char* name;
  std::function<void(JetStreamInletOptions&)> wish;
  std::function<void(jsConsumerConfig&)> wrong;
  std::function<void(jsConsumerConfig&)> right;
  const char* said;
};
void PrintTo(const MadeOtherwise& made, std::ostream* out) {
  *out << made.name;
}

class JetStreamConsumerThere : public ::testing::TestWithParam<MadeOtherwise> {
 protected:
  JetStreamInletOptions Wish() {
    JetStreamInletOptions options = rig_.Options();
    GetParam().wish(options);
    return options;
  }

  JetStreamRig rig_;
};

TEST_P(JetStreamConsumerThere, IsRefusedUntilItIsSetRight) {
  for (const auto create : {JetStreamInletOptions::Create::kCreateOrBind,
                            JetStreamInletOptions::Create::kBind}) {
    SCOPED_TRACE(static_cast<int>(create));
    JetStreamInletOptions options = Wish();
    options.create = create;
    options.durable = "worker" + std::to_string(static_cast<int>(create));
    const auto set = [&](jsConsumerConfig& config) {
      config.AckWait = std::chrono::nanoseconds(options.ack_wait).count();
      GetParam().wrong(config);
    };
    rig_.peer.MakeConsumer("ORDERS", options.durable, set);
    rig_.Publish(1);

    RunningInlet<InlineSink> running(rig_.Make(options));
    const std::string said = "the consumer '" + options.durable + "' ";
    ASSERT_TRUE(
        Eventually([&] { return rig_.notes.Said(said + GetParam().said); }));
    // Nothing was asked for.
    EXPECT_THAT(running.sink.ids(), IsEmpty());
    EXPECT_EQ(rig_.peer.ConsumerOf("ORDERS", options.durable).ack_pending, 0);
    EXPECT_THAT(rig_.notes.failures(), IsEmpty());

    rig_.peer.EditConsumer("ORDERS", options.durable, GetParam().right);

    EXPECT_TRUE(Eventually([&] { return !running.sink.ids().empty(); }));
  }
}

// While it is used, too.
TEST_P(JetStreamConsumerThere, ThatIsSetWrongMeanwhileIsRefusedFromThenOn) {
  const JetStreamInletOptions options = Wish();
  RunningInlet<HoldingSink> running(rig_.Make(options));
  rig_.Publish(1);
  Delivery open = running.sink.TakeOne();

  rig_.peer.EditConsumer("ORDERS", "worker", GetParam().wrong);
  ASSERT_TRUE(Eventually([&] {
    return rig_.notes.Said(std::string("the consumer 'worker' ") +
                           GetParam().said);
  }));
  rig_.peer.EditConsumer("ORDERS", "worker", GetParam().right);

  // What was open is settled, and it goes on.
  open.Settle(Done());
  rig_.Publish(1, 2);
  auto next = running.sink.TakeOne();
  EXPECT_EQ(next.event()->id(), "2");
  next.Settle(Done());
  EXPECT_TRUE(rig_.AllSettled());
}

INSTANTIATE_TEST_SUITE_P(
    Each, JetStreamConsumerThere,
    ::testing::Values(
        MadeOtherwise{"MaxDeliver", [](JetStreamInletOptions&) {},
                      [](jsConsumerConfig& config) { config.MaxDeliver = 5; },
                      [](jsConsumerConfig& config) { config.MaxDeliver = -1; },
                      "has max_deliver 5"},
        MadeOtherwise{
            "AckWait", [](JetStreamInletOptions&) {},
            [](jsConsumerConfig& config) { config.AckWait = 9'000'000'000; },
            [](jsConsumerConfig& config) { config.AckWait = 10'000'000'000; },
            "has 9000 ms"},
        MadeOtherwise{
            "Order",
            [](JetStreamInletOptions& options) { options.max_ack_pending = 1; },
            [](jsConsumerConfig& config) { config.MaxAckPending = 1'000; },
            [](jsConsumerConfig& config) { config.MaxAckPending = 1; },
            "gives out 1000 messages at a time, and 1 is strict order"},
        MadeOtherwise{
            "Headers", [](JetStreamInletOptions&) {},
            [](jsConsumerConfig& config) { config.HeadersOnly = true; },
            [](jsConsumerConfig& config) { config.HeadersOnly = false; },
            "gives out headers without data"}),
    [](const auto& test) { return test.param.name; });

TEST(JetStreamConsumer, OneOfOtherSubjectsIsRefused) {
  JetStreamRig rig;
  rig.peer.MakeConsumer("ORDERS", "worker", [](jsConsumerConfig& config) {
    config.FilterSubject = "orders.old";
  });
  rig.peer.PublishEvent("orders.old", "1");
  JetStreamInletOptions options = rig.Options();
  options.filter = "orders.new";

  RunningInlet<InlineSink> running(rig.Make(options));

  EXPECT_TRUE(Eventually([&] {
    return rig.notes.Said(
        "filter: the consumer 'worker' takes 'orders.old', and the setting "
        "says 'orders.new'");
  }));
  EXPECT_THAT(running.sink.ids(), IsEmpty());
}

TEST(JetStreamConsumer, OneOfFewerSubjectsThanTheSettingIsRefused) {
  JetStreamRig rig;
  rig.peer.MakeConsumer("ORDERS", "worker", [](jsConsumerConfig& config) {
    config.FilterSubject = "orders.old";
  });
  JetStreamInletOptions options = rig.Options();
  options.create = JetStreamInletOptions::Create::kBind;

  RunningInlet<InlineSink> running(rig.Make(options));

  EXPECT_TRUE(Eventually([&] {
    return rig.notes.Said("takes 'orders.old', and the setting says all");
  }));
}

// Whatever the server makes of a filter, it is the same at the next start.
TEST(JetStreamConsumer, ItsOwnIsTakenAgain) {
  for (const char* const filter : {"", "orders.new", "orders.*", "orders.>"}) {
    SCOPED_TRACE(filter);
    JetStreamRig rig;
    JetStreamInletOptions options = rig.Options();
    options.filter = filter;
    for (int start = 1; start <= 2; ++start) {
      RunningInlet<InlineSink> running(rig.Make(options));
      rig.Publish(1, start);

      EXPECT_TRUE(Eventually([&] { return !running.sink.ids().empty(); }));
      EXPECT_THAT(running.sink.ids(), ElementsAre(std::to_string(start)));
      EXPECT_TRUE(running.inlet->Stop(seconds(5)));
    }
  }
}

// Another bound loses nothing, and keeps no order that was promised.
TEST(JetStreamConsumer, AnotherBoundIsSaidAndHolds) {
  JetStreamRig rig;
  rig.peer.MakeConsumer("ORDERS", "worker", [](jsConsumerConfig& config) {
    config.MaxAckPending = 3;
  });
  rig.Publish(10);

  RunningInlet<HoldingSink> running(rig.Make());

  auto taken = running.sink.Take(3);
  EXPECT_THAT(IdsOf(taken), SizeIs(3));
  EXPECT_TRUE(rig.notes.Said(
      "max_ack_pending = 1000 is of a consumer that is made; 'worker' was "
      "there, and gives out 3 messages at a time"));
  EXPECT_EQ(rig.peer.ConsumerOf("ORDERS", "worker").ack_pending, 3);
  for (Delivery& delivery : taken) delivery.Settle(Done());
  for (int i = 0; i < 7; ++i) running.sink.TakeOne().Settle(Done());
}

// Across retries, and two processes.
TEST(JetStreamConsumer, WithOneOpenMessageEverythingIsDoneInOrder) {
  test::JetStreamUnderTest broker(false, seconds(2), 1);
  const std::string topic = broker.NewTopic(1);
  for (int i = 0; i < 40; ++i) {
    broker.peer().PublishEvent(topic, std::to_string(i));
  }
  test::Diary tried;
  test::Diary done;
  test::Process first(broker, {.topic = topic, .group = "worker"});
  test::Process second(broker, {.topic = topic, .group = "worker"});

  for (test::Process* const process : {&first, &second}) {
    process->On({.type = "com.example.test"},
                [&](const Event& event) -> Outcome {
                  tried.Add(event.id());
                  // Each third fails at first.
                  if (std::stoi(std::string(event.id())) % 3 == 0 &&
                      tried.counts()[std::string(event.id())] == 1) {
                    return Retry("not yet");
                  }
                  done.Add(event.id());
                  return cirro::Done();
                });
    process->Start();
  }

  ASSERT_TRUE(done.Await(40));
  EXPECT_TRUE(Eventually([&] { return broker.Pending(topic, "worker") == 0; }));
  const auto all = done.all();
  ASSERT_THAT(all, SizeIs(40));
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(all[static_cast<std::size_t>(i)], std::to_string(i));
  }
}

}  // namespace
}  // namespace cirro
