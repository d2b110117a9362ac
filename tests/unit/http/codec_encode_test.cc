// What a message of an event is like.

#include "cirro/http/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "support/http_decode.h"

namespace cirro {
namespace {

using test::DecodeHttp;
using test::EventOf;
using ::testing::HasSubstr;

constexpr std::string_view kStructuredBody =
    R"({"specversion":"1.0","id":"body","source":"/b","type":"t.b"})";

// The four required headers, and more.
std::vector<HttpHeader> With(std::vector<HttpHeader> more) {
  std::vector<HttpHeader> headers = {{"ce-specversion", "1.0"},
                                     {"ce-id", "1"},
                                     {"ce-source", "/s"},
                                     {"ce-type", "t"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

TEST(EncodeHttp, SendsDataThatIsAnEventFormatInAStructuredMessage) {
  const Event event = *EventBuilder()
                           .id("1")
                           .source("/s")
                           .type("t")
                           .data({std::string(kStructuredBody), DataKind::kJson,
                                  "Application/CloudEvents+json"})
                           .Build();
  std::string lines;
  std::string buffer;

  const std::string_view body =
      EncodeHttp(ContentMode::kBinary, event, lines, buffer);

  EXPECT_FALSE(FitsBinaryMode(event));
  EXPECT_EQ(lines, kStructuredHeaderLine);
  EXPECT_EQ(EventOf(DecodeHttp(test::SplitHeaderLines(lines), body)), event);
}

Event TextFromJson(std::string_view type, std::string_view data) {
  return EventOf(DecodeHttp(
      {{"content-type", kJsonMediaType}},
      R"({"specversion":"1.0","id":"1","source":"/s","type":"t",)"
      R"("datacontenttype":")" +
          std::string(type) + R"(","data":")" + std::string(data) + "\"}"));
}

// A string of the JSON format is UTF-8 here, whatever its media type says.
TEST(EncodeHttp, SendsTextThatIsNotInItsCharsetInAStructuredMessage) {
  for (const char* const type :
       {"text/plain; charset=iso-8859-1", "text/plain;Charset=ISO-8859-15",
        "text/plain; charset=us-ascii", "a/b; charset=\\\"windows-1252\\\""}) {
    const Event event = TextFromJson(type, "\xC3\xA9");
    std::string lines;
    std::string buffer;

    const std::string_view body =
        EncodeHttp(ContentMode::kBinary, event, lines, buffer);

    EXPECT_FALSE(FitsBinaryMode(event)) << type;
    EXPECT_EQ(lines, kStructuredHeaderLine) << type;
    EXPECT_EQ(EventOf(DecodeHttp(test::SplitHeaderLines(lines), body)), event);
  }
  EXPECT_FALSE(FitsBinaryMode(TextFromJson("text/plain;charset=utf-16", "a")));
}

TEST(EncodeHttp, SendsTextThatIsInItsCharsetInBinaryMode) {
  for (const char* const type :
       {"text/plain", "text/plain; charset=UTF-8",
        "text/plain; charset=\\\"utf-8\\\"", "text/plain;"}) {
    EXPECT_TRUE(FitsBinaryMode(TextFromJson(type, "\xC3\xA9"))) << type;
  }
  // ASCII is the same in these.
  for (const char* const type :
       {"text/plain; charset=us-ascii", "text/plain; charset=ISO-8859-1"}) {
    EXPECT_TRUE(FitsBinaryMode(TextFromJson(type, "a"))) << type;
  }
  // JSON is UTF-8, and its charset means nothing. RFC 8259
  EXPECT_TRUE(FitsBinaryMode(
      TextFromJson("application/json; charset=utf-16", "\xC3\xA9")));
  // As it came, in its charset.
  EXPECT_TRUE(FitsBinaryMode(EventOf(DecodeHttp(
      With({{"content-type", "text/plain; charset=iso-8859-1"}}), "\xE9"))));
}

TEST(AppendBinaryHeaders, WritesTheTypeThatTheJsonFormatImplied) {
  const HttpContent content = DecodeHttp(
      {{"content-type", "application/cloudevents+json"}},
      R"({"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":1}})");

  std::string lines;
  AppendBinaryHeaders(EventOf(content), lines);

  EXPECT_THAT(lines, HasSubstr("content-type: application/json\r\n"));
}

}  // namespace
}  // namespace cirro
