// The rules of CloudEvents' type system, one by one. Their numbers and what
// each says: docs/conformance.md.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "support/event_fixtures.h"
#include "support/rules.h"

namespace cirro {
namespace {

using test::BrokenIn;
using test::BrokenInJson;
using test::BrokenRules;
using test::MinDraft;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Rule006, BooleanIsTrueOrFalse) {
  const auto broken = [](const char* text) {
    return BrokenIn({"a", AttributeType::kBoolean, text});
  };
  EXPECT_THAT(broken("true"), IsEmpty());
  EXPECT_THAT(broken("false"), IsEmpty());
  for (const char* const text : {"", "True", "FALSE", "1", "yes", " true"}) {
    EXPECT_THAT(broken(text), ElementsAre(6)) << text;
  }
}

TEST(Rule007, IntegerIsSigned32BitDecimal) {
  const auto broken = [](const char* text) {
    return BrokenIn({"a", AttributeType::kInteger, text});
  };
  for (const char* const text :
       {"0", "-0", "1", "-1", "2147483647", "-2147483648"}) {
    EXPECT_THAT(broken(text), IsEmpty()) << text;
  }
  for (const char* const text :
       {"", "-", "+1", "01", "-01", "1.0", "1e3", " 1", "1 ", "0x1", "1,000",
        "2147483648", "-2147483649", "99999999999999999999"}) {
    EXPECT_THAT(broken(text), ElementsAre(7)) << text;
  }
}

TEST(Rule008, StringHasNoControlsNoncharactersAndBrokenUtf8) {
  for (const char* const text :
       {"", " ", "~", "\xC2\xA0", "\xE2\x82\xAC", "\xEF\xB7\x8F",
        "\xEF\xB7\xB0", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBD",
        "12345678\xC3\xA4", "1234567890abcdef~"}) {
    EXPECT_THAT(BrokenIn({"a", text}), IsEmpty()) << text;
  }
  const std::vector<std::string> bad = {
      std::string(1, '\0'),
      "\x01",
      "\n",
      "\x1F",
      "\x7F",
      "\xC2\x80",
      "\xC2\x9F",  // C1 controls
      "\xEF\xB7\x90",
      "\xEF\xB7\xAF",  // U+FDD0, U+FDEF
      "\xEF\xBF\xBE",
      "\xEF\xBF\xBF",  // U+FFFE, U+FFFF
      "\xF0\x9F\xBF\xBE",
      "\xF4\x8F\xBF\xBF",  // U+1FFFE, U+10FFFF
      "\x80",
      "\xFF",  // no lead byte
      "\xC0\xA0",
      "\xE0\x80\x80",  // overlong
      "\xF0\x80\x80\x80",
      "\xC3",
      "\xE2\x82",  // cut
      "\xED\xA0\x80",
      "\xED\xB0\x80",  // surrogates
      "\xF4\x90\x80\x80",
      "\xF8\x88\x80\x80\x80",  // above U+10FFFF
  };
  for (const std::string& text : bad) {
    // In front, and behind what a scanner takes in one gulp.
    EXPECT_THAT(BrokenIn({"a", text}), ElementsAre(8));
    EXPECT_THAT(BrokenIn({"a", "12345678" + text}), ElementsAre(8));
    EXPECT_THAT(BrokenIn({"a", text + "12345678"}), ElementsAre(8));
  }
}

// Every code point there is, alone and at the end of a text.
TEST(Rule008, HoldsForEachCodePoint) {
  const auto utf8 = [](std::uint32_t c) {
    const auto byte = [](std::uint32_t value) {
      return static_cast<char>(static_cast<unsigned char>(value));
    };
    std::string out;
    if (c < 0x80) {
      out += byte(c);
    } else if (c < 0x800) {
      out += byte(0xC0 | (c >> 6));
    } else if (c < 0x10000) {
      out += byte(0xE0 | (c >> 12));
      out += byte(0x80 | ((c >> 6) & 0x3F));
    } else {
      out += byte(0xF0 | (c >> 18));
      out += byte(0x80 | ((c >> 12) & 0x3F));
      out += byte(0x80 | ((c >> 6) & 0x3F));
    }
    if (c >= 0x80) out += byte(0x80 | (c & 0x3F));
    return out;
  };
  for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
    const bool control = c <= 0x1F || (c >= 0x7F && c <= 0x9F);
    const bool noncharacter =
        (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE;
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    const bool valid = !control && !noncharacter && !surrogate;
    const std::string text = utf8(c);
    ASSERT_EQ(IsCanonical(AttributeType::kString, text), valid) << c;
    ASSERT_EQ(IsCanonical(AttributeType::kString, "12345678" + text), valid)
        << c;
  }
}

TEST(Rule008, HoldsForEscapesInJson) {
  // A whole pair is a character; a half is not even JSON.
  EXPECT_THAT(BrokenInJson(R"("a":"\ud83d\ude00")"), IsEmpty());
  EXPECT_THAT(BrokenInJson(R"("a":"\ud83d")"), ElementsAre(42));
  EXPECT_THAT(BrokenInJson(R"("a":"\ude00")"), ElementsAre(42));
  for (const char* const text :
       {R"("a":"\u0000")", R"("a":"\u001f")", R"("a":"\u007f")",
        R"("a":"\u009F")", R"("a":"\ufdd0")", R"("a":"\uFFFF")",
        R"("a":"\ud83f\udffe")", R"("id2":"ok","subject":"\n")"}) {
    EXPECT_THAT(BrokenInJson(text), ElementsAre(8)) << text;
  }
}

TEST(Rule008, HoldsForCoreStrings) {
  auto draft = MinDraft();
  draft.id = "a\nb";
  draft.type = "\x7F";
  draft.subject = "\xEF\xBF\xBE";
  const auto event = Build(draft);
  EXPECT_THAT(BrokenRules(event), ElementsAre(8));
  EXPECT_THAT(event.error().message, HasSubstr("id MUST hold no control"));
  EXPECT_THAT(event.error().message, HasSubstr("type MUST hold no control"));
  EXPECT_THAT(event.error().message, HasSubstr("subject MUST hold no control"));
}

TEST(Rule009, BinaryIsPaddedBase64) {
  const auto broken = [](const char* text) {
    return BrokenIn({"a", AttributeType::kBinary, text});
  };
  for (const char* const text : {"", "TWFu", "TWE=", "TQ==", "+/+/"}) {
    EXPECT_THAT(broken(text), IsEmpty()) << text;
  }
  for (const char* const text :
       {"x", "TQ", "TQ=", "TWFU=", "==TQ", "T===", "====", "TW-_",
        "TQ==TQ==", "TW Fu", "TWFu\n", "TR==", "TWF="}) {
    EXPECT_THAT(broken(text), ElementsAre(9)) << text;
  }
}

TEST(Rule010, UriIsAbsoluteAndReferenceNeedNotBe) {
  const auto broken = [](AttributeType type, const char* text) {
    return BrokenIn({"a", type, text});
  };
  EXPECT_THAT(broken(AttributeType::kUri, "urn:a"), IsEmpty());
  EXPECT_THAT(broken(AttributeType::kUri, "/a"), ElementsAre(10));
  EXPECT_THAT(broken(AttributeType::kUri, ""), ElementsAre(10));
  EXPECT_THAT(broken(AttributeType::kUriReference, "/a"), IsEmpty());
  EXPECT_THAT(broken(AttributeType::kUriReference, ""), IsEmpty());
  EXPECT_THAT(broken(AttributeType::kUriReference, "a b"), ElementsAre(10));
}

TEST(Rule011, TimestampIsRfc3339) {
  const auto broken = [](const char* text) {
    return BrokenIn({"a", AttributeType::kTimestamp, text});
  };
  EXPECT_THAT(broken("1985-04-12T23:20:50.52Z"), IsEmpty());
  EXPECT_THAT(broken("1985-04-12T23:20:50"), ElementsAre(11));
  EXPECT_THAT(broken("1985-04-12T23:20Z"), ElementsAre(11));
  EXPECT_THAT(broken(""), ElementsAre(11));
}

TEST(Rule012, TypedValuesBecomeCanonicalTextAndBack) {
  constexpr std::array<unsigned char, 2> kBytes = {0x00, 0xFF};
  const auto event = EventBuilder()
                         .id("1")
                         .source("/s")
                         .type("t")
                         .time(Timestamp{482'196'050, 520'000'000, 0})
                         .extension({"b", true})
                         .extension({"i", -7})
                         .extension({"t", Timestamp{851'042'397, 0, -480}})
                         .extension({"x", std::as_bytes(std::span(kBytes))})
                         .Build();

  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->time_text(), "1985-04-12T23:20:50.52Z");
  EXPECT_EQ(event->extension("t"), "1996-12-19T16:39:57-08:00");
  EXPECT_EQ(event->extension("x"), "AP8=");
  EXPECT_EQ(event->attribute("b")->AsBoolean(), true);
  EXPECT_EQ(event->attribute("i")->AsInteger(), -7);
  EXPECT_EQ(event->attribute("t")->AsTimestamp()->offset_minutes, -480);
  EXPECT_EQ(event->attribute("x")->AsBinary(), std::string("\0\xFF", 2));
  EXPECT_EQ(event->attribute("b")->AsInteger(), std::nullopt);
  EXPECT_EQ(event->attribute("i")->AsBoolean(), std::nullopt);
  EXPECT_EQ(event->attribute("i")->AsTimestamp(), std::nullopt);
  EXPECT_EQ(event->attribute("i")->AsBinary(), std::nullopt);
}

TEST(Rule012, BytesBecomeBase64AndBack) {
  const std::vector<std::byte> all = [] {
    std::vector<std::byte> bytes;
    for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<std::byte>(i));
    return bytes;
  }();
  constexpr std::array<std::string_view, 4> kTexts = {"",
                                                      "AA==", "AAE=", "AAEC"};
  for (std::size_t size = 0; size <= all.size(); ++size) {
    const std::span<const std::byte> bytes(all.data(), size);

    const Extension extension("x", bytes);
    const auto event =
        EventBuilder(test::MinEvent()).extension(extension).Build();

    ASSERT_TRUE(event) << event.error().message;
    const auto attribute = event->attribute("x");
    EXPECT_EQ(attribute->type, AttributeType::kBinary);
    if (size < kTexts.size()) {
      EXPECT_EQ(attribute->text, kTexts.at(size));
    }
    const auto back = attribute->AsBinary();
    ASSERT_TRUE(back) << attribute->text;
    const auto got = std::as_bytes(std::span(*back));
    EXPECT_TRUE(std::equal(got.begin(), got.end(), bytes.begin(), bytes.end()));
  }
  // What owns bytes is a Binary as well, and what owns characters is none.
  EXPECT_EQ(Extension("x", all).type, AttributeType::kBinary);
  EXPECT_EQ(Extension("x", std::array{std::byte{7}}).text, "Bw==");
  EXPECT_EQ(Extension("x", std::string("Bw==")).type, AttributeType::kString);
}

// Each of the seven types, from a value to its canonical text and back.
TEST(Rule012, EveryTypeConvertsBothWays) {
  const auto attribute = [](const Extension& extension) {
    return Attribute{extension.name, extension.text, extension.type};
  };
  for (const bool value : {true, false}) {
    const Extension extension("x", value);
    EXPECT_EQ(extension.text, value ? "true" : "false");
    EXPECT_EQ(attribute(extension).AsBoolean(), value);
  }
  for (const std::int32_t value :
       {0, 1, -1, 2'147'483'647, std::numeric_limits<std::int32_t>::min()}) {
    const Extension extension("x", value);
    EXPECT_EQ(extension.text, std::to_string(value));
    EXPECT_EQ(attribute(extension).AsInteger(), value);
  }
  for (const Timestamp& value :
       {Timestamp{0, 0, 0}, Timestamp{482'196'050, 520'000'000, 0},
        Timestamp{-1, 1, 1'439}, Timestamp{851'042'397, 999'999'999, -480}}) {
    const Extension extension("x", value);
    EXPECT_EQ(extension.type, AttributeType::kTimestamp);
    EXPECT_EQ(attribute(extension).AsTimestamp(), value) << extension.text;
  }
  for (const auto& [type, text] :
       std::vector<std::pair<AttributeType, std::string>>{
           {AttributeType::kString, "a \xE2\x82\xAC"},
           {AttributeType::kUri, "urn:a"},
           {AttributeType::kUriReference, "../a#b"}}) {
    const auto event =
        EventBuilder(test::MinEvent()).extension({"x", type, text}).Build();
    ASSERT_TRUE(event);
    EXPECT_EQ(event->extension("x"), text);
    EXPECT_EQ(event->attribute("x")->type, type);
  }
}

TEST(Rule012, TextThatIsNoValueIsNothing) {
  const auto attribute = [](const char* text, AttributeType type) {
    return Attribute{"x", text, type};
  };
  using enum AttributeType;
  for (const AttributeType type : {kString, kBoolean}) {
    for (const char* const text : {"", "1", "tru", "truee", " true"}) {
      EXPECT_EQ(attribute(text, type).AsBoolean(), std::nullopt) << text;
    }
  }
  for (const char* const text :
       {"", "-", "+1", "01", "1.0", "1e3", " 1", "2147483648", "-2147483649"}) {
    EXPECT_EQ(attribute(text, kInteger).AsInteger(), std::nullopt) << text;
  }
  for (const char* const text : {"A", "AA=", "AB==", "A-_=", "AA==\n"}) {
    EXPECT_EQ(attribute(text, kBinary).AsBinary(), std::nullopt) << text;
  }
  for (const char* const text :
       {"", "1985-04-12", "1985-04-12T23:20Z", "1985-04-12T23:20:50"}) {
    EXPECT_EQ(attribute(text, kTimestamp).AsTimestamp(), std::nullopt) << text;
  }
}

TEST(Rule012, TimeIsSettableFromText) {
  const auto event =
      EventBuilder(test::MinEvent()).time("1985-04-12T23:20:50.52Z").Build();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->time_text(), "1985-04-12T23:20:50.52Z");
  EXPECT_EQ(event->time()->seconds, 482'196'050);
  EXPECT_EQ(event->time()->nanoseconds, 520'000'000U);
  const auto broken = EventBuilder(test::MinEvent()).time("now").Build();
  EXPECT_THAT(BrokenRules(broken), ElementsAre(21));
}

TEST(Rule012, TextIsReadAsItsSendersWroteIt) {
  // A transport without types, and a sender that writes booleans its own way.
  const Attribute attribute{"a", "True", AttributeType::kString};
  EXPECT_EQ(attribute.AsBoolean(), true);
  const Attribute declared{"a", "True", AttributeType::kBoolean};
  EXPECT_EQ(declared.AsBoolean(), std::nullopt);
}

}  // namespace
}  // namespace cirro
