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
using ::testing::HasSubstr;

constexpr std::string_view kStructuredBody =
    R"({"specversion":"1.0","id":"body","source":"/b","type":"t.b"})";
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

TEST(Rule005, HeadersOfTheTransportAreNoAttributes) {
  const Event event = EventOf(DecodeHttp(With({{"Date", "today"},
                                               {"traceparent", "00-1-2-00"},
                                               {"cex", "1"},
                                               {"x-ce-y", "2"},
                                               {"ce", "3"}})));

  EXPECT_EQ(event.attribute_count(), 4U);
}

// 64 KiB on the wire, most of it data or most of it attributes.
TEST(Rule003, AnAttributeInTwoHeadersIsRefused) {
  for (const char* const name : {"ce-specversion", "ce-id", "ce-source",
                                 "ce-type", "CE-ID", "Ce-Type"}) {
    const Error error = ErrorOf(DecodeHttp(With({{name, "1.0"}})));
    EXPECT_THAT(error.rules, ElementsAre(3)) << name;
  }
  EXPECT_THAT(ErrorOf(DecodeHttp(With({{"ce-x", "a"}, {"ce-x", "a"}}))).rules,
              ElementsAre(3));
  EXPECT_THAT(ErrorOf(DecodeHttp(With({{"ce-x", ""}, {"CE-X", "a"}}))).rules,
              ElementsAre(3));
  EXPECT_EQ(EventOf(DecodeHttp(With({{"ce-x", "a"}, {"ce-xx", "a"}})))
                .attribute_count(),
            6U);
}

TEST(Rule008, WhatDecodesToAControlOrNoncharacterIsRefused) {
  for (const char* const value :
       {"%00", "%0d%0a", "a%1F", "%7f", "%C2%80", "%c2%9f", "%EF%B7%90",
        "%ef%bf%bf", "%F0%9F%BF%BE", "\xC2\x85"}) {
    EXPECT_THAT(ErrorOf(DecodeHttp(With({{"ce-x", value}}))).rules,
                ElementsAre(8))
        << value;
  }
  EXPECT_EQ(Read("%20%7E%C2%A0%EF%BF%BD%F0%9F%98%80"),
            " ~\xC2\xA0\xEF\xBF\xBD\xF0\x9F\x98\x80");
}

TEST(Rule022, AnEventOf64KiBIsSentOn) {
  const std::string text(1'000, 'a');
  std::vector<std::string> names;
  for (int i = 0; i < 64; ++i) names.push_back("x" + std::to_string(i));
  EventBuilder wide;
  wide.id("1").source("/s").type("t");
  for (const std::string& name : names) wide.extension({name, text});
  const auto deep = EventBuilder()
                        .id("1")
                        .source("/s")
                        .type("t")
                        .data(Text(std::string(65'000, 'a')))
                        .Build();
  for (const Event& event : {*wide.Build(), *deep}) {
    for (const ContentMode mode :
         {ContentMode::kBinary, ContentMode::kStructured}) {
      std::string lines;
      std::string buffer;
      const std::string_view body = EncodeHttp(mode, event, lines, buffer);

      EXPECT_GT(lines.size() + body.size(), 64'000U);
      EXPECT_EQ(EventOf(DecodeHttp(test::SplitHeaderLines(lines), body)),
                event);
    }
  }
}

TEST(Rule023, AnEventOf64KiBIsTakenAndTheBoundIsASetting) {
  DecodeOptions options;
  options.max_attribute_value_bytes = 10;

  EXPECT_EQ(EventOf(DecodeHttp(With({{"ce-x", std::string(60'000, 'a')}})))
                .extension("x")
                ->size(),
            60'000U);
  EXPECT_EQ(
      ErrorOf(DecodeHttp(With({{"ce-x", "12345678901"}}), {}, options)).code,
      ErrorCode::kTooLarge);
}

TEST(Rule025, CredentialsOfARequestAreNoAttributes) {
  const HttpContent content =
      DecodeHttp(With({{"Authorization", "Bearer secret"},
                       {"Proxy-Authorization", "Basic secret"},
                       {"Cookie", "session=secret"},
                       {"X-Api-Key", "secret"},
                       {"content-type", "application/json"}}),
                 R"({"a":1})");

  const Event event = EventOf(content);
  EXPECT_EQ(event.attribute_count(), 5U);
  for (const ContentMode mode :
       {ContentMode::kBinary, ContentMode::kStructured, ContentMode::kBatch}) {
    std::string lines;
    std::string buffer;
    const std::string_view body = EncodeHttp(mode, event, lines, buffer);
    EXPECT_EQ(lines.find("secret"), lines.npos) << lines;
    EXPECT_EQ(body.find("secret"), body.npos) << body;
  }
}

TEST(Rule025, ErrorsNeverQuoteTheBodyOrOtherHeaders) {
  const std::string type = "application/cloudevents+json";
  for (const std::string_view body : {R"({"password":"secret")", R"("secret")",
                                      R"({"specversion":"1.0",)"
                                      R"("data":"secret"})"}) {
    const Error error = ErrorOf(DecodeHttp(
        {{"content-type", type}, {"authorization", "Bearer secret"}}, body));
    EXPECT_EQ(error.message.find("secret"), std::string::npos) << error.message;
  }
  const Error error = ErrorOf(
      DecodeHttp({{"ce-id", "1"}, {"cookie", "secret"}}, "password=secret"));
  EXPECT_EQ(error.message.find("secret"), std::string::npos) << error.message;
}

TEST(Rule026, AttributesThatNobodyKnowsAreSentOn) {
  const Event event = EventOf(DecodeHttp(With({{"Ce-Comacmething", "42"}})));

  std::string lines;
  AppendBinaryHeaders(event, lines);

  EXPECT_THAT(lines, HasSubstr("ce-comacmething: 42\r\n"));
}

TEST(Rule028, StructuredAndBinaryModeAreSpoken) {
  EXPECT_EQ(DecodeHttp(With({})).mode, ContentMode::kBinary);
  EXPECT_EQ(EventOf(DecodeHttp(With({}))).id(), "1");
  const HttpContent structured = DecodeHttp(
      {{"content-type", "application/cloudevents+json"}}, kStructuredBody);
  EXPECT_EQ(structured.mode, ContentMode::kStructured);
  EXPECT_EQ(EventOf(structured).id(), "body");
}

TEST(Rule029, TheMediaTypeNamesTheModeInAnyCaseBatchFirst) {
  const std::string batch = "[" + std::string(kStructuredBody) + "]";
  for (const std::string_view type :
       {"application/cloudevents-batch+json",
        "Application/CloudEvents-Batch+JSON; charset=utf-8",
        " application/cloudevents-batch+json ;charset=utf-8"}) {
    const HttpContent content = DecodeHttp({{"Content-Type", type}}, batch);
    EXPECT_EQ(content.mode, ContentMode::kBatch) << type;
    EXPECT_TRUE(
        std::holds_alternative<std::vector<Result<Event>>>(content.value))
        << type;
  }
  for (const std::string_view type :
       {"application/cloudevents+json",
        "APPLICATION/CLOUDEVENTS+JSON; charset=UTF-8",
        "application/cloudevents+json\t; charset=utf-8"}) {
    const HttpContent content =
        DecodeHttp({{"CONTENT-TYPE", type}}, kStructuredBody);
    EXPECT_EQ(content.mode, ContentMode::kStructured) << type;
    EXPECT_EQ(EventOf(content).id(), "body") << type;
  }
}

TEST(Rule030, AnUnknownEventFormatIsUnsupported) {
  for (const std::string_view type :
       {"application/cloudevents", "application/cloudevents+xml",
        "application/cloudevents+jsonx", "application/cloudeventstrailing",
        "application/cloudevents-batch", "application/cloudevents-batch+xml",
        "application/cloudevents-batchtrailing"}) {
    // The mode is settled by the media type even where headers would do.
    const Error error =
        ErrorOf(DecodeHttp(With({{"content-type", type}}), kStructuredBody));
    EXPECT_EQ(error.code, ErrorCode::kUnsupported) << type;
    EXPECT_THAT(error.message, HasSubstr(type));
  }
}

TEST(Rule031, NeitherHeadersNorMediaTypeIsNoEvent) {
  for (const std::string_view type :
       {"application/json", "text/plain", "application/octet-stream", ""}) {
    const HttpContent content =
        DecodeHttp({{"content-type", type}, {"x-ce-id", "1"}}, kStructuredBody);
    EXPECT_EQ(content.mode, ContentMode::kNone) << type;
    EXPECT_EQ(ErrorOf(content).code, ErrorCode::kUnsupported) << type;
  }
  EXPECT_EQ(ErrorOf(DecodeHttp({}, "x")).code, ErrorCode::kUnsupported);
}

TEST(Rule031, SomeOfTheHeadersAreABrokenEvent) {
  for (const HttpHeader& header : With({})) {
    const HttpContent content = DecodeHttp({header});
    EXPECT_EQ(content.mode, ContentMode::kBinary);
    EXPECT_EQ(ErrorOf(content).code, ErrorCode::kInvalidEvent) << header.name;
  }
}

TEST(Rule032, ABatchIsBounded) {
  DecodeOptions options;
  options.max_batch_events = 1;
  const std::string event(kStructuredBody);
  const std::vector<HttpHeader> headers = {
      {"content-type", "application/cloudevents-batch+json"}};

  EXPECT_EQ(
      ErrorOf(DecodeHttp(headers, "[" + event + "," + event + "]", options))
          .code,
      ErrorCode::kTooLarge);
  const HttpContent one = DecodeHttp(headers, "[" + event + "]", options);
  EXPECT_EQ(std::get<std::vector<Result<Event>>>(one.value).size(), 1U);
}

TEST(Rule032, TheBoundIsTheSettingItself) {
  const std::vector<HttpHeader> headers = {
      {"content-type", "application/cloudevents-batch+json"}};
  for (const std::size_t bound : {1U, 2U, 7U, 1'000U}) {
    DecodeOptions options;
    options.max_batch_events = bound;
    std::string events(kStructuredBody);
    for (std::size_t i = 1; i < bound; ++i) {
      events += ',';
      events += kStructuredBody;
    }

    const HttpContent most = DecodeHttp(headers, "[" + events + "]", options);
    const Error over =
        ErrorOf(DecodeHttp(headers, "[" + events + ",7]", options));

    EXPECT_EQ(std::get<std::vector<Result<Event>>>(most.value).size(), bound);
    EXPECT_EQ(over.code, ErrorCode::kTooLarge);
    EXPECT_THAT(over.message,
                HasSubstr("max_batch_events = " + std::to_string(bound)));
  }
}

TEST(Rule033, WhatIsWrittenIsReadInEachMode) {
  const Event event = EventOf(DecodeHttp(
      With({{"content-type", "application/json"}, {"ce-subject", "a%20b"}}),
      R"({"a":1})"));
  for (const ContentMode mode :
       {ContentMode::kBinary, ContentMode::kStructured, ContentMode::kBatch}) {
    std::string lines;
    std::string buffer;
    const std::string_view body = EncodeHttp(mode, event, lines, buffer);

    const HttpContent back =
        DecodeHttp(test::SplitHeaderLines(lines), body, kStrict);

    ASSERT_EQ(back.mode, mode);
    if (mode == ContentMode::kBatch) {
      const auto& members = std::get<std::vector<Result<Event>>>(back.value);
      ASSERT_EQ(members.size(), 1U);
      EXPECT_EQ(*members[0], event);
    } else {
      EXPECT_EQ(EventOf(back), event);
    }
  }
}

TEST(Rule034, ContentTypeIsDatacontenttypeAndTheBodyIsTheData) {
  const HttpContent content =
      DecodeHttp(With({{"Content-Type", "Text/Plain; charset=\"utf-8\""}}),
                 "100% of \"it\"");

  EXPECT_EQ(EventOf(content).datacontenttype(),
            "Text/Plain; charset=\"utf-8\"");
  EXPECT_EQ(EventOf(content).data(), "100% of \"it\"");
  EXPECT_EQ(EventOf(content).data_kind(), DataKind::kText);
}

// The grammar allows them, so strict does, too.
TEST(Rule034, AContentTypeMayHaveEmptyParameters) {
  for (const std::string_view type : {"application/json;", "a/b;;c=d"}) {
    const HttpContent content =
        DecodeHttp(With({{"Content-Type", type}}), "{}", kStrict);
    EXPECT_EQ(EventOf(content).datacontenttype(), type);
  }
}

TEST(Rule034, DatacontenttypeIsNotAHeaderOfItsOwn) {
  const auto headers = With({{"content-type", "text/plain"},
                             {"ce-datacontenttype", "application/json"}});

  const HttpContent content = DecodeHttp(headers, "{}");
  EXPECT_EQ(EventOf(content).datacontenttype(), "text/plain");
  EXPECT_TRUE(Has(content.forgiven, Leniency::kIgnoredHeader));
  EXPECT_THAT(ErrorOf(DecodeHttp(headers, "{}", kStrict)).rules, Contains(34));

  std::string lines;
  AppendBinaryHeaders(EventOf(content), lines);
  EXPECT_THAT(lines, HasSubstr("content-type: text/plain\r\n"));
  EXPECT_THAT(lines, ::testing::Not(HasSubstr("datacontenttype")));
}

TEST(Rule034, AnEmptyBodyIsNoData) {
  EXPECT_FALSE(EventOf(DecodeHttp(With({{"content-type", "application/json"}})))
                   .has_data());
}

TEST(Rule040, TheBodyOfAStructuredMessageWinsOverHeaders) {
  const HttpContent content =
      DecodeHttp(With({{"content-type", "application/cloudevents+json"}}),
                 kStructuredBody);

  EXPECT_EQ(content.mode, ContentMode::kStructured);
  EXPECT_EQ(EventOf(content).id(), "body");
}

TEST(Rule041, ABatchHasItsOwnMediaTypeAndMayBeEmpty) {
  const std::vector<HttpHeader> headers = {
      {"content-type", "application/cloudevents-batch+json"}};

  const HttpContent empty = DecodeHttp(headers, "[]");
  EXPECT_TRUE(std::get<std::vector<Result<Event>>>(empty.value).empty());
  const HttpContent mixed = DecodeHttp(
      headers, "[" + std::string(kStructuredBody) + R"(,{"id":"2"}])");
  const auto& members = std::get<std::vector<Result<Event>>>(mixed.value);
  ASSERT_EQ(members.size(), 2U);
  EXPECT_TRUE(members[0].has_value());
  EXPECT_FALSE(members[1].has_value());

  EXPECT_EQ(ErrorOf(DecodeHttp(headers, kStructuredBody)).code,
            ErrorCode::kInvalidEvent);
  EXPECT_EQ(
      ErrorOf(DecodeHttp({{"content-type", "application/cloudevents+json"}},
                         "[" + std::string(kStructuredBody) + "]"))
          .code,
      ErrorCode::kInvalidEvent);
}

TEST(Rule056, AnEventWithoutContentTypeAndPayloadIsTaken) {
  const Event event = EventOf(DecodeHttp(With({}), {}, kStrict));

  EXPECT_EQ(event.datacontenttype(), "");
  EXPECT_FALSE(event.has_data());
}

TEST(Rule127, MediaTypesHaveNoLetterCase) {
  const Event event = EventOf(DecodeHttp(
      With({{"content-type", "APPLICATION/JSON; Charset=UTF-8"}}), "{}"));

  EXPECT_EQ(event.data_kind(), DataKind::kJson);
}

TEST(Rule128, AnOldVersionIsRefusedAndNamed) {
  const Error error = ErrorOf(DecodeHttp({{"ce-specversion", "0.3"},
                                          {"ce-id", "1"},
                                          {"ce-source", "/s"},
                                          {"ce-type", "t"}}));

  EXPECT_EQ(error.code, ErrorCode::kInvalidEvent);
  EXPECT_THAT(error.rules, ElementsAre(15));
  EXPECT_THAT(error.message, HasSubstr("0.3"));
}

TEST(HttpDecoder, ForgetsABrokenMessage) {
  const DecodeOptions options;
  HttpDecoder decoder(options);
  const std::vector<HttpHeader> broken = {{"ce-id", "%FF"}, {"ce-x", "1"}};

  EXPECT_FALSE(std::holds_alternative<Event>(decoder.Decode(broken, {}).value));

  EXPECT_EQ(EventOf(decoder.Decode(With({}), {})).attribute_count(), 4U);
}

TEST(HttpDecoder, NamesEveryBrokenHeader) {
  const Error error = ErrorOf(
      DecodeHttp({{"ce-id", "a%FF"}, {"ce-subject", ""}, {"ce-time", "now"}}));

  EXPECT_EQ(error.code, ErrorCode::kInvalidEvent);
  EXPECT_THAT(error.rules, ElementsAre(14, 15, 16, 20, 21, 38));
  EXPECT_THAT(error.message, HasSubstr("a%FF"));
}

TEST(HttpDecoder, BoundsTheEvent) {
  DecodeOptions options;
  options.max_event_bytes = 1'000;
  const std::string large(1'001, 'a');

  EXPECT_EQ(ErrorOf(DecodeHttp(With({}), large, options)).code,
            ErrorCode::kTooLarge);
  EXPECT_TRUE(EventOf(DecodeHttp(With({}), "a", options)).has_data());
}

TEST(HttpDecoder, ChecksDeclaredExtensionTypes) {
  DecodeOptions options;
  options.extension_types = {{"count", AttributeType::kInteger},
                             {"link", AttributeType::kUriReference}};

  const Event event = EventOf(DecodeHttp(
      With({{"ce-Count", "%37"}, {"ce-link", "/a%20b"}}), {}, options));
  EXPECT_EQ(event.attribute("count")->type, AttributeType::kInteger);
  EXPECT_EQ(event.attribute("count")->AsInteger(), 7);
  EXPECT_EQ(event.extension("link"), "/a%20b");
  EXPECT_EQ(ErrorOf(DecodeHttp(With({{"ce-count", "7.0"}}), {}, options)).code,
            ErrorCode::kInvalidEvent);
}

}  // namespace
}  // namespace cirro
