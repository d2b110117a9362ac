// Attributes as headers of HTTP: their names, and how values are written.

#include "cirro/http/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "support/http_decode.h"

namespace cirro {
namespace {

using test::DecodeHttp;
using test::ErrorOf;
using test::EventOf;
using ::testing::Contains;
using ::testing::ElementsAre;

const DecodeOptions kStrict{.strict = true};

// The four required headers, and more.
std::vector<HttpHeader> With(std::vector<HttpHeader> more) {
  std::vector<HttpHeader> headers = {{"ce-specversion", "1.0"},
                                     {"ce-id", "1"},
                                     {"ce-source", "/s"},
                                     {"ce-type", "t"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

// What `value` means as the header of an attribute without rules of its own.
std::string Read(std::string_view value, const DecodeOptions& options = {}) {
  const HttpContent content =
      DecodeHttp(With({{"ce-subject", value}}), {}, options);
  const Event* const event = std::get_if<Event>(&content.value);
  return event == nullptr ? "refused" : std::string(event->subject());
}

TEST(Rule035, EachAttributeIsAHeaderWhoseNameHasNoCase) {
  const HttpContent content =
      DecodeHttp({{"CE-SPECVERSION", "1.0"},
                  {"Ce-Id", "1"},
                  {"cE-sOuRcE", "/s"},
                  {"ce-type", "t"},
                  {"Ce-PartitionKey9", "Kept As It Is"}});

  EXPECT_EQ(EventOf(content).extension("partitionkey9"), "Kept As It Is");
}

TEST(Rule035, AHeaderThatCanNameNoAttributeIsIgnoredAndStrictRefusesIt) {
  for (const std::string_view name : {"ce-bad-extension", "ce-a_b", "ce-"}) {
    const HttpContent content = DecodeHttp(With({{name, "value"}}));
    EXPECT_EQ(EventOf(content).attribute_count(), 4U) << name;
    EXPECT_TRUE(Has(content.forgiven, Leniency::kIgnoredHeader)) << name;
    const Error error = ErrorOf(DecodeHttp(With({{name, "v"}}), {}, kStrict));
    EXPECT_EQ(error.code, ErrorCode::kInvalidEvent) << name;
    EXPECT_THAT(error.rules, ElementsAre(35)) << name;
  }
}

TEST(Rule035, AHeaderTwiceIsRefused) {
  EXPECT_THAT(ErrorOf(DecodeHttp(With({{"CE-Id", "2"}}))).rules, Contains(3));
  EXPECT_THAT(ErrorOf(DecodeHttp(With({{"ce-x", "a"}, {"ce-X", "a"}}))).rules,
              Contains(3));
  EXPECT_THAT(
      ErrorOf(DecodeHttp(With({{"content-type", "application/cloudevents+json"},
                               {"Content-Type", "text/plain"}})))
          .rules,
      Contains(3));
}

TEST(Rule036, AnotherHeaderForAnExtensionDoesNotReplaceItsOwn) {
  const Event event =
      EventOf(DecodeHttp(With({{"traceparent", "00-of-the-hop"},
                               {"ce-traceparent", "00-of-the-producer"}})));

  EXPECT_EQ(event.extension("traceparent"), "00-of-the-producer");
  EXPECT_EQ(EventOf(DecodeHttp(With({{"traceparent", "00-of-the-hop"}})))
                .extension("traceparent"),
            std::nullopt);
}

TEST(Rule037, ValuesAreWrittenEncodedAndNoMoreThanNeeded) {
  const auto written = [](std::string_view subject) {
    const auto event =
        EventBuilder().id("1").source("/s").type("t").subject(subject).Build();
    EXPECT_TRUE(event.has_value()) << subject;
    std::string lines;
    AppendBinaryHeaders(*event, lines);
    const std::size_t begin = lines.find("ce-subject: ") + 12;
    return lines.substr(begin, lines.find("\r\n", begin) - begin);
  };

  EXPECT_EQ(written("Euro \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "Euro%20%E2%82%AC%20%F0%9F%98%80");
  EXPECT_EQ(written("100% \"it\""), "100%25%20%22it%22");
  EXPECT_EQ(written("!#$&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~"),
            "!#$&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~");
}

TEST(Rule038, QuotedStringsAreUndoneThenOneRoundOfEscapes) {
  EXPECT_EQ(Read("\"  quoted  text  \"unquoted"), "  quoted  text  unquoted");
  EXPECT_EQ(Read(R"("escaped quote\"end")"), "escaped quote\"end");
  EXPECT_EQ(Read(R"("escaped backslash\\end")"), "escaped backslash\\end");
  EXPECT_EQ(Read(R"(non-escaping backslash\end)"),
            "non-escaping backslash\\end");
  EXPECT_EQ(Read(R"("a\%20b")"), "a b");
  EXPECT_EQ(Read("a%2520b"), "a%20b");
  EXPECT_EQ(Read("%22x%22"), "\"x\"");
  EXPECT_EQ(Read("needless %41%7a"), "needless Az");
  EXPECT_EQ(Read("%e2%82%aC"), "\xE2\x82\xAC");
  EXPECT_EQ(Read(" \t blanks around \t"), "blanks around");
}

TEST(Rule038, WhatDecodesToNoUtf8IsRefused) {
  for (const std::string_view value :
       {"%C0%A0", "%ED%A0%80", "%ED%B0%80", "%ED%A0%80%ED%B0%80", "%E2", "%82",
        "%E2x", "%E2%E2", "%F4%90%80%80", "%F0%8F%BF%BF", "%FF", "%E0%9F%BF"}) {
    EXPECT_THAT(ErrorOf(DecodeHttp(With({{"ce-subject", value}}))).rules,
                ElementsAre(38))
        << value;
  }
}

TEST(Rule038, BytesThatAreNotUtf8AreIso88591UnlessStrict) {
  const HttpContent content =
      DecodeHttp(With({{"ce-subject", "Gr\xFC\xDF%65"}}));
  EXPECT_EQ(EventOf(content).subject(),
            "Gr\xC3\xBC\xC3\x9F"
            "e");
  EXPECT_TRUE(Has(content.forgiven, Leniency::kLatin1));
  EXPECT_EQ(Read("Gr\xFC\xDF"
                 "e",
                 kStrict),
            "refused");

  EXPECT_EQ(Read("Gr\xC3\xBC\xC3\x9F"
                 "e",
                 kStrict),
            "Gr\xC3\xBC\xC3\x9F"
            "e");
}

TEST(Rule039, AMalformedEscapeMeansTheTextAsItCameUnlessStrict) {
  for (const std::string_view value :
       {"100%", "%0", "%g0", "%0g", "%0$", "%", "a%20b 100%", "\"open",
        "\"open \\", "say \"50%\""}) {
    const HttpContent content = DecodeHttp(With({{"ce-subject", value}}));
    EXPECT_EQ(EventOf(content).subject(), value);
    EXPECT_TRUE(Has(content.forgiven, Leniency::kLiteralValue)) << value;
    EXPECT_EQ(Read(value, kStrict), "refused") << value;
  }
  EXPECT_EQ(DecodeHttp(With({{"ce-subject", "a%20b"}})).forgiven,
            Leniency::kNone);
}

TEST(Rule039, AUriThatIsOneOnlyAsItCameIsTakenSoUnlessStrict) {
  const std::vector<HttpHeader> headers = {
      {"ce-specversion", "1.0"},
      {"ce-id", "1"},
      {"ce-source", "/a%20b"},
      {"ce-type", "t"},
      {"ce-dataschema", "https://example.com/%3Ca%3E"}};

  const HttpContent content = DecodeHttp(headers);
  EXPECT_EQ(EventOf(content).source(), "/a%20b");
  EXPECT_EQ(EventOf(content).dataschema(), "https://example.com/%3Ca%3E");
  EXPECT_TRUE(Has(content.forgiven, Leniency::kLiteralUri));
  EXPECT_EQ(ErrorOf(DecodeHttp(headers, {}, kStrict)).code,
            ErrorCode::kInvalidEvent);

  const HttpContent encoded = DecodeHttp({{"ce-specversion", "1.0"},
                                          {"ce-id", "1"},
                                          {"ce-source", "/a%2520b"},
                                          {"ce-type", "t"}});
  EXPECT_EQ(EventOf(encoded).source(), "/a%20b");
  EXPECT_EQ(encoded.forgiven, Leniency::kNone);
}

}  // namespace
}  // namespace cirro
