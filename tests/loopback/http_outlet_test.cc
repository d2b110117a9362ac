// The module "http_client", as a program loads it, over real sockets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/http_client/http_client.h"
#include "loopback/http_outlet.h"
#include "support/free_port.h"
#include "support/raw_http_server.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Api;
using test::HttpOutlet;
using test::RawHttpServer;
using test::RawReply;
using test::Sent;
using test::SomeEvent;
using test::Status;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

TEST_F(HttpOutlet, SendsABinaryEvent) {
  RawHttpServer server([](const auto&) { return Status("202 Accepted"); });

  const Sent sent = SendOne({.url = server.url("/in?token=abc")});

  EXPECT_TRUE(sent.result) << sent.message();
  ASSERT_THAT(server.requests(), SizeIs(1));
  const std::string request = server.requests()[0];
  EXPECT_TRUE(request.starts_with("POST /in?token=abc HTTP/1.1\r\n"));
  EXPECT_THAT(request,
              AllOf(HasSubstr("\r\nce-specversion: 1.0\r\n"),
                    HasSubstr("\r\nce-id: 1\r\n"),
                    HasSubstr("\r\nce-subject: a%20b\r\n"),
                    HasSubstr("\r\nce-empty:\r\n"),
                    HasSubstr("\r\ncontent-type: application/json\r\n"),
                    Not(HasSubstr("xpect"))));
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_F(HttpOutlet, SendsABinaryEventWithoutDataAndMediaType) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });

  const Sent sent = SendOne(
      {.url = server.url()},
      *EventBuilder().id("1").source("/s").type("content-type:").Build());

  EXPECT_TRUE(sent.result) << sent.message();
  EXPECT_THAT(
      server.requests()[0],
      AllOf(HasSubstr("\r\nce-type: content-type:\r\n"),
            Not(HasSubstr("\nContent-Type")), Not(HasSubstr("\ncontent-type")),
            HasSubstr("\r\nContent-Length: 0\r\n")));
}

TEST_F(HttpOutlet, SendsAStructuredEvent) {
  RawHttpServer server([](const auto&) { return Status("204 No Content"); });

  const Sent sent =
      SendOne({.url = server.url(), .mode = ContentMode::kStructured});

  EXPECT_TRUE(sent.result) << sent.message();
  const std::string request = server.requests()[0];
  EXPECT_THAT(request,
              HasSubstr("\r\ncontent-type: application/cloudevents+json\r\n"));
  EXPECT_TRUE(request.ends_with("\r\n\r\n" + EncodeJson(SomeEvent())));
}

TEST_F(HttpOutlet, SendsWhatWaitsAsOneBatch) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });
  Make({.url = server.url(), .mode = ContentMode::kBatch, .batch_max = 3});
  for (const char* const id : {"1", "2", "3", "4"}) Send(SomeEvent(id));

  ASSERT_TRUE(outlet_->Start());

  for (const Sent& sent : listener_.Wait(4)) {
    EXPECT_TRUE(sent.result) << sent.message();
  }
  std::vector<std::string> requests = server.requests();
  std::sort(requests.begin(), requests.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_TRUE(requests[0].ends_with(EncodeJsonBatch(
      std::vector{SomeEvent("1"), SomeEvent("2"), SomeEvent("3")})));
  EXPECT_TRUE(
      requests[1].ends_with(EncodeJsonBatch(std::vector{SomeEvent("4")})));
}

TEST_F(HttpOutlet, KeepsItsConnection) {
  RawHttpServer server([](const auto&) { return Status("202 Accepted"); });
  Make({.url = server.url(), .max_connections = 1});
  ASSERT_TRUE(outlet_->Start());

  for (std::size_t i = 1; i <= 20; ++i) {
    Send(SomeEvent());
    ASSERT_THAT(listener_.Wait(i), SizeIs(i));
  }

  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpOutlet, SendsAtOnceOnAsManyConnectionsAsItMay) {
  RawHttpServer server([](const auto&) { return RawReply{}; });
  Make({.url = server.url(), .max_connections = 3});
  ASSERT_TRUE(outlet_->Start());

  for (int i = 0; i < 5; ++i) Send(SomeEvent());
  while (server.requests().size() < 3) std::this_thread::yield();
  outlet_->Stop(milliseconds(0));

  EXPECT_EQ(server.connections(), 3);
  EXPECT_THAT(server.requests(), SizeIs(3));
}

using Rule032 = HttpOutlet;

TEST_F(Rule032, NoBatchIsSentUnlessAskedFor) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });
  Make({.url = server.url(), .max_connections = 1});
  for (const char* const id : {"1", "2", "3"}) Send(SomeEvent(id));

  ASSERT_TRUE(outlet_->Start());
  ASSERT_THAT(listener_.Wait(3), SizeIs(3));

  const std::vector<std::string> requests = server.requests();
  ASSERT_THAT(requests, SizeIs(3));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_THAT(requests[i], HasSubstr("\r\nce-id: " + std::to_string(i + 1)));
    EXPECT_THAT(requests[i], Not(HasSubstr("cloudevents-batch")));
  }
}

TEST_F(HttpOutlet, SaysUnavailableWhereNobodyListens) {
  const Sent sent = SendOne(
      {.url = "http://127.0.0.1:" + std::to_string(test::FreePort()) + "/"});

  EXPECT_EQ(sent.code(), ErrorCode::kUnavailable);
}

TEST_F(HttpOutlet, SaysTimedOutWhereNobodyAnswers) {
  RawHttpServer server([](const auto&) { return RawReply{}; });

  const Sent sent =
      SendOne({.url = server.url(), .timeout = milliseconds(100)});

  EXPECT_EQ(sent.code(), ErrorCode::kTimedOut);
}

TEST_F(HttpOutlet, SaysUnknownWhereTheConnectionBreaksBeforeTheAnswer) {
  RawHttpServer server(
      [](const auto&) { return RawReply{.bytes = "", .close = true}; });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), ErrorCode::kUnknownOutcome);
}

TEST_F(HttpOutlet, SaysUnknownOnAnAnswerThatIsNoHttp) {
  RawHttpServer server([](const auto&) {
    return RawReply{"SSH-2.0-dropbear\r\n\r\n", /*close=*/true};
  });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), ErrorCode::kUnknownOutcome);
}

TEST_F(HttpOutlet, RefusesWhatIsOverItsBound) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });
  Make({.url = server.url(), .max_in_flight = 2});
  for (int i = 0; i < 3; ++i) Send(SomeEvent());

  const std::vector<Sent> refused = listener_.Wait(1);
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(refused[0].code(), ErrorCode::kOverloaded);
  EXPECT_THAT(refused[0].message(), HasSubstr("max_in_flight"));

  ASSERT_TRUE(outlet_->Start());
  ASSERT_THAT(listener_.Wait(3), SizeIs(3));
  EXPECT_THAT(server.requests(), SizeIs(2));
  Send(SomeEvent());
  EXPECT_TRUE(listener_.Wait(4)[3].result);
}

TEST_F(HttpOutlet, DoesNotWaitForAConnectionForEver) {
  RawHttpServer server([](const auto&) { return RawReply{}; });
  Make({.url = server.url(),
        .timeout = milliseconds(200),
        .max_connections = 1});
  Send(SomeEvent("1"));
  Send(SomeEvent("2"));

  ASSERT_TRUE(outlet_->Start());

  const std::vector<Sent> outcomes = listener_.Wait(2);
  EXPECT_EQ(outcomes[0].code(), ErrorCode::kTimedOut);
  EXPECT_FALSE(outcomes[1].result);
}

TEST_F(HttpOutlet, StopFailsWhatIsOpenAndIsIdempotent) {
  RawHttpServer server([](const auto&) { return RawReply{}; });
  Make({.url = server.url(), .max_connections = 1});
  ASSERT_TRUE(outlet_->Start());
  Send(SomeEvent());
  Send(SomeEvent());
  // The first one is on its way when the server has it.
  while (server.requests().empty()) std::this_thread::yield();

  outlet_->Stop(milliseconds(0));

  const std::vector<Sent> outcomes = listener_.Wait(2);
  EXPECT_EQ(outcomes[0].code(), ErrorCode::kUnknownOutcome);
  EXPECT_EQ(outcomes[1].code(), ErrorCode::kUnavailable);
  outlet_->Stop(milliseconds(0));
  Send(SomeEvent());
  EXPECT_EQ(listener_.Wait(3)[2].code(), ErrorCode::kUnavailable);
}

TEST_F(HttpOutlet, StopWaitsForWhatIsOpen) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });
  Make({.url = server.url()});
  for (int i = 0; i < 100; ++i) Send(SomeEvent());
  ASSERT_TRUE(outlet_->Start());

  outlet_->Stop(std::chrono::seconds(30));

  for (const Sent& sent : listener_.Wait(100)) {
    EXPECT_TRUE(sent.result) << sent.message();
  }
}

TEST_F(HttpOutlet, AnOutletThatNeverStartedFailsItsEvents) {
  Make({.url = "http://127.0.0.1:1/"});
  Send(SomeEvent());

  outlet_.reset();

  EXPECT_EQ(listener_.Wait(1)[0].code(), ErrorCode::kUnavailable);
}

TEST_F(HttpOutlet, RefusesOptionsThatCannotWork) {
  const auto error = [](HttpOutletOptions options) {
    const auto made = Api().make_outlet(std::move(options));
    return made ? Error{ErrorCode::kInternal, "made"} : made.error();
  };
  const std::vector<Error> errors = {
      error({.url = ""}),
      error({.url = "/relative"}),
      error({.url = "ftp://example.com/"}),
      error({.url = "file:///etc/passwd"}),
      error({.url = "http://u:hidden@exa mple.com/"}),
      error({.url = "http://a/", .mode = ContentMode::kNone}),
      error({.url = "http://a/", .timeout = milliseconds(0)}),
      error({.url = "http://a/", .max_connections = 0}),
      error({.url = "http://a/", .headers = {{"X", "hidden\r\nY: 1"}}}),
      error({.url = "http://a/", .headers = {{"X Y", "hidden"}}})};

  for (const Error& e : errors) {
    EXPECT_EQ(e.code, ErrorCode::kInvalidConfig) << e.message;
    EXPECT_THAT(e.message, Not(HasSubstr("hidden")));
  }
  EXPECT_THAT(errors[2].message, HasSubstr("'ftp'"));
  EXPECT_THAT(errors[8].message, HasSubstr("headers"));
}

}  // namespace
}  // namespace cirro
