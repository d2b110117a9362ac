// The JetStream inlet when its server, stream or consumer goes away.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>

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
using test::HoldingSink;
using test::IdsOf;
using test::InlineSink;
using test::JetStreamRig;
using test::NatsServer;
using test::NotesObserver;
using test::RealClock;
using test::RunningInlet;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::size_t Distinct(InlineSink& sink) {
  const auto ids = sink.ids();
  return std::set<std::string>(ids.begin(), ids.end()).size();
}

// A pull consumer would be dead after the server came back.
TEST(JetStreamFaults, Story16TenRestartsOfTheServerLoseNothing) {
  JetStreamRig rig;
  JetStreamInletOptions options = rig.Options();
  options.ack_wait = seconds(1);
  RunningInlet<InlineSink> running(rig.Make(options));

  for (int round = 0; round < 10; ++round) {
    test::NatsPeer peer(rig.server.url());
    ASSERT_TRUE(Eventually(
        [&] { return peer.MessagesIn("ORDERS") > 0 || round == 0; }));
    for (int i = 0; i < 100; ++i) {
      peer.PublishEvent("orders.new", std::to_string(round * 100 + i));
    }
    rig.server.Kill();
    rig.server.Start();
  }

  EXPECT_TRUE(
      Eventually([&] { return Distinct(running.sink) == 1'000; }, seconds(60)));
  test::NatsPeer peer(rig.server.url());
  EXPECT_TRUE(Eventually([&] {
    const auto consumer = peer.ConsumerOf("ORDERS", "worker");
    return consumer.ack_floor == 1'000 && consumer.ack_pending == 0;
  }));
}

TEST(JetStreamFaults, ASettlementWhileTheServerIsAwayIsToldWhenItIsBack) {
  JetStreamRig rig;
  rig.Publish(10);
  JetStreamInletOptions options = rig.Options();
  options.ack_wait = seconds(60);
  RunningInlet<HoldingSink> running(rig.Make(options));
  auto taken = running.sink.Take(10);
  rig.server.Kill();
  auto* const linked = CapabilityOf<Linked>(*running.inlet);
  ASSERT_TRUE(Eventually(
      [&] { return linked->link().kind == LinkState::Kind::kDisconnected; }));

  for (Delivery& delivery : taken) delivery.Settle(Done());
  rig.server.Start();

  test::NatsPeer peer(rig.server.url());
  EXPECT_TRUE(Eventually(
      [&] { return peer.ConsumerOf("ORDERS", "worker").ack_floor == 10; }));
  EXPECT_EQ(running.sink.held(), 0U);
}

TEST(JetStreamFaults, Story30AServerThatIsAwayAtTheStartIsWaitedFor) {
  JetStreamRig rig;
  rig.Publish(1);
  rig.server.Kill();
  RunningInlet<InlineSink> running(rig.Make());
  auto* const linked = CapabilityOf<Linked>(*running.inlet);
  EXPECT_EQ(linked->link().kind, LinkState::Kind::kConnecting);

  rig.server.Start();

  EXPECT_TRUE(Eventually([&] { return running.sink.ids().size() == 1; }));
  EXPECT_EQ(linked->link().kind, LinkState::Kind::kConnected);
}

// libnats's own bound is 60 attempts, and then it is closed for good.
TEST(JetStreamFaults,
     Story30AServerThatIsAwayForHundredsOfAttemptsIsWaitedFor) {
  JetStreamRig rig;
  JetStreamInletOptions options = rig.Options();
  options.connection.reconnect_wait = milliseconds(1);
  RunningInlet<InlineSink> running(rig.Make(options));
  ASSERT_TRUE(Eventually([&] { return rig.notes.Said("fetches from"); }));
  rig.server.Kill();

  {
    const test::Attempts attempts(rig.server.port());
    EXPECT_GE(attempts.Take(200), 200);
  }
  rig.server.Start();

  test::NatsPeer peer(rig.server.url());
  peer.PublishEvent("orders.new", "1");
  EXPECT_TRUE(Eventually([&] { return running.sink.ids().size() == 1; }));
  EXPECT_TRUE(rig.notes.failures().empty());
}

// Something in front of the server takes the connection before it is there.
TEST(JetStreamFaults, AServerThatTakesAConnectionAndFailsItIsWaitedFor) {
  JetStreamRig rig;
  rig.Publish(1);
  rig.server.Kill();
  std::optional<test::Attempts> attempts(rig.server.port());
  JetStreamInletOptions options = rig.Options();
  options.connection.reconnect_wait = milliseconds(1);
  RunningInlet<InlineSink> running(rig.Make(options));

  EXPECT_GE(attempts->Take(50), 50);
  attempts.reset();
  rig.server.Start();

  EXPECT_TRUE(Eventually([&] { return running.sink.ids().size() == 1; }));
  EXPECT_TRUE(rig.notes.failures().empty());
}

// A server that says nothing, and closes nothing.
TEST(JetStreamFaults, AServerThatHangsForALongTimeIsAskedAnew) {
  JetStreamRig rig;
  RunningInlet<InlineSink> running(rig.Make());
  ASSERT_TRUE(Eventually(
      [&] { return rig.peer.ConsumerOf("ORDERS", "worker").waiting > 0; }));

  rig.server.Pause();
  EXPECT_TRUE(Eventually([&] { return rig.notes.Said("no heartbeat"); }));
  rig.server.Resume();

  rig.Publish(5);
  EXPECT_TRUE(Eventually([&] { return Distinct(running.sink) == 5; }));
}

TEST(JetStreamFaults, AStreamThatIsMissingIsNamedAndWaitedFor) {
  JetStreamRig rig;
  JetStreamInletOptions options = rig.Options();
  options.stream = "LATER";
  RunningInlet<InlineSink> running(rig.Make(options));
  EXPECT_TRUE(Eventually([&] {
    return rig.notes.Said(
        "stream 'LATER' is not there; make it, or see the "
        "setting stream");
  }));

  rig.peer.MakeStream("LATER", "later.>");
  rig.peer.PublishEvent("later.a", "1");

  EXPECT_TRUE(Eventually([&] { return running.sink.ids().size() == 1; }));
  EXPECT_TRUE(rig.notes.failures().empty());
}

TEST(JetStreamFaults, AConsumerThatTheServerRefusesNamesItsSettings) {
  JetStreamRig rig;
  JetStreamInletOptions options = rig.Options();
  options.filter = "other.>";

  RunningInlet<InlineSink> running(rig.Make(options));

  EXPECT_TRUE(Eventually([&] { return rig.notes.Said("; see `filter`"); }));
  EXPECT_FALSE(rig.notes.Said("jsm.c"));
}

TEST(JetStreamFaults, AConsumerThatWasDeletedIsMadeBehindWhatWasSettled) {
  JetStreamRig rig;
  rig.Publish(10);
  RunningInlet<InlineSink> running(rig.Make());
  ASSERT_TRUE(rig.AllSettled());
  auto* const lag = CapabilityOf<LagReporter>(*running.inlet);
  ASSERT_TRUE(Eventually([&] { return lag->Lag().front().messages == 0; }));

  rig.peer.DeleteConsumer("ORDERS", "worker");
  rig.Publish(5, 11);

  EXPECT_TRUE(Eventually([&] { return Distinct(running.sink) == 15; }));
  EXPECT_TRUE(rig.AllSettled());
}

TEST(JetStreamFaults, AStreamThatIsMadeAnewIsReadWhole) {
  JetStreamRig rig;
  rig.Publish(10);
  RunningInlet<InlineSink> running(rig.Make());
  ASSERT_TRUE(rig.AllSettled());

  rig.peer.DeleteStream("ORDERS");
  rig.peer.MakeStream("ORDERS", "orders.>");
  // The same sequences, and other messages.
  rig.Publish(10, 101);

  EXPECT_TRUE(Eventually([&] { return Distinct(running.sink) == 20; }));
}

TEST(JetStreamFaults, ABoundConsumerIsNeverMade) {
  JetStreamRig rig;
  JetStreamInletOptions options = rig.Options();
  options.create = JetStreamInletOptions::Create::kBind;
  RunningInlet<InlineSink> running(rig.Make(options));

  EXPECT_TRUE(Eventually([&] {
    return rig.notes.Said(
        "consumer 'worker' of stream 'ORDERS' is not there; "
        "make it, or see the setting create");
  }));
  auto* const seekable = CapabilityOf<Seekable>(*running.inlet);
  const auto sought = seekable->Seek({}, seconds(1));
  ASSERT_FALSE(sought);
  EXPECT_EQ(sought.error().code, ErrorCode::kInvalidConfig);
}

TEST(JetStreamFaults, RefusedCredentialsFailForGood) {
  const NatsServer server({"--user", "a", "--pass", "b"});
  RealClock clock;
  NotesObserver notes;
  JetStreamInletOptions options;
  options.connection.servers = {server.url()};
  options.connection.user = "a";
  options.connection.password = "wrong secret";
  options.connection.reconnect_wait = milliseconds(20);
  options.stream = "ORDERS";
  options.durable = "worker";
  auto inlet = test::Nats().make_jetstream_inlet(options, clock, notes);
  ASSERT_TRUE(inlet);
  InlineSink sink;
  const auto started = (*inlet)->Start(sink);

  if (started) {
    ASSERT_TRUE(Eventually([&] { return !notes.failures().empty(); }));
    EXPECT_THAT(notes.failures().front(), HasSubstr("credentials_file"));
    EXPECT_EQ(CapabilityOf<Linked>(**inlet)->link().kind,
              LinkState::Kind::kFailed);
  } else {
    EXPECT_EQ(started.error().code, ErrorCode::kInvalidConfig);
  }
  for (const std::string& failure : notes.failures()) {
    EXPECT_THAT(failure, ::testing::Not(HasSubstr("wrong secret")));
  }
}

TEST(JetStreamFaults, StopsWhileTheServerIsAway) {
  JetStreamRig rig;
  rig.Publish(3);
  RunningInlet<HoldingSink> running(rig.Make());
  auto taken = running.sink.Take(3);
  rig.server.Kill();
  const auto since = std::chrono::steady_clock::now();

  running.inlet->BeginDrain(milliseconds(200));
  static_cast<void>(running.inlet->Stop(milliseconds(200)));

  EXPECT_LT(std::chrono::steady_clock::now() - since, seconds(10));
}

}  // namespace
}  // namespace cirro
