// The lines of the log.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "cirro/dispatch/delivery.h"
#include "runtime/src/log.h"
#include "unit/runtime/log_pipe.h"

namespace cirro::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

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

TEST(Logger, WritesNothingBelowItsLevel) {
  Pipe pipe;
  Logger logger(LogLevel::kWarning, true, false, pipe.in());

  logger.Write(LogLevel::kInfo, "quiet");
  logger.Write(LogLevel::kWarning, "loud");

  const std::string text = pipe.ReadAll();
  EXPECT_THAT(text, Not(HasSubstr("quiet")));
  EXPECT_THAT(text, HasSubstr("loud"));
}

}  // namespace
}  // namespace cirro::internal
