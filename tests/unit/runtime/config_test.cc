#include "runtime/src/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "runtime/src/environment.h"
#include "runtime/src/flags.h"
#include "runtime/src/metrics.h"
#include "runtime/src/settings.h"
#include "runtime/src/units.h"
#include "support/temp_dir.h"

namespace cirro::internal {
namespace {

using std::chrono::milliseconds;
using test::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Write(const TempDir& dir, const std::string& name,
                  const std::string& text) {
  const std::string path = dir / name;
  std::ofstream(path) << text;
  return path;
}

// Without a file, unless a test says so: the working directory is anybody's.
ConfigSources NoFile() {
  ConfigSources sources;
  sources.file = "";
  return sources;
}

Result<Config> FromFile(const std::string& text) {
  const TempDir dir;
  ConfigSources sources;
  sources.file = Write(dir, "cirro.toml", text);
  return LoadConfig(sources);
}

Result<Config> FromEnvironment(Environment environment) {
  ConfigSources sources = NoFile();
  sources.environment = std::move(environment);
  return LoadConfig(sources);
}

std::string OriginOf(const Config& config, std::string_view section,
                     std::string_view key) {
  for (const EffectiveSetting& setting : config.effective) {
    if (setting.section == section && setting.key == key) return setting.origin;
  }
  return "(not set)";
}

std::string Message(const Result<Config>& config) {
  return config ? "(no error)" : config.error().message;
}

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

TEST(Config, AFileThatWasNamedMustExist) {
  ConfigSources sources;
  sources.flags = {{"config", "/nowhere/cirro.toml", "flag --config"}};

  const auto config = LoadConfig(sources);

  EXPECT_THAT(Message(config), HasSubstr("/nowhere/cirro.toml: cannot be"));
}

// A working directory of its own while it lives.
class WorkingIn {
 public:
  explicit WorkingIn(const TempDir& dir) {
    std::filesystem::current_path(dir.path());
  }
  ~WorkingIn() {
    std::error_code ignored;
    std::filesystem::current_path(before_, ignored);
  }
  WorkingIn(const WorkingIn&) = delete;
  WorkingIn& operator=(const WorkingIn&) = delete;

 private:
  const std::filesystem::path before_ = std::filesystem::current_path();
};

TEST(Config, TheDefaultFileNeedNotBeThere) {
  const TempDir dir;
  const WorkingIn there(dir);

  const auto config = LoadConfig({});

  EXPECT_TRUE(config) << Message(config);
}

TEST(Config, TheDefaultFileThatIsThereMustBeReadable) {
  const TempDir dir;
  std::filesystem::create_directory(dir / "cirro.toml");
  const WorkingIn there(dir);

  const auto config = LoadConfig({});

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::kInvalidConfig);
  EXPECT_EQ(config.error().message,
            "cirro.toml: cannot be read: Is a directory");
}

TEST(Config, ADefaultFileThatPointsNowhereIsThere) {
  const TempDir dir;
  std::filesystem::create_symlink("nowhere", dir / "cirro.toml");
  const WorkingIn there(dir);

  const auto config = LoadConfig({});

  EXPECT_THAT(Message(config),
              HasSubstr("cirro.toml: cannot be read: No such"));
}

TEST(Config, AFileIsReadWholeOrNotAtAll) {
  const std::string setting = "[http]\nport = 1\n";
  const std::string full =
      setting + std::string((1U << 20) - setting.size(), '#');

  const auto largest = FromFile(full);
  const auto larger = FromFile(full + "#");

  ASSERT_TRUE(largest) << Message(largest);
  EXPECT_EQ(largest->receiver.port, 1);
  EXPECT_THAT(Message(larger),
              HasSubstr("cirro.toml: is larger than 1048576 bytes"));
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

TEST(ConfigSecrets, AreReadFromFilesAndNeverShown) {
  const TempDir dir;
  const std::string file = Write(dir, "token", "hunter2\n");

  const auto config = FromEnvironment({{"CIRRO__METRICS__TOKEN_FILE", file}});

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->metrics.token.Reveal(), "hunter2");
  EXPECT_THAT(PrintConfig(*config), Not(HasSubstr("hunter2")));
  EXPECT_THAT(PrintConfig(*config), HasSubstr("token = \"***\""));
}

TEST(ConfigSecrets, AFileThatCannotBeReadIsNamed) {
  const auto config =
      FromEnvironment({{"CIRRO__METRICS__TOKEN_FILE", "/nowhere/token"}});

  EXPECT_THAT(Message(config),
              HasSubstr("/nowhere/token\": cannot be read: No such file"));
}

TEST(ConfigSecrets, AFileThatIsTooLargeIsNotCut) {
  const TempDir dir;
  const std::string file =
      Write(dir, "token", std::string((1U << 20) + 1, 'x'));

  const auto config = FromEnvironment({{"CIRRO__METRICS__TOKEN_FILE", file}});

  EXPECT_THAT(Message(config),
              HasSubstr("/token\": is larger than 1048576 bytes (environment "
                        "CIRRO__METRICS__TOKEN_FILE)"));
}

TEST(ConfigSecrets, CredentialsInUrlsAreMaskedInPagesAndErrors) {
  const auto shown =
      FromEnvironment({{"K_SINK", "https://ann:pw1@host/a?key=pw2"}});
  const auto wrong = FromEnvironment({{"K_SINK", "ftp://ann:pw1@host/?pw2"}});

  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->knative.sink, "https://ann:pw1@host/a?key=pw2");
  EXPECT_THAT(PrintConfig(*shown), HasSubstr("\"https://***@host/a?***\""));
  EXPECT_THAT(PrintConfig(*shown), Not(HasSubstr("pw")));
  EXPECT_THAT(Message(wrong), HasSubstr("ftp://***@host/?***"));
  EXPECT_THAT(Message(wrong), Not(HasSubstr("pw")));
}

TEST(ConfigSecrets, ABadSecretFlagDoesNotEchoIt) {
  ConfigSources sources = NoFile();
  sources.flags = {{"outlet.a.authorization", "Bearer pw", "flag --set"}};

  const auto config = LoadConfig(sources);

  EXPECT_THAT(Message(config), Not(HasSubstr("pw")));
}

TEST(ConfigPrint, IsTomlThatGivesTheSameSettingsAgain) {
  const TempDir dir;
  ConfigSources sources = NoFile();
  sources.environment = {{"PORT", "9000"},
                         {"CIRRO__OUTLET__A__URL", "http://a/x"},
                         {"CIRRO__FUNCTION__F__TIMEOUT", "1m30s"}};
  const auto first = LoadConfig(sources);
  ASSERT_TRUE(first) << first.error().message;

  ConfigSources again;
  again.file = Write(dir, "printed.toml", PrintConfig(*first));
  const auto second = LoadConfig(again);

  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->receiver.port, 9000);
  EXPECT_EQ(second->outlets.at("a").http.url, "http://a/x");
  EXPECT_EQ(second->functions.at("f").timeout, milliseconds(90'000));
  ASSERT_EQ(second->effective.size(), first->effective.size());
  for (std::size_t i = 0; i < first->effective.size(); ++i) {
    EXPECT_EQ(second->effective[i].value, first->effective[i].value)
        << first->effective[i].key;
  }
}

TEST(ConfigTable, EveryDefaultIsAValueOfItsSetting) {
  for (const Setting& setting : Settings()) {
    if (setting.fallback.empty()) continue;
    EXPECT_TRUE(ParseValue(setting, setting.fallback)) << setting.key;
  }
}

TEST(ConfigTable, NoSettingIsThereTwice) {
  for (const Setting& one : Settings()) {
    for (const Setting& other : Settings()) {
      if (&one == &other || one.section != other.section ||
          one.key != other.key) {
        continue;
      }
      // Nor are there two that sections of one type have.
      EXPECT_FALSE(IsOfType(one, other.types)) << one.section << one.key;
      EXPECT_FALSE(one.types.empty()) << one.section << "." << one.key;
    }
  }
}

void ExpectPage(const std::string& path, const std::string& page,
                const std::string& command) {
  std::ifstream file(std::string(CIRRO_SOURCE_DIR) + path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(text == page) << path << " is not what the code says: run\n  "
                            << command << " >" << path.substr(1);
}

TEST(Pages, ConfigurationIsWhatTheTableSays) {
  ExpectPage("/docs/configuration.md", ConfigurationMarkdown(),
             "build/bin/cirro config --markdown");
}

TEST(Pages, MetricsIsWhatTheTableSays) {
  ExpectPage("/docs/metrics.md", MetricsMarkdown(),
             "build/bin/cirro metrics --markdown");
}

struct DurationCase {
  const char* text;
  std::int64_t ms;  // -1: it is none.
};

class Durations : public ::testing::TestWithParam<DurationCase> {};

TEST_P(Durations, AreReadAsWritten) {
  const auto value = ParseDuration(GetParam().text);

  EXPECT_EQ(value.value_or(milliseconds(-1)).count(), GetParam().ms)
      << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    All, Durations,
    ::testing::Values(
        DurationCase{"0", 0}, DurationCase{"0s", 0}, DurationCase{"250ms", 250},
        DurationCase{"10s", 10'000}, DurationCase{"1m30s", 90'000},
        DurationCase{"1.5h", 5'400'000}, DurationCase{"2d", 172'800'000},
        DurationCase{"0.001s", 1}, DurationCase{"PT0.2S", 200},
        DurationCase{"P1DT1H", 90'000'000}, DurationCase{"PT1M", 60'000},
        DurationCase{"", -1}, DurationCase{"10", -1}, DurationCase{"s", -1},
        DurationCase{"-1s", -1}, DurationCase{"1s1m", -1},
        DurationCase{"1s1s", -1}, DurationCase{"0.0001s", -1},
        DurationCase{"0.5ms", -1}, DurationCase{"1e3s", -1},
        DurationCase{"1 s", -1}, DurationCase{"1.s", -1},
        DurationCase{"99999999999999999999s", -1}, DurationCase{"1001d", -1},
        DurationCase{"P", -1}, DurationCase{"PT", -1}, DurationCase{"P1M", -1},
        DurationCase{"P1H", -1}, DurationCase{"PT1S1M", -1},
        DurationCase{"PT1", -1}));

TEST(DurationText, ReadsBackAsTheSameValue) {
  for (const std::int64_t ms :
       {0LL, 1LL, 999LL, 1'000LL, 90'061'001LL, 3'600'000LL}) {
    const std::string text = FormatDuration(milliseconds(ms));
    EXPECT_EQ(ParseDuration(text), milliseconds(ms)) << text;
  }
}

TEST(ByteSizes, AreReadAsWritten) {
  EXPECT_EQ(ParseByteSize("65536"), 65'536);
  EXPECT_EQ(ParseByteSize("64KiB"), 65'536);
  EXPECT_EQ(ParseByteSize("5MB"), 5'000'000);
  EXPECT_EQ(ParseByteSize("2GiB"), 2LL << 30);
  EXPECT_EQ(ParseByteSize("7B"), 7);
  EXPECT_EQ(ParseByteSize(""), std::nullopt);
  EXPECT_EQ(ParseByteSize("KiB"), std::nullopt);
  EXPECT_EQ(ParseByteSize("-1KiB"), std::nullopt);
  EXPECT_EQ(ParseByteSize("1.5MiB"), std::nullopt);
  EXPECT_EQ(ParseByteSize("99999999999GiB"), std::nullopt);
  EXPECT_EQ(ParseByteSize("1TiB"), std::nullopt);
}

TEST(TypingDistance, CountsASwapOfNeighboursAsOne) {
  EXPECT_EQ(TypingDistance("prot", "port"), 1U);
  EXPECT_EQ(TypingDistance("port", "port"), 0U);
  EXPECT_EQ(TypingDistance("", "port"), 4U);
  EXPECT_EQ(TypingDistance("kitten", "sitting"), 3U);
}

// What only the program could find out later is said with its place, too.
TEST(Config, ValuesAreCheckedWhereTheyStand) {
  const std::pair<const char*, const char*> cases[] = {
      {"[http]\nhost = \"localhost\"", "http.host = \"localhost\": must be an"},
      {"[knative]\nce_overrides = \"{\"", "must be a JSON object"},
      {"[knative]\nca_certificates = \"bad\"", "certificates in PEM"},
      {"[knative]\nsink = \"http://host:99999/\"", "must be `http` or"},
      {"[knative]\nsink = \"http:///\"", "with a host"},
      {"[outlet.x]\nurl = \"http://h:abc\"", "outlet.x.url"},
      {"[knative]\nsink = \"http://h/\\nb\"",
       "knative.sink = \"http://h/\\u000Ab\": must hold no blank"},
      {"[outlet.x]\nurl = \"http://h/a b\"", "must hold no blank"},
      {"[outlet.x]\nauthorization = \"a\\nb\"\nurl = \"http://h\"",
       "outlet.x.authorization = \"***\": must hold no line break"},
      {"[function.f]\norder_pointer = \"a\"",
       "function.f.order_pointer = \"a\": must be a JSON pointer"},
      {"[function.f]\norder_pointer = \"/a~b\"", "must be a JSON pointer"},
  };
  for (const auto& [text, said] : cases) {
    const std::string message = Message(FromFile(text));
    EXPECT_THAT(message, HasSubstr(said)) << text;
    EXPECT_THAT(message, HasSubstr("cirro.toml:2")) << text;
  }
  for (const char* const url : {"http://h", "https://u:p@h:1/x?y",
                                "http://[::1]:80/", "http://[::1]"}) {
    EXPECT_TRUE(IsHttpUrl(url)) << url;
  }
}

// Named is what was set last, not what another setting wants of it.
TEST(Config, ValuesAreCheckedTogetherWhereTheyStand) {
  const std::pair<const char*, const char*> cases[] = {
      {"[http]\nmax_body_bytes = \"2GiB\"",
       "http.max_body_bytes = \"2GiB\": http.max_buffered_bytes ("},
      {"[http]\nmax_buffered_bytes = \"1MiB\"",
       "http.max_buffered_bytes = \"1MiB\": http.max_buffered_bytes (\"1MiB\")"
       " must be at least twice http.max_body_bytes (\"1MiB\") and "
       "http.max_header_bytes (\"64KiB\") together, 2228224 bytes"},
      {"[http]\nmax_header_bytes = \"16MiB\"\nmax_buffered_bytes = \"4MiB\"",
       "http.max_header_bytes = \"16MiB\": "},
      {"[dispatch]\nretry_base = \"1m\"",
       "dispatch.retry_base = \"1m\": dispatch.retry_base (\"1m\") must be at "
       "most dispatch.retry_cap (\"30s\")"},
      {"[dispatch]\nmax_reply_bytes = \"1GiB\"",
       "dispatch.max_reply_bytes = \"1GiB\": dispatch.max_reply_bytes "
       "(\"1GiB\") must be at most http.max_buffered_bytes ("},
      {"[dispatch]\nretry_cap = \"1ms\"", "dispatch.retry_cap = \"1ms\": "},
  };
  for (const auto& [text, said] : cases) {
    const std::string message = Message(FromFile(text));
    EXPECT_THAT(message, HasSubstr(said)) << text;
    EXPECT_THAT(message, HasSubstr("cirro.toml:2)")) << text;
  }
  EXPECT_TRUE(
      FromFile("[http]\nmax_body_bytes = \"2GiB\"\n"
               "max_buffered_bytes = \"5GiB\""));
}

// A program with one function, `f`, and what its code says of its order.
ConfigSources OrderedBy(const std::string& order_by,
                        const std::string& pointer = {}) {
  ConfigSources sources = NoFile();
  sources.functions = {"f"};
  sources.code = {{"function.f.order_by", order_by, "code"}};
  if (!pointer.empty()) {
    sources.code.push_back({"function.f.order_pointer", pointer, "code"});
  }
  return sources;
}

TEST(Config, AnOrderByPointerNeedsThePointer) {
  ConfigSources set = OrderedBy("source");
  set.flags = {{"function.f.order_by", "json_pointer", "flag --set"}};
  ConfigSources emptied = OrderedBy("json_pointer", "/a");
  emptied.flags = {{"function.f.order_pointer", "", "flag --set"}};
  ConfigSources given = OrderedBy("json_pointer");
  given.flags = {{"function.f.order_pointer", "/a", "flag --set"}};

  EXPECT_EQ(Message(LoadConfig(set)),
            "function.f.order_by = \"json_pointer\": needs "
            "function.f.order_pointer, which is not set (flag --set)");
  EXPECT_THAT(Message(LoadConfig(emptied)),
              HasSubstr("needs function.f.order_pointer"));
  EXPECT_THAT(Message(LoadConfig(OrderedBy("json_pointer"))),
              HasSubstr("needs function.f.order_pointer, which is not set "
                        "(code)"));
  EXPECT_TRUE(LoadConfig(given));
}

TEST(Config, APointerThatOrdersNothingIsAnError) {
  ConfigSources later = OrderedBy("subject");
  later.flags = {{"function.f.order_pointer", "/a", "flag --set"}};
  // Who takes the order away need not know how it was made.
  ConfigSources taken_away = OrderedBy("json_pointer", "/a");
  taken_away.flags = {{"function.f.order_by", "none", "flag --set"}};
  ConfigSources emptied = OrderedBy("subject");
  emptied.flags = {{"function.f.order_pointer", "", "flag --set"}};

  EXPECT_EQ(Message(LoadConfig(later)),
            "function.f.order_pointer = \"/a\": has no effect without "
            "function.f.order_by = \"json_pointer\"; it is \"subject\" "
            "(flag --set)");
  EXPECT_THAT(Message(LoadConfig(OrderedBy("source", "/a"))),
              HasSubstr("has no effect"));
  EXPECT_TRUE(LoadConfig(taken_away));
  EXPECT_TRUE(LoadConfig(emptied));
}

// `cirro config` does not know what the code says.
TEST(Config, HalfOfAnOrderIsNoMistakeWhereTheCodeMayHaveTheOther) {
  EXPECT_TRUE(FromFile("[function.f]\norder_by = \"json_pointer\""));
  EXPECT_TRUE(FromFile("[function.f]\norder_pointer = \"/a\""));
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

TEST(ConfigSecrets, AreGivenOneWayInOnePlace) {
  const TempDir dir;
  const std::string file = Write(dir, "token", "from a file");
  const std::string both =
      "[metrics]\ntoken = \"a\"\ntoken_file = \"" + file + "\"";
  ConfigSources later = NoFile();
  later.code = {{"metrics.token", "a", "code"}};
  later.environment = {{"CIRRO__METRICS__TOKEN_FILE", file}};

  const std::string pem = Write(
      dir, "pem", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");

  EXPECT_THAT(Message(FromFile(both)), HasSubstr("both given; keep one"));
  EXPECT_EQ(
      Message(FromEnvironment({{"K_CA_CERTS",
                                "-----BEGIN CERTIFICATE-----\n"
                                "-----END CERTIFICATE-----"},
                               {"CIRRO__KNATIVE__CA_CERTIFICATES_FILE", pem}})),
      "(no error)");
  const auto config = LoadConfig(later);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->metrics.token.Reveal(), "from a file");
}

TEST(RedactUrl, HidesUserPasswordAndQueryAndNothingElse) {
  EXPECT_EQ(RedactUrl("http://host:80/a"), "http://host:80/a");
  EXPECT_EQ(RedactUrl("http://u:p@host/a"), "http://***@host/a");
  EXPECT_EQ(RedactUrl("http://u:p@q@host"), "http://***@host");
  EXPECT_EQ(RedactUrl("http://host/a?token=x"), "http://host/a?***");
  EXPECT_EQ(RedactUrl("http://host/a#token=x"), "http://host/a#***");
  EXPECT_EQ(RedactUrl("http://host/a?mail=a@b"), "http://host/a?***");
  EXPECT_EQ(RedactUrl("u:p@host"), "***@host");
}

TEST(RedactUrl, HidesAPasswordThatShouldHaveBeenEscaped) {
  EXPECT_EQ(RedactUrl("http://u:p/q@host/a"), "http://***@host/a");
  EXPECT_EQ(RedactUrl("http://u:pa?ss@h/x"), "http://***");
  EXPECT_EQ(RedactUrl("http://u:p#a@h/"), "http://***");
  EXPECT_EQ(RedactUrl("http://u:p/a?ss@h"), "http://***");
  EXPECT_EQ(RedactUrl("http://u?p@h"), "http://***");
  EXPECT_EQ(RedactUrl("http://u:p/q@r/s@host/a"), "http://***@host/a");
  EXPECT_EQ(RedactUrl("http://u:p://q@host/a"), "http://***@host/a");
  // A path may hold an @: better too little is shown than too much.
  EXPECT_EQ(RedactUrl("http://host:80/a@b"), "http://***@b");
}

TEST(Flags, TakeValuesInBothForms) {
  const auto flags = ParseFlags(
      std::vector<std::string>{"--port", "80", "--host=::1", "--set",
                               "drain.grace=1s", "--address", "127.0.0.1"});

  ASSERT_TRUE(flags) << flags.error().message;
  ASSERT_EQ(flags->settings.size(), 4U);
  EXPECT_EQ(flags->settings[0].setting, "http.port");
  EXPECT_EQ(flags->settings[0].value, "80");
  EXPECT_EQ(flags->settings[1].value, "::1");
  EXPECT_EQ(flags->settings[2].setting, "drain.grace");
  EXPECT_EQ(flags->settings[3].setting, "http.host");
}

TEST(Flags, ADefaultIsNoSettingOfTheCommandLine) {
  const auto flags =
      ParseFlags(std::vector<std::string>{"--default", "http.host=127.0.0.1"});
  const auto shape = ParseFlags(std::vector<std::string>{"--default=a.b"});

  ASSERT_TRUE(flags) << flags.error().message;
  EXPECT_TRUE(flags->settings.empty());
  ASSERT_EQ(flags->defaults.size(), 1U);
  EXPECT_EQ(flags->defaults[0].setting, "http.host");
  EXPECT_EQ(flags->defaults[0].value, "127.0.0.1");
  EXPECT_EQ(shape.error().message, "--default a.b: must be SECTION.KEY=VALUE");
}

TEST(Flags, MistakesNameTheNearestFlag) {
  const auto typo = ParseFlags(std::vector<std::string>{"--prot=80"});
  const auto missing = ParseFlags(std::vector<std::string>{"--port"});
  const auto extra = ParseFlags(std::vector<std::string>{"--help=yes"});
  const auto shape = ParseFlags(std::vector<std::string>{"--set", "a.b"});

  EXPECT_EQ(typo.error().message, "unknown flag --prot; did you mean --port?");
  EXPECT_EQ(missing.error().message, "--port needs a value");
  EXPECT_EQ(extra.error().message, "--help takes no value");
  EXPECT_EQ(shape.error().message, "--set a.b: must be SECTION.KEY=VALUE");
}

}  // namespace
}  // namespace cirro::internal
