#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
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
#include "runtime/src/side_routes.h"
#include "support/event_fixtures.h"
#include "support/memory_outlet.h"
#include "support/virtual_clock.h"

namespace cirro::internal {
namespace {

using std::chrono::milliseconds;
using test::FullEvent;
using test::MinEvent;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// --- Log lines ---------------------------------------------------------------

TEST(LogLine, IsOneJsonObject) {
  const std::string line =
      FormatLogLine(true, false, LogLevel::kWarning, 1'700'000'000'123,
                    "hello \"you\"", {{"event_id", "1"}, {"trace_id", ""}});

  EXPECT_EQ(line,
            "{\"time\":\"2023-11-14T22:13:20.123Z\",\"severity\":\"WARNING\","
            "\"message\":\"hello \\\"you\\\"\",\"event_id\":\"1\"}\n");
}

TEST(LogLine, HasMillisecondsAlsoWhenThereAreNone) {
  EXPECT_THAT(
      FormatLogLine(true, false, LogLevel::kInfo, 1'700'000'000'000, "", {}),
      HasSubstr("22:13:20.000Z"));
  EXPECT_THAT(
      FormatLogLine(true, false, LogLevel::kInfo, 1'700'000'000'120, "", {}),
      HasSubstr("22:13:20.120Z"));
}

TEST(LogLine, HostileTextStaysInsideItsString) {
  const std::string hostile("a\"\\\n\r\t\x1b[31m\0\x7f\xff\xc3\xa4", 16);
  const std::string line = FormatLogLine(true, false, LogLevel::kError, 0,
                                         hostile, {{"id", hostile}});

  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  // What is not UTF-8 is read as Latin-1, byte by byte.
  EXPECT_THAT(parsed["message"].get<std::string>(), HasSubstr("\xc3\xbf"));
}

TEST(LogLine, OfATerminalCannotMoveItsCursor) {
  const std::string line = FormatLogLine(false, true, LogLevel::kError, 0,
                                         "\x1b[2J", {{"id", "\x07"}});

  EXPECT_THAT(line, Not(HasSubstr("\x1b[2J")));
  EXPECT_THAT(line, HasSubstr("\\u001b[2J  id=\\u0007"));
  EXPECT_THAT(line, HasSubstr("\x1b[31mERROR\x1b[0m"));
}

TEST(LogLine, HasNumbersAndTruthsAsSuch) {
  const auto line = [](bool json) {
    return FormatLogLine(json, false, LogLevel::kInfo, 0, "m",
                         {{"signal", 15},
                          {"calls", std::size_t{0}},
                          {"least", std::numeric_limits<std::int64_t>::min()},
                          {"most", std::numeric_limits<std::uint64_t>::max()},
                          {"hung", true},
                          {"idle", false},
                          {"text", "15"}});
  };

  EXPECT_THAT(line(true),
              HasSubstr(R"("message":"m","signal":15,"calls":0,)"
                        R"("least":-9223372036854775808,)"
                        R"("most":18446744073709551615,)"
                        R"("hung":true,"idle":false,"text":"15"})"));
  EXPECT_THAT(line(false), HasSubstr("m  signal=15  calls=0  least="));
  EXPECT_THAT(line(false), HasSubstr("  hung=true  idle=false  text=15\n"));
}

TEST(LogLine, EscapesWhatATerminalObeysOrReorders) {
  struct Case {
    const char* text;
    const char* shown;
  };
  for (const auto& [text, shown] :
       {Case{"\xC2\x80", "\\u0080"}, Case{"\xC2\x9F", "\\u009f"},
        Case{"\xD8\x9C", "\\u061c"}, Case{"\xE2\x80\x8E", "\\u200e"},
        Case{"\xE2\x80\x8F", "\\u200f"}, Case{"\xE2\x80\xA8", "\\u2028"},
        Case{"\xE2\x80\xA9", "\\u2029"}, Case{"\xE2\x80\xAA", "\\u202a"},
        Case{"\xE2\x80\xAE", "\\u202e"}, Case{"\xE2\x81\xA6", "\\u2066"},
        Case{"\xE2\x81\xA9", "\\u2069"},
        // And their neighbours, which are letters or marks.
        Case{"\xC2\xA0", "\xC2\xA0"}, Case{"\xE2\x80\x8D", "\xE2\x80\x8D"},
        Case{"\xE2\x80\x90", "\xE2\x80\x90"},
        Case{"\xE2\x80\xA7", "\xE2\x80\xA7"},
        Case{"\xE2\x80\xAF", "\xE2\x80\xAF"},
        Case{"\xE2\x81\xA5", "\xE2\x81\xA5"},
        Case{"\xE2\x81\xAA", "\xE2\x81\xAA"},
        Case{"\xE2\x82\xAC", "\xE2\x82\xAC"},
        Case{"\xF0\x9F\x98\x80", "\xF0\x9F\x98\x80"}}) {
    for (const bool json : {true, false}) {
      const std::string line =
          FormatLogLine(json, false, LogLevel::kInfo, 0, text, {{"id", text}});
      const std::string twice =
          json ? R"("message":")" + std::string(shown) + R"(","id":")" + shown +
                     "\"}\n"
               : std::string("    ") + shown + "  id=" + shown + "\n";
      EXPECT_THAT(line, HasSubstr(twice));
    }
  }
}

TEST(LogLine, CutsWhatIsTooLongAtACharacter) {
  const std::string euro = "\xE2\x82\xAC";
  const std::string whole(1024, 'm');
  const std::string field(256, 'f');

  const std::string exact =
      FormatLogLine(true, false, LogLevel::kInfo, 0, whole, {{"id", field}});
  const std::string cut =
      FormatLogLine(true, false, LogLevel::kInfo, 0, whole.substr(1) + euro,
                    {{"id", field.substr(2) + euro}});
  const std::string broken = FormatLogLine(true, false, LogLevel::kInfo, 0, "",
                                           {{"id", field + "\x80\x80"}});

  EXPECT_EQ(nlohmann::json::parse(exact)["message"], whole);
  EXPECT_EQ(nlohmann::json::parse(exact)["id"], field);
  EXPECT_EQ(nlohmann::json::parse(cut)["message"], whole.substr(1) + "...");
  EXPECT_EQ(nlohmann::json::parse(cut)["id"], field.substr(2) + "...");
  EXPECT_EQ(nlohmann::json::parse(broken)["id"], field + "...");
}

// A pipe and what came through it.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(pipe(ends_.data()), 0); }
  ~Pipe() {
    close(ends_[0]);
    if (ends_[1] >= 0) close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] int in() const { return ends_[1]; }
  std::string ReadAll() {
    close(ends_[1]);
    ends_[1] = -1;
    std::string text;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(ends_[0], buffer, sizeof buffer)) > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

TEST(Logger, WritesNothingBelowItsLevel) {
  Pipe pipe;
  Logger logger(LogLevel::kWarning, true, false, pipe.in());

  logger.Write(LogLevel::kInfo, "quiet");
  logger.Write(LogLevel::kWarning, "loud");

  const std::string text = pipe.ReadAll();
  EXPECT_THAT(text, Not(HasSubstr("quiet")));
  EXPECT_THAT(text, HasSubstr("loud"));
}

// --- Deliveries in logs and metrics ------------------------------------------

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

// --- Health ------------------------------------------------------------------

struct Answer {
  bool taken;
  HttpReply reply;
};
Answer Get(SideRoutes& routes, std::string_view path, bool admin = false,
           std::vector<HttpHeader> headers = {}) {
  Answer answer{};
  answer.taken = routes.Handle(
      {.path = path, .query = {}, .headers = headers, .admin_port = admin},
      answer.reply);
  return answer;
}
std::string Numbers() { return "numbers"; }

TEST(SideRoutes, ReadinessFollowsTheLifeOfTheProcess) {
  SideRoutes routes({}, &Numbers);

  EXPECT_EQ(Get(routes, "/readyz").reply.status, 503);
  routes.Set(Readiness::kReady);
  EXPECT_EQ(Get(routes, "/readyz").reply.status, 200);
  EXPECT_EQ(Get(routes, "/health/readiness").reply.status, 200);
  routes.Set(Readiness::kDraining);
  EXPECT_EQ(Get(routes, "/readyz").reply.status, 503);
  EXPECT_THAT(Get(routes, "/readyz").reply.header_lines,
              HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(Get(routes, "/healthz").reply.status, 200);
  EXPECT_EQ(Get(routes, "/health/liveness").reply.status, 200);
}

TEST(SideRoutes, AnAdminPortMovesAllOfThemOffThePublicOne) {
  SideRoutes routes({.admin_port = true, .public_metrics = true}, &Numbers);

  for (const char* path : {"/healthz", "/readyz", "/metrics",
                           "/health/liveness", "/health/readiness"}) {
    EXPECT_FALSE(Get(routes, path).taken) << path;
    EXPECT_TRUE(Get(routes, path, true).taken) << path;
  }
  EXPECT_FALSE(Get(routes, "/", true).taken);
}

TEST(SideRoutes, MetricsOnThePublicPortNeedASettingOrAToken) {
  SideRoutes closed({}, &Numbers);
  SideRoutes open({.public_metrics = true}, &Numbers);
  SideRoutes guarded({.metrics_token = Secret("s3")}, &Numbers);

  EXPECT_EQ(Get(closed, "/metrics").reply.status, 403);
  EXPECT_EQ(Get(open, "/metrics").reply.status, 200);
  EXPECT_EQ(Get(open, "/metrics").reply.body, "numbers");
  EXPECT_EQ(Get(guarded, "/metrics").reply.status, 401);
  EXPECT_EQ(Get(guarded, "/metrics", false, {{"Authorization", "Bearer s4"}})
                .reply.status,
            401);
  EXPECT_EQ(Get(guarded, "/metrics", false, {{"AUTHORIZATION", " Bearer s3"}})
                .reply.status,
            200);
  EXPECT_EQ(Get(closed, "/metrics", true).reply.status, 200);
}

// --- Knative -----------------------------------------------------------------

TEST(Overrides, AreExtensionsOfEveryJsonType) {
  const auto overrides =
      ParseOverrides(R"({"extensions":{"a":"x","b":true,"c":7}})");

  ASSERT_TRUE(overrides) << overrides.error().message;
  EXPECT_EQ(*overrides, (std::vector<Extension>{
                            {"a", "x"}, {"b", true}, {"c", std::int32_t{7}}}));
  EXPECT_TRUE(ParseOverrides("")->empty());
  EXPECT_TRUE(ParseOverrides("{}")->empty());
}

TEST(Overrides, ThatAreNoneAreErrorsThatNameTheSetting) {
  for (const char* json :
       {"[]", "{", R"({"extension":{}})", R"({"extensions":[]})"}) {
    const auto overrides = ParseOverrides(json);
    ASSERT_FALSE(overrides) << json;
    EXPECT_EQ(overrides.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(overrides.error().message, Not(::testing::IsEmpty()));
  }
}

TEST(Overrides, ThatNoEventCanCarryAreErrorsThatNameKeyAndRule) {
  const std::string name_rule = "a name consists of a-z and 0-9";
  const std::string core_rule = "no core attribute can be overridden";
  const std::string type_rule =
      "must be a string, a boolean or a whole number of 32 bits";
  const std::vector<std::array<std::string, 3>> cases = {
      {"A b", R"("x")", name_rule},
      {"", R"("x")", name_rule},
      {"data_base64", R"("x")", name_rule},
      {"trace-id", R"("x")", name_rule},
      {"data", R"("x")", core_rule},
      {"id", R"("x")", core_rule},
      {"source", R"("/x")", core_rule},
      {"type", R"("x")", core_rule},
      {"specversion", R"("1.0")", core_rule},
      {"subject", R"("x")", core_rule},
      {"time", R"("2020-01-01T00:00:00Z")", core_rule},
      {"dataschema", R"("urn:x:y")", core_rule},
      {"datacontenttype", R"("text/plain")", core_rule},
      {"a", R"("x\ny")", "control characters"},
      {"a", R"("\u0085")", "control characters"},
      {"a", R"("\uFFFF")", "noncharacters"},
      {"a", "1.5", type_rule},
      {"a", "1e3", type_rule},
      {"a", "2147483648", type_rule},
      {"a", "-2147483649", type_rule},
      {"a", "18446744073709551615", type_rule},
      {"a", "null", type_rule},
      {"a", R"({"b":"c"})", type_rule},
      {"a", R"(["x"])", type_rule}};
  for (const auto& [name, value, rule] : cases) {
    std::string json = R"({"extensions":{")";
    json += name;
    json += "\":";
    json += value;
    json += "}}";

    const auto overrides = ParseOverrides(json);

    ASSERT_FALSE(overrides) << json;
    EXPECT_EQ(overrides.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(overrides.error().message,
                AllOf(HasSubstr("extension \"" + name + "\""), HasSubstr(rule)))
        << json;
  }
}

TEST(Overrides, ReachTheBoundsOfAnInteger) {
  const auto overrides = ParseOverrides(
      R"({"extensions":{"a":-2147483648,"b":2147483647,"c":""}})");

  ASSERT_TRUE(overrides) << overrides.error().message;
  EXPECT_EQ(overrides->at(0).text, "-2147483648");
  EXPECT_EQ(overrides->at(1).text, "2147483647");
}

}  // namespace
}  // namespace cirro::internal
