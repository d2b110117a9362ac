// What the Web Hook text asks of a target, seen from its sender's end of a
// socket.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <utility>

#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using Kind = Settlement::Kind;

void ExpectNoRedirect(const RawResponse& response) {
  EXPECT_NE(response.status, 0);
  EXPECT_NE(response.status / 100, 3) << response.status;
  EXPECT_EQ(response.Header("location"), "");
}

TEST(Rule057, NoOutcomeIsAnsweredByARedirect) {
  Settlement settlement;
  InlineSink sink([&](const Delivery&) { return settlement; });
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  for (int code = 0; code <= static_cast<int>(ErrorCode::kInternal); ++code) {
    for (const Kind kind : {Kind::kAck, Kind::kNak, Kind::kTerm}) {
      settlement = {.kind = kind};
      if (kind != Kind::kAck) {
        settlement.error = Error{static_cast<ErrorCode>(code), {}};
      }
      ExpectNoRedirect(client.Exchange(PostEvent("1")));
    }
  }
}

TEST(Rule057, NoRequestIsAnsweredByARedirect) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  for (const char* const line :
       {"GET /", "GET /favicon.ico", "HEAD /", "OPTIONS /", "OPTIONS *",
        "PUT /a", "DELETE /a/", "POST /a", "POST /a/", "POST //a",
        "POST /a/../b", "POST /?url=http://elsewhere/"}) {
    RawHttpClient client = receiver.Connect();
    client.Send(std::string(line) +
                " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    ExpectNoRedirect(client.Receive(std::string(line).starts_with("HEAD")));
  }
}

TEST(Rule057, NoSettingMakesAnAnswerARedirect) {
  for (const int status : {300, 301, 302, 303, 307, 308}) {
    for (HttpOptions options : {HttpOptions{.done_status = status},
                                HttpOptions{.reject_status = status}}) {
      options.address = "127.0.0.1";
      options.port = 0;
      InlineSink sink;
      HttpReceiver receiver(std::move(options));
      const auto started = receiver.Start(sink);
      ASSERT_FALSE(started) << status;
      EXPECT_EQ(started.error().code, ErrorCode::kInvalidConfig);
    }
  }
}

TEST(Rule060, OverloadIs429WithRetryAfterInSeconds) {
  std::chrono::milliseconds delay{0};
  InlineSink sink([&](const Delivery&) {
    return Failed(ErrorCode::kOverloaded, "full", delay);
  });
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  for (const auto& [ms, seconds] :
       {std::pair{0, "1"}, std::pair{1'000, "1"}, std::pair{1'001, "2"},
        std::pair{60'000, "60"}}) {
    delay = std::chrono::milliseconds(ms);

    const RawResponse response = client.Exchange(PostEvent("1"));

    EXPECT_EQ(response.status, 429);
    EXPECT_EQ(response.Header("retry-after"), seconds);
  }
}

TEST(Rule060, WhatIsNoRateLimitIsNot429) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  const RawResponse response = receiver.Exchange(PostEvent("1"));

  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.Header("retry-after"), "");
}

}  // namespace
}  // namespace cirro::test
