#include <cirro/cirro.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "support/memory_outlet.h"
#include "support/raw_http.h"
#include "support/raw_http_server.h"
#include "support/temp_dir.h"

// Inlets, outlets and places that the configuration names, up to the start.
namespace cirro {
namespace {

using test::TempDir;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

using Environment = std::vector<std::pair<std::string, std::string>>;

class Configured : public ::testing::Test {
 protected:
  Configured() {
    app_.On("ok", [](const Event&) {});
  }

  Result<void> Start(const std::vector<std::string>& settings,
                     const Environment& environment = {}) {
    std::vector<std::string> flags = {"--host=127.0.0.1", "--port=0",
                                      "--set=log.level=error"};
    for (const std::string& setting : settings) {
      flags.push_back("--set=" + setting);
    }
    return app_.Start(flags, environment);
  }
  // Why it does not start.
  std::string Refusal(const std::vector<std::string>& settings,
                      const Environment& environment = {}) {
    const auto started = Start(settings, environment);
    if (started) return "(started)";
    EXPECT_EQ(started.error().code, ErrorCode::kInvalidConfig);
    EXPECT_EQ(started.error().message.find('\n'), std::string::npos);
    return started.error().message;
  }

  App app_;
};

const std::vector<std::string> kKafkaOutlet = {
    "outlet.k.type=kafka", "outlet.k.brokers=127.0.0.1:1", "outlet.k.topic=t"};

const std::vector<std::string> kCoreNatsOutlet = {
    "outlet.o.type=nats", "outlet.o.servers=nats://127.0.0.1:1",
    "outlet.o.subject=dead", "outlet.o.jetstream=false"};

TEST_F(Configured, AnUnreadableDeadLetterFileNamesItsSetting) {
  EXPECT_THAT(
      Refusal({"dead_letter.kept.path=/nowhere/letters.db",
               "dispatch.dead_letter=kept"}),
      AllOf(StartsWith("dead_letter.kept.path = "),
            HasSubstr("/nowhere/letters.db"), HasSubstr("(flag --set)")));
}

TEST_F(Configured, ADeadLetterFileIsThereOnceItRuns) {
  const TempDir dir;
  const auto started = Start({"dead_letter.kept.path=" + (dir / "letters.db"),
                              "dispatch.dead_letter=kept"});

  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(std::filesystem::exists(dir / "letters.db"));
  EXPECT_TRUE(app_.Stop());
}

TEST_F(Configured, AFileThatTheContainerTakesAlongIsRefused) {
  const TempDir dir;
  const std::string path = "dead_letter.kept.path=" + (dir / "letters.db");

  EXPECT_THAT(Refusal({path}, {{"K_SERVICE", "orders"}}),
              StartsWith("dead_letter.kept.path = "));
}

TEST_F(Configured, APlaceThatIsNoneNamesThoseThereAre) {
  const TempDir dir;

  EXPECT_THAT(Refusal({"dead_letter.kept.path=" + (dir / "letters.db"),
                       "outlet.sink.url=http://127.0.0.1:1/",
                       "dispatch.dead_letter=kpet"}),
              AllOf(StartsWith("dispatch.dead_letter: \"kpet\" is no place"),
                    HasSubstr("sink, kept"), HasSubstr("(flag --set)")));
}

TEST_F(Configured, AnOutletThatKeepsNoLettersIsNoPlace) {
  app_.AddOutlet(std::make_unique<test::MemoryOutlet>("plain", false));

  EXPECT_THAT(Refusal({"dispatch.dead_letter=plain"}),
              HasSubstr("\"plain\" is no place for dead letters"));
}

// Nobody need hold what core NATS confirms.
TEST_F(Configured, AnOutletOfCoreNatsIsNoPlace) {
  std::vector<std::string> settings = kCoreNatsOutlet;
  settings.emplace_back("dispatch.dead_letter=o");

  EXPECT_THAT(Refusal(settings),
              AllOf(StartsWith("dispatch.dead_letter: \"o\" is no place"),
                    HasSubstr("outlet.o keeps none, as core NATS (jetstream"),
                    HasSubstr("(flag --set)")));
}

TEST_F(Configured, AnOutletOfCoreNatsIsNoFunctionsPlaceEither) {
  std::vector<std::string> settings = kCoreNatsOutlet;
  settings.emplace_back("function.ok.dead_letter=o");

  EXPECT_THAT(Refusal(settings),
              AllOf(StartsWith("function.ok.dead_letter: \"o\" is no place"),
                    HasSubstr("outlet.o keeps none, as core NATS")));
}

TEST_F(Configured, AFunctionsPlaceIsCheckedToo) {
  EXPECT_THAT(Refusal({"function.ok.dead_letter=a,b"}),
              StartsWith("function.ok.dead_letter: \"a\" is no place"));
}

TEST_F(Configured, BackoffsOfAFunctionMustFitTheirCap) {
  EXPECT_THAT(
      Refusal({"function.ok.retry_base=1m", "function.ok.retry_cap=1s"}),
      HasSubstr("function.ok.retry_base (1m) must be at most "
                "retry_cap (1s)"));
}

TEST_F(Configured, WhatABindingRefusesNamesItsSettingAndOrigin) {
  std::vector<std::string> settings = kKafkaOutlet;
  settings.push_back("outlet.k.librdkafka.enable.idempotence=false");

  EXPECT_THAT(Refusal(settings),
              AllOf(HasSubstr("outlet.k"), HasSubstr("enable.idempotence"),
                    Not(HasSubstr("connection"))));
}

// The message is acknowledged then, and its letter goes with the process.
TEST_F(Configured, LettersInMemoryOfWhatABrokerKeepsAreWarnedOf) {
  std::vector<std::string> settings = {
      "log.level=warning",
      "inlet.orders.type=kafka",
      "inlet.orders.brokers=127.0.0.1:1",
      "inlet.orders.topics=t",
      "inlet.orders.group=g",
      "outlet.kept.type=memory",
      "outlet.kept.topic=dead",
      "dispatch.reply_to=none",
  };
  const auto log = [&] {
    testing::internal::CaptureStderr();
    App app;
    app.On("ok", [](const Event&) {});
    std::vector<std::string> flags = {"--host=127.0.0.1", "--port=0"};
    for (const std::string& each : settings) flags.push_back("--set=" + each);
    const auto started = app.Start(flags);
    EXPECT_TRUE(started) << started.error().message;
    EXPECT_TRUE(app.Stop());
    return testing::internal::GetCapturedStderr();
  };
  const auto* const warning = "end with this process";

  EXPECT_THAT(log(), Not(HasSubstr(warning)));
  settings.emplace_back("function.ok.dead_letter=kept");
  EXPECT_THAT(
      log(), AllOf(HasSubstr(warning), HasSubstr("orders"), HasSubstr("kept")));
}
TEST_F(Configured, ABrokerThatIsAwayIsWaitedFor) {
  const auto started = Start(kKafkaOutlet);

  EXPECT_TRUE(started) << started.error().message;
  EXPECT_TRUE(app_.Stop());
}

TEST_F(Configured, ALetterThatWouldComeInAgainIsRefusedAPlace) {
  std::vector<std::string> settings = kKafkaOutlet;
  for (const char* more :
       {"inlet.in.type=kafka", "inlet.in.brokers=127.0.0.1:1",
        "inlet.in.topics=t", "inlet.in.group=g", "dispatch.dead_letter=k"}) {
    settings.emplace_back(more);
  }

  EXPECT_THAT(Refusal(settings),
              AllOf(StartsWith("dispatch.dead_letter = [\"k\"]: "),
                    HasSubstr("comes in again by [inlet.in]")));
}

}  // namespace
}  // namespace cirro
