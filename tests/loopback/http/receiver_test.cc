// The receiver over real sockets: what a sender that means well gets.

#include "cirro/http/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cirro/cloudevents/json_format.h"
#include "support/http_messages.h"
#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(HttpReceiver, AnswersAnEventWith202AndNoBody) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  const RawResponse response = receiver.Exchange(PostEvent("1", "data"));

  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.Header("content-length"), "0");
  EXPECT_EQ(response.Header("connection"), "");
  EXPECT_THAT(sink.ids(), ElementsAre("1"));
}

TEST(HttpReceiver, TakesTheDoneStatusFromItsOptions) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.done_status = 204});

  const RawResponse response = receiver.Exchange(PostEvent("1"));

  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.Header("content-length"), "");
}

TEST(HttpReceiver, KeepsAConnectionThatDoesNotSayKeepAlive) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();

  for (const char* const id : {"1", "2", "3"}) {
    EXPECT_EQ(client.Exchange(PostEvent(id)).status, 202);
  }

  EXPECT_THAT(sink.ids(), ElementsAre("1", "2", "3"));
  EXPECT_EQ(receiver->counters().connections_accepted, 1u);
}

TEST(HttpReceiver, HonoursConnectionClose) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();

  const RawResponse response = client.Exchange(
      "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd);
}

TEST(HttpReceiver, KeepsAnHttp10ConnectionOnlyWhereAsked) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  const std::string begin =
      "POST / HTTP/1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: t\r\n"
      "ce-specversion: 1.0\r\nContent-Length: 0\r\n";

  RawHttpClient kept = receiver.Connect();
  RawHttpClient closed = receiver.Connect();
  const RawResponse first =
      kept.Exchange(begin + "Connection: keep-alive\r\n\r\n");
  const RawResponse only = closed.Exchange(begin + "\r\n");

  EXPECT_EQ(first.status, 202);
  EXPECT_EQ(first.Header("connection"), "keep-alive");
  EXPECT_EQ(kept.Exchange(PostEvent("2")).status, 202);
  EXPECT_EQ(only.status, 202);
  EXPECT_EQ(only.Header("connection"), "close");
  EXPECT_EQ(closed.WaitForEnd(), RawHttpClient::End::kEnd);
}

TEST(HttpReceiver, TakesARequestInPiecesOfOneByte) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();

  for (const char c : PostEvent("1", "some data")) {
    ASSERT_TRUE(client.Send({&c, 1}));
  }

  EXPECT_EQ(client.Receive().status, 202);
  EXPECT_THAT(sink.ids(), ElementsAre("1"));
}

TEST(HttpReceiver, TakesAChunkedBody) {
  std::string data;
  InlineSink sink([&](const Delivery& delivery) {
    data = delivery.event()->data();
    return Done();
  });
  RunningReceiver receiver(sink);

  const RawResponse response = receiver.Exchange(
      "POST / HTTP/1.1\r\nHost: x\r\nce-id: 1\r\nce-source: /s\r\nce-type: "
      "t\r\n"
      "ce-specversion: 1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nTrailer: x\r\n\r\n");

  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(data, "hello world");
}

TEST(HttpReceiver, TakesABodyThatFillsTheLimit) {
  std::size_t size = 0;
  InlineSink sink([&](const Delivery& delivery) {
    size = delivery.event()->data().size();
    return Done();
  });
  RunningReceiver receiver(sink, {.body_limit = 500'000});

  const RawResponse response =
      receiver.Exchange(PostEvent("1", std::string(500'000, 'x')));

  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(size, 500'000u);
}

TEST(HttpReceiver, SaysContinueBeforeABodyThatWaitsForIt) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  const std::string request = PostEvent("1", "data");
  const std::size_t body = request.find("\r\n\r\n") + 4;
  std::string head = request.substr(0, body);
  head.insert(head.size() - 2, "Expect: 100-continue\r\n");

  client.Send(head);
  const RawResponse go_on = client.ReceiveOne();
  client.Send(request.substr(body));

  EXPECT_EQ(go_on.status, 100);
  EXPECT_EQ(client.ReceiveOne().status, 202);
}

TEST(HttpReceiver, RefusesATooLargeBodyBeforeItComes) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  const RawResponse response = receiver.Connect().Exchange(
      "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
      "Content-Length: 99999999\r\n\r\n");

  EXPECT_EQ(response.status, 413);
}

TEST(HttpReceiver, TakesTheAbsoluteForm) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  std::string request = PostEvent("1");
  request.replace(0, 6, "POST http://localhost/a?b");

  EXPECT_EQ(receiver.Exchange(request).status, 202);
}

TEST(HttpReceiver, SkipsAnEmptyLineBeforeARequest) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();

  EXPECT_EQ(client.Exchange("\r\n" + PostEvent("1")).status, 202);
  EXPECT_EQ(client.Exchange("\r\n" + PostEvent("2")).status, 202);
}

// Replies.

TEST(HttpReceiver, RepliesInTheRequestsMode) {
  InlineSink sink([](const Delivery&) { return Replied({MakeReply()}); });
  RunningReceiver receiver(sink);

  const RawResponse binary = receiver.Exchange(PostEvent("1"));
  const RawResponse structured =
      receiver.Exchange(Post(kStructuredType, Structured("2")));

  EXPECT_EQ(binary.status, 200);
  EXPECT_EQ(binary.Header("ce-id"), "r1");
  EXPECT_EQ(binary.Header("content-type"), "application/json");
  EXPECT_EQ(binary.body, R"({"ok":true})");
  EXPECT_EQ(structured.status, 200);
  EXPECT_EQ(structured.Header("content-type"), "application/cloudevents+json");
  EXPECT_EQ(DecodeJson(std::string_view(structured.body))->id(), "r1");
}

TEST(HttpReceiver, RepliesInTheModeOfItsOptions) {
  InlineSink sink([](const Delivery&) { return Replied({MakeReply()}); });
  RunningReceiver receiver(sink, {.reply_mode = HttpReplyMode::kStructured});

  const RawResponse response = receiver.Exchange(PostEvent("1"));

  EXPECT_EQ(response.Header("content-type"), "application/cloudevents+json");
}

TEST(HttpReceiver, LetsOneEventReplyOnce) {
  std::uint32_t capacity = 99;
  InlineSink sink([&](const Delivery& delivery) {
    capacity = delivery.facts.reply_capacity;
    return Done();
  });
  RunningReceiver receiver(sink);

  ASSERT_EQ(receiver.Exchange(PostEvent("1")).status, 202);

  EXPECT_EQ(capacity, 1u);
}

// Batches.

// Nobody sends the batch again, so what its members answered is in the body.
// Each outcome is listed, but only the first say more than their code.
struct StatusCase {
  ErrorCode code;
  int status;
  std::string retry_after;
};

class HttpReceiverStatus : public ::testing::TestWithParam<StatusCase> {};

TEST_P(HttpReceiverStatus, IsThatOfTheTableAndTellsNothingInside) {
  InlineSink sink([](const Delivery&) { return Failed(GetParam().code); });
  RunningReceiver receiver(sink);

  const RawResponse response = receiver.Exchange(PostEvent("1"));

  EXPECT_EQ(response.status, GetParam().status);
  EXPECT_EQ(response.Header("retry-after"), GetParam().retry_after);
  EXPECT_EQ(response.Header("content-type"), "application/problem+json");
  EXPECT_TRUE(IsJson(response.body)) << response.body;
  if (GetParam().status >= 429) {
    EXPECT_THAT(response.body, Not(HasSubstr("the inside")));
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, HttpReceiverStatus,
    ::testing::Values(StatusCase{ErrorCode::kNoFunction, 404, ""},
                      StatusCase{ErrorCode::kRejected, 422, ""},
                      StatusCase{ErrorCode::kFunctionFailed, 500, ""},
                      StatusCase{ErrorCode::kInvalidReply, 500, ""},
                      StatusCase{ErrorCode::kDeadlineExceeded, 504, ""},
                      StatusCase{ErrorCode::kOverloaded, 429, "1"},
                      StatusCase{ErrorCode::kDraining, 503, "1"},
                      StatusCase{ErrorCode::kUnavailable, 500, ""},
                      StatusCase{ErrorCode::kUnknownOutcome, 500, ""},
                      StatusCase{ErrorCode::kInternal, 500, ""}));

TEST(HttpReceiver, NeverSaysThrowAwayForAPassingFault) {
  InlineSink sink([](const Delivery&) {
    return Settlement{.kind = Settlement::Kind::kNak,
                      .error = Error{ErrorCode::kTooLarge, "the reply"}};
  });
  RunningReceiver receiver(sink);

  EXPECT_EQ(receiver.Exchange(PostEvent("1")).status, 500);
}

TEST(HttpReceiver, TellsWhenToTryAgainWhereItIsKnown) {
  InlineSink sink([](const Delivery&) {
    return Failed(ErrorCode::kFunctionFailed, "later",
                  std::chrono::milliseconds(1'500));
  });
  RunningReceiver receiver(sink);

  const RawResponse response = receiver.Exchange(PostEvent("1"));

  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.Header("retry-after"), "2");
}

TEST(HttpReceiver, RejectsWithTheStatusOfItsOptions) {
  InlineSink sink([](const Delivery&) {
    return Failed(ErrorCode::kRejected, "\"bad\"\n\xff");
  });
  RunningReceiver receiver(sink, {.reject_status = 400});

  const RawResponse response = receiver.Exchange(PostEvent("1"));

  EXPECT_EQ(response.status, 400);
  EXPECT_TRUE(IsJson(response.body)) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("detail":"\"bad\"\u000a)"));
}

TEST(HttpReceiver, TellsABrokenEventFromNoEvent) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  const RawResponse broken = receiver.Exchange(Post("ce-id: 1\r\n"));
  const RawResponse foreign =
      receiver.Exchange(Post("Content-Type: text/plain\r\n", "hello"));
  const RawResponse unknown = receiver.Exchange(
      Post("Content-Type: application/cloudevents+xml\r\n", "<event/>"));

  EXPECT_EQ(broken.status, 400);
  EXPECT_EQ(foreign.status, 415);
  EXPECT_EQ(unknown.status, 415);
  EXPECT_EQ(receiver.rejected(HttpReject::kUnsupported), 2u);
}

TEST(HttpReceiver, HandsWhatIsMalformedToTheSinkAsItCame) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  client.Send(Post("ce-id: 1\r\n", "data"));

  Delivery delivery = sink.TakeOne();
  ASSERT_NE(delivery.malformed(), nullptr);
  const Malformed malformed = *delivery.malformed();
  delivery.Settle(Refused(malformed));

  EXPECT_EQ(malformed.bytes, "data");
  EXPECT_THAT(
      malformed.headers,
      ::testing::Contains(std::pair<std::string, std::string>("ce-id", "1")));
  EXPECT_EQ(client.Receive().status, 400);
}

TEST(HttpReceiver, GivesBackWhatTheSinkDropped) {
  HoldingSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();
  client.Send(PostEvent("1"));

  { const Delivery dropped = sink.TakeOne(); }

  EXPECT_EQ(client.Receive().status, 500);
}

// Facts.

TEST(HttpReceiver, TakesTheTraceFromTheHeaderElseFromTheEvent) {
  std::vector<std::string> traces;
  InlineSink sink([&](const Delivery& delivery) {
    traces.push_back(delivery.facts.trace.traceparent + "|" +
                     delivery.facts.trace.tracestate);
    return Done();
  });
  RunningReceiver receiver(sink);
  const std::string event =
      "ce-id: 1\r\nce-source: /s\r\nce-type: t\r\nce-specversion: 1.0\r\n";

  receiver.Exchange(Post(event));
  receiver.Exchange(Post(event + "ce-traceparent: 00-e\r\n"));
  const std::string of_the_hop =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  receiver.Exchange(Post(event + "ce-traceparent: 00-e\r\nTraceParent: " +
                         of_the_hop + "\r\ntracestate: a=b\r\n"));

  EXPECT_THAT(traces, ElementsAre("|", "00-e|", of_the_hop + "|a=b"));
}

// It would go on with the reply, which could not be an event then.
TEST(HttpReceiver, PassesOverAMalformedTraceHeader) {
  std::vector<std::string> traces;
  InlineSink sink([&](const Delivery& delivery) {
    traces.push_back(delivery.facts.trace.traceparent + "|" +
                     delivery.facts.trace.tracestate);
    return Done();
  });
  RunningReceiver receiver(sink);
  const std::string event =
      "ce-id: 1\r\nce-source: /s\r\nce-type: t\r\nce-specversion: 1.0\r\n";
  const std::string good =
      "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

  receiver.Exchange(Post(event + "traceparent: \xFF\r\ntracestate: a=b\r\n"));
  receiver.Exchange(Post(event + "traceparent: 01" + good + "-\xFF\r\n"));
  receiver.Exchange(
      Post(event + "traceparent: 00" + good + "\r\ntracestate: \xC3\r\n"));

  EXPECT_THAT(traces, ElementsAre("|", "|", "00" + good + "|"));
}

// Anybody who can POST could choose the function else.
TEST(HttpReceiver, RefusesARequestThatNamesItsFunction) {
  int delivered = 0;
  InlineSink sink([&](const Delivery&) {
    ++delivered;
    return Done();
  });
  RunningReceiver receiver(sink);

  const RawResponse answer = receiver.Exchange(
      Post("ce-id: 1\r\nce-source: /s\r\nce-type: t\r\nce-specversion: 1.0\r\n"
           "Cirro-Redrive-Function: bill\r\n"));

  EXPECT_EQ(answer.status, 403);
  EXPECT_THAT(answer.body, HasSubstr("http.redrive"));
  EXPECT_EQ(delivered, 0);
}

TEST(HttpReceiver, SaysWhichFunctionARedrivenEventIsForWhereThatMayBeSaid) {
  std::vector<std::string> functions;
  InlineSink sink([&](const Delivery& delivery) {
    const auto& original = delivery.facts.original;
    functions.push_back(original == nullptr ? "(all)" : original->function);
    return Done();
  });
  RunningReceiver receiver(sink, {.redrive = true});
  const std::string event =
      "ce-id: 1\r\nce-source: /s\r\nce-type: t\r\nce-specversion: 1.0\r\n";

  receiver.Exchange(Post(event));
  receiver.Exchange(
      Post(event + "cirro-redrive-function: bill%20the %E2%82%AC\r\n"));

  EXPECT_THAT(functions, ElementsAre("(all)", "bill the \xE2\x82\xAC"));
}

TEST(HttpReceiver, GivesEachDeliveryItsDeadline) {
  TimePoint deadline;
  InlineSink sink([&](const Delivery& delivery) {
    deadline = delivery.facts.deadline;
    return Done();
  });
  RunningReceiver receiver(sink, {.deadline = std::chrono::seconds(7)});

  const TimePoint before = std::chrono::steady_clock::now();
  receiver.Exchange(PostEvent("1"));
  const TimePoint after = std::chrono::steady_clock::now();

  EXPECT_GE(deadline, before + std::chrono::seconds(7));
  EXPECT_LE(deadline, after + std::chrono::seconds(7));
}

TEST(HttpReceiver, CountsWhatItForgave) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  receiver.Exchange(
      Post("ce-id: 100%\r\nce-source: /s\r\nce-type: t\r\n"
           "ce-specversion: 1.0\r\n"));

  EXPECT_EQ(receiver->counters().forgiven[0], 1u);
}

TEST(HttpReceiver, TellsWhatItForgaveAndWhom) {
  InlineSink sink;
  std::vector<std::string> told;
  RunningReceiver receiver(
      sink, {.on_forgiven = [&](Leniency what, const Event& event) {
        told.push_back(std::to_string(static_cast<int>(what)) + " " +
                       std::string(event.source()));
      }});
  const auto send = [&](const std::string& source, const std::string& id) {
    receiver.Exchange(Post("ce-id: " + id + "\r\nce-source: " + source +
                           "\r\nce-type: t\r\nce-specversion: 1.0\r\n"));
  };

  send("/a", "100%");
  send("/b", "1");
  send("/c", "caf\xe9%");

  EXPECT_THAT(told, ElementsAre("1 /a", "3 /c"));
}

}  // namespace
}  // namespace cirro::test
