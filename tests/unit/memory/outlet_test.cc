#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/link.h"
#include "cirro/memory/memory.h"
#include "support/memory_rig.h"

namespace cirro::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Pair;

struct Listener final : SendListener {
  void OnSent(std::uint64_t /*send*/, Result<void> result,
              std::chrono::milliseconds /*retry_after*/) noexcept override {
    ended = std::move(result);
  }
  std::optional<Result<void>> ended;
};

Event KeyedEvent() {
  return *EventBuilder()
              .id("7")
              .source("/test")
              .type("t")
              .extension({"partitionkey", "customer-7"})
              .Build();
}

struct OutletRig : MemoryRig {
  OutletRig() { outlet = *MakeMemoryOutlet(broker, {.topic = "out"}); }
  std::unique_ptr<Outlet> outlet;
  Listener listener;
};

TEST(MemoryOutlet, ConfirmsWhatTheTopicHas) {
  OutletRig rig;

  rig.outlet->Send(KeyedEvent(), {rig.listener, 1});

  ASSERT_TRUE(rig.listener.ended && rig.listener.ended->has_value());
  const auto records = rig.broker.Read("out");
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(std::get<Event>(records[0].content), KeyedEvent());
  EXPECT_EQ(records[0].key, "customer-7");
}

TEST(MemoryOutlet, SaysWhyATopicHasItNot) {
  OutletRig rig;
  rig.broker.Refuse("out", ErrorCode::kUnavailable);

  rig.outlet->Send(KeyedEvent(), {rig.listener, 1});

  ASSERT_TRUE(rig.listener.ended.has_value());
  EXPECT_EQ(rig.listener.ended->error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(rig.broker.Read("out").empty());
}

TEST(MemoryOutlet, KeepsADeadLetterAsItCameWithTheReasonsBesideIt) {
  OutletRig rig;
  auto* const place = CapabilityOf<DeadLetterPlace>(*rig.outlet);
  ASSERT_NE(place, nullptr);
  const MemoryRecord came =
      DecodeMemoryMessage("no event", {{"a", "b"}}, "key");

  place->Bury(
      {.content = std::get<Malformed>(came.content),
       .original = came.original,
       .key = "key",
       .facts = {.reason = DeadReason::kMalformed, .position = "orders/0@3"}},
      {rig.listener, 1});

  ASSERT_TRUE(rig.listener.ended && rig.listener.ended->has_value());
  const MemoryRecord kept = rig.broker.Read("out").at(0);
  EXPECT_EQ(BytesOf(kept), "no event");
  EXPECT_EQ(kept.key, "key");
  EXPECT_THAT(HeadersOf(kept), Contains(Pair("a", "b")));
  EXPECT_THAT(HeadersOf(kept),
              Contains(Pair("cirro-dlq-position", "orders/0@3")));
  ASSERT_NE(kept.original, nullptr);
  EXPECT_TRUE(kept.original->dead_letter);
}

TEST(MemoryOutlet, KeepsTheBodyOfAStructuredEvent) {
  OutletRig rig;
  auto* const place = CapabilityOf<DeadLetterPlace>(*rig.outlet);
  const std::string json =
      R"({ "specversion":"1.0","id":"1","source":"/a","type":"t" })";
  const MemoryRecord came = DecodeMemoryMessage(
      json, {{"content-type", "application/cloudevents+json"}});

  place->Bury({.content = std::get<Event>(came.content),
               .original = came.original,
               .facts = {.reason = DeadReason::kExhausted, .attempts = 5}},
              {rig.listener, 1});

  const MemoryRecord kept = rig.broker.Read("out").at(0);
  EXPECT_EQ(BytesOf(kept), json);
  EXPECT_THAT(HeadersOf(kept), Contains(Pair("cirro-dlq-attempts", "5")));
}

TEST(MemoryOutlet, SaysWhetherItsBrokerIsReached) {
  OutletRig rig;
  rig.broker.SetReachable(false);

  EXPECT_EQ(CapabilityOf<Linked>(*rig.outlet)->link().kind,
            LinkState::Kind::kDisconnected);
}

TEST(MemoryOutlet, NeedsATopic) {
  OutletRig rig;

  const auto made = MakeMemoryOutlet(rig.broker, {.name = "x"});

  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kInvalidConfig);
}

}  // namespace
}  // namespace cirro::test
