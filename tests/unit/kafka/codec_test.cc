#include "cirro/kafka/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "support/event_fixtures.h"
#include "support/kafka_decode.h"

namespace cirro {
namespace {

using test::DecodeKafka;
using test::ErrorOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr std::string_view kStructured = "application/cloudevents+json";
constexpr std::string_view kBody =
    R"({"specversion":"1.0","id":"body","source":"/b","type":"t.b"})";
const DecodeOptions kStrict{.strict = true};

// The four required headers, and more.
std::vector<KafkaHeader> With(std::vector<KafkaHeader> more) {
  std::vector<KafkaHeader> headers = {{"ce_specversion", "1.0"},
                                      {"ce_id", "1"},
                                      {"ce_source", "/s"},
                                      {"ce_type", "t"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

const Event& EventOf(const KafkaContent& content) {
  return test::EventOf(content);
}

std::vector<std::string> NamesOf(const KafkaDraft& draft) {
  std::vector<std::string> names;
  for (const auto& header : draft.headers) names.push_back(header.name);
  return names;
}

TEST(Rule003, AnAttributeInTwoHeadersIsRefused) {
  for (const char* const name : {"ce_id", "ce_subject"}) {
    auto headers = With({{"ce_subject", "a"}, {name, "a"}});

    const Error error = ErrorOf(DecodeKafka(headers));

    EXPECT_EQ(error.code, ErrorCode::kInvalidEvent) << name;
    EXPECT_THAT(error.rules, Contains(3)) << name;
  }
}

TEST(Rule003, ASecondContentTypeIsRefused) {
  const auto content = DecodeKafka(With(
      {{"content-type", "text/plain"}, {"content-type", "application/json"}}));

  EXPECT_THAT(ErrorOf(content).rules, ElementsAre(3));
}

TEST(Rule005, OtherHeadersAreNoAttributesAndAreKept) {
  const auto content = DecodeKafka(
      With({{"ce", "1"}, {"app", "x"}, {"app", "y"}, {"x_ce_y", "2"}}));

  EXPECT_EQ(EventOf(content).attribute_count(), 4U);
  ASSERT_NE(content.original, nullptr);
  EXPECT_EQ(content.original->bytes, std::nullopt);
  EXPECT_THAT(content.original->headers,
              ElementsAre(Pair("ce", "1"), Pair("app", "x"), Pair("app", "y"),
                          Pair("x_ce_y", "2")));
}

TEST(Rule008, AValueThatIsNotUtf8IsRefused) {
  const auto content = DecodeKafka(With({{"ce_subject", "\xE4"}}), "data");

  const auto* const malformed = std::get_if<Malformed>(&content.value);
  ASSERT_NE(malformed, nullptr);
  EXPECT_EQ(malformed->error.code, ErrorCode::kInvalidEvent);
  EXPECT_EQ(malformed->bytes, "data");
  EXPECT_THAT(malformed->headers, Contains(Pair("ce_subject", "\xE4")));
}

TEST(Rule070, ABatchIsRefusedForThereIsNoBatchMode) {
  const auto content = DecodeKafka(
      std::vector<KafkaHeader>{
          {"content-type", "application/cloudevents-batch+json"}},
      "[]");

  EXPECT_EQ(ErrorOf(content).code, ErrorCode::kUnsupported);
  EXPECT_THAT(ErrorOf(content).rules, ElementsAre(70));
}

TEST(Rule070, AnEventFormatThatIsNotKnownIsNamed) {
  const auto content = DecodeKafka(
      std::vector<KafkaHeader>{{"content-type", "application/cloudevents+xml"}},
      "<x/>");

  EXPECT_EQ(ErrorOf(content).code, ErrorCode::kUnsupported);
  EXPECT_THAT(ErrorOf(content).message,
              HasSubstr("application/cloudevents+xml"));
}

TEST(Rule071, TheContentTypeSaysStructuredInAnyCase) {
  for (const char* const type :
       {"application/cloudevents+json", "Application/CloudEvents+JSON",
        "application/cloudevents+json; charset=utf-8"}) {
    const auto content =
        DecodeKafka(std::vector<KafkaHeader>{{"content-type", type}}, kBody);

    EXPECT_EQ(content.mode, ContentMode::kStructured) << type;
    EXPECT_EQ(EventOf(content).id(), "body") << type;
  }
}

TEST(Rule071, TheBodyOfAStructuredRecordWinsOverItsHeaders) {
  const auto content =
      DecodeKafka(With({{"content-type", kStructured}}), kBody, kStrict);

  EXPECT_EQ(EventOf(content).id(), "body");
}

TEST(Rule071, WithoutEitherSignThereIsNoEvent) {
  const auto content = DecodeKafka(
      std::vector<KafkaHeader>{{"content-type", "application/json"}}, "{}");

  EXPECT_EQ(content.mode, ContentMode::kNone);
  EXPECT_EQ(ErrorOf(content).code, ErrorCode::kUnsupported);
  EXPECT_THAT(ErrorOf(content).rules, ElementsAre(71));
}

TEST(Rule072, ValuesAreTakenAsTheyAreWithoutPercentDecoding) {
  const auto content = DecodeKafka(
      With({{"ce_subject", "100%20 \"\xE2\x82\xAC\" "}}), {}, kStrict);

  EXPECT_EQ(EventOf(content).subject(), "100%20 \"\xE2\x82\xAC\" ");
}

TEST(Rule072, HeadersGoOutAsTheyAre) {
  const Event event = test::MustBuild(
      EventBuilder(test::MinEvent()).subject("50% \"\xE2\x82\xAC\""));
  KafkaDraft draft;

  EncodeKafka(ContentMode::kBinary, event, draft);

  EXPECT_THAT(NamesOf(draft),
              ElementsAre("ce_specversion", "ce_id", "ce_source", "ce_type",
                          "ce_subject"));
  EXPECT_EQ(draft.headers[4].value, "50% \"\xE2\x82\xAC\"");
}

TEST(Rule072, UpperCaseNamesAreForgivenUnlessStrict) {
  const std::vector<KafkaHeader> headers = {{"CE_SpecVersion", "1.0"},
                                            {"Ce_Id", "1"},
                                            {"ce_source", "/s"},
                                            {"ce_TYPE", "t"}};

  EXPECT_EQ(EventOf(DecodeKafka(headers)).type(), "t");
  EXPECT_THAT(ErrorOf(DecodeKafka(headers, {}, kStrict)).rules, Contains(72));
}

TEST(Rule072, AHeaderThatNamesNoAttributeIsPassedOverUnlessStrict) {
  const auto headers = With({{"ce_a-b", "1"}, {"ce_", "2"}});

  const auto content = DecodeKafka(headers);

  EXPECT_EQ(EventOf(content).attribute_count(), 4U);
  EXPECT_THAT(content.original->headers,
              ElementsAre(Pair("ce_a-b", "1"), Pair("ce_", "2")));
  EXPECT_THAT(ErrorOf(DecodeKafka(headers, {}, kStrict)).rules, Contains(72));
}

TEST(Rule073, TheContentTypeIsTheDatacontenttypeAndTheValueTheData) {
  const auto content =
      DecodeKafka(With({{"content-type", "application/json"}}), R"({"a":1})");

  EXPECT_EQ(content.mode, ContentMode::kBinary);
  EXPECT_EQ(EventOf(content).datacontenttype(), "application/json");
  EXPECT_EQ(EventOf(content).data(), R"({"a":1})");
  EXPECT_EQ(content.original, nullptr);
}

TEST(Rule073, ADatacontenttypeHeaderIsPassedOverUnlessStrict) {
  const auto headers = With(
      {{"content-type", "text/plain"}, {"ce_datacontenttype", "text/html"}});

  EXPECT_EQ(EventOf(DecodeKafka(headers, "x")).datacontenttype(), "text/plain");
  EXPECT_THAT(ErrorOf(DecodeKafka(headers, "x", kStrict)).rules, Contains(73));
}

TEST(Rule074, NoValueIsNoDataAndAnEmptyValueIsEmptyData) {
  const auto headers = With({{"content-type", "text/plain"}});

  EXPECT_FALSE(EventOf(DecodeKafka(headers, std::nullopt)).has_data());
  EXPECT_TRUE(EventOf(DecodeKafka(headers, "")).has_data());
}

TEST(Rule074, AnEventWithoutDataHasNoValueInBinaryMode) {
  const Event none = test::MinEvent();
  const Event empty = test::MustBuild(EventBuilder(none).data(Text("")));
  KafkaDraft draft;

  EncodeKafka(ContentMode::kBinary, none, draft);
  EXPECT_EQ(draft.value, std::nullopt);
  EncodeKafka(ContentMode::kBinary, empty, draft);
  EXPECT_EQ(draft.value, "");
}

TEST(Rule074, AnEventInStructuredModeIsNeverATombstone) {
  KafkaDraft draft;

  EncodeKafka(ContentMode::kStructured, test::MinEvent(), draft);

  ASSERT_TRUE(draft.value);
  EXPECT_THAT(std::string(*draft.value), HasSubstr(R"("id":"min-1")"));
}

TEST(Rule074, ATombstoneWithoutAttributesIsMalformedAndHasNoBytes) {
  const auto content = DecodeKafka(std::vector<KafkaHeader>{});

  const auto* const malformed = std::get_if<Malformed>(&content.value);
  ASSERT_NE(malformed, nullptr);
  EXPECT_FALSE(malformed->has_bytes);
}

TEST(Rule074, AStructuredRecordWithoutAValueIsMalformed) {
  const auto content =
      DecodeKafka(std::vector<KafkaHeader>{{"content-type", kStructured}});

  EXPECT_THAT(ErrorOf(content).rules, ElementsAre(74));
  EXPECT_FALSE(std::get<Malformed>(content.value).has_bytes);
}

TEST(Rule075, TheRecordKeyDoesNotChangeTheEvent) {
  const auto headers = With({});
  const DecodeOptions options;
  KafkaDecoder decoder(options);

  const auto content =
      decoder.Decode({.key = "customer-7", .headers = headers});

  EXPECT_EQ(EventOf(content).extension("partitionkey"), std::nullopt);
  EXPECT_EQ(EventOf(content).attribute_count(), 4U);
}

TEST(KafkaOriginal, OfAStructuredRecordIsItsValueAndEachHeader) {
  const auto content = DecodeKafka(
      std::vector<KafkaHeader>{{"content-type", kStructured}, {"app", "x"}},
      kBody);

  ASSERT_NE(content.original, nullptr);
  EXPECT_EQ(content.original->bytes, kBody);
  EXPECT_THAT(content.original->headers,
              ElementsAre(Pair("content-type", kStructured), Pair("app", "x")));
  EXPECT_FALSE(content.original->dead_letter);
}

TEST(KafkaOriginal, KnowsADeadLetterByItsHeaders) {
  const auto content =
      DecodeKafka(With({{"cirro-dlq-reason", "exhausted"}}), "x");

  ASSERT_NE(content.original, nullptr);
  EXPECT_TRUE(content.original->dead_letter);
}

TEST(KafkaOriginal, KnowsADeadLetterThatIsNoEvent) {
  const auto content = DecodeKafka(
      std::vector<KafkaHeader>{{"cirro-dlq-reason", "malformed"}}, "x");

  ASSERT_NE(content.original, nullptr);
  EXPECT_TRUE(content.original->dead_letter);
}

TEST(KafkaOriginal, NamesTheFunctionOfARedrivenRecord) {
  const auto content = DecodeKafka(With({{"cirro-redrive-function", "audit"}}));

  ASSERT_NE(content.original, nullptr);
  EXPECT_EQ(content.original->function, "audit");
  EXPECT_FALSE(content.original->dead_letter);
  EXPECT_TRUE(content.original->headers.empty());
}

TEST(KafkaTrace, IsTheHeadersAndNotAnAttribute) {
  constexpr std::string_view kParent =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  const auto content =
      DecodeKafka(With({{"traceparent", kParent}, {"tracestate", "a=1"}}));

  EXPECT_EQ(content.trace.traceparent, kParent);
  EXPECT_EQ(content.trace.tracestate, "a=1");
  EXPECT_EQ(EventOf(content).extension("traceparent"), std::nullopt);
}

TEST(EncodeKafka, SendsAnEventAsDataInAStructuredMessage) {
  const Event event = test::MustBuild(
      EventBuilder(test::MinEvent())
          .data(Text("\xC3\xA4", "application/cloudevents+json")));
  KafkaDraft draft;

  EncodeKafka(ContentMode::kBinary, event, draft);

  EXPECT_EQ(draft.headers[0].value, kStructured);
}

TEST(KafkaLetter, IsTheBinaryRecordAsItCameAndWhy) {
  const auto headers = With({{"content-type", "text/plain"}, {"app", "x"}});
  const auto content = DecodeKafka(headers, "data");
  const DeadLetter letter{EventOf(content), content.original, "k", {}};
  const MessageHeaders why = {{"cirro-dlq-reason", "rejected"}};
  KafkaDraft draft;

  EncodeKafkaLetter(letter, why, draft);

  EXPECT_EQ(draft.value, "data");
  EXPECT_THAT(NamesOf(draft),
              ElementsAre("ce_specversion", "ce_id", "ce_source", "ce_type",
                          "content-type", "app", "cirro-dlq-reason"));
}

TEST(KafkaLetter, OfAStructuredRecordIsItByteByByte) {
  const std::string body = std::string(kBody) + " \n";
  const auto content = DecodeKafka(
      std::vector<KafkaHeader>{{"app", "x"}, {"content-type", kStructured}},
      body);
  const DeadLetter letter{EventOf(content), content.original, {}, {}};
  const MessageHeaders why = {{"cirro-dlq-reason", "rejected"}};
  KafkaDraft draft;

  EncodeKafkaLetter(letter, why, draft);

  EXPECT_EQ(draft.value, body);
  EXPECT_THAT(NamesOf(draft),
              ElementsAre("app", "content-type", "cirro-dlq-reason"));
}

TEST(KafkaLetter, DoesNotRepeatWhatAnEarlierLetterSaid) {
  const auto content =
      DecodeKafka(With({{"cirro-dlq-reason", "crashed"}, {"app", "x"}}));
  const DeadLetter letter{EventOf(content), content.original, {}, {}};
  const MessageHeaders why = {{"cirro-dlq-reason", "rejected"}};
  KafkaDraft draft;

  EncodeKafkaLetter(letter, why, draft);

  EXPECT_THAT(NamesOf(draft),
              ElementsAre("ce_specversion", "ce_id", "ce_source", "ce_type",
                          "app", "cirro-dlq-reason"));
  EXPECT_EQ(draft.headers.back().value, "rejected");
}

TEST(KafkaLetter, OfATombstoneIsATombstone) {
  const DeadLetter letter{
      Malformed{{}, {{"app", "x"}}, {ErrorCode::kUnsupported, "no"}, false},
      nullptr,
      {},
      {}};
  const MessageHeaders why = {{"cirro-dlq-reason", "malformed"}};
  KafkaDraft draft;
  draft.value = "left over";

  EncodeKafkaLetter(letter, why, draft);

  EXPECT_EQ(draft.value, std::nullopt);
  EXPECT_THAT(NamesOf(draft), ElementsAre("app", "cirro-dlq-reason"));
}

}  // namespace
}  // namespace cirro
