// What the Web Hook text asks of a target's answers.

#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>

#include "bindings/http/src/status.h"
#include "cirro/cloudevents/error.h"

namespace cirro {
namespace {

using enum ErrorCode;
using internal::http::StatusOf;

constexpr std::initializer_list<ErrorCode> kCodes = {
    kInvalidEvent,   kUnsupported,      kTooLarge,   kInvalidConfig,
    kConflict,       kNoFunction,       kRejected,   kFunctionFailed,
    kInvalidReply,   kDeadlineExceeded, kOverloaded, kDraining,
    kUnavailable,    kUnroutable,       kRefused,    kTimedOut,
    kUnknownOutcome, kInternal};

TEST(Rule057, NoAnswerIsARedirectOrASuccessThatIsNone) {
  using Kind = Settlement::Kind;
  for (const ErrorCode code : kCodes) {
    EXPECT_GE(StatusOf(code, HttpOptions()), 400) << ToString(code);
    for (const Kind kind : {Kind::kNak, Kind::kTerm}) {
      const Settlement settlement{.kind = kind, .error = Error{code, {}}};
      EXPECT_GE(StatusOf(settlement, HttpOptions()), 400) << ToString(code);
    }
  }
  EXPECT_GE(StatusOf(Settlement{.kind = Kind::kNak}, HttpOptions()), 400);
  EXPECT_GE(StatusOf(Settlement{.kind = Kind::kTerm}, HttpOptions()), 400);
}

TEST(Rule058, WhatIsDoneWithoutAReplyIsAccepted) {
  const Settlement done{.kind = Settlement::Kind::kAck};

  EXPECT_EQ(StatusOf(done, HttpOptions()), 202);
  HttpOptions options;
  options.done_status = 204;
  EXPECT_EQ(StatusOf(done, options), 204);
}

TEST(Rule060, OverloadIs429AndSaysWhenToComeAgain) {
  EXPECT_EQ(StatusOf(kOverloaded, HttpOptions()), 429);
  EXPECT_GE(internal::http::RetryAfter(429, std::chrono::milliseconds(0)),
            std::chrono::seconds(1));
  EXPECT_EQ(internal::http::RetryAfter(429, std::chrono::milliseconds(2'001)),
            std::chrono::seconds(3));
}

TEST(Rule060, EveryRefusalThatMeansLaterSaysWhenInWholeSeconds) {
  for (const ErrorCode code : kCodes) {
    const int status = StatusOf(code, HttpOptions());
    if (status != 429 && status != 503) continue;
    for (const int ms : {0, 1, 999, 1'000, 1'001, 3'600'000}) {
      const auto after =
          internal::http::RetryAfter(status, std::chrono::milliseconds(ms));
      EXPECT_GE(after, std::chrono::seconds(1)) << ToString(code);
      EXPECT_GE(after, std::chrono::milliseconds(ms)) << ToString(code);
    }
  }
}

TEST(Rule061, WhatIsNotUnderstoodIs415) {
  EXPECT_EQ(StatusOf(kUnsupported, HttpOptions()), 415);
}

}  // namespace
}  // namespace cirro
