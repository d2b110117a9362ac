// Every form of function that docs/functions.md shows, compiled and called.
// The pages quote what stands between the marks.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// [includes]
#include <cirro/cirro.h>
#include <cirro/json.h>
// [includes]

#include <algorithm>
#include <atomic>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/runtime/command.h"

// [order]
struct Order {
  std::string id;
  double total = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, total)
// [order]

// [own-from-json]
struct Celsius {
  double degrees = 0;
};

void from_json(const nlohmann::json& data, Celsius& celsius) {
  celsius.degrees = data.at("celsius").get<double>();
  if (celsius.degrees < -273.15) throw std::out_of_range("colder than cold");
}
// [own-from-json]

namespace {

using ::testing::HasSubstr;

bool Known(std::string_view id) { return id != "unknown"; }
bool DatabaseIsDown() { return false; }
void Store(const Order& /*order*/) {}

void RegisterForms(cirro::App& app) {
  // [event]
  app.On("com.example.arrived", [](const cirro::Event& event) {
    if (event.subject().empty()) throw std::invalid_argument("no subject");
  });
  // [event]

  // [context]
  app.On("com.example.logged",
         [](const cirro::Event& event, cirro::Context& context) {
           if (context.attempt() > 1) {
             context.Log(cirro::LogLevel::kWarning, "not the first time");
           }
           context.Log(cirro::LogLevel::kInfo, event.subject());
         });
  // [context]

  // [typed]
  app.On("com.example.order.placed", [](const Order& order) { Store(order); });
  // [typed]

  // [typed-event]
  app.On("com.example.order.changed",
         [](const cirro::Event& event, const Order& order) -> cirro::Outcome {
           if (!Known(order.id)) return cirro::Reject("unknown order");
           return cirro::Reply({.type = "com.example.order.confirmed",
                                .source = "/orders",
                                .subject = std::string(event.id())});
         });
  // [typed-event]

  // [json]
  app.On("com.example.free.form", [](const nlohmann::json& data) {
    return cirro::Reply({.type = "com.example.size",
                         .source = "/sizes",
                         .data = cirro::Json({{"members", data.size()}})});
  });
  // [json]

  // [celsius]
  app.On("com.example.measured", [](const Celsius& celsius) {
    return cirro::EventDraft{.type = "com.example.fahrenheit",
                             .source = "/thermometer",
                             .data = cirro::Json(celsius.degrees * 1.8 + 32)};
  });
  // [celsius]

  // [batch]
  app.On({.name = "bulk", .type = "com.example.bulk", .batch_max = 500},
         [](std::span<const cirro::Event> events) {
           std::vector<cirro::Outcome> outcomes;
           for (const cirro::Event& event : events) {
             const auto order = cirro::ReadJson<Order>(event);
             outcomes.push_back(order ? cirro::Done()
                                      : cirro::Reject(order.error().message));
           }
           return outcomes;
         });
  // [batch]
}

void RegisterReplies(cirro::App& app) {
  // [outcomes]
  app.On("com.example.outcomes",
         [](const cirro::Event& event) -> cirro::Outcome {
           using std::chrono::seconds;
           if (event.subject() == "bad") return cirro::Reject("it is bad");
           if (DatabaseIsDown()) return cirro::Retry("the database is down");
           if (event.subject() == "early") {
             return cirro::Retry(seconds(7), "not before the shop opens");
           }
           return cirro::Done();
         });
  // [outcomes]

  // [verbatim]
  app.On("com.example.forward", [](const cirro::Event& event) {
    return cirro::EventBuilder(event).extension({"seenby", "cirro"}).Build();
  });
  // [verbatim]

  // [publish]
  app.On("com.example.audited",
         [](const cirro::Event& event,
            const cirro::Context& context) -> cirro::Outcome {
           const auto sent = context.Publish("audit", event);
           if (!sent) return cirro::Retry(sent.error().message);
           return cirro::Done();
         });
  // [publish]

  // [several]
  app.On({.name = "split", .type = "com.example.split", .reply_to = "none"},
         [](const cirro::Event&) {
           return std::vector<cirro::EventDraft>{
               {.type = "com.example.left", .source = "/split"},
               {.type = "com.example.right", .source = "/split"}};
         });
  // [several]
}

void RegisterRules(cirro::App& app) {
  // [registration]
  app.On({.name = "vip orders",
          .type = "com.example.vip.*",
          .filter = {.prefix = {{"subject", "vip/"}}},
          .concurrency = 4,
          .order_by = {.kind = cirro::OrderBy::Kind::kSubject},
          .timeout = std::chrono::seconds(5)},
         [](const Order& order) { Store(order); });
  // [registration]

  // [schema]
  app.On({.name = "checked", .type = "com.example.checked", .data_schema = R"({
            "type": "object",
            "required": ["id"],
            "properties": {"id": {"type": "string", "maxLength": 64}}
          })"},
         [](const nlohmann::json& data) {
           return cirro::Reject("known: " + data["id"].get<std::string>());
         });
  // [schema]

  // [both]
  app.On({.name = "bill", .type = "com.example.sold"}, [](const Order&) {});
  app.On({.name = "ship", .type = "com.example.sold"}, [](const Order&) {});
  // [both]
}

// [stop]
void Crunch(const cirro::Event& /*event*/, const cirro::Context& context) {
  for (int step = 0; step < 1000; ++step) {
    if (context.stop_token().stop_requested()) {
      throw std::runtime_error("out of time");  // As good as Retry.
    }
  }
}
// [stop]

// [state]
class Counter {
 public:
  // Called from many threads at once, so it is const and what changes is
  // atomic (or behind a mutex).
  void operator()(const cirro::Event& /*event*/) const { ++*count_; }

  explicit Counter(std::atomic<int>& count) : count_(&count) {}

 private:
  std::atomic<int>* count_;
};
// [state]

// An answer to one event in binary mode.
cirro::HttpAnswer Send(const cirro::App& app, std::string_view type,
                       std::string_view data, std::string_view subject = "s") {
  const auto client = cirro::LoadHttpClient();
  if (!client) throw std::runtime_error(client.error().message);
  std::string lines = "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /test\r\n";
  lines += "ce-type: " + std::string(type) + "\r\n";
  lines += "ce-subject: " + std::string(subject) + "\r\n";
  if (!data.empty()) lines += "content-type: application/json\r\n";
  const auto answer =
      (*client)->post({.url = "http://127.0.0.1:" + std::to_string(app.port()),
                       .header_lines = lines,
                       .body = std::string(data)});
  if (!answer) throw std::runtime_error(answer.error().message);
  return *answer;
}

std::string Header(const cirro::HttpAnswer& answer, std::string_view name) {
  for (const auto& [key, value] : answer.headers) {
    if (key == name) return value;
  }
  return {};
}

// Starts the app that `fill` fills; a test fails where it does not start.
class Running {
 public:
  template <typename Fill>
  explicit Running(Fill fill) {
    fill(app);
    const auto started = app.Start();
    if (!started) throw std::runtime_error(started.error().message);
  }

  cirro::App app;
};

TEST(AuthorGuide, FormsOfHandlers) {
  Running running(RegisterForms);
  const cirro::App& app = running.app;

  EXPECT_EQ(Send(app, "com.example.arrived", "").status, 202);
  EXPECT_EQ(Send(app, "com.example.logged", "").status, 202);
  EXPECT_EQ(Send(app, "com.example.order.placed", "{}").status, 422);
  EXPECT_EQ(
      Header(Send(app, "com.example.order.changed", R"({"id":"a","total":1})"),
             "ce-subject"),
      "1");
  EXPECT_EQ(
      Send(app, "com.example.order.changed", R"({"id":"unknown","total":1})")
          .status,
      422);
  EXPECT_EQ(Send(app, "com.example.free.form", "[1,2]").body,
            R"({"members":2})");
  EXPECT_EQ(Send(app, "com.example.measured", R"({"celsius":100})").body,
            "212.0");
  EXPECT_THAT(Send(app, "com.example.measured", R"({"celsius":-300})").body,
              HasSubstr("colder than cold"));
  EXPECT_EQ(Send(app, "com.example.bulk", R"({"id":"a","total":1})").status,
            202);
  EXPECT_EQ(Send(app, "com.example.bulk", "{}").status, 422);
}

TEST(AuthorGuide, OutcomesAndReplies) {
  Running running(RegisterReplies);
  const cirro::App& app = running.app;

  EXPECT_EQ(Send(app, "com.example.outcomes", "").status, 202);
  EXPECT_EQ(Send(app, "com.example.outcomes", "", "bad").status, 422);
  const auto early = Send(app, "com.example.outcomes", "", "early");
  EXPECT_EQ(early.status, 500);
  EXPECT_EQ(Header(early, "retry-after"), "7");
  const auto forward = Send(app, "com.example.forward", "[3]");
  EXPECT_EQ(Header(forward, "ce-seenby"), "cirro");
  EXPECT_EQ(Header(forward, "ce-id"), "1");
  EXPECT_EQ(forward.body, "[3]");
  EXPECT_EQ(Send(app, "com.example.split", "").status, 202);
  // No outlet of that name is configured here.
  EXPECT_EQ(Send(app, "com.example.audited", "").status, 500);
}

TEST(AuthorGuide, Registrations) {
  Running running(RegisterRules);
  const cirro::App& app = running.app;
  constexpr std::string_view kOrder = R"({"id":"a","total":1})";

  EXPECT_EQ(Send(app, "com.example.vip.new", kOrder, "vip/1").status, 202);
  EXPECT_EQ(Send(app, "com.example.vip.new", kOrder, "other").status, 404);
  EXPECT_THAT(Send(app, "com.example.checked", R"({"id":"a"})").body,
              HasSubstr("known: a"));
  EXPECT_THAT(Send(app, "com.example.checked", R"({"id":1})").body,
              HasSubstr("at '/id'"));
  EXPECT_EQ(Send(app, "com.example.sold", kOrder).status, 202);
}

TEST(AuthorGuide, CompletionFromAnotherThread) {
  std::vector<std::jthread> threads;
  Running running([&threads](cirro::App& app) {
    // [completion]
    app.On("com.example.later",
           [&threads](const cirro::Event&, cirro::Completion done) {
             threads.emplace_back([done = std::move(done)]() mutable {
               done.Finish(cirro::Reply(
                   {.type = "com.example.finished", .source = "/later"}));
             });
           });
    // [completion]
  });

  EXPECT_EQ(Header(Send(running.app, "com.example.later", ""), "ce-type"),
            "com.example.finished");
}

TEST(AuthorGuide, StateAndStopTokens) {
  std::atomic<int> count{0};
  Running running([&count](cirro::App& app) {
    app.On("com.example.count", Counter(count));
    app.On("com.example.crunch", Crunch);
  });

  EXPECT_EQ(Send(running.app, "com.example.count", "").status, 202);
  EXPECT_EQ(Send(running.app, "com.example.crunch", "").status, 202);
  EXPECT_EQ(count, 1);
}

TEST(AuthorGuide, AThrowIsRetry) {
  Running running([](cirro::App& app) {
    app.On("com.example.throws", [](const cirro::Event&) -> cirro::Outcome {
      throw 42;  // NOLINT(hicpp-exception-baseclass): that is the point
    });
  });

  EXPECT_EQ(Send(running.app, "com.example.throws", "").status, 500);
  EXPECT_EQ(Send(running.app, "com.example.throws", "").status, 500);
}

// [unit-test]
cirro::Outcome Greet(const Order& order) {
  if (order.id.empty()) return cirro::Reject("id must not be empty");
  return cirro::Reply({.type = "com.example.greeting", .source = "/greet"});
}

TEST(Greet, RejectsAnEmptyId) {
  EXPECT_EQ(Greet({.id = ""}).kind(), cirro::Outcome::Kind::kReject);
}
// [unit-test]

}  // namespace
