#include "cirro/nats/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "support/event_fixtures.h"

namespace cirro {
namespace {

using test::FullEvent;
using test::MinEvent;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr std::string_view kJsonEvent =
    R"({"specversion":"1.0","id":"body","source":"/b","type":"t.b"})";
constexpr std::string_view kTrace =
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::vector<NatsHeader> With(std::vector<NatsHeader> more) {
  std::vector<NatsHeader> headers = {{"ce-specversion", "1.0"},
                                     {"ce-id", "1"},
                                     {"ce-source", "/s"},
                                     {"ce-type", "t"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

NatsContent Decode(const std::vector<NatsHeader>& headers,
                   std::string_view payload = {},
                   const DecodeOptions& options = {}) {
  NatsDecoder decoder(options);
  return decoder.Decode(headers, payload);
}
const Event& EventOf(const NatsContent& content) {
  if (const auto* const bad = std::get_if<Malformed>(&content.content)) {
    ADD_FAILURE() << bad->error.message;
    static const Event none = MinEvent();
    return none;
  }
  return std::get<Event>(content.content);
}
std::vector<int> Broken(const NatsContent& content) {
  const auto* const bad = std::get_if<Malformed>(&content.content);
  return bad == nullptr ? std::vector<int>{} : bad->error.rules;
}

TEST(Rule077, AnEventComesInBothModes) {
  const NatsContent binary = Decode(With({}), "x");
  const NatsContent structured =
      Decode({{"Content-Type", "application/cloudevents+json"}}, kJsonEvent);

  EXPECT_EQ(binary.mode, ContentMode::kBinary);
  EXPECT_EQ(EventOf(binary).id(), "1");
  EXPECT_EQ(structured.mode, ContentMode::kStructured);
  EXPECT_EQ(EventOf(structured).id(), "body");
}

TEST(Rule077, ABatchIsRefused) {
  EXPECT_THAT(
      Broken(Decode({{"Content-Type", "application/cloudevents-batch+json"}},
                    "[]")),
      ElementsAre(77));
}

TEST(Rule078, TheContentTypeIsReadInAnyCase) {
  const NatsContent content = Decode(
      With({{"cOnTeNt-TyPe", "Application/CloudEvents+JSON; charset=utf-8"}}),
      kJsonEvent);

  EXPECT_EQ(content.mode, ContentMode::kStructured);
  EXPECT_EQ(EventOf(content).id(), "body");
}

TEST(Rule078, AMessageWithoutHeadersIsStructured) {
  EXPECT_EQ(EventOf(Decode({}, kJsonEvent)).id(), "body");
  EXPECT_EQ(EventOf(Decode({{"Nats-Msg-Id", "7"}}, kJsonEvent)).id(), "body");
}

TEST(Rule078, WhatSaysNothingAndIsNoEventIsMalformed) {
  EXPECT_THAT(Broken(Decode({}, "hello")), ElementsAre(78));
  EXPECT_THAT(Broken(Decode({}, "")), ElementsAre(78));
  EXPECT_THAT(Broken(Decode({{"x", "1"}}, "[]")), ElementsAre(78));
}

TEST(Rule079, AttributesAreHeadersWithAPrefixInAnyCase) {
  const Event event = EventOf(Decode(With({{"CE-Subject", "s"},
                                           {"ce-datacontenttype", "text/xml"},
                                           {"Ce-MyExt", "e"}}),
                                     "<x/>"));

  EXPECT_EQ(event.subject(), "s");
  EXPECT_EQ(event.datacontenttype(), "text/xml");
  EXPECT_EQ(event.attribute("myext")->text, "e");
  EXPECT_EQ(event.data(), "<x/>");
}

TEST(Rule079, ValuesArePercentEncodedAsInHttp) {
  EXPECT_EQ(
      EventOf(Decode(With({{"ce-subject", "a%20%E2%82%AC%25"}}))).subject(),
      "a \xE2\x82\xAC%");
  EXPECT_EQ(EventOf(Decode(With({{"ce-subject", "50% off"}}))).subject(),
            "50% off");
  EXPECT_THAT(
      Broken(Decode(With({{"ce-subject", "50% off"}}), {}, {.strict = true})),
      Contains(79));
}

TEST(Rule079, ContentTypeStandsInForAMissingDatacontenttype) {
  EXPECT_EQ(EventOf(Decode(With({{"Content-Type", "text/xml"}}), "x"))
                .datacontenttype(),
            "text/xml");
  EXPECT_EQ(EventOf(Decode(With({{"Content-Type", "text/xml"},
                                 {"ce-datacontenttype", "text/plain"}}),
                           "x"))
                .datacontenttype(),
            "text/plain");
}

TEST(Rule079, AnAttributeInTwoHeadersIsRefused) {
  EXPECT_THAT(Broken(Decode(With({{"CE-ID", "2"}}))), Not(IsEmpty()));
}

TEST(Rule079, AHeaderThatNamesNoAttributeIsPassedOver) {
  const NatsContent content = Decode(With({{"ce-a_b", "1"}}));

  EXPECT_EQ(EventOf(content).attribute_count(), 4U);
  EXPECT_TRUE(Has(content.forgiven, Leniency::kIgnoredHeader));
}

TEST(NatsDecoder, KeepsOtherHeadersForTheDeadLetter) {
  const NatsContent content =
      Decode(With({{"X-Shop", "7"}, {"X-Shop", "8"}, {"Nats-Msg-Id", "m"}}));

  ASSERT_NE(content.original, nullptr);
  EXPECT_THAT(content.original->headers,
              ElementsAre(Pair("X-Shop", "7"), Pair("X-Shop", "8")));
  EXPECT_FALSE(content.original->bytes);
}

TEST(NatsDecoder, HasNothingToKeepOfMostBinaryEvents) {
  EXPECT_EQ(Decode(With({{"Nats-Msg-Id", "m"}}), "x").original, nullptr);
}

TEST(NatsDecoder, KeepsAStructuredMessageWhole) {
  const NatsContent content =
      Decode({{"Content-Type", "application/cloudevents+json"}, {"a", "b"}},
             kJsonEvent);

  ASSERT_NE(content.original, nullptr);
  EXPECT_EQ(content.original->bytes, kJsonEvent);
  EXPECT_THAT(content.original->headers,
              ElementsAre(Pair("Content-Type", "application/cloudevents+json"),
                          Pair("a", "b")));
}

TEST(NatsDecoder, KeepsWhatIsMalformedAsItCame) {
  const NatsContent content = Decode({{"ce-id", "1"}, {"a", "b"}}, "bytes");

  const auto& malformed = std::get<Malformed>(content.content);
  EXPECT_EQ(malformed.bytes, "bytes");
  EXPECT_THAT(malformed.headers,
              ElementsAre(Pair("ce-id", "1"), Pair("a", "b")));
}

TEST(NatsDecoder, ReadsTheKeyAndTheTrace) {
  const NatsContent content = Decode(With({{"ce-partitionkey", "k"},
                                           {"Traceparent", kTrace},
                                           {"tracestate", "a=b"}}));

  EXPECT_EQ(content.key, "k");
  EXPECT_EQ(content.trace.traceparent, kTrace);
  EXPECT_EQ(content.trace.tracestate, "a=b");
}

TEST(NatsDecoder, KnowsADeadLetterAndOneThatIsRedriven) {
  const NatsContent letter = Decode(With({{"cirro-dlq-reason", "rejected"}}));
  const NatsContent redriven =
      Decode(With({{"Cirro-Redrive-Function", "audit"}}));

  ASSERT_TRUE(letter.original && redriven.original);
  EXPECT_TRUE(letter.original->dead_letter);
  EXPECT_FALSE(redriven.original->dead_letter);
  EXPECT_EQ(redriven.original->function, "audit");
  EXPECT_THAT(redriven.original->headers, IsEmpty());
}

DeadLetter LetterOf(NatsContent content) {
  DeadLetter letter{.content = std::move(content.content),
                    .original = std::move(content.original)};
  letter.facts.function = "audit";
  letter.facts.position = "ORDERS/worker@7";
  return letter;
}

TEST(NatsDeadLetter, IsTheBinaryMessageAsItCameAndWhy) {
  const DeadLetter letter = LetterOf(
      Decode(With({{"X-Shop", "7"}, {"Content-Type", "text/xml"}}), "<x/>"));
  MessageHeaders headers;
  std::string buffer;

  const std::string_view payload =
      EncodeNatsDeadLetter(letter, headers, buffer);

  EXPECT_EQ(payload, "<x/>");
  EXPECT_THAT(headers, Contains(Pair("X-Shop", "7")));
  EXPECT_THAT(headers, Contains(Pair("ce-id", "1")));
  EXPECT_THAT(headers, Contains(Pair("ce-datacontenttype", "text/xml")));
  EXPECT_THAT(headers, Contains(Pair("cirro-dlq-position", "ORDERS/worker@7")));
}

TEST(NatsDeadLetter, IsTheStructuredMessageAsItCame) {
  const DeadLetter letter = LetterOf(
      Decode({{"content-type", "application/cloudevents+json"}, {"a", "b"}},
             kJsonEvent));
  MessageHeaders headers;
  std::string buffer;

  EXPECT_EQ(EncodeNatsDeadLetter(letter, headers, buffer), kJsonEvent);
  EXPECT_THAT(headers,
              Contains(Pair("content-type", "application/cloudevents+json")));
  EXPECT_THAT(headers, Contains(Pair("a", "b")));
}

TEST(NatsDeadLetter, IsNoDuplicateOfItsMessageAndExpectsNothing) {
  DeadLetter letter{
      .content = Malformed{.bytes = "x",
                           .headers = {{"nats-msg-id", "m"},
                                       {"Nats-Rollup", "all"},
                                       {"Nats-Expected-Stream", "ORDERS"},
                                       {"cirro-dlq-reason", "malformed"},
                                       {"a", "b\r\nX-Rollup: all"}},
                           .error = {ErrorCode::kInvalidEvent, "no"}}};
  letter.facts.reason = DeadReason::kRejected;
  MessageHeaders headers;
  std::string buffer;

  EXPECT_EQ(EncodeNatsDeadLetter(letter, headers, buffer), "x");
  for (const auto& [name, value] : headers) {
    EXPECT_THAT(name, Not(HasSubstr("ats-"))) << value;
    EXPECT_THAT(value, Not(HasSubstr("\n")));
  }
  EXPECT_THAT(headers, Contains(Pair("cirro-dlq-reason", "rejected")));
  EXPECT_THAT(headers, Not(Contains(Pair("cirro-dlq-reason", "malformed"))));
}

TEST(NatsMessageId, TellsEventsApartWhateverIsInThem) {
  const auto id = [](const char* source, const char* event_id) {
    return NatsMessageId(
        test::MustBuild(EventBuilder().source(source).id(event_id).type("t")));
  };

  EXPECT_EQ(id("/a", "1"), id("/a", "1"));
  EXPECT_NE(id("/a", "b c"), id("/a%20b", "c"));
  EXPECT_NE(id("/a", "1"), id("/a1", "1"));
  EXPECT_EQ(id("/a", "x y \xE2\x82\xAC"), "ce /a x%20y%20%E2%82%AC");
}

TEST(NatsMessageId, OfALetterIsItsEventsInNoCase) {
  DeadLetter letter = LetterOf(Decode(With({})));
  const std::string of_event = NatsMessageId(std::get<Event>(letter.content));

  const std::string first = NatsMessageId(letter);
  EXPECT_EQ(first, NatsMessageId(letter));
  EXPECT_NE(first, of_event);
  letter.facts.position = "ORDERS/worker@8";
  EXPECT_NE(first, NatsMessageId(letter));
}

TEST(NatsCodec, SendsNoBinaryTextInAnotherCharset) {
  const Event latin =
      test::MustBuild(EventBuilder().id("1").source("/s").type("t").data(
          Text("\xC3\xA4", "text/plain; charset=iso-8859-1")));
  MessageHeaders headers;
  std::string buffer;

  static_cast<void>(EncodeNats(ContentMode::kBinary, latin, headers, buffer));

  EXPECT_EQ(FitsNatsBinaryMode(latin), latin.data_kind() != DataKind::kText);
  if (!FitsNatsBinaryMode(latin)) {
    EXPECT_THAT(headers, UnorderedElementsAre(Pair(
                             "Content-Type", "application/cloudevents+json")));
  }
}

TEST(NatsCodec, SendsAnAttributeAsOneHeader) {
  const Event event = FullEvent();
  MessageHeaders headers;
  std::string buffer;

  const std::string_view payload =
      EncodeNats(ContentMode::kBinary, event, headers, buffer);

  EXPECT_EQ(payload, event.data());
  EXPECT_EQ(headers.size(), event.attribute_count());
  EXPECT_THAT(headers,
              Contains(Pair("ce-datacontenttype", "application/json")));
  EXPECT_THAT(
      headers,
      Contains(Pair("ce-extstring",
                    "a%20%22quoted%22%20100%25%20%E2%82%AC%20\\%20value")));
}

}  // namespace
}  // namespace cirro
