// The receiver over real sockets: methods, paths, and what is no event.

#include "cirro/http/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <string>

#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Methods and paths.

TEST(HttpReceiver, RefusesOtherMethodsAndNamesTheOneItTakes) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  for (const char* const method : {"GET", "PUT", "DELETE", "PATCH", "BREW"}) {
    const RawResponse response = receiver.Exchange(
        std::string(method) + " / HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(response.Header("allow"), "POST") << method;
  }
}

// What follows would be a tunnel's to somebody.
TEST(HttpReceiver, RefusesATunnelAndClosesTheConnection) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();

  const RawResponse response =
      client.Exchange("CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n");

  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd);
}

// "An origin server with a clock [...] MUST generate a Date header field in
// all 2xx (Successful), 3xx (Redirection), and 4xx (Client Error) responses".
// RFC 9110 section 6.6.1
TEST(HttpReceiver, SaysWhenItAnswered) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  for (const std::string& request :
       {PostEvent("1"), std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        std::string("broken\r\n\r\n")}) {
    const std::time_t before = std::time(nullptr);
    const std::string date = receiver.Exchange(request).Header("date");
    std::tm parts{};
    const char* const end =
        strptime(date.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    const std::time_t said = timegm(&parts);

    ASSERT_TRUE(end != nullptr && *end == '\0') << date;
    EXPECT_GE(said, before - 2) << date;
    EXPECT_LE(said, std::time(nullptr)) << date;
  }
}

TEST(HttpReceiver, AnswersHeadWithoutABody) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();

  client.Send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawResponse response = client.Receive(true);

  EXPECT_EQ(response.status, 405);
  EXPECT_NE(response.Header("content-length"), "0");
  EXPECT_EQ(client.Exchange(PostEvent("1")).status, 202);
}

TEST(HttpReceiver, AnswersOptionsWithAllowPost) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  const RawResponse response =
      receiver.Exchange("OPTIONS /a HTTP/1.1\r\nHost: x\r\n\r\n");

  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("allow"), "POST");
}

TEST(HttpReceiver, KeepsBrowsersFilesFromFunctions) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  std::string post = PostEvent("1");
  post.replace(5, 1, "/robots.txt");

  EXPECT_EQ(receiver.Exchange(post).status, 404);
  EXPECT_EQ(receiver.Exchange("GET /favicon.ico?x HTTP/1.1\r\nHost: x\r\n\r\n")
                .status,
            404);
  EXPECT_THAT(sink.ids(), IsEmpty());
}

class Health final : public HttpSideRoutes {
 public:
  bool Handle(const HttpSideRequest& request,
              HttpReply& reply) noexcept override {
    if (request.path != "/healthz") return false;
    reply.content_type = "text/plain";
    reply.header_lines = "cache-control: no-store\r\n";
    reply.body = request.admin_port ? "admin" : "public";
    if (!request.query.empty()) reply.body = request.query;
    return true;
  }
};

TEST(HttpReceiver, ServesSideRoutesBesideEvents) {
  InlineSink sink;
  Health health;
  RunningReceiver receiver(sink, {}, &health);
  std::string post = PostEvent("1");
  post.replace(5, 1, "/healthz");

  const RawResponse get =
      receiver.Exchange("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawResponse query =
      receiver.Exchange("GET /healthz?full HTTP/1.1\r\nHost: x\r\n\r\n");
  RawHttpClient client = receiver.Connect();
  client.Send("HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  const RawResponse head = client.Receive(true);

  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body, "public");
  EXPECT_EQ(get.Header("cache-control"), "no-store");
  EXPECT_EQ(query.body, "full");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Header("content-length"), "6");
  EXPECT_EQ(client.Exchange(post).status, 202);
  EXPECT_THAT(sink.ids(), ElementsAre("1"));
}

// "the set of methods advertised as supported by the target resource".
// RFC 9110 section 10.2.1
TEST(HttpReceiver, AllowsWhatSideRoutesAnswer) {
  InlineSink sink;
  Health health;
  RunningReceiver receiver(sink, {}, &health);

  for (const char* const method : {"DELETE", "OPTIONS"}) {
    const std::string begin = method;
    const std::string end = " HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(receiver.Exchange(begin + " /healthz" + end).Header("allow"),
              "GET, HEAD, POST");
    EXPECT_EQ(receiver.Exchange(begin + " /other" + end).Header("allow"),
              "POST");
  }
}

TEST(HttpReceiver, ServesSideRoutesAloneOnTheAdminPort) {
  InlineSink sink;
  Health health;
  RunningReceiver receiver(sink, {.admin_port = 0}, &health);
  RawHttpClient client(receiver->admin_port());

  EXPECT_EQ(client.Exchange("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").body,
            "admin");
  EXPECT_EQ(client.Exchange("GET /other HTTP/1.1\r\nHost: x\r\n\r\n").status,
            404);
  const RawResponse post = client.Exchange(PostEvent("1"));
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.Header("allow"), "GET, HEAD");
  EXPECT_THAT(sink.ids(), IsEmpty());
}

}  // namespace
}  // namespace cirro::test
