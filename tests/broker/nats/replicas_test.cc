// Two processes on one consumer, and three servers under one stream.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <stdexcept>
#include <string>

#include "contract/contract_fixture.h"
#include "contract/jetstream_under_test.h"
#include "support/jetstream_rig.h"
#include "support/nats_cluster.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Eventually;
using test::HoldingSink;
using test::InlineSink;
using test::NatsCluster;
using test::NatsPeer;
using test::RunningInlet;
using ::testing::SizeIs;

// How often the server gave out messages of `durable`.
std::uint64_t DeliveriesOf(NatsPeer& peer, const std::string& stream,
                           const std::string& durable) {
  jsConsumerInfo* info = nullptr;
  if (js_GetConsumerInfo(&info, peer.js(), stream.c_str(), durable.c_str(),
                         nullptr, nullptr) != NATS_OK) {
    return 0;
  }
  const std::uint64_t deliveries = info->Delivered.Consumer;
  jsConsumerInfo_Destroy(info);
  return deliveries;
}

// Prefetched messages would outlive the server's patience and run on two
// replicas. A message that nobody extends tells how long that is: longer than a
// busy machine stands still.
TEST(JetStreamReplicas, Story15WhatTwoReplicasHaveFetchedRunsOnce) {
  constexpr milliseconds kAckWait{3'000};
  test::JetStreamUnderTest broker(false, kAckWait);
  const std::string topic = broker.NewTopic(1);
  const std::string witness = broker.NewTopic(1);
  const auto publish = [&](const std::string& to, int id) {
    broker.peer().PublishEvent(to, std::to_string(id));
  };
  for (int i = 0; i < 40; ++i) publish(topic, i);
  test::Diary done;
  test::Gate gate;
  test::Process first(broker, {.topic = topic, .group = "worker"});
  test::Process second(broker, {.topic = topic, .group = "worker"});
  for (test::Process* const process : {&first, &second}) {
    process->On({.type = "com.example.test", .concurrency = 1},
                [&](const Event& event) {
                  gate.Pass();
                  done.Add(event.id());
                });
    process->Start();
  }
  ASSERT_TRUE(Eventually([&] {
    return broker.peer().ConsumerOf(topic, "worker").ack_pending == 40;
  }));
  test::NotesObserver notes;
  RunningInlet<HoldingSink> forgetful(
      broker.MakeInlet({.topic = witness, .group = "worker"}, notes));

  publish(witness, 0);
  const Delivery unsettled = forgetful.sink.TakeOne();
  ASSERT_TRUE(Eventually(
      [&] { return DeliveriesOf(broker.peer(), witness, "worker") >= 3; }));

  // Each was given out once, and is run once.
  EXPECT_EQ(DeliveriesOf(broker.peer(), topic, "worker"), 40U);
  gate.Open();
  EXPECT_TRUE(done.Await(40));
  EXPECT_TRUE(Eventually([&] { return broker.Pending(topic, "worker") == 0; }));
  EXPECT_THAT(done.all(), SizeIs(40));
  EXPECT_THAT(done.counts(), SizeIs(40));
}

class JetStreamCluster : public ::testing::Test {
 protected:
  void SetUp() override {
    // Until they have found each other and have a leader.
    ASSERT_TRUE(Eventually(
        [this] {
          return peer.AddStream("ORDERS", "orders.>",
                                [](jsStreamConfig& config) {
                                  config.Replicas = 3;
                                }) == NATS_OK;
        },
        seconds(60)));
  }

  std::unique_ptr<Inlet> Make() {
    JetStreamInletOptions options;
    options.name = "orders";
    options.connection.servers = cluster.urls();
    options.connection.reconnect_wait = milliseconds(20);
    options.stream = "ORDERS";
    options.durable = "worker";
    options.ack_wait = seconds(2);
    options.heartbeat = milliseconds(500);
    auto made = test::Nats().make_jetstream_inlet(options, clock, notes);
    if (!made) throw std::runtime_error(made.error().message);
    return *std::move(made);
  }
  // As a careful publisher does: again until it is confirmed.
  void Publish(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string id = std::to_string(published++);
      ASSERT_TRUE(Eventually(
          [&] {
            try {
              peer.PublishEvent("orders.new", id);
              return true;
            } catch (const std::runtime_error&) {
              return false;
            }
          },
          seconds(60)));
    }
  }
  std::string Leader() {
    std::string leader;
    static_cast<void>(Eventually(
        [&] {
          leader = peer.LeaderOf("ORDERS");
          return !leader.empty();
        },
        seconds(60)));
    return leader;
  }

  NatsCluster cluster{3};
  NatsPeer peer{cluster.url()};
  test::RealClock clock;
  test::NotesObserver notes;
  int published = 0;
};

TEST_F(JetStreamCluster, LeadersThatAreKilledLoseNothing) {
  RunningInlet<InlineSink> first(Make());
  RunningInlet<InlineSink> second(Make());

  for (int round = 0; round < 2; ++round) {
    ASSERT_NO_FATAL_FAILURE(Publish(50));
    const std::string leader = Leader();
    ASSERT_NE(leader, "");
    cluster.Named(leader).Kill();
    ASSERT_NO_FATAL_FAILURE(Publish(50));
    cluster.Named(leader).Start();
  }

  EXPECT_TRUE(Eventually(
      [&] {
        std::set<std::string> ids;
        for (auto* const sink : {&first.sink, &second.sink}) {
          const auto more = sink->ids();
          ids.insert(more.begin(), more.end());
        }
        return ids.size() == 200;
      },
      seconds(60)));
  EXPECT_TRUE(Eventually(
      [&] {
        const auto consumer = peer.ConsumerOf("ORDERS", "worker");
        return consumer.ack_floor >= 200 && consumer.pending == 0 &&
               consumer.ack_pending == 0;
      },
      seconds(60)));
  EXPECT_EQ(notes.lost(), 0U);
}

}  // namespace
}  // namespace cirro
