// The core NATS inlet: at most once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/link.h"
#include "support/jetstream_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::seconds;
using test::Done;
using test::Eventually;
using test::HoldingSink;
using test::IdsOf;
using test::InlineSink;
using test::RunningInlet;
using ::testing::ElementsAre;
using ::testing::SizeIs;

struct CoreRig {
  test::NatsServer server;
  test::NatsPeer peer{server.url()};
  test::RealClock clock;
  test::NotesObserver notes;

  std::unique_ptr<Inlet> Make(const std::string& queue = {}) {
    CoreNatsInletOptions options;
    options.connection.servers = {server.url()};
    options.connection.reconnect_wait = std::chrono::milliseconds(20);
    options.subject = "core.*";
    options.queue = queue;
    auto made = test::Nats().make_core_inlet(options, clock, notes);
    if (!made) throw std::runtime_error(made.error().message);
    return *std::move(made);
  }
  // The subscription is with the server when somebody can answer it.
  void PublishWhenHeard(const std::string& id) {
    peer.PublishCore("core.a", "x",
                     {{"ce-specversion", "1.0"},
                      {"ce-id", id},
                      {"ce-source", "/peer"},
                      {"ce-type", "t"}});
  }
  // Sends until `running` hears one; its number of messages then.
  template <typename Running>
  bool Warm(Running& running) {
    return Eventually([&] {
      PublishWhenHeard("warm");
      return !running.sink.ids().empty();
    });
  }
};

TEST(CoreNats, DeliversWhatComesWhileItListens) {
  CoreRig rig;
  RunningInlet<InlineSink> running(rig.Make());
  ASSERT_TRUE(rig.Warm(running));

  for (int i = 0; i < 100; ++i) rig.PublishWhenHeard("last");

  EXPECT_TRUE(Eventually([&] {
    const auto ids = running.sink.ids();
    return std::count(ids.begin(), ids.end(), "last") == 100;
  }));
}

TEST(CoreNats, AGroupGivesEachMessageToOne) {
  CoreRig rig;
  RunningInlet<InlineSink> first(rig.Make("workers"));
  RunningInlet<InlineSink> second(rig.Make("workers"));
  ASSERT_TRUE(rig.Warm(first));
  ASSERT_TRUE(rig.Warm(second));
  const auto count = [&](const std::string& id) {
    const auto one = first.sink.ids();
    const auto two = second.sink.ids();
    return std::count(one.begin(), one.end(), id) +
           std::count(two.begin(), two.end(), id);
  };

  for (int i = 0; i < 100; ++i) rig.PublishWhenHeard("grouped");

  EXPECT_TRUE(Eventually([&] { return count("grouped") >= 100; }));
  rig.PublishWhenHeard("last");
  EXPECT_TRUE(Eventually([&] { return count("last") >= 1; }));
  EXPECT_EQ(count("grouped"), 100);
}

TEST(CoreNats, PromisesNothingThatItCannotKeep) {
  CoreRig rig;
  const auto inlet = rig.Make();

  EXPECT_NE(CapabilityOf<Linked>(*inlet), nullptr);
  EXPECT_EQ(CapabilityOf<DelayedRedelivery>(*inlet), nullptr);
  EXPECT_EQ(CapabilityOf<InProgress>(*inlet), nullptr);
  EXPECT_EQ(CapabilityOf<SharedDurable>(*inlet), nullptr);
  EXPECT_EQ(CapabilityOf<LagReporter>(*inlet), nullptr);
}

TEST(CoreNats, SaysSoAtTheStart) {
  CoreRig rig;
  const RunningInlet<InlineSink> running(rig.Make());

  EXPECT_TRUE(
      rig.notes.Said("subscribes to 'core.*' at most once: what is not handled "
                     "is lost (JetStream is at least once)"));
}

TEST(CoreNats, SaysThatWhatIsGivenBackIsLost) {
  CoreRig rig;
  RunningInlet<InlineSink> running(
      rig.Make(), InlineSink::Function([](const Delivery&) {
        return test::Failed(ErrorCode::kFunctionFailed, "why");
      }));

  ASSERT_TRUE(rig.Warm(running));

  EXPECT_TRUE(Eventually([&] {
    return rig.notes.Said(
        "a message is lost, which core NATS does not give "
        "again: why");
  }));
}

TEST(CoreNats, CountsWhatItLosesForWantOfRoom) {
  CoreRig rig;
  CoreNatsInletOptions options;
  options.connection.servers = {rig.server.url()};
  options.subject = "core.*";
  options.max_in_flight = 4;
  auto made = test::Nats().make_core_inlet(options, rig.clock, rig.notes);
  ASSERT_TRUE(made) << made.error().message;
  std::promise<void> release;
  const InlineSink::Function waits =
      [released = release.get_future().share()](const Delivery&) {
        released.wait();
        return Done();
      };
  RunningInlet<InlineSink> running(*std::move(made), waits);

  // The function holds the inlet's thread, and libnats has room for four.
  ASSERT_TRUE(Eventually([&] {
    rig.PublishWhenHeard("more");
    return rig.notes.Said("Slow Consumer");
  }));
  release.set_value();

  EXPECT_TRUE(Eventually([&] { return rig.notes.lost() > 0; }));
}

TEST(CoreNats, ListensAgainAfterTheServerCameBack) {
  CoreRig rig;
  RunningInlet<InlineSink> running(rig.Make());
  ASSERT_TRUE(rig.Warm(running));
  rig.server.Kill();
  rig.server.Start();
  const std::size_t before = running.sink.ids().size();
  test::NatsPeer peer(rig.server.url());

  EXPECT_TRUE(Eventually([&] {
    peer.PublishCore("core.b", R"({"specversion":"1.0","id":"1",)"
                               R"("source":"/s","type":"t"})");
    return running.sink.ids().size() > before;
  }));
}

}  // namespace
}  // namespace cirro
