// One POST and its answer, by the module "http_client".

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "cirro/http_client/http_client.h"
#include "cirro/module/module.h"
#include "support/free_port.h"
#include "support/load_module.h"
#include "support/raw_http_server.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::RawHttpServer;
using test::RawReply;
using test::Status;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

Result<HttpAnswer> Post(const HttpPost& request) {
  return test::LoadModule<HttpClientApi>().post(request);
}

ErrorCode CodeOf(const Result<HttpAnswer>& answer) {
  return answer ? ErrorCode::kInternal : answer.error().code;
}

TEST(HttpPost, SendsWhatItIsGivenAndNothingItIsNot) {
  RawHttpServer server([](const std::string&) { return Status("202 OK"); });

  const auto answer = Post({.url = server.url("/a?b=c"),
                            .header_lines = "ce-id: 1\r\nce-empty: \r\n",
                            .body = std::string("a\0b", 3)});

  ASSERT_TRUE(answer) << answer.error().message;
  const std::string request = server.requests().at(0);
  EXPECT_THAT(request, AllOf(HasSubstr("POST /a?b=c HTTP/1.1\r\n"),
                             HasSubstr("ce-id: 1\r\n"), HasSubstr("ce-empty:"),
                             EndsWith(std::string("\r\n\r\na\0b", 7))));
  EXPECT_THAT(request,
              AllOf(Not(HasSubstr("ontent-type")),
                    Not(HasSubstr("ontent-Type")), Not(HasSubstr("xpect"))));
}

TEST(HttpPost, GivesTheAnswerWhateverItsStatus) {
  RawHttpServer server([](const std::string&) {
    return Status("422 No", "Ce-Id:  7 \r\nX: a\r\nX: b\r\n", "why not");
  });

  const auto answer = Post({.url = server.url()});

  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 422);
  EXPECT_EQ(answer->body, "why not");
  EXPECT_THAT(answer->headers,
              AllOf(Contains(Pair("Ce-Id", "7")), Contains(Pair("X", "a")),
                    Contains(Pair("X", "b"))));
}

TEST(HttpPost, ForgetsTheHeadersOfAnInterimAnswer) {
  RawHttpServer server([](const std::string&) {
    RawReply reply = Status("200 OK", "After: 2\r\n");
    reply.bytes = "HTTP/1.1 103 Early Hints\r\nBefore: 1\r\n\r\n" + reply.bytes;
    return reply;
  });

  const auto answer = Post({.url = server.url()});

  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 200);
  EXPECT_THAT(answer->headers, AllOf(Contains(Pair("After", "2")),
                                     Not(Contains(Pair("Before", "1")))));
}

TEST(HttpPost, FollowsNoRedirect) {
  RawHttpServer server([](const std::string&) {
    return Status("302 Found", "Location: /elsewhere\r\n");
  });

  const auto answer = Post({.url = server.url()});

  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 302);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpPost, TellsHowItFailed) {
  RawHttpServer silent([](const std::string&) { return RawReply(); });
  RawHttpServer breaks([](const std::string&) { return RawReply{"", true}; });
  RawHttpServer endless([](const std::string&) {
    return Status("200 OK", {}, std::string(17 << 20, 'x'));
  });
  const std::string nowhere =
      "http://127.0.0.1:" + std::to_string(test::FreePort());

  EXPECT_EQ(CodeOf(Post({.url = "ftp://127.0.0.1/"})),
            ErrorCode::kInvalidConfig);
  EXPECT_EQ(CodeOf(Post({.url = nowhere})), ErrorCode::kUnavailable);
  EXPECT_EQ(CodeOf(Post({.url = silent.url(), .timeout = milliseconds(100)})),
            ErrorCode::kTimedOut);
  EXPECT_EQ(CodeOf(Post({.url = breaks.url()})), ErrorCode::kUnknownOutcome);
  EXPECT_EQ(CodeOf(Post({.url = endless.url()})), ErrorCode::kTooLarge);
}

TEST(HttpPost, ShowsNoPassword) {
  const std::string url =
      "http://me:secret@127.0.0.1:" + std::to_string(test::FreePort()) +
      "/?token=hidden";

  const auto answer = Post({.url = url});

  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message,
              AllOf(Not(HasSubstr("secret")), Not(HasSubstr("hidden"))));
}

}  // namespace
}  // namespace cirro
