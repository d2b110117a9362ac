#include "cirro/dispatch/dead_letter.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/utf8.h"
#include "support/event_fixtures.h"

namespace cirro {
namespace {

DeadLetterFacts FullFacts() {
  return {.reason = DeadReason::kRejected,
          .function = "bill the order",
          .inlet = "orders",
          .position = "orders/3@1234",
          .attempts = 7,
          .first_error = "function_failed: no connection",
          .last_error = "rejected: total must not be negative \xE2\x82\xAC",
          .time = ParseTimestamp("2026-03-04T05:06:07.25Z").operator*()};
}

Malformed NoEvent(std::string bytes, bool has_bytes = true) {
  return {.bytes = std::move(bytes),
          .headers = {},
          .error = {ErrorCode::kInvalidEvent, "`id` is missing"},
          .has_bytes = has_bytes};
}

std::string ValueOf(const MessageHeaders& headers, std::string_view name) {
  for (const auto& [known, value] : headers) {
    if (known == name) return value;
  }
  return "(absent)";
}

std::string LastErrorHeader(std::string error) {
  return ValueOf(DeadLetterHeaders({.last_error = std::move(error)}),
                 "cirro-dlq-last-error");
}

TEST(DeadLetterHeaders, SayWhyAndWhence) {
  const MessageHeaders headers = DeadLetterHeaders(FullFacts());

  EXPECT_EQ(headers,
            (MessageHeaders{
                {"cirro-dlq-reason", "rejected"},
                {"cirro-dlq-function", "bill the order"},
                {"cirro-dlq-inlet", "orders"},
                {"cirro-dlq-position", "orders/3@1234"},
                {"cirro-dlq-first-error", "function_failed: no connection"},
                {"cirro-dlq-last-error",
                 "rejected: total must not be negative \xE2\x82\xAC"},
                {"cirro-dlq-attempts", "7"},
                {"cirro-dlq-time", "2026-03-04T05:06:07.25Z"}}));
}

TEST(DeadLetterHeaders, LeaveOutWhatIsEmpty) {
  const MessageHeaders headers =
      DeadLetterHeaders({.reason = DeadReason::kUnmatched});

  EXPECT_EQ(headers, (MessageHeaders{{"cirro-dlq-reason", "unmatched"},
                                     {"cirro-dlq-attempts", "0"}}));
}

TEST(DeadLetterHeaders, AreReadBackAsTheyWereWritten) {
  for (const DeadReason reason :
       {DeadReason::kExhausted, DeadReason::kRejected, DeadReason::kMalformed,
        DeadReason::kUnmatched, DeadReason::kCrashed}) {
    DeadLetterFacts facts = FullFacts();
    facts.reason = reason;

    const auto read = ParseDeadLetterHeaders(DeadLetterHeaders(facts));

    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, facts);
  }
}

TEST(DeadLetterHeaders, AreCutAtOneKibibyteOnACharacterBoundary) {
  std::string error(1022, 'e');
  error += "\xE2\x82\xAC and more";  // the euro sign would end at 1,025

  EXPECT_EQ(LastErrorHeader(error), std::string(1022, 'e'));
}

TEST(DeadLetterHeaders, KeepATextOfExactlyOneKibibyte) {
  EXPECT_EQ(LastErrorHeader(std::string(1024, 'e')), std::string(1024, 'e'));
}

TEST(DeadLetterHeaders, HoldNoControlCharacter) {
  EXPECT_EQ(LastErrorHeader(std::string("a\r\ncirro-dlq-reason: x\0b\x7F"
                                        "\xC2\x85"
                                        "c\xEF\xBF\xBF",
                                        31)),
            "a  cirro-dlq-reason: x b  c ");
}

TEST(DeadLetterHeaders, SayWhereBytesWereNoText) {
  EXPECT_EQ(LastErrorHeader("caf\xE9!"), "caf\xEF\xBF\xBD!");
  // Cut bytes would be a text of nothing else.
  const std::string all = LastErrorHeader(std::string(5000, '\x80'));
  EXPECT_TRUE(IsUtf8(all));
  EXPECT_EQ(all.size(), 1023U);
}

TEST(ParseDeadLetterHeaders, TakesNamesInAnyLetterCaseAndPassesOthersOver) {
  const auto read = ParseDeadLetterHeaders({{"content-type", "text/plain"},
                                            {"Cirro-DLQ-Reason", "crashed"},
                                            {"CIRRO-DLQ-ATTEMPTS", "2"},
                                            {"cirro-dlq-later", "new"}});

  ASSERT_TRUE(read) << read.error().message;
  ASSERT_TRUE(*read);
  EXPECT_EQ(**read,
            (DeadLetterFacts{.reason = DeadReason::kCrashed, .attempts = 2}));
}

TEST(ParseDeadLetterHeaders, SaysNothingOfAMessageThatIsNoDeadLetter) {
  const auto read = ParseDeadLetterHeaders(
      {{"cirro-dlq-function", "f"}, {"cirro-dlq", "exhausted"}});

  ASSERT_TRUE(read) << read.error().message;
  EXPECT_FALSE(*read);
}

TEST(ParseDeadLetterHeaders, TakesTheLastOfTwo) {
  const auto read = ParseDeadLetterHeaders(
      {{"cirro-dlq-reason", "rejected"}, {"cirro-dlq-reason", "exhausted"}});

  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->reason, DeadReason::kExhausted);
}

TEST(ParseDeadLetterHeaders, RefusesValuesThatCannotBe) {
  const std::pair<std::string, std::string> bad[] = {
      {"cirro-dlq-reason", ""},
      {"cirro-dlq-reason", "Rejected"},
      {"cirro-dlq-attempts", "-1"},
      {"cirro-dlq-attempts", "+1"},
      {"cirro-dlq-attempts", "1 "},
      {"cirro-dlq-attempts", ""},
      {"cirro-dlq-attempts", "99999999999"},
      {"cirro-dlq-time", "yesterday"},
      {"cirro-dlq-function", std::string("a\nb")},
      {"cirro-dlq-inlet", "\xFF"},
      {"cirro-dlq-position", std::string("a\0b", 3)},
      {"cirro-dlq-last-error", std::string(1025, 'e')}};
  for (const auto& header : bad) {
    const auto read =
        ParseDeadLetterHeaders({{"cirro-dlq-reason", "exhausted"}, header});

    ASSERT_FALSE(read) << header.first << ": " << header.second;
    EXPECT_EQ(read.error().code, ErrorCode::kInvalidEvent);
    EXPECT_NE(read.error().message.find(header.first), std::string::npos);
    EXPECT_TRUE(IsAttributeString(read.error().message));
  }
}

TEST(IsDeadLetterHeader, KnowsItsOwnInAnyLetterCase) {
  EXPECT_TRUE(IsDeadLetterHeader("cirro-dlq-reason"));
  EXPECT_TRUE(IsDeadLetterHeader("CIRRO-DLQ-anything"));
  EXPECT_TRUE(IsDeadLetterHeader("Cirro-Redrive-Function"));
  EXPECT_FALSE(IsDeadLetterHeader("cirro-dlq"));
  EXPECT_FALSE(IsDeadLetterHeader("ce_id"));
  EXPECT_FALSE(IsDeadLetterHeader(""));
}

TEST(DeadLetterEvent, IsTheEventWithKnativesExtensionsAndOurs) {
  const Event came = test::FullEvent();

  const auto event = DeadLetterEvent({.content = came, .facts = FullFacts()});

  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->extension("knativeerrorcode"), "422");
  EXPECT_EQ(event->attribute("knativeerrordata")->AsBinary(),
            FullFacts().last_error);
  EXPECT_EQ(event->extension("knativeerrordest"), "bill the order");
  EXPECT_EQ(event->extension("cirrodlqreason"), "rejected");
  EXPECT_EQ(event->extension("cirrodlqinlet"), "orders");
  EXPECT_EQ(event->extension("cirrodlqposition"), "orders/3@1234");
  EXPECT_EQ(event->attribute("cirrodlqattempts")->AsInteger(), 7);
  EventBuilder without(*event);
  for (const char* name :
       {"knativeerrorcode", "knativeerrordata", "knativeerrordest",
        "cirrodlqreason", "cirrodlqinlet", "cirrodlqposition",
        "cirrodlqattempts"}) {
    without.RemoveExtension(name);
  }
  EXPECT_EQ(*without.Build(), came);
}

TEST(DeadLetterEvent, ReplacesWhatAnEarlierFailureLeft) {
  EventBuilder builder(test::MinEvent());
  builder.extension({"knativeerrordest", "http://elsewhere"})
      .extension({"knativeerrordata", "b2xk"})
      .extension({"cirrodlqposition", "old"});

  const auto event =
      DeadLetterEvent({.content = *builder.Build(),
                       .facts = {.reason = DeadReason::kExhausted,
                                 .last_error = "deadline_exceeded: 20 s"}});

  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->extension("knativeerrorcode"), "504");
  EXPECT_EQ(event->attribute("knativeerrordata")->AsBinary(),
            "deadline_exceeded: 20 s");
  EXPECT_FALSE(event->extension("knativeerrordest"));
  EXPECT_FALSE(event->extension("cirrodlqposition"));
}

TEST(DeadLetterEvent, CutsTheErrorTo1024CharactersOfBase64) {
  std::string error(767, 'e');
  error += "\xE2\x82\xAC" + std::string(2000, 'e');

  const auto event = DeadLetterEvent(
      {.content = test::MinEvent(), .facts = {.last_error = error}});

  ASSERT_TRUE(event) << event.error().message;
  const auto attribute = event->attribute("knativeerrordata");
  EXPECT_LE(attribute->text.size(), 1024U);
  EXPECT_EQ(attribute->AsBinary(), std::string(767, 'e'));
}

TEST(DeadLetterEvent, ExistsWhateverTheFactsHold) {
  const std::string hostile("\0\x1F\xFF\xC2\x80\xEF\xBF\xBE\xED\xA0\x80", 11);

  const auto event = DeadLetterEvent({.content = test::MinEvent(),
                                      .facts = {.function = hostile,
                                                .inlet = hostile,
                                                .position = hostile,
                                                .last_error = hostile}});

  EXPECT_TRUE(event) << event.error().message;
}

TEST(DeadLetterEvent, HoldsWhatIsMalformedAsItsData) {
  const std::string bytes("\0\xFF{\"id\":", 8);
  DeadLetter letter{.content = NoEvent(bytes),
                    .facts = {.reason = DeadReason::kMalformed,
                              .inlet = "orders",
                              .position = "orders/3@1234"}};

  const auto event = DeadLetterEvent(letter);
  const auto again = DeadLetterEvent(letter);
  letter.facts.position = "orders/3@1235";
  const auto next = DeadLetterEvent(letter);

  ASSERT_TRUE(event) << event.error().message;
  EXPECT_EQ(event->type(), "dev.cirro.malformed");
  EXPECT_EQ(event->data(), bytes);
  EXPECT_EQ(event->extension("knativeerrorcode"), "400");
  EXPECT_EQ(event->extension("cirrodlqposition"), "orders/3@1234");
  EXPECT_EQ(event->id(), again->id());
  EXPECT_NE(event->id(), next->id());
}

TEST(DeadLetterEvent, TellsNoValueFromAnEmptyOne) {
  EXPECT_FALSE(DeadLetterEvent({.content = NoEvent("", false)})->has_data());
  EXPECT_TRUE(DeadLetterEvent({.content = NoEvent("")})->has_data());
}

}  // namespace
}  // namespace cirro
