#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/delivery.h"
#include "runtime/src/broker_health.h"
#include "runtime/src/dead_letter_loops.h"
#include "runtime/src/log.h"
#include "runtime/src/metrics.h"
#include "runtime/src/reporter.h"
#include "runtime/src/side_routes.h"
#include "support/event_fixtures.h"
#include "support/virtual_clock.h"

// What the process says of its links to brokers, and of what it gave up.
namespace cirro::internal {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::MinEvent;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// An inlet that has nothing but its state.
class StillInlet final : public Inlet, public Linked, public LagReporter {
 public:
  [[nodiscard]] const InletInfo& info() const noexcept override {
    return info_;
  }
  Result<void> Start(Sink& /*sink*/) override { return {}; }
  void SetDemand(bool /*wanted*/) noexcept override {}
  void BeginDrain(milliseconds /*patience*/) noexcept override {}
  Result<void> Stop(milliseconds /*grace*/) noexcept override { return {}; }
  [[nodiscard]] LinkState link() const noexcept override { return state; }
  [[nodiscard]] std::vector<PartitionLag> Lag() const override {
    return {{"orders/0", lag}};
  }

  LinkState state{};
  std::uint64_t lag = 0;

 private:
  InletInfo info_{.name = "orders"};
};

class Health : public ::testing::Test {
 protected:
  void Heed(BrokerReadiness heeded) {
    health_.emplace(heeded, clock_,
                    [this](std::string_view) { return settled_; });
    health_->Watch(inlet_);
  }
  void Become(LinkState::Kind kind) { inlet_.state = {kind, clock_.Now()}; }
  std::string WhyNot() { return health_->WhyNotReady(); }

  test::VirtualClock clock_;
  StillInlet inlet_;
  std::uint64_t settled_ = 0;
  std::optional<BrokerHealth> health_;
};

TEST_F(Health, WaitsForTheFirstConnection) {
  Heed(BrokerReadiness::kStart);

  EXPECT_EQ(WhyNot(), "inlet orders was never connected");

  Become(LinkState::Kind::kConnected);
  EXPECT_THAT(WhyNot(), IsEmpty());
}

TEST_F(Health, AtStartHeedsNoLaterTrouble) {
  Heed(BrokerReadiness::kStart);
  Become(LinkState::Kind::kDisconnected);
  inlet_.lag = 5;
  EXPECT_THAT(WhyNot(), IsEmpty());

  clock_.Advance(seconds(600));

  EXPECT_THAT(WhyNot(), IsEmpty());
}

TEST_F(Health, NeverHeedsNothing) {
  Heed(BrokerReadiness::kNever);

  EXPECT_THAT(WhyNot(), IsEmpty());
}

TEST_F(Health, AlwaysHeedsABrokenLink) {
  Heed(BrokerReadiness::kAlways);
  Become(LinkState::Kind::kDisconnected);

  EXPECT_EQ(WhyNot(), "inlet orders is disconnected");
}

TEST_F(Health, ARebalanceIsTroubleAfterAMinute) {
  Heed(BrokerReadiness::kAlways);
  Become(LinkState::Kind::kRebalancing);
  clock_.Advance(seconds(60));
  EXPECT_THAT(WhyNot(), IsEmpty());

  clock_.Advance(milliseconds(1));

  EXPECT_THAT(WhyNot(), HasSubstr("rebalancing for more than a minute"));
}

TEST_F(Health, MessagesThatWaitAndDoNotMoveAreTrouble) {
  Heed(BrokerReadiness::kAlways);
  Become(LinkState::Kind::kConnected);
  inlet_.lag = 5;
  clock_.Advance(seconds(61));

  EXPECT_THAT(WhyNot(), HasSubstr("none was settled for more than a minute"));

  ++settled_;
  EXPECT_THAT(WhyNot(), IsEmpty());
}

TEST_F(Health, AnIdleTopicIsReady) {
  Heed(BrokerReadiness::kAlways);
  Become(LinkState::Kind::kConnected);

  clock_.Advance(seconds(600));

  EXPECT_THAT(WhyNot(), IsEmpty());
}

TEST_F(Health, TellsLagAndLinksToThePage) {
  Heed(BrokerReadiness::kNever);
  inlet_.lag = 7;
  MetricsSnapshot snapshot;
  snapshot.lags = health_->lags();
  snapshot.links = health_->links();

  const std::string page = Metrics().Render(snapshot);

  EXPECT_THAT(page, HasSubstr("cirro_inlet_lag{inlet=\"orders\","
                              "partition=\"orders/0\"} 7\n"));
  EXPECT_THAT(page, HasSubstr("cirro_inlet_connected{inlet=\"orders\"} 0\n"));
}

TEST(SideRoutes, ReadinessSaysWhyABrokerKeepsItBack) {
  std::string why = "inlet orders was never connected";
  SideRoutes routes(
      {}, [] { return std::string(); }, [&why] { return why; });
  routes.Set(Readiness::kReady);
  HttpReply waiting;
  HttpReply ready;

  HttpSideRequest request{};
  request.path = "/readyz";
  EXPECT_TRUE(routes.Handle(request, waiting));
  why.clear();
  EXPECT_TRUE(routes.Handle(request, ready));

  EXPECT_EQ(waiting.status, 503);
  EXPECT_EQ(waiting.body, "inlet orders was never connected\n");
  EXPECT_EQ(ready.status, 200);
}

// --- What was given up -------------------------------------------------------

class Ignore final : public Settler {
  void Settle(DeliveryToken /*token*/,
              Settlement /*settlement*/) noexcept override {}
};

class GivenUp : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(pipe(pipe_.data()), 0); }
  void TearDown() override {
    close(pipe_[0]);
    if (pipe_[1] >= 0) close(pipe_[1]);
  }
  std::string Lines() {
    close(std::exchange(pipe_[1], -1));
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0;
         (n = read(pipe_[0], buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return text;
  }
  Reporter Make(Task end = {}) {
    logger_.emplace(LogLevel::kInfo, true, false, pipe_[1]);
    return {metrics_, *logger_, clock_, end};
  }
  std::string Page() { return metrics_.Render({}); }

  std::array<int, 2> pipe_{-1, -1};
  test::VirtualClock clock_;
  Metrics metrics_;
  std::optional<Logger> logger_;
  InletInfo inlet_{.name = "orders"};
  Ignore ignore_;
  Delivery delivery_{MinEvent(), inlet_, ignore_, {}};
  DeadLetterFacts facts_{.reason = DeadReason::kRejected, .function = "f"};
  Error error_{ErrorCode::kUnavailable, "away"};
};

TEST_F(GivenUp, ADeadLetterIsCountedAndLogged) {
  Make().Buried(facts_, delivery_, "kept");

  EXPECT_THAT(Page(),
              HasSubstr("cirro_dead_letters_total{inlet=\"orders\",function="
                        "\"f\",reason=\"rejected\",place=\"kept\"} 1\n"));
  EXPECT_THAT(Lines(), AllOf(HasSubstr("kept as a dead letter"),
                             HasSubstr("\"reason\":\"rejected\""),
                             HasSubstr("\"place\":\"kept\"")));
}

TEST_F(GivenUp, AStallIsAnErrorAndAFailedPlaceAWarning) {
  Make().NotBuried(facts_, delivery_, "kept", error_, false);
  Make().NotBuried(facts_, delivery_, "kept", error_, true);

  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("cirro_dead_letter_failures_total{inlet="
                              "\"orders\",place=\"kept\",code=\"unavailable\"} "
                              "2\n"));
  EXPECT_THAT(page, HasSubstr("cirro_dead_letter_stalls_total{inlet=\"orders\","
                              "function=\"f\",reason=\"rejected\"} 1\n"));
  EXPECT_THAT(Lines(), AllOf(HasSubstr("WARNING"), HasSubstr("ERROR"),
                             HasSubstr("its source waits until one does")));
}

TEST_F(GivenUp, WhatIsKeptNamesTheSetting) {
  Make().Kept("f", delivery_, DeadReason::kExhausted, error_);

  EXPECT_THAT(Page(), HasSubstr("cirro_events_kept_total{inlet=\"orders\","
                                "function=\"f\",reason=\"exhausted\"} 1\n"));
  EXPECT_THAT(Lines(), HasSubstr("set dispatch.dead_letter"));
}

TEST_F(GivenUp, WhatIsDroppedAndWhatWasDoneBeforeAreCounted) {
  Make().Dropped("f", delivery_, DeadReason::kExhausted, error_);
  Make().Duplicate("f", delivery_);

  EXPECT_THAT(Page(), HasSubstr("cirro_events_dropped_total{inlet=\"orders\","
                                "function=\"f\",reason=\"exhausted\"} 1\n"));
  EXPECT_THAT(Page(), HasSubstr("cirro_duplicates_total{inlet=\"orders\","
                                "function=\"f\"} 1\n"));
}

TEST_F(GivenUp, WhatASourceLostIsCounted) {
  Reporter reporter = Make();
  reporter.Lost("orders", 3);
  reporter.Lost("orders", 4);

  EXPECT_THAT(Page(),
              HasSubstr("cirro_source_lost_total{inlet=\"orders\"} 7\n"));
}

TEST_F(GivenUp, APartitionThatIsHeldIsCountedAndSeen) {
  Make().Held("orders", "orders/0", true);
  Make().Held("orders", "orders/0", false);
  Make().Held("orders", "orders/0", true);
  Make().Held("orders", "orders/1", true);
  Make().Held("orders", "orders/1", false);

  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("cirro_inlet_holds_total{inlet=\"orders\","
                              "partition=\"orders/0\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("cirro_inlet_held{inlet=\"orders\","
                              "partition=\"orders/0\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("cirro_inlet_held{inlet=\"orders\","
                              "partition=\"orders/1\"} 0\n"));
}

TEST_F(GivenUp, LinesAreSoManyASecond) {
  Reporter reporter = Make();
  for (std::size_t i = 0; i < 3 * LineQuota::kPerSecond; ++i) {
    reporter.Buried(facts_, delivery_, "kept");
  }

  const std::string lines = Lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'),
            static_cast<std::ptrdiff_t>(LineQuota::kPerSecond));
}

TEST_F(GivenUp, APartThatFailedEndsTheProcess) {
  int ended = 0;
  Reporter reporter = Make({[](void* target, std::uint64_t) noexcept {
                              ++*static_cast<int*>(target);
                            },
                            &ended, 0});
  EXPECT_FALSE(reporter.failed());

  reporter.Noted(LogLevel::kWarning, "orders", "rebalanced");
  EXPECT_EQ(ended, 0);
  reporter.Failed("orders", {ErrorCode::kRefused, "fenced"});

  EXPECT_EQ(ended, 1);
  EXPECT_TRUE(reporter.failed());
  EXPECT_THAT(Lines(), AllOf(HasSubstr("rebalanced"), HasSubstr("fenced"),
                             HasSubstr("\"part\":\"orders\"")));
}

// --- Letters that would come in again ----------------------------------------

Config Loop(InletConfig inlet, OutletConfig outlet) {
  Config config;
  config.inlets.emplace("in", std::move(inlet));
  config.outlets.emplace("out", std::move(outlet));
  return config;
}

TEST(LoopOf, KnowsATopicThatAnInletReads) {
  const auto loop = [](const std::string& read, const std::string& written,
                       const std::string& brokers) {
    InletConfig inlet;
    inlet.type = InletType::kKafka;
    inlet.kafka.topics = {"other", read};
    inlet.kafka.connection.brokers = "a:1,b:1";
    OutletConfig outlet;
    outlet.type = OutletType::kKafka;
    outlet.kafka.topic = written;
    outlet.kafka.connection.brokers = brokers;
    return LoopOf(Loop(inlet, outlet), "out");
  };

  EXPECT_THAT(loop("orders", "orders", "b:1"),
              AllOf(HasSubstr("[outlet.out]"), HasSubstr("[inlet.in]")));
  EXPECT_THAT(loop("^ord.*", "orders", "a:1"), Not(IsEmpty()));
  EXPECT_THAT(loop("orders", "orders-dead", "a:1"), IsEmpty());
  EXPECT_THAT(loop("orders", "orders", "elsewhere:1"), IsEmpty());
  EXPECT_THAT(loop("^(", "orders", "a:1"), IsEmpty());
}

TEST(LoopOf, KnowsASubjectThatAnInletReads) {
  InletConfig inlet;
  inlet.type = InletType::kNats;
  inlet.jetstream = true;
  inlet.nats_jetstream.filter = "orders.>";
  OutletConfig outlet;
  outlet.type = OutletType::kNats;
  outlet.nats.subject = "orders.dead";

  EXPECT_THAT(LoopOf(Loop(inlet, outlet), "out"), Not(IsEmpty()));
  outlet.nats.subject = "dead.orders";
  EXPECT_THAT(LoopOf(Loop(inlet, outlet), "out"), IsEmpty());
}

TEST(SubjectMatches, HeedsWildcards) {
  EXPECT_TRUE(SubjectMatches("a.b", "a.b"));
  EXPECT_TRUE(SubjectMatches("a.*", "a.b"));
  EXPECT_TRUE(SubjectMatches("a.>", "a.b.c"));
  EXPECT_TRUE(SubjectMatches(">", "a"));
  EXPECT_TRUE(SubjectMatches("", "a"));
  EXPECT_FALSE(SubjectMatches("a.*", "a.b.c"));
  EXPECT_FALSE(SubjectMatches("a.*.c", "a.b"));
  EXPECT_FALSE(SubjectMatches("a.>", "a"));
  EXPECT_FALSE(SubjectMatches("a.b", "a.bc"));
}

}  // namespace
}  // namespace cirro::internal
