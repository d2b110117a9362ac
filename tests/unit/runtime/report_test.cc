// Deliveries in logs and metrics.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "cirro/dispatch/delivery.h"
#include "runtime/src/exposition.h"
#include "runtime/src/knative.h"
#include "runtime/src/log.h"
#include "runtime/src/metered_outlet.h"
#include "runtime/src/metrics.h"
#include "runtime/src/reporter.h"
#include "support/event_fixtures.h"
#include "support/memory_outlet.h"
#include "support/virtual_clock.h"
#include "unit/runtime/log_pipe.h"

namespace cirro::internal {
namespace {

using std::chrono::milliseconds;
using test::FullEvent;
using test::MinEvent;
using ::testing::HasSubstr;
using ::testing::Not;

class Ignore final : public Settler {
 public:
  void Settle(DeliveryToken /*token*/,
              Settlement /*settlement*/) noexcept override {}
};

class IgnoreSends final : public SendListener {
 public:
  void OnSent(std::uint64_t /*send*/, Result<void> /*result*/,
              milliseconds /*retry_after*/) noexcept override {}
};

class Reports : public ::testing::Test {
 protected:
  Delivery Make(Event event) {
    return {std::move(event), inlet_, settler_, {}};
  }
  [[nodiscard]] std::string Page() const { return metrics_.Render({}); }

  InletInfo inlet_{.name = "http", .peer_waits = true};
  Ignore settler_;
  Pipe pipe_;
  Logger logger_{LogLevel::kInfo, true, false, pipe_.in()};
  Metrics metrics_;
  test::VirtualClock clock_;
  Reporter reporter_{metrics_, logger_, clock_};
};

TEST_F(Reports, AFailedCallIsLoggedWithTheEventsAndTheTracesId) {
  Delivery delivery = Make(MinEvent());
  delivery.facts.trace.traceparent =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const Error error{ErrorCode::kFunctionFailed, "out of soup"};

  reporter_.Finished("cook", delivery, Outcome::Kind::kRetry, &error,
                     milliseconds(1));
  reporter_.Settled(delivery, {.kind = Settlement::Kind::kNak, .error = error},
                    {});

  const std::string text = pipe_.ReadAll();
  ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["severity"], "WARNING");
  EXPECT_EQ(line["function"], "cook");
  EXPECT_EQ(line["code"], "function_failed");
  EXPECT_EQ(line["error"], "out of soup");
  EXPECT_EQ(line["event_id"], "min-1");
  EXPECT_EQ(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
}

TEST_F(Reports, AFunctionsOwnLineHasTheIdsToo) {
  const Event event = test::MustBuild(
      EventBuilder(MinEvent())
          .extension({"traceparent",
                      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
                      "01"}));

  reporter_.Logged(LogLevel::kInfo, "cook", &event, {}, "stirring");

  const auto line = nlohmann::json::parse(pipe_.ReadAll());
  EXPECT_EQ(line["message"], "stirring");
  EXPECT_EQ(line["event_id"], "min-1");
  EXPECT_EQ(line["trace_id"], "0af7651916cd43dd8448eb211c80319c");
}

TEST_F(Reports, AnEventThatNoOutletTookIsLogged) {
  const test::VirtualClock clock;
  test::MemoryOutlet broken("billing", true);
  MeteredOutlet outlet(broken, metrics_, logger_, clock);
  IgnoreSends listener;
  outlet.Send(MinEvent(), SendCompletion(listener, 1));
  broken.Fail(ErrorCode::kUnavailable);

  const auto line = nlohmann::json::parse(pipe_.ReadAll());
  EXPECT_EQ(line["severity"], "WARNING");
  EXPECT_EQ(line["outlet"], "billing");
  EXPECT_EQ(line["code"], "unavailable");
  EXPECT_EQ(line["event_id"], "min-1");
}

// Threads of one event each, as asynchronous functions have them.
TEST_F(Reports, CountersAreNoMoreThanThreadsAtOnce) {
  const Delivery delivery = Make(MinEvent());
  for (int i = 0; i < 100; ++i) {
    std::thread([&] { metrics_.Received(delivery); }).join();
  }

  EXPECT_EQ(metrics_.blocks(), 1U);
  EXPECT_THAT(Page(), HasSubstr(" 100\n"));
}

TEST_F(Reports, AnUnmatchedTypeIsSaidOnce) {
  const Settlement settlement{.kind = Settlement::Kind::kTerm,
                              .error = Error{ErrorCode::kNoFunction, "none"}};
  for (int i = 0; i < 3; ++i) {
    reporter_.Settled(Make(MinEvent()), settlement, {});
  }

  const std::string text = pipe_.ReadAll();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_THAT(text, HasSubstr("\"event_type\":\"com.example.min\""));
}

TEST_F(Reports, AnUnmatchedTypeIsSaidAgainAfterAnHour) {
  const Settlement settlement{.kind = Settlement::Kind::kTerm,
                              .error = Error{ErrorCode::kNoFunction, "none"}};
  reporter_.Settled(Make(MinEvent()), settlement, {});
  clock_.Advance(std::chrono::minutes(61));
  reporter_.Settled(Make(MinEvent()), settlement, {});

  const std::string text = pipe_.ReadAll();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

// As many types as a sender likes, and a megabyte of each.
TEST(SaidOnce, SaysSoManyThingsInAnHour) {
  SaidOnce said;
  const TimePoint now(std::chrono::hours(5));
  std::size_t count = 0;
  for (int i = 0; i < 3'000; ++i) {
    count += said.First(std::to_string(i), now) ? 1 : 0;
  }

  EXPECT_EQ(count, SaidOnce::kMost);
  EXPECT_TRUE(said.First("0", now + std::chrono::hours(1)));
}

TEST_F(Reports, MessagesThatAreNoEventsAreSaidSoOftenASecond) {
  const Settlement settlement{.kind = Settlement::Kind::kTerm,
                              .error = Error{ErrorCode::kInvalidEvent, "bad"}};
  for (int i = 0; i < 1'000; ++i) {
    reporter_.Settled(Make(MinEvent()), settlement, {});
  }
  clock_.Advance(std::chrono::seconds(1));
  reporter_.Settled(Make(MinEvent()), settlement, {});

  const std::string text = pipe_.ReadAll();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 101);
  EXPECT_THAT(text, HasSubstr("\"lines_left_out\":"));
  EXPECT_THAT(text, HasSubstr("900"));
}

// A peer makes a function fail as often as it likes.
TEST_F(Reports, FailuresAreSaidSoOftenASecond) {
  const Delivery delivery = Make(MinEvent());
  const Error rejected{ErrorCode::kRejected, "no"};
  const Error config{ErrorCode::kInvalidConfig, "no place to go"};
  for (int i = 0; i < 1'000; ++i) {
    reporter_.Finished("cook", delivery, Outcome::Kind::kReject, &rejected, {});
    reporter_.Settled(delivery,
                      {.kind = Settlement::Kind::kTerm, .error = config}, {});
  }

  const std::string text = pipe_.ReadAll();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 200);
}

TEST_F(Reports, WhatWasForgivenIsSaidOnceASourceAndRule) {
  const Event event = MinEvent();
  for (int i = 0; i < 3; ++i) {
    reporter_.Forgiven(Leniency::kLatin1, event);
    reporter_.Forgiven(Leniency::kLiteralValue | Leniency::kLatin1, event);
  }

  const std::string text = pipe_.ReadAll();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_THAT(text, HasSubstr("\"rule\":\"header bytes that are not UTF-8\""));
  EXPECT_THAT(text, HasSubstr("http.strict"));
}

TEST_F(Reports, ARejectionOfTheEnginesOwnIsSaid) {
  const Delivery delivery = Make(MinEvent());
  const Error error{ErrorCode::kInvalidConfig, "2 replies have no place to go"};

  reporter_.Settled(delivery, {.kind = Settlement::Kind::kTerm, .error = error},
                    {});

  EXPECT_THAT(pipe_.ReadAll(), HasSubstr("no place to go"));
}

TEST_F(Reports, NoLineHoldsTheEventsData) {
  const Delivery delivery = Make(FullEvent());
  const Error error{ErrorCode::kDeadlineExceeded, "late"};

  reporter_.Finished("cook", delivery, Outcome::Kind::kRetry, &error, {});
  reporter_.Settled(delivery, {.error = error}, {});
  reporter_.Hung("cook", delivery);

  EXPECT_THAT(pipe_.ReadAll(), Not(HasSubstr("129.95")));
}

TEST_F(Reports, EventsAreCountedByInletTypeAndOutcome) {
  const Delivery delivery = Make(MinEvent());
  reporter_.Received(delivery);
  reporter_.Started("cook", delivery, 1);
  reporter_.Finished("cook", delivery, Outcome::Kind::kReply, nullptr,
                     milliseconds(3));
  reporter_.Settled(delivery, {.kind = Settlement::Kind::kAck},
                    milliseconds(4));
  MetricsSnapshot snapshot;
  snapshot.types = {{"cook", "com.example.*"}};

  const std::string page = metrics_.Render(snapshot);

  EXPECT_THAT(page, HasSubstr("\ncirro_calls_total{inlet=\"http\",function="
                              "\"cook\",type=\"com.example.*\",outcome="
                              "\"reply\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\ncirro_events_received_total{inlet=\"http\","
                              "content=\"event\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("\ncirro_events_settled_total{inlet=\"http\","
                              "outcome=\"done\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("cirro_call_duration_seconds_bucket{inlet="
                              "\"http\",function=\"cook\",le=\"0.0025\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("cirro_call_duration_seconds_bucket{inlet="
                              "\"http\",function=\"cook\",le=\"0.005\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("cirro_call_duration_seconds_sum{inlet=\"http\","
                              "function=\"cook\"} 0.003\n"));
  EXPECT_THAT(page, HasSubstr("cirro_calls_running{inlet=\"http\",function="
                              "\"cook\"} 0\n"));
}

TEST_F(Reports, ThreadsThatCountAreAddedUp) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([this] {
        for (int k = 0; k < 1000; ++k) {
          const Delivery delivery = Make(MinEvent());
          reporter_.Started("cook", delivery, 1);
          reporter_.Finished("cook", delivery, Outcome::Kind::kDone, nullptr,
                             {});
          if (k % 100 == 0) static_cast<void>(Page());
        }
      });
    }
  }

  EXPECT_THAT(Page(), HasSubstr("outcome=\"done\"} 4000\n"));
}

TEST_F(Reports, EveryFamilyOfTheTableIsOnThePage) {
  const Delivery delivery = Make(MinEvent());
  reporter_.Received(delivery);
  reporter_.Started("cook", delivery, 2);
  MetricsSnapshot snapshot;
  snapshot.has_http = true;

  const std::string page = metrics_.Render(snapshot);

  for (const Metric& metric : MetricTable()) {
    EXPECT_THAT(page, HasSubstr("# TYPE " + std::string(metric.name) + " "));
  }
}

TEST(Exposition, EscapesLabelsAndAddsBucketsUp) {
  Exposition out;
  out.Family({"x", MetricKind::kHistogram, "", "Help."});
  out.Samples({{"a", "q\"b\\\n"}}, std::array{0.5, 1.0},
              std::array<std::uint64_t, 3>{1, 0, 2}, 7.25);

  EXPECT_EQ(std::move(out).Take(),
            "# HELP x Help.\n# TYPE x histogram\n"
            "x_bucket{a=\"q\\\"b\\\\\\n\",le=\"0.5\"} 1\n"
            "x_bucket{a=\"q\\\"b\\\\\\n\",le=\"1\"} 1\n"
            "x_bucket{a=\"q\\\"b\\\\\\n\",le=\"+Inf\"} 3\n"
            "x_sum{a=\"q\\\"b\\\\\\n\"} 7.25\n"
            "x_count{a=\"q\\\"b\\\\\\n\"} 3\n");
}

}  // namespace
}  // namespace cirro::internal
