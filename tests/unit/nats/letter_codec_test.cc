// letter -> message -> letter is the identity.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/nats/codec.h"
#include "support/event_fixtures.h"

namespace cirro {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

DeadLetterFacts Facts() {
  return {.reason = DeadReason::kExhausted,
          .function = "bill \"all\" 100% \xE2\x82\xAC",
          .inlet = "orders",
          .position = "orders/3@1234",
          .attempts = 5,
          .first_error = "function_failed: first",
          .last_error = "deadline_exceeded: last",
          .time = Timestamp{.seconds = 1'700'000'000, .nanoseconds = 5}};
}

// What a reader of the stream makes of what an outlet writes.
Result<std::optional<DeadLetter>> ThereAndBack(
    const DeadLetter& letter, const MessageHeaders& before = {}) {
  MessageHeaders headers = before;
  std::string buffer;
  const std::string_view payload =
      EncodeNatsDeadLetter(letter, headers, buffer);
  std::vector<NatsHeader> views;
  for (const auto& [name, value] : headers) views.push_back({name, value});
  return DecodeNatsLetter(views, payload, test::FixtureOptions());
}

void ExpectTheSame(const DeadLetter& letter) {
  const auto back = ThereAndBack(letter);

  ASSERT_TRUE(back) << back.error().message;
  ASSERT_TRUE(*back);
  EXPECT_EQ((*back)->facts, letter.facts);
  ASSERT_EQ((*back)->content.index(), letter.content.index());
  if (const auto* const event = std::get_if<Event>(&letter.content)) {
    EXPECT_EQ(std::get<Event>((*back)->content), *event);
  } else {
    const auto& was = std::get<Malformed>(letter.content);
    const auto& is = std::get<Malformed>((*back)->content);
    EXPECT_EQ(is.bytes, was.bytes);
    EXPECT_EQ(is.headers, was.headers);
  }
  ASSERT_EQ((*back)->original == nullptr, letter.original == nullptr);
  if (letter.original == nullptr) return;
  EXPECT_EQ((*back)->original->bytes, letter.original->bytes);
  EXPECT_EQ((*back)->original->headers, letter.original->headers);
  EXPECT_FALSE((*back)->original->dead_letter);
}

std::shared_ptr<const Original> Had(Original original) {
  return std::make_shared<const Original>(std::move(original));
}

TEST(NatsLetterCodec, GivesABinaryEventBack) {
  for (const Event& event : {test::MinEvent(), test::FullEvent()}) {
    ExpectTheSame({.content = event, .facts = Facts()});
  }
}

TEST(NatsLetterCodec, GivesAnyEventBack) {
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    SCOPED_TRACE(seed);
    ExpectTheSame(
        {.content = test::EventGenerator(seed).Next(), .facts = Facts()});
    if (HasFailure()) return;
  }
}

TEST(NatsLetterCodec, GivesOtherHeadersBack) {
  ExpectTheSame(
      {.content = test::FullEvent(),
       .original =
           Had({.headers = {{"tenant", "a"}, {"tenant", "b"}, {"trace", ""}}}),
       .facts = Facts()});
}

TEST(NatsLetterCodec, HasTheKeyOfItsEvent) {
  const auto back = ThereAndBack(
      {.content = test::MustBuild(
           EventBuilder(test::MinEvent()).extension({"partitionkey", "k"})),
       .facts = Facts()});

  ASSERT_TRUE(back && *back);
  EXPECT_EQ((*back)->key, "k");
}

TEST(NatsLetterCodec, GivesAStructuredMessageBackByteByByte) {
  const std::string json =
      R"( {"type":"t","specversion":"1.0", "id":"1","source":"/s"})";
  ExpectTheSame(
      {.content =
           test::MustBuild(EventBuilder().id("1").source("/s").type("t")),
       .original =
           Had({.bytes = json,
                .headers = {{"Content-Type", "application/cloudevents+json"},
                            {"tenant", "a"}}}),
       .facts = Facts()});
}

TEST(NatsLetterCodec, GivesWhatIsNoEventBack) {
  Malformed malformed;
  malformed.bytes = std::string("\0\xFF not an event", 16);
  malformed.headers = {{"content-type", "text/plain"}, {"tenant", "a"}};
  ExpectTheSame({.content = malformed, .facts = Facts()});
}

TEST(NatsLetterCodec, GivesTheFewestFactsBack) {
  ExpectTheSame({.content = test::MinEvent(), .facts = {.attempts = 1}});
}

// A letter of a letter: what is said last counts, and is said once.
TEST(NatsLetterCodec, TakesWhatTheLastPlaceSaid) {
  const DeadLetter letter{.content = test::MinEvent(), .facts = Facts()};

  const auto back = ThereAndBack(
      letter, {{"cirro-dlq-reason", "rejected"}, {"cirro-dlq-attempts", "1"}});

  ASSERT_TRUE(back && *back);
  EXPECT_EQ((*back)->facts, letter.facts);
  EXPECT_EQ((*back)->original, nullptr);
}

TEST(NatsLetterCodec, SentBackItIsAsItCameForItsFunction) {
  const DeadLetter letter{.content = test::MinEvent(),
                          .original = Had({.headers = {{"tenant", "a"}}}),
                          .facts = {.function = "bill", .attempts = 1}};
  const auto back = ThereAndBack(letter);
  ASSERT_TRUE(back && *back);
  MessageHeaders headers;
  std::string buffer;

  const std::string_view payload = EncodeNatsReturn(**back, headers, buffer);

  EXPECT_EQ(payload, "");
  EXPECT_THAT(headers,
              UnorderedElementsAre(
                  Pair("ce-specversion", "1.0"), Pair("ce-id", "min-1"),
                  Pair("ce-source", "/min"), Pair("ce-type", "com.example.min"),
                  Pair("tenant", "a"), Pair(kRedriveHeader, "bill")));
}

TEST(NatsLetterCodec, WhatDoesNotSayWhyIsNoLetter) {
  const std::vector<NatsHeader> headers{{"ce-specversion", "1.0"},
                                        {"ce-id", "1"},
                                        {"ce-source", "/s"},
                                        {"ce-type", "t"},
                                        {"cirro-dlq-attempts", "3"}};

  const auto letter = DecodeNatsLetter(headers, {}, {});

  ASSERT_TRUE(letter);
  EXPECT_FALSE(*letter);
}

TEST(NatsLetterCodec, WhatCannotBeAFactIsTold) {
  const std::vector<NatsHeader> headers{{"cirro-dlq-reason", "bored"}};

  const auto letter = DecodeNatsLetter(headers, {}, {});

  ASSERT_FALSE(letter);
  EXPECT_EQ(letter.error().code, ErrorCode::kInvalidEvent);
  EXPECT_THAT(letter.error().message, HasSubstr("bored"));
}

}  // namespace
}  // namespace cirro
