// What each answer of a peer means to the sender of an event.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <iterator>
#include <string>

#include "cirro/cloudevents/json_format.h"
#include "cirro/http_client/http_client.h"
#include "cirro/module/module.h"
#include "loopback/http_outlet.h"
#include "support/raw_http_server.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::HttpOutlet;
using test::RawHttpServer;
using test::RawReply;
using test::Sent;
using test::SomeEvent;
using test::Status;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

using Rule057 = HttpOutlet;

using Rule059 = HttpOutlet;

using Rule060 = HttpOutlet;

struct StatusCase {
  const char* status;
  ErrorCode code;  // kInternal: it is a success.
};

class HttpOutletStatus : public HttpOutlet,
                         public ::testing::WithParamInterface<StatusCase> {};

TEST_P(HttpOutletStatus, HasItsOutcome) {
  RawHttpServer server([](const auto&) { return Status(GetParam().status); });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, HttpOutletStatus,
    ::testing::Values(StatusCase{"200 OK", ErrorCode::kInternal},
                      StatusCase{"299 Odd", ErrorCode::kInternal},
                      StatusCase{"301 Moved", ErrorCode::kRefused},
                      StatusCase{"304 Not Modified", ErrorCode::kRefused},
                      StatusCase{"400 Bad Request", ErrorCode::kRefused},
                      StatusCase{"401 Unauthorized", ErrorCode::kRefused},
                      StatusCase{"404 Not Found", ErrorCode::kUnroutable},
                      StatusCase{"408 Request Timeout", ErrorCode::kTimedOut},
                      StatusCase{"409 Conflict", ErrorCode::kOverloaded},
                      StatusCase{"410 Gone", ErrorCode::kUnroutable},
                      StatusCase{"413 Too Large", ErrorCode::kTooLarge},
                      StatusCase{"415 Unsupported", ErrorCode::kRefused},
                      StatusCase{"429 Too Many", ErrorCode::kOverloaded},
                      StatusCase{"500 Error", ErrorCode::kUnavailable},
                      StatusCase{"503 Unavailable", ErrorCode::kOverloaded},
                      StatusCase{"504 Timeout", ErrorCode::kTimedOut}),
    [](const auto& param_info) {
      return std::string(param_info.param.status, 3);
    });

TEST_F(Rule057, NoRedirectIsFollowed) {
  RawHttpServer elsewhere([](const auto&) { return Status("200 OK"); });
  std::atomic<const char*> status = "";
  RawHttpServer server([&](const auto&) {
    return Status(status.load(), "Location: " + elsewhere.url() + "\r\n");
  });
  std::size_t asked = 0;
  for (const char* const redirect :
       {"300 Choices", "301 Moved", "302 Found", "303 Other", "305 Proxy",
        "307 Temporary", "308 Permanent"}) {
    status = redirect;
    Make({.url = server.url()});
    ASSERT_TRUE(outlet_->Start());
    Send(SomeEvent());

    const Sent sent = listener_.Wait(++asked).back();

    EXPECT_EQ(sent.code(), ErrorCode::kRefused) << redirect;
    EXPECT_THAT(sent.message(), HasSubstr(std::string(redirect, 3)));
    EXPECT_THAT(server.requests(), SizeIs(asked));
  }
  EXPECT_THAT(elsewhere.requests(), SizeIs(0));
}

TEST_F(Rule059, ATargetThatIsGoneIsUnroutable) {
  RawHttpServer server([](const auto&) { return Status("410 Gone"); });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), ErrorCode::kUnroutable);
}

TEST_F(Rule060, RetryAfterIsHonoured) {
  RawHttpServer server([](const auto&) {
    return Status("429 Too Many Requests", "Retry-After: 7\r\n");
  });

  EXPECT_EQ(SendOne({.url = server.url()}).retry_after,
            std::chrono::seconds(7));
}

TEST_F(Rule060, WhereNoTimeIsToldNoneIsMadeUp) {
  RawHttpServer server(
      [](const auto&) { return Status("429 Too Many Requests"); });

  const Sent sent = SendOne({.url = server.url()});

  EXPECT_EQ(sent.code(), ErrorCode::kOverloaded);
  EXPECT_EQ(sent.retry_after, milliseconds(0));
}

TEST_F(Rule060, RetryAfterIsBoundedByADay) {
  RawHttpServer server([](const auto&) {
    return Status("429 Too Many Requests", "Retry-After: 99999999\r\n");
  });

  EXPECT_EQ(SendOne({.url = server.url()}).retry_after, std::chrono::hours(24));
}

struct DateForm {
  const char* name;
  const char* format;  // Of strftime.
};

// A time in each form that RFC 9110, section 5.6.7, has recipients accept.
class HttpOutletRetryDate : public HttpOutlet,
                            public ::testing::WithParamInterface<DateForm> {
 protected:
  // What an answer at once makes of a time so far from now.
  milliseconds RetryAfter(std::chrono::seconds from_now) {
    RawHttpServer server([&](const auto&) {
      const std::time_t time = std::time(nullptr) + from_now.count();
      std::tm parts{};
      gmtime_r(&time, &parts);
      std::array<char, 64> date{};
      std::strftime(date.data(), date.size(), GetParam().format, &parts);
      return Status("503 Service Unavailable",
                    "Retry-After: " + std::string(date.data()) + "\r\n");
    });
    return SendOne({.url = server.url()}).retry_after;
  }
};

TEST_P(HttpOutletRetryDate, IsASpanFromNow) {
  const milliseconds span = RetryAfter(std::chrono::hours(2));

  // An hour for the machine to be slow in; no zone is as near as that.
  EXPECT_GT(span, std::chrono::hours(1));
  EXPECT_LE(span, std::chrono::hours(2));
}

TEST_P(HttpOutletRetryDate, IsADayAtMost) {
  EXPECT_EQ(RetryAfter(std::chrono::hours(48)), std::chrono::hours(24));
}

TEST_P(HttpOutletRetryDate, ThatIsPastIsNone) {
  EXPECT_EQ(RetryAfter(-std::chrono::hours(2)), milliseconds(0));
}

INSTANTIATE_TEST_SUITE_P(
    Forms, HttpOutletRetryDate,
    ::testing::Values(DateForm{"ImfFixdate", "%a, %d %b %Y %H:%M:%S GMT"},
                      DateForm{"Rfc850", "%A, %d-%b-%y %H:%M:%S GMT"},
                      DateForm{"Asctime", "%a %b %e %H:%M:%S %Y"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

class HttpOutletNoRetryTime
    : public HttpOutlet,
      public ::testing::WithParamInterface<const char*> {};

TEST_P(HttpOutletNoRetryTime, IsAsGoodAsNone) {
  RawHttpServer server([](const auto&) {
    return Status("503 Service Unavailable",
                  "Retry-After: " + std::string(GetParam()) + "\r\n");
  });

  EXPECT_EQ(SendOne({.url = server.url()}).retry_after, milliseconds(0));
}

INSTANTIATE_TEST_SUITE_P(Values, HttpOutletNoRetryTime,
                         ::testing::Values("", "soon", "-5", "Sun, 99 Nov"));

TEST_F(HttpOutlet, NeedsAFinalAnswer) {
  RawHttpServer server([](const auto&) {
    return RawReply{"HTTP/1.1 103 Early Hints\r\n\r\n", /*close=*/true};
  });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), ErrorCode::kUnknownOutcome);
}

TEST_F(HttpOutlet, IsConfirmedByTheStatusWhateverTheBody) {
  RawHttpServer server([](const auto&) {
    return RawReply{"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" +
                    std::string(200'000, 'x')};
  });

  const Sent sent = SendOne({.url = server.url()});

  EXPECT_TRUE(sent.result) << sent.message();
}

}  // namespace
}  // namespace cirro
