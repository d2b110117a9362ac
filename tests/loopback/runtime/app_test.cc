#include <cirro/cirro.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/event_fixtures.h"
#include "support/memory_outlet.h"
#include "support/raw_http.h"
#include "support/raw_http_server.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::RawHttpClient;
using test::RawResponse;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::string PostOf(std::string_view type, std::string_view id = "1",
                   std::string_view data = {}) {
  std::string lines = "ce-specversion: 1.0\r\nce-source: /test\r\nce-type: ";
  lines.append(type).append("\r\nce-id: ").append(id).append("\r\n");
  if (!data.empty()) lines += "Content-Type: application/json\r\n";
  return test::Post(lines, data);
}

std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

const std::vector<std::string> kLoopback = {"--host=127.0.0.1", "--port=0",
                                            "--set=log.level=error"};

std::vector<std::string> With(std::vector<std::string> more) {
  std::vector<std::string> flags = kLoopback;
  for (std::string& flag : more) flags.push_back(std::move(flag));
  return flags;
}

// An App under test, and one connection to it.
class Apps : public ::testing::Test {
 protected:
  void Start(
      std::vector<std::string> flags = kLoopback,
      std::vector<std::pair<std::string, std::string>> environment = {}) {
    const auto started = app_.Start(std::move(flags), std::move(environment));
    ASSERT_TRUE(started) << started.error().message;
    client_ = std::make_unique<RawHttpClient>(app_.port());
  }
  RawResponse Send(std::string_view type, std::string_view id = "1",
                   std::string_view data = {}) {
    return client_->Exchange(PostOf(type, id, data));
  }
  // Every failure must leave the next event served, on the same connection.
  void ExpectServed() {
    const RawResponse answer = Send("ok", "next");
    EXPECT_EQ(answer.status, 202);
  }

  App app_;
  std::unique_ptr<RawHttpClient> client_;
};

TEST_F(Apps, AnswerAnEventWithTheReplyOfItsFunction) {
  app_.On("com.example.arrived", [](const Event& event) {
    return Reply({.type = "com.example.greeted",
                  .source = "/hello",
                  .subject = std::string(event.id()),
                  .data = Text("hello")});
  });
  Start();

  const RawResponse answer = Send("com.example.arrived", "42");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("ce-type"), "com.example.greeted");
  EXPECT_EQ(answer.Header("ce-subject"), "42");
  EXPECT_EQ(answer.body, "hello");
}

TEST_F(Apps, SurviveFunctionsThatThrow) {
  app_.On("ok", [](const Event&) {});
  app_.On("exception", [](const Event&) -> Outcome {
    throw std::runtime_error("the inside");
  });
  app_.On("int", [](const Event&) -> Outcome { throw 7; });
  app_.On("bad_alloc", [](const Event&) -> Outcome { throw std::bad_alloc(); });
  app_.On({.name = "inline", .type = "inline", .inline_call = true},
          [](const Event&) -> Outcome { throw 7; });
  Start();

  for (const char* type : {"exception", "int", "bad_alloc", "inline"}) {
    const RawResponse answer = Send(type);
    EXPECT_EQ(answer.status, 500) << type;
    EXPECT_THAT(answer.body, Not(HasSubstr("the inside")));
    ExpectServed();
  }
}

TEST_F(Apps, SurviveACompletionThatIsDropped) {
  app_.On("ok", [](const Event&) {});
  app_.On("drops", [](const Event&, Completion) {});
  Start();

  EXPECT_EQ(Send("drops").status, 500);
  ExpectServed();
}

TEST_F(Apps, SurviveRepliesThatAreInvalidOrTooLarge) {
  app_.On("ok", [](const Event&) {});
  app_.On("invalid",
          [](const Event&) { return Reply({.type = "no.source.given"}); });
  app_.On("large", [](const Event&) {
    return Reply(
        {.type = "t", .source = "/s", .data = Text(std::string(5000, 'x'))});
  });
  Start(With({"--set=dispatch.max_reply_bytes=4KiB"}));

  EXPECT_EQ(Send("invalid").status, 500);
  ExpectServed();
  EXPECT_EQ(Send("large").status, 500);
  ExpectServed();
}

TEST_F(Apps, AnswerForAFunctionThatHangs) {
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  app_.On("ok", [](const Event&) {});
  app_.On({.name = "hangs", .type = "hangs", .timeout = milliseconds(20)},
          [released](const Event&, Context& context) {
            // Hung for the runtime: it does not heed the token.
            const std::stop_token stop = context.stop_token();
            released.wait();
            EXPECT_TRUE(stop.stop_requested());
          });
  Start(With({"--set=dispatch.workers=1"}));

  EXPECT_EQ(Send("hangs").status, 504);
  ExpectServed();  // On a worker that replaced the hung one.

  release.set_value();
}

TEST_F(Apps, HaveAStatusForEachOutcome) {
  app_.On("done", [](const Event&) { return Done(); });
  app_.On("reject", [](const Event&) { return Reject("not today"); });
  app_.On("retry",
          [](const Event&) { return Retry(std::chrono::seconds(7), "busy"); });
  Start();

  EXPECT_EQ(Send("done").status, 202);
  EXPECT_THAT(Send("done").body, IsEmpty());
  EXPECT_EQ(Send("reject").status, 422);
  EXPECT_THAT(Send("reject").body, HasSubstr("not today"));
  const RawResponse retry = Send("retry");
  EXPECT_EQ(retry.status, 500);
  EXPECT_EQ(retry.Header("retry-after"), "7");
  EXPECT_EQ(Send("nobody.wants.it").status, 404);
  EXPECT_EQ(client_->Exchange(test::Post("ce-id: 1\r\n")).status, 400);
}

TEST_F(Apps, TakeTheirStatusesFromTheConfiguration) {
  app_.On("done", [](const Event&) {});
  app_.On("reject", [](const Event&) { return Reject("no"); });
  Start(With({"--set=http.done_status=204", "--set=http.reject_status=400",
              "--set=http.unmatched=accept"}));

  EXPECT_EQ(Send("done").status, 204);
  EXPECT_EQ(Send("reject").status, 400);
  EXPECT_EQ(Send("nobody.wants.it").status, 204);
}

TEST_F(Apps, LetConfigurationReplaceWhatTheCodeSaysOfAFunction) {
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  app_.On({.name = "My Function", .type = "slow"},
          [released](const Event&) { released.wait(); });
  Start(kLoopback, {{"CIRRO__FUNCTION__MY_FUNCTION__TIMEOUT", "20ms"}});

  EXPECT_EQ(Send("slow").status, 504);

  release.set_value();
}

TEST_F(Apps, ServeHealthBesideEvents) {
  app_.On("ok", [](const Event&) {});
  Start(With({"--set=metrics.public=true"}));
  Send("ok");

  EXPECT_EQ(client_->Exchange(Get("/healthz")).status, 200);
  EXPECT_EQ(client_->Exchange(Get("/readyz")).status, 200);
  EXPECT_EQ(client_->Exchange(Get("/health/liveness")).status, 200);
  EXPECT_EQ(client_->Exchange(Get("/health/readiness")).status, 200);
  const RawResponse metrics = client_->Exchange(Get("/metrics"));
  EXPECT_EQ(metrics.status, 200);
  EXPECT_EQ(metrics.Header("content-type"),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(metrics.body,
              HasSubstr("cirro_calls_total{inlet=\"http\",function=\"ok\","
                        "type=\"ok\",outcome=\"done\"} 1\n"));
  EXPECT_THAT(metrics.body, HasSubstr("\ncirro_http_connections 1\n"));
  // A POST to a health path is an event.
  std::string event = PostOf("ok");
  event.replace(event.find(" / "), 3, " /healthz ");
  EXPECT_EQ(client_->Exchange(event).status, 202);
}

TEST_F(Apps, MoveHealthToAPortOfItsOwn) {
  app_.On("ok", [](const Event&) {});
  Start(With({"--admin-port=0"}));
  ASSERT_NE(app_.admin_port(), 0);
  ASSERT_NE(app_.admin_port(), app_.port());
  RawHttpClient admin(app_.admin_port());

  EXPECT_EQ(admin.Exchange(Get("/readyz")).status, 200);
  EXPECT_EQ(admin.Exchange(Get("/metrics")).status, 200);
  EXPECT_NE(client_->Exchange(Get("/readyz")).status, 200);
  EXPECT_NE(client_->Exchange(Get("/metrics")).status, 200);
  EXPECT_EQ(Send("ok").status, 202);
  EXPECT_NE(admin.Exchange(PostOf("ok")).status, 202);
}

TEST_F(Apps, ServeHealthAloneWhereHttpIsOff) {
  // A process without HTTP has another inlet; health has a port all the same.
  class Nothing final : public Inlet {
   public:
    [[nodiscard]] const InletInfo& info() const noexcept override {
      return info_;
    }
    Result<void> Start(Sink&) override { return {}; }
    void SetDemand(bool) noexcept override {}
    void BeginDrain(milliseconds) noexcept override {}
    Result<void> Stop(milliseconds) noexcept override { return {}; }

   private:
    InletInfo info_{.name = "nothing"};
  };
  app_.On("ok", [](const Event&) {});
  app_.AddInlet(std::make_unique<Nothing>());
  const auto started =
      app_.Start(With({"--set=http.enabled=false", "--admin-port=0"}));
  ASSERT_TRUE(started) << started.error().message;

  EXPECT_EQ(app_.port(), 0);
  RawHttpClient admin(app_.admin_port());
  EXPECT_EQ(admin.Exchange(Get("/readyz")).status, 200);
  EXPECT_EQ(admin.Exchange(PostOf("ok")).status, 404);
}

TEST_F(Apps, ServeTheTargetAloneWhenThereIsOne) {
  app_.On({.name = "first", .type = "a"}, [](const Event&) {});
  app_.On({.name = "second", .type = "b"}, [](const Event&) {});
  Start(kLoopback, {{"FUNCTION_TARGET", "second"}});

  EXPECT_EQ(Send("a").status, 404);
  EXPECT_EQ(Send("b").status, 202);
}

TEST_F(Apps, FinishWhatRunsBeforeTheyStop) {
  std::latch began(1);
  std::promise<void> release;
  const std::shared_future<void> released(release.get_future());
  app_.On("slow", [&began, released](const Event&) {
    began.count_down();
    released.wait();
    return Reply({.type = "t", .source = "/s"});
  });
  Start();
  client_->Send(PostOf("slow"));
  began.wait();

  const std::uint16_t port = app_.port();
  auto stopped = std::async(std::launch::async, [this] { return app_.Stop(); });
  while (RawHttpClient(port).connected()) {  // Until the listener is closed.
  }
  release.set_value();

  const RawResponse answer = client_->Receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("connection"), "close");
  EXPECT_EQ(client_->WaitForEnd(), RawHttpClient::End::kEnd);
  EXPECT_TRUE(stopped.get());
  EXPECT_TRUE(app_.Stop());  // Again: nothing.
}

// An outlet that never takes anything, for one reason.
class Refusing final : public Outlet {
 public:
  ErrorCode code = ErrorCode::kInternal;

  [[nodiscard]] std::string_view name() const noexcept override {
    return "refusing";
  }
  Result<void> Start() override { return {}; }
  void Send(Event /*event*/, SendCompletion completion) noexcept override {
    completion.Complete(Error{code, "the inside"});
  }
  void Stop(milliseconds /*grace*/) noexcept override {}
};

TEST_F(Apps, AnswerWithTheCodeOfTheOutletThatTookNoReply) {
  auto owner = std::make_unique<Refusing>();
  Refusing& outlet = *owner;
  app_.AddOutlet(std::move(owner));
  app_.On("two",
          [](const Event& event) { return std::vector<Event>(2, event); });
  Start(With({"--set=dispatch.reply_to=refusing"}));

  for (const ErrorCode code :
       {ErrorCode::kUnavailable, ErrorCode::kUnroutable, ErrorCode::kRefused,
        ErrorCode::kTimedOut, ErrorCode::kUnknownOutcome}) {
    outlet.code = code;
    const RawResponse answer = Send("two");
    EXPECT_EQ(answer.status, 500);
    EXPECT_THAT(answer.body,
                HasSubstr("\"code\":\"" + std::string(ToString(code)) + "\""));
    EXPECT_THAT(answer.body, Not(HasSubstr("the inside")));
  }
}

TEST_F(Apps, PublishToAnOutletOfTheProgram) {
  auto outlet = std::make_unique<test::MemoryOutlet>("box");
  test::MemoryOutlet& box = *outlet;
  app_.AddOutlet(std::move(outlet));
  app_.On("store", [](const Event& event, Context& context) -> Outcome {
    const auto sent = context.Publish("box", event);
    if (!sent) return Retry(sent.error().message);
    return Done();
  });
  app_.On("typo", [](const Event& event, Context& context) -> Outcome {
    const auto sent = context.Publish("bux", event);
    return sent ? Done() : Reject(sent.error().message);
  });
  Start(With({"--set=metrics.public=true"}),
        {{"K_CE_OVERRIDES", R"({"extensions":{"team":"blue"}})"}});

  EXPECT_EQ(Send("store", "7").status, 202);
  ASSERT_EQ(box.taken().size(), 1U);
  EXPECT_EQ(box.taken()[0].id(), "7");
  EXPECT_EQ(box.taken()[0].extension("team"), "blue");
  EXPECT_EQ(Send("typo").status, 422);
  EXPECT_THAT(client_->Exchange(Get("/metrics")).body,
              HasSubstr("\ncirro_outlet_sends_total{outlet=\"box\",outcome="
                        "\"done\"} 1\n"));
}

TEST_F(Apps, SendSeveralRepliesToKSinkWithItsOverrides) {
  test::RawHttpServer sink(
      [](const std::string&) { return test::Status("202 Accepted"); });
  app_.On("split", [](const Event&) {
    return Reply({EventDraft{.type = "part", .source = "/split"},
                  EventDraft{.type = "part", .source = "/split"}});
  });
  Start(kLoopback, {{"K_SINK", sink.url("/in")},
                    {"K_CE_OVERRIDES", R"({"extensions":{"team":"blue"}})"}});

  const RawResponse answer = Send("split");

  EXPECT_EQ(answer.status, 202);
  EXPECT_THAT(answer.body, IsEmpty());
  ASSERT_EQ(sink.requests().size(), 2U);
  EXPECT_THAT(sink.requests()[0], HasSubstr("POST /in HTTP/1.1"));
  EXPECT_THAT(sink.requests()[0], HasSubstr("ce-team: blue\r\n"));
}

TEST_F(Apps, FailTheEventWhenItsRepliesCannotBeSent) {
  test::RawHttpServer sink(
      [](const std::string&) { return test::Status("500 Oh"); });
  app_.On("split", [](const Event&) {
    return Reply({EventDraft{.type = "part", .source = "/split"},
                  EventDraft{.type = "part", .source = "/split"}});
  });
  Start(kLoopback, {{"K_SINK", sink.url()}});

  EXPECT_EQ(Send("split").status, 500);
}

// --- What is wrong is said at the start --------------------------------------

std::string StartError(
    App& app, std::vector<std::string> flags = kLoopback,
    std::vector<std::pair<std::string, std::string>> environment = {}) {
  const auto started = app.Start(std::move(flags), std::move(environment));
  return started ? "(no error)" : started.error().message;
}

TEST(AppMistakes, TwoFunctionsOfOneNameAreSaidAtTheStart) {
  App app;
  app.On({.name = "a b", .type = "x"}, [](const Event&) {});
  app.On({.name = "A_B", .type = "y"}, [](const Event&) {});

  EXPECT_THAT(StartError(app), HasSubstr("A_B"));
}

TEST(AppMistakes, AWrongSettingOfTheProgramIsSaidWithTheOthers) {
  App app;
  app.On("x", [](const Event&) {}).Set("http.prot", "80");

  const std::string error = StartError(app, With({"--set=drain.grace=soon"}));

  EXPECT_THAT(error, HasSubstr("unknown setting http.prot (code)"));
  EXPECT_THAT(error, HasSubstr("drain.grace"));
}

TEST(AppMistakes, AnUnknownTargetNamesTheSetting) {
  App app;
  app.On("x", [](const Event&) {});

  EXPECT_THAT(StartError(app, kLoopback, {{"FUNCTION_TARGET", "y"}}),
              HasSubstr("FUNCTION_TARGET"));
}

TEST(AppMistakes, APortThatIsTakenIsNamed) {
  App first;
  first.On("x", [](const Event&) {});
  ASSERT_TRUE(first.Start(kLoopback));
  App second;
  second.On("x", [](const Event&) {});
  const std::string port = std::to_string(first.port());

  const auto started = second.Start(With({"--port=" + port}));

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(started.error().message, HasSubstr(port));
}

TEST(AppMistakes, NothingToServeIsAnError) {
  App app;
  app.On("x", [](const Event&) {});

  EXPECT_THAT(StartError(app, With({"--set=http.enabled=false"})),
              HasSubstr("nothing to serve"));
}

TEST(AppMistakes, AWrongUrlNamesWhereItWasGiven) {
  App app;
  app.On("x", [](const Event&) {});

  EXPECT_THAT(StartError(app, kLoopback, {{"K_SINK", "http://"}}),
              HasSubstr("environment K_SINK"));
}

// What only the client finds wrong with it.
TEST(AppMistakes, AUrlThatNobodyCanSendToNamesWhereItWasGiven) {
  App of_platform;
  of_platform.On("x", [](const Event&) {});
  App of_flag;
  of_flag.On("x", [](const Event&) {});

  EXPECT_THAT(
      StartError(of_platform, kLoopback, {{"K_SINK", "http://u:p@[::zz]/"}}),
      AllOf(HasSubstr("knative.sink = \"http://***@[::zz]/\": "),
            HasSubstr("(environment K_SINK)")));
  EXPECT_THAT(StartError(of_flag, With({"--set=outlet.a.url=http://[::zz]/"})),
              AllOf(HasSubstr("outlet.a.url = \"http://[::zz]/\": "),
                    HasSubstr("(flag --set)")));
}

TEST(AppMistakes, AnOutletThatIsNotThereNamesWhereItWasAskedFor) {
  App app;
  app.On("x", [](const Event&) {});

  EXPECT_THAT(StartError(app, With({"--set=dispatch.reply_to=nosuch"})),
              AllOf(HasSubstr("dispatch.reply_to = \"nosuch\""),
                    HasSubstr("[outlet.nosuch]"), HasSubstr("--set")));
}

TEST(AppMistakes, ATargetThatIsNotThereNamesWhereItWasGiven) {
  App app;
  app.On("x", [](const Event&) {});

  EXPECT_THAT(StartError(app, kLoopback, {{"FUNCTION_TARGET", "nosuch"}}),
              HasSubstr("environment FUNCTION_TARGET"));
}

}  // namespace
}  // namespace cirro
