// Messages that the stream does not keep until they were delivered.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/link.h"
#include "support/jetstream_rig.h"
#include "support/real_time.h"

namespace cirro {
namespace {

using test::Eventually;
using test::InlineSink;
using test::JetStreamRig;
using test::RunningInlet;
using ::testing::ElementsAre;

TEST(JetStreamLimits, MessagesThatAgedBeforeTheyWereDeliveredAreSaid) {
  JetStreamRig rig;
  ASSERT_EQ(rig.peer.AddStream(
                "SHORT", "short.>",
                [](jsStreamConfig& config) { config.MaxAge = 200'000'000; }),
            NATS_OK);
  JetStreamInletOptions options = rig.Options();
  options.stream = "SHORT";
  auto inlet = rig.Make(options);
  inlet->SetDemand(false);
  RunningInlet<InlineSink> running(std::move(inlet));
  ASSERT_TRUE(Eventually([&] { return rig.notes.Said("fetches from"); }));
  for (int i = 0; i < 5; ++i) rig.peer.PublishEvent("short.a", "aged");
  ASSERT_TRUE(Eventually([&] { return rig.peer.MessagesIn("SHORT") == 0; }));

  running.inlet->SetDemand(true);
  ASSERT_TRUE(Eventually([&] {
    rig.peer.PublishEvent("short.a", "fresh");
    return !running.sink.ids().empty();
  }));

  EXPECT_TRUE(Eventually([&] { return rig.notes.lost() >= 5; }));
  EXPECT_TRUE(rig.notes.Said("left the stream 'SHORT' before the consumer"));
  EXPECT_TRUE(rig.notes.Said("max_age"));
}

TEST(JetStreamLimits, MessagesThatSomebodyRemovedAreSaidThoughNoneFollows) {
  JetStreamRig rig;
  JetStreamInletOptions options = rig.Options();
  options.filter = "orders.new";
  auto inlet = rig.Make(options);
  inlet->SetDemand(false);
  RunningInlet<InlineSink> running(std::move(inlet));
  rig.Publish(7);
  auto* const lag = CapabilityOf<LagReporter>(*running.inlet);
  ASSERT_TRUE(Eventually([&] {
    const auto lags = lag->Lag();
    return !lags.empty() && lags.front().messages == 7;
  }));

  rig.peer.PurgeStream("ORDERS");

  EXPECT_TRUE(Eventually([&] { return rig.notes.lost() == 7; }));
  EXPECT_TRUE(rig.notes.Said("7 messages left the stream 'ORDERS'"));
}

TEST(JetStreamLimits, AMessageThatAgesWhileItWaitsToBeGivenAgainIsSaid) {
  JetStreamRig rig;
  ASSERT_EQ(rig.peer.AddStream(
                "SHORT", "short.>",
                [](jsStreamConfig& config) { config.MaxAge = 500'000'000; }),
            NATS_OK);
  JetStreamInletOptions options = rig.Options();
  options.stream = "SHORT";
  InlineSink::Function fails = [](const Delivery&) {
    return test::Failed(ErrorCode::kFunctionFailed, "no",
                        std::chrono::hours(1));
  };
  RunningInlet<InlineSink> running(rig.Make(options), fails);
  rig.peer.PublishEvent("short.a", "aged");

  EXPECT_TRUE(Eventually([&] { return rig.notes.lost() == 1; }));
  EXPECT_TRUE(rig.notes.Said("1 messages left the stream 'SHORT'"));
}

TEST(JetStreamLimits, WhatWasSettledMayLeaveTheStream) {
  JetStreamRig rig(js_WorkQueuePolicy);
  RunningInlet<InlineSink> running(rig.Make());
  auto* const lag = CapabilityOf<LagReporter>(*running.inlet);
  for (int round = 1; round <= 3; ++round) {
    rig.Publish(100, round * 100);
    ASSERT_TRUE(rig.AllSettled());
    ASSERT_TRUE(Eventually([&] { return lag->Lag().front().messages == 0; }));
  }

  EXPECT_EQ(rig.peer.MessagesIn("ORDERS"), 0U);
  EXPECT_EQ(rig.notes.lost(), 0U);
}

}  // namespace
}  // namespace cirro
