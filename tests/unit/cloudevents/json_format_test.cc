#include "cirro/cloudevents/json_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "cirro/cloudevents/error.h"
#include "support/event_fixtures.h"
#include "support/rules.h"

namespace cirro {
namespace {

using test::BrokenRules;
using test::JsonEvent;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(IsJson, TakesEveryValue) {
  for (const char* const text :
       {"0", "-0", "10", "1.5", "1e5", "1E+5", "-1.25e-10", "true", "false",
        "null", "\"\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\"",
        "\"\\ud83d\\ude00\"", "\"\x7F\xC3\xA4\xEF\xBF\xBF\"", "[]", "{}",
        " [ 1 , [ ] , { } ] ", "{\"\":{\"a\":[]},\"\":0}", "\t\r\n 1 \n"}) {
    EXPECT_TRUE(IsJson(text)) << text;
  }
}

TEST(IsJson, RefusesWhatIsNone) {
  for (const char* const text : {"",
                                 " ",
                                 "tru",
                                 "True",
                                 "nulll",
                                 "+1",
                                 "01",
                                 "-",
                                 "1.",
                                 ".5",
                                 "1e",
                                 "1e+",
                                 "0x1",
                                 "NaN",
                                 "Infinity",
                                 "'a'",
                                 "\"",
                                 "\"\\\"",
                                 "\"\\x\"",
                                 "\"\\u12\"",
                                 "\"\\u12g4\"",
                                 "\"\\ud800\"",
                                 "\"\\udc00\"",
                                 "\"\\ud800\\u0041\"",
                                 "\"\\ud800x\\udc00\"",
                                 "\"\\ud800\\ud800\"",
                                 "\"\n\"",
                                 "\"\x1F\"",
                                 "\"\x80\"",
                                 "\"\xC0\x80\"",
                                 "\"\xED\xA0\x80\"",
                                 "[",
                                 "]",
                                 "[1",
                                 "[1,",
                                 "[1,]",
                                 "[,1]",
                                 "[1 2]",
                                 "[1}",
                                 "{",
                                 "{]",
                                 "{\"a\"",
                                 "{\"a\":",
                                 "{\"a\":1",
                                 "{\"a\":1,",
                                 "{\"a\":1,}",
                                 "{\"a\" 1}",
                                 "{a:1}",
                                 "{1:1}",
                                 "{\"a\":1 \"b\":2}",
                                 "1 2",
                                 "{}{}",
                                 "//a\n1",
                                 "1//a",
                                 "\xEF\xBB\xBF"
                                 "1",
                                 "\v1",
                                 "\xC2\xA0"
                                 "1"}) {
    EXPECT_FALSE(IsJson(text)) << text;
  }
  EXPECT_FALSE(IsJson(std::string("1\0", 2)));
  EXPECT_FALSE(IsJson(std::string("\0", 1)));
}

// Strings are read in steps, the longest of 16 bytes.
TEST(IsJson, SeesEachByteOfAStringWhereverItStands) {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text = '"' + std::string(size, 'a') + "\",1";
        text[at + 1] = static_cast<char>(byte);
        const bool plain =
            byte >= 0x20 && byte < 0x80 && byte != '\\' && byte != '"';
        // As one of two elements, and without what follows it.
        ASSERT_EQ(IsJson("[" + text + "]"), plain) << size << "@" << at;
        ASSERT_EQ(IsJson(text.substr(0, size + 2)), plain) << size << "@" << at;
      }
    }
  }
}

TEST(IsJson, CountsDepth) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(IsJson(nested(64)));
  EXPECT_FALSE(IsJson(nested(65)));
  EXPECT_TRUE(IsJson("1", 0));
  EXPECT_FALSE(IsJson("[]", 0));
  EXPECT_TRUE(IsJson(nested(1'024), 1'000'000));
  EXPECT_FALSE(IsJson(nested(1'025), 1'000'000));
  EXPECT_FALSE(IsJson(std::string(100'000, '[')));
  std::string mixed;
  for (int i = 0; i < 32; ++i) mixed += "{\"a\":[";
  mixed += "1";
  for (int i = 0; i < 32; ++i) mixed += "]}";
  EXPECT_TRUE(IsJson(mixed));
}

// Any byte at any place of a text: what another parser says is what we say.
TEST(IsJson, AgreesWithAnotherParser) {
  const std::string seed =
      R"({"a":[1,-2.5e+3,true,null,"\u00e4\ud83d\ude00\n"],"b":{"c":"x y"}})";
  const std::regex overflow("[eE][+]?[0-9]{3}");
  std::mt19937 random(11);
  int agreed = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string text = seed;
    for (std::size_t k = 0, n = 1 + random() % 3; k < n; ++k) {
      const std::size_t at = random() % text.size();
      constexpr std::string_view kBytes =
          "{}[],:\"\\0123456789eE+-.tfnu \x01\x80";
      switch (random() % 3) {
        case 0:
          text[at] = kBytes[random() % kBytes.size()];
          break;
        case 1:
          text.erase(at, 1);
          break;
        default:
          text.insert(at, 1, kBytes[random() % kBytes.size()]);
      }
    }
    // The other one refuses numbers that no double holds; grammar has no bound.
    if (std::regex_search(text, overflow)) continue;
    ASSERT_EQ(IsJson(text), nlohmann::json::accept(text)) << text;
    if (IsJson(text)) ++agreed;
  }
  EXPECT_GT(agreed, 50);
}

TEST(DecodeJson, RefusesBrokenJsonInsideData) {
  for (const char* const data :
       {"{\"a\":tru}", "[1,2}", "\"\\x\"", "\"\\ud800\"", "01", "[1,]", "nul",
        "\"\xFF\"", "\"\t\"", ""}) {
    EXPECT_THAT(
        BrokenRules(DecodeJson(JsonEvent("\"data\":" + std::string(data)))),
        ElementsAre(42))
        << data;
  }
}

TEST(DecodeJson, RefusesDataNestedTooDeep) {
  const auto event =
      DecodeJson(JsonEvent("\"data\":" + std::string(100'000, '[')));
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kInvalidEvent);
  EXPECT_THAT(event.error().message, HasSubstr("max_json_depth"));
  EXPECT_FALSE(DecodeJson(JsonEvent("\"ext\":" + std::string(100'000, '{'))));

  DecodeOptions options;
  options.max_json_depth = 2;
  EXPECT_TRUE(DecodeJson(JsonEvent("\"data\":[[]]"), options));
  EXPECT_FALSE(DecodeJson(JsonEvent("\"data\":[[[]]]"), options));
}

TEST(DecodeJson, RefusesEveryCutText) {
  const std::string json = EncodeJson(test::FullEvent());
  ASSERT_TRUE(DecodeJson(json));
  for (std::size_t size = 0; size < json.size(); ++size) {
    // On the heap and without a byte to spare, for the address sanitizer.
    const std::vector<char> cut(
        json.begin(), json.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(DecodeJson(std::string_view(cut.data(), cut.size()))) << size;
  }
}

TEST(DecodeJson, ReadsEscapesInNamesAndValues) {
  const auto event = DecodeJson(
      JsonEvent(R"("s\u0075bject":"\u20ac \ud83d\ude00 \/\\\"","e":"\u0041")"));
  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->subject(), "\xE2\x82\xAC \xF0\x9F\x98\x80 /\\\"");
  EXPECT_EQ(event->extension("e"), "A");
}

TEST(DecodeJson, RefusesControlsThatCameEscaped) {
  EXPECT_THAT(test::BrokenInJson(R"("subject":"\n")"), ElementsAre(8));
  EXPECT_THAT(test::BrokenInJson(R"("subject":"\u007f")"), ElementsAre(8));
  EXPECT_THAT(test::BrokenInJson(R"("subject":"\ufffe")"), ElementsAre(8));
  EXPECT_THAT(test::BrokenInJson(R"("subject":"\ud83f\udffe")"),
              ElementsAre(8));
  EXPECT_THAT(test::BrokenInJson(R"("e\u0000":"v")"), ElementsAre(1));
}

TEST(DecodeJson, SaysWhereTheTextBreaks) {
  const auto event = DecodeJson(R"({"id":"1" "type":"t"})");
  ASSERT_FALSE(event);
  EXPECT_THAT(event.error().message, HasSubstr("at byte 10"));
}

TEST(DecodeJson, BoundsAttributes) {
  std::string members;
  for (int i = 0; i < 200; ++i) {
    members += (i == 0 ? "\"e" : ",\"e") + std::to_string(i) + "\":1";
  }
  const auto event = DecodeJson(JsonEvent(members));
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kTooLarge);
}

TEST(DecodeJson, BoundsAttributesThatTheFormatImplies) {
  DecodeOptions options;
  options.max_attributes = 4;
  EXPECT_TRUE(DecodeJson(JsonEvent(), options));
  // An event that comes in must be able to come in again as it went out.
  const auto event = DecodeJson(JsonEvent(R"("data":1)"), options);
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().code, ErrorCode::kTooLarge);
}

TEST(DecodeJsonBatch, NeedsTheWholeTextToBeJson) {
  EXPECT_FALSE(DecodeJsonBatch("[" + JsonEvent() + ",{\"id\":tru}]"));
  EXPECT_FALSE(DecodeJsonBatch("[" + JsonEvent() + "] []"));
}

TEST(EncodeJson, AppendsToWhatIsThere) {
  std::string out = "data: ";
  EncodeJson(test::MinEvent(), out);
  EXPECT_TRUE(out.starts_with("data: {\"specversion\":\"1.0\""));
  const std::array<Event, 2> events = {test::MinEvent(), test::FullEvent()};
  EXPECT_EQ(DecodeJsonBatch(EncodeJsonBatch(events))->size(), 2U);
}

TEST(EncodeJson, KeepsTextWithoutATypeAsBytes) {
  const auto event = EventBuilder(test::MinEvent())
                         .data({"text", DataKind::kText, {}})
                         .Build();
  ASSERT_TRUE(event);
  EXPECT_THAT(EncodeJson(*event), HasSubstr(R"("data_base64":"dGV4dA==")"));
}

TEST(ErrorCode, HasANameAndSaysWhetherToTryAgain) {
  EXPECT_EQ(ToString(ErrorCode::kInvalidEvent), "invalid_event");
  EXPECT_EQ(ToString(ErrorCode::kUnknownOutcome), "unknown_outcome");
  EXPECT_FALSE(IsRetryable(ErrorCode::kInvalidEvent));
  EXPECT_FALSE(IsRetryable(ErrorCode::kRejected));
  EXPECT_TRUE(IsRetryable(ErrorCode::kFunctionFailed));
  EXPECT_TRUE(IsRetryable(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace cirro
