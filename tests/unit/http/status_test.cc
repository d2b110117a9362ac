#include "bindings/http/src/status.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "cirro/cloudevents/utf8.h"

namespace cirro::internal::http {
namespace {

using namespace std::chrono_literals;

constexpr ErrorCode kLast = ErrorCode::kInternal;

TEST(HttpStatus, OfAPassingFaultNeverMeansThrowAway) {
  for (int i = 0; i <= static_cast<int>(kLast); ++i) {
    const Settlement nak{.kind = Settlement::Kind::kNak,
                         .error = Error{static_cast<ErrorCode>(i), {}}};

    const int status = StatusOf(nak, {});

    EXPECT_TRUE(status == 404 || status == 429 || status >= 500) << i;
  }
}

TEST(HttpStatus, OfARefusalForGoodIsTheTables) {
  const auto term = [](ErrorCode code) {
    return StatusOf(
        Settlement{.kind = Settlement::Kind::kTerm, .error = Error{code, {}}},
        {});
  };

  EXPECT_EQ(term(ErrorCode::kInvalidEvent), 400);
  EXPECT_EQ(term(ErrorCode::kUnsupported), 415);
  EXPECT_EQ(term(ErrorCode::kTooLarge), 413);
  EXPECT_EQ(term(ErrorCode::kRejected), 422);
  EXPECT_EQ(term(ErrorCode::kInvalidConfig), 422);
}

TEST(HttpStatus, EveryOneHasAPhrase) {
  for (const int status :
       {200, 202, 204, 400, 401, 403, 404, 405, 408, 413, 414,
        415, 417, 422, 429, 431, 500, 501, 503, 504, 505}) {
    EXPECT_NE(ReasonPhrase(status), "Refused") << status;
    EXPECT_NE(ReasonPhrase(status), "Error") << status;
  }
}

TEST(HttpStatus, TheWorstOfABatchWins) {
  const int order[] = {202, 422, 413, 400, 404, 429, 503, 500, 504};
  for (std::size_t i = 0; i < std::size(order); ++i) {
    for (std::size_t k = 0; k < std::size(order); ++k) {
      EXPECT_EQ(Worse(order[i], order[k]), order[std::max(i, k)]);
    }
  }
}

TEST(HttpStatus, RetryAfterIsAlwaysThereWhereSendersNeedIt) {
  EXPECT_EQ(RetryAfter(429, 0ms), 1s);
  EXPECT_EQ(RetryAfter(503, 0ms), 1s);
  EXPECT_EQ(RetryAfter(503, 2'001ms), 3s);
  EXPECT_EQ(RetryAfter(500, 0ms), 0s);
  EXPECT_EQ(RetryAfter(500, 1ms), 1s);
  EXPECT_EQ(RetryAfter(422, 5s), 0s);
}

TEST(HttpStatus, DetailsAreCutBetweenCharacters) {
  std::string text(511, 'a');
  text += "\xc3\xa4\xc3\xa4";

  const Error error{ErrorCode::kRejected, text};
  const std::string_view detail = PublicDetail(error);

  EXPECT_EQ(detail.size(), 511u);
  EXPECT_TRUE(IsUtf8(detail));
}

TEST(HttpStatus, DetailsTellNothingOfTheInside) {
  for (const ErrorCode code :
       {ErrorCode::kFunctionFailed, ErrorCode::kInvalidReply,
        ErrorCode::kUnavailable, ErrorCode::kConflict, ErrorCode::kInternal,
        ErrorCode::kOverloaded}) {
    const Error error{code, "password=1"};
    EXPECT_EQ(PublicDetail(error).find("password"), std::string_view::npos);
  }
}

}  // namespace
}  // namespace cirro::internal::http
