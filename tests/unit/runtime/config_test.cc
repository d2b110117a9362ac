// The layers of the configuration, and what is said of a mistake in one.

#include "runtime/src/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "runtime/src/flags.h"
#include "runtime/src/settings.h"
#include "support/temp_dir.h"
#include "unit/runtime/config_sources.h"

namespace cirro::internal {
namespace {

using std::chrono::milliseconds;
using test::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Config, HasEveryDefaultOfTheTable) {
  const auto config = LoadConfig(NoFile());

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->receiver.port, 8080);
  EXPECT_EQ(config->receiver.address, "0.0.0.0");
  EXPECT_EQ(config->receiver.done_status, 202);
  EXPECT_EQ(config->receiver.deadline, milliseconds(25'000));
  EXPECT_EQ(config->receiver.body_limit, 1'048'576U);
  EXPECT_EQ(config->receiver.header_limit, 65'536U);
  EXPECT_FALSE(config->receiver.admin_port);
  EXPECT_EQ(config->drain.grace, milliseconds(8'000));
  EXPECT_EQ(config->drain.delay, milliseconds(0));
  EXPECT_EQ(config->dispatcher.unmatched, Unmatched::kReject);
  EXPECT_GE(config->receiver.reactor_threads, 1U);
  EXPECT_GE(config->dispatch.workers, 16U);
  EXPECT_GE(config->dispatcher.max_bytes, std::size_t{1} << 20);
  EXPECT_EQ(OriginOf(*config, "http", "port"), "default");
}

TEST(Config, DefaultsAreThoseOfTheReceiverAndTheDispatcherThemselves) {
  const auto config = LoadConfig(NoFile());

  ASSERT_TRUE(config) << config.error().message;
  const HttpOptions http;
  const HttpOptions& set = config->receiver;
  EXPECT_EQ(set.line_limit, http.line_limit);
  EXPECT_EQ(set.header_limit, http.header_limit);
  EXPECT_EQ(set.max_headers, http.max_headers);
  EXPECT_EQ(set.body_limit, http.body_limit);
  EXPECT_EQ(set.max_pipelined, http.max_pipelined);
  EXPECT_EQ(set.max_unsent_bytes, http.max_unsent_bytes);
  EXPECT_EQ(set.header_timeout, http.header_timeout);
  EXPECT_EQ(set.body_timeout, http.body_timeout);
  EXPECT_EQ(set.body_min_bytes, http.body_min_bytes);
  EXPECT_EQ(set.write_timeout, http.write_timeout);
  EXPECT_EQ(set.idle_timeout, http.idle_timeout);
  EXPECT_EQ(set.deadline, http.deadline);
  EXPECT_EQ(set.reject_status, http.reject_status);
  EXPECT_EQ(set.decode.max_attributes, http.decode.max_attributes);
  EXPECT_EQ(set.decode.max_event_bytes, http.decode.max_event_bytes);
  EXPECT_EQ(set.decode.max_batch_events, http.decode.max_batch_events);
  const DispatcherOptions dispatcher;
  EXPECT_EQ(config->dispatcher.retry.attempts, dispatcher.retry.attempts);
  EXPECT_EQ(config->dispatcher.retry.base, dispatcher.retry.base);
  EXPECT_EQ(config->dispatcher.retry.cap, dispatcher.retry.cap);
  EXPECT_EQ(config->dispatcher.max_reply_bytes, dispatcher.max_reply_bytes);
}

TEST(Config, LaterLayersWin) {
  const TempDir dir;
  ConfigSources sources;
  sources.code = {{"http.port", "1", "code"},
                  {"http.deadline", "1s", "code"},
                  {"http.idle_timeout", "1s", "code"},
                  {"http.max_headers", "11", "code"}};
  sources.file = Write(dir, "cirro.toml",
                       "[http]\nport = 2\ndeadline = \"2s\"\n"
                       "idle_timeout = \"2s\"\n");
  sources.environment = {{"CIRRO__HTTP__PORT", "3"},
                         {"CIRRO__HTTP__DEADLINE", "3s"}};
  sources.flags = {{"http.port", "4", "flag --port"}};

  const auto config = LoadConfig(sources);

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->receiver.port, 4);
  EXPECT_EQ(OriginOf(*config, "http", "port"), "flag --port");
  EXPECT_EQ(config->receiver.deadline, milliseconds(3000));
  EXPECT_EQ(OriginOf(*config, "http", "deadline"),
            "environment CIRRO__HTTP__DEADLINE");
  EXPECT_EQ(config->receiver.idle_timeout, milliseconds(2000));
  EXPECT_THAT(OriginOf(*config, "http", "idle_timeout"),
              ::testing::EndsWith("cirro.toml:4"));
  EXPECT_EQ(config->receiver.max_headers, 11U);
  EXPECT_EQ(OriginOf(*config, "http", "max_headers"), "code");
}

TEST(Config, PlatformNamesAreReadAndOurOwnWinOverThem) {
  const auto config = FromEnvironment({{"CIRRO__HTTP__PORT", "9001"},
                                       {"PORT", "9000"},
                                       {"K_SINK", "http://sink/"},
                                       {"FUNCTION_TARGET", "hello"}});

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->receiver.port, 9001);
  EXPECT_EQ(config->knative.sink, "http://sink/");
  EXPECT_EQ(OriginOf(*config, "knative", "sink"), "environment K_SINK");
  EXPECT_EQ(config->dispatch.target, "hello");
}

TEST(Config, AnEmptyPlatformNameIsAsGoodAsNone) {
  const auto config = FromEnvironment({{"PORT", ""}, {"K_SINK", ""}});

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->receiver.port, 8080);
}

TEST(Config, WhatKubernetesInjectsForAServiceNamedCirroIsNotOurs) {
  const auto config = FromEnvironment({{"CIRRO_HTTP_PORT", "tcp://10.0.0.1:80"},
                                       {"CIRRO_PORT", "tcp://10.0.0.1:80"}});

  EXPECT_TRUE(config) << Message(config);
}

TEST(Config, UnknownKeysNameFileLineAndTheNearestValidOne) {
  const auto config = FromFile("[http]\n\nprot = 80\n");

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(config.error().message, StartsWith("unknown setting http.prot"));
  EXPECT_THAT(config.error().message, HasSubstr("cirro.toml:3)"));
  EXPECT_THAT(config.error().message, HasSubstr("did you mean http.port?"));
}

TEST(Config, UnknownEnvironmentNamesAreErrorsInTheirOwnSpelling) {
  const auto config = FromEnvironment({{"CIRRO__HTTP__DEADLIEN", "1s"}});

  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message,
              HasSubstr("(environment CIRRO__HTTP__DEADLIEN); did you mean "
                        "CIRRO__HTTP__DEADLINE?"));
}

TEST(Config, AWordThatIsNearNothingGetsNoAdvice) {
  const auto config = FromFile("[cooking]\nrecipe = \"soup\"\n");

  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, Not(HasSubstr("did you mean")));
}

TEST(Config, EveryMistakeIsReportedAtOnceAndNothingIsHalfApplied) {
  const auto config = FromFile(
      "[http]\nport = 70000\nhots = \"::\"\n[drain]\ngrace = \"soon\"\n");

  ASSERT_FALSE(config);
  const std::string& message = config.error().message;
  EXPECT_THAT(message, HasSubstr("http.port = 70000: must be integer, 0 to "
                                 "65535"));
  EXPECT_THAT(message, HasSubstr("unknown setting http.hots"));
  EXPECT_THAT(message, HasSubstr("drain.grace = \"soon\": must be duration"));
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 2);
}

TEST(Config, ABadValueIsAnErrorEvenWhereALaterLayerWouldReplaceIt) {
  ConfigSources sources = NoFile();
  sources.environment = {{"PORT", "http"}};
  sources.flags = {{"http.port", "80", "flag --port"}};

  const auto config = LoadConfig(sources);

  EXPECT_THAT(Message(config),
              HasSubstr("http.port = \"http\": must be integer, 0 to 65535 "
                        "(environment PORT)"));
}

TEST(Config, BrokenTomlNamesTheLine) {
  const auto config = FromFile("[http]\nport = = 3\n");

  EXPECT_THAT(Message(config), HasSubstr("cirro.toml:2)"));
}

TEST(Config, AListWhereOneValueBelongsIsAnError) {
  const auto config = FromFile("[http]\nport = [80]\n");

  EXPECT_THAT(Message(config), HasSubstr("http.port: must be one value"));
}

TEST(Config, ADefaultThatIsGivenFromOutsideIsTheWeakestLayer) {
  ConfigSources sources = NoFile();
  sources.defaults = {{"http.host", "127.0.0.1", "flag --default"},
                      {"http.port", "1", "flag --default"}};
  sources.code = {{"http.port", "2", "code"}};

  const auto config = LoadConfig(sources);

  ASSERT_TRUE(config) << Message(config);
  EXPECT_EQ(config->receiver.address, "127.0.0.1");
  EXPECT_EQ(OriginOf(*config, "http", "host"), "flag --default");
  EXPECT_EQ(config->receiver.port, 2);
}

TEST(Config, AnEmptySectionThatIsUnknownIsAnError) {
  const auto wrong = FromFile("[http]\n\n[htpp]\n");
  const auto deep = FromFile("[http.limits]\n");
  const auto nameless = FromFile("[outlet]\n");
  const auto good = FromFile("[http]\n[admin]\n[function.f]\n");

  EXPECT_THAT(Message(wrong), StartsWith("unknown section [htpp] ("));
  EXPECT_THAT(Message(wrong), HasSubstr("cirro.toml:3); did you mean [http]?"));
  EXPECT_THAT(Message(deep), StartsWith("unknown section [http.limits] ("));
  EXPECT_THAT(Message(nameless), StartsWith("unknown section [outlet] ("));
  EXPECT_THAT(Message(nameless), HasSubstr("did you mean [outlet.NAME]?"));
  EXPECT_TRUE(good) << Message(good);
}

TEST(Config, AnEmptySectionOfAnUnknownFunctionIsAnError) {
  const TempDir dir;
  ConfigSources sources;
  sources.file = Write(dir, "cirro.toml", "[function.order]\n");
  sources.functions = {"orders"};

  const auto config = LoadConfig(sources);

  EXPECT_THAT(Message(config), StartsWith("no function is called order ("));
  EXPECT_THAT(Message(config),
              HasSubstr("cirro.toml:1); did you mean [function.orders]?"));
}

TEST(Config, NoOutletIsCalledNone) {
  const auto config = FromFile("[outlet.none]\nurl = \"http://a/\"\n");
  const auto empty = FromFile("[outlet.none]\n");
  const auto environment =
      FromEnvironment({{"CIRRO__OUTLET__NONE__URL", "http://a/"}});

  for (const auto* made : {&config, &empty, &environment}) {
    EXPECT_THAT(Message(*made),
                HasSubstr("no outlet may be called none: `reply_to = "
                          "\"none\"` discards replies"));
  }
  EXPECT_THAT(Message(config), HasSubstr("cirro.toml:2)"));
  EXPECT_THAT(Message(empty), HasSubstr("cirro.toml:1)"));
}

TEST(Config, ANameIsOfOnePart) {
  const auto place = FromFile(
      "[outlet.letters]\nurl = \"http://a/\"\n"
      "[dead_letter.letters]\npath = \"/data/letters.db\"\n");
  const auto inlet = FromFile("[inlet.http]\ntype = \"kafka\"\n");

  EXPECT_THAT(Message(place),
              HasSubstr("dead_letter.letters.path = \"/data/letters.db\": "
                        "[outlet.letters] has the same name"));
  EXPECT_THAT(Message(inlet), HasSubstr("no inlet may be called http"));
}

TEST(Config, AServerWithoutASchemeTellsNoPassword) {
  const auto config = FromFile(
      "[inlet.orders]\ntype = \"nats\"\n"
      "servers = [\"me:hunter2@127.0.0.1:4222\"]\n");

  EXPECT_THAT(Message(config), HasSubstr("inlet.orders.servers"));
  EXPECT_THAT(Message(config), Not(HasSubstr("hunter2")));
}

TEST(Config, NamedSectionsHaveNamesByTheRule) {
  const auto good = FromFile("[outlet.orders_2]\nurl = \"http://a/\"\n");
  const auto bad = FromFile("[outlet.2Orders]\nurl = \"http://a/\"\n");

  ASSERT_TRUE(good) << good.error().message;
  EXPECT_EQ(good->outlets.at("orders_2").http.url, "http://a/");
  EXPECT_EQ(good->outlets.at("orders_2").http.name, "orders_2");
  EXPECT_EQ(good->outlets.at("orders_2").http.timeout, milliseconds(20'000));
  EXPECT_THAT(Message(bad), HasSubstr("NAME is a letter a-z"));
}

TEST(Config, AnEnvironmentNameMayHoldUnderscoresInItsNamePart) {
  const auto config =
      FromEnvironment({{"CIRRO__OUTLET__MY__SINK__URL", "http://a/"}});

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->outlets.contains("my__sink"));
}

TEST(Config, AnOutletWithoutAUrlIsAnError) {
  const auto config = FromFile("[outlet.a]\nmode = \"structured\"\n");

  EXPECT_THAT(Message(config), HasSubstr("outlet.a.url is not set"));
  EXPECT_THAT(Message(config), HasSubstr("cirro.toml:2)"));
}

TEST(Config, AnOutletWithoutAnythingIsAnError) {
  const auto config = FromFile("[outlet.a]\n");
  const auto wrong = FromFile("[outlet.2A]\n");

  EXPECT_THAT(Message(config), HasSubstr("outlet.a.url is not set"));
  EXPECT_THAT(Message(config), HasSubstr("cirro.toml:1)"));
  EXPECT_THAT(Message(config), HasSubstr("; add url = \"http://HOST/\""));
  EXPECT_THAT(Message(wrong), HasSubstr("NAME is a letter a-z"));
}

TEST(Config, FunctionSectionsMustNameARegisteredFunction) {
  ConfigSources sources = NoFile();
  sources.functions = {"orders", "audit"};
  sources.flags = {{"function.order.timeout", "3s", "flag --set"}};

  const auto config = LoadConfig(sources);

  EXPECT_THAT(Message(config),
              HasSubstr("no function is called order (flag --set); did you "
                        "mean function.orders.timeout?"));
}

TEST(Config, FunctionSettingsThatAreNotGivenStayAsTheCodeSays) {
  const auto config = FromFile(
      "[function.orders]\nconcurrency = 3\norder_by = \"json_pointer\"\n"
      "order_pointer = \"/id\"\n");

  ASSERT_TRUE(config) << config.error().message;
  const FunctionConfig& function = config->functions.at("orders");
  EXPECT_EQ(function.concurrency, 3U);
  EXPECT_EQ(function.order_by, OrderBy::Kind::kJsonPointer);
  EXPECT_EQ(function.order_pointer, "/id");
  EXPECT_FALSE(function.timeout);
  EXPECT_FALSE(function.inline_call);
}

TEST(Config, AKeyOutsideItsSectionIsKnownAgain) {
  EXPECT_THAT(Message(FromFile("port = 1")), HasSubstr("mean http.port?"));
  EXPECT_THAT(Message(FromFile("[http]\ngrace = \"1s\"")),
              HasSubstr("mean drain.grace?"));
  EXPECT_THAT(Message(FromFile("[outlet.x]\nurl = \"http://h\"\nheaders = 1")),
              Not(HasSubstr("did you mean")));
}

TEST(Config, AnUnknownFunctionIsToldWhichThereAre) {
  ConfigSources sources = NoFile();
  sources.functions = {"hello", "orders"};
  sources.flags = {{"function.nosuch.timeout", "1s", "flag --set"}};

  EXPECT_THAT(Message(LoadConfig(sources)),
              HasSubstr("there are: hello, orders"));
}

}  // namespace
}  // namespace cirro::internal
