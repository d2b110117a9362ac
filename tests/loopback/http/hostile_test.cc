// The receiver over real sockets against senders that mean ill or are broken:
// each gets the status of the table, and the next one is served.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cirro/cloudevents/json_format.h"
#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using ::testing::IsEmpty;

constexpr std::string_view kEvent =
    "ce-specversion: 1.0\r\nce-source: /s\r\nce-type: t\r\nce-id: 1\r\n";
// What a smuggler wants to have run.
constexpr std::string_view kSecond =
    "POST /second HTTP/1.1\r\nHost: x\r\nce-specversion: 1.0\r\n"
    "ce-source: /s\r\nce-type: t\r\nce-id: smuggled\r\n"
    "Content-Length: 0\r\n\r\n";

std::string Head(std::string_view lines,
                 std::string_view request_line = "POST / HTTP/1.1\r\n",
                 std::string_view host = "Host: x\r\n") {
  std::string head(request_line);
  head += host;
  head += kEvent;
  head += lines;
  head += "\r\n";
  return head;
}

struct Case {
  std::string name;
  std::string bytes;
  int status;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Refused : public ::testing::TestWithParam<Case> {};

// A refused connection is closed: whatever follows on it is never a request.
TEST_P(Refused, IsAnsweredOnceAndTheConnectionEnds) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.body_limit = 100'000});
  RawHttpClient client = receiver.Connect();

  client.Send(GetParam().bytes);
  client.Send(kSecond);
  const RawResponse response = client.Receive();
  const RawHttpClient::End end = client.WaitForEnd();

  EXPECT_EQ(response.status, GetParam().status) << response.body;
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_EQ(response.Header("content-type"), "application/problem+json");
  EXPECT_TRUE(IsJson(response.body)) << response.body;
  EXPECT_EQ(end, RawHttpClient::End::kEnd);
  EXPECT_EQ(client.rest(), "");
  EXPECT_THAT(sink.ids(), IsEmpty());
  EXPECT_EQ(receiver.Exchange(PostEvent("next")).status, 202);
}

std::string Repeat(std::size_t count, std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}
std::string Chunked(std::string_view body) {
  return Head("Transfer-Encoding: chunked\r\n") + std::string(body);
}
std::string NotFinished(std::string text, std::size_t cut) {
  text.resize(text.size() - cut);
  return text;
}

std::vector<Case> Smuggling() {
  const std::string length = "Content-Length: 5\r\n";
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  return {
      {"ObsFoldOfAValue", Head("X-A: b\r\n c\r\n"), 400},
      {"ObsFoldByTab", Head("X-A: b\r\n\tc\r\n"), 400},
      {"ObsFoldOfTransferEncoding",
       Head("Transfer-Encoding:\r\n chunked\r\n") + "0\r\n\r\n", 400},
      {"BlankBeforeTheFirstField",
       "POST / HTTP/1.1\r\n Host: x\r\nContent-Length: 0\r\n\r\n", 400},
      {"EqualLengthsTwice", Head(length + length) + "hello", 400},
      {"TwoLengths", Head(length + "Content-Length: 0\r\n") + "hello", 400},
      {"ListOfEqualLengths", Head("Content-Length: 5, 5\r\n") + "hello", 400},
      {"ListWithAnEmptyLength", Head("Content-Length: 5,\r\n") + "hello", 400},
      {"SignedLength", Head("Content-Length: +5\r\n") + "hello", 400},
      {"NegativeLength", Head("Content-Length: -5\r\n") + "hello", 400},
      {"HexLength", Head("Content-Length: 0x5\r\n") + "hello", 400},
      {"EmptyLength", Head("Content-Length: \r\n"), 400},
      {"LengthBeyond64Bits",
       Head("Content-Length: 18446744073709551621\r\n") + "hello", 400},
      {"NoHost", Head(length, "POST / HTTP/1.1\r\n", "") + "hello", 400},
      {"TwoHosts", Head("Host: y\r\n"), 400},
      {"EqualHostsTwice", Head("Host: x\r\n"), 400},
      {"HostThatIsNone", Head("", "POST / HTTP/1.1\r\n", "Host: a b/c@d\r\n"),
       400},
      {"LengthAndChunked", Head(length + chunked) + "0\r\n\r\n", 400},
      {"ChunkedAndLength", Head(chunked + length) + "0\r\n\r\n", 400},
      {"ChunkedOnHttp10", Head(chunked, "POST / HTTP/1.0\r\n") + "0\r\n\r\n",
       501},
      {"GzipBeforeChunked",
       Head("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n", 501},
      {"ChunkedBeforeGzip",
       Head("Transfer-Encoding: chunked, gzip\r\n") + "0\r\n\r\n", 501},
      {"ChunkedTwiceInOneField",
       Head("Transfer-Encoding: chunked, chunked\r\n") + "0\r\n\r\n", 501},
      {"ChunkedInTwoFields", Head(chunked + chunked) + "0\r\n\r\n", 501},
      {"IdentityThenChunked",
       Head("Transfer-Encoding: identity\r\n" + chunked) + "0\r\n\r\n", 501},
      {"XChunked", Head("Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n", 501},
      {"ChunkedWithAParameter",
       Head("Transfer-Encoding: chunked;q=1\r\n") + "0\r\n\r\n", 501},
      {"ChunkedInQuotes",
       Head("Transfer-Encoding: \"chunked\"\r\n") + "0\r\n\r\n", 501},
      {"ChunkedWithVerticalTab",
       Head("Transfer-Encoding: \vchunked\r\n") + "0\r\n\r\n", 400},
      {"BlankBeforeTheColon",
       Head("Transfer-Encoding : chunked\r\n") + "0\r\n\r\n", 400},
      {"NameWithABlank", Head("X A: b\r\n"), 400},
      {"EmptyName", Head(": b\r\n"), 400},
      {"LineWithoutAColon", Head("nothing\r\n"), 400},
  };
}

std::vector<Case> Broken() {
  return {
      {"BareLineFeeds", "POST / HTTP/1.1\nHost: x\nContent-Length: 0\n\n", 400},
      {"OneBareLineFeed", Head("X-A: b\nX-C: d\r\n"), 400},
      {"BareCarriageReturn", Head("X-A: b\rX-C: d\r\n"), 400},
      {"NulInAValue", Head(std::string("X-A: b\0c\r\n", 10)), 400},
      {"NulInAName", Head(std::string("X\0A: b\r\n", 8)), 400},
      {"NulInTheTarget", Head("", std::string("POST /\0 HTTP/1.1\r\n", 18)),
       400},
      {"ControlByteInAValue", Head("X-A: b\x01\r\n"), 400},
      {"DeleteInAValue", Head("X-A: b\x7f\r\n"), 400},
      {"NoVersion", "POST /\r\n\r\n", 400},
      {"TwoBlanksInTheRequestLine", "POST  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"MethodThatIsNoToken", "PO(ST / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"TlsHello", std::string("\x16\x03\x01\x02\x00\x01\x00", 7), 400},
      {"Http2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"Http12", Head("", "POST / HTTP/1.2\r\n"), 505},
      {"Http09", Head("", "POST / HTTP/0.9\r\n"), 505},
      {"UnknownExpectation", Head("Expect: 200-ok\r\n"), 417},
  };
}

std::string Asking(std::string_view method, std::string_view target) {
  return Head(
      "", std::string(method) + " " + std::string(target) + " HTTP/1.1\r\n");
}

// RFC 9112 section 3.2: none of the four forms, or one of another method.
std::vector<Case> Targets() {
  return {
      {"AsteriskOfPost", Asking("POST", "*"), 400},
      {"NoForm", Asking("POST", "events"), 400},
      {"AuthorityOfPost", Asking("POST", "x:80"), 400},
      {"SchemeOfOthers", Asking("POST", "ftp://x/"), 400},
      {"AbsoluteWithoutHost", Asking("POST", "http:///a"), 400},
      {"AbsoluteWithPortAlone", Asking("POST", "http://:80/a"), 400},
      {"AbsoluteWithUser", Asking("POST", "http://me:secret@x/a"), 400},
      {"AbsoluteWithBackslash", Asking("POST", "http://x\\y/a"), 400},
      {"OriginOfConnect", Asking("CONNECT", "/"), 400},
      {"NothingOfConnect", Asking("CONNECT", ":"), 400},
      {"Fragment", Asking("POST", "/a#b"), 400},
      {"AsteriskOfGet", Asking("GET", "*"), 400},
  };
}

std::vector<Case> Chunks() {
  return {
      {"NoSize", Chunked("\r\nhello\r\n0\r\n\r\n"), 400},
      {"SizeThatIsNoHex", Chunked("5g\r\nhello\r\n0\r\n\r\n"), 400},
      {"SignedSize", Chunked("+5\r\nhello\r\n0\r\n\r\n"), 400},
      {"PrefixedSize", Chunked("0x5\r\nhello\r\n0\r\n\r\n"), 400},
      {"BlankBeforeTheSize", Chunked(" 5\r\nhello\r\n0\r\n\r\n"), 400},
      {"BlankAfterTheSize", Chunked("5 \r\nhello\r\n0\r\n\r\n"), 400},
      {"SizeBeyond64Bits", Chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
       400},
      {"SizeThatIsLong", Chunked("ffffffffffffff\r\nhello"), 413},
      {"DataLongerThanItsSize", Chunked("5\r\nhello!\r\n0\r\n\r\n"), 400},
      {"NoLineEndAfterData", Chunked("5\r\nhello0\r\n\r\n"), 400},
      {"LineFeedAfterData", Chunked("5\r\nhello\n0\r\n\r\n"), 400},
      {"LineFeedAfterSize", Chunked("5\nhello\r\n0\r\n\r\n"), 400},
      {"LineFeedInAnExtension", Chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"), 400},
      {"NulInAnExtension",
       Chunked(std::string("5;a\0b\r\nhello\r\n0\r\n\r\n", 20)), 400},
      {"ExtensionOf300kB",
       Chunked("5;" + std::string(300'000, 'a') + "\r\nhello\r\n0\r\n\r\n"),
       431},
      {"ManyExtensions",
       Chunked(Repeat(3'000, "1;abcdefgh\r\nx\r\n") + "0\r\n\r\n"), 431},
      {"TrailersOf30kB",
       Chunked("0\r\nX-A: " + std::string(30'000, 'a') + "\r\n\r\n"), 431},
      {"ManyTrailers", Chunked("0\r\n" + Repeat(3'000, "a: b\r\n") + "\r\n"),
       431},
      {"FoldedTrailer", Chunked("0\r\na: b\r\n c\r\n\r\n"), 400},
      {"LineFeedInATrailer", Chunked("0\r\na: b\n\r\n"), 400},
      {"MoreThanTheBodyLimit",
       Chunked(Repeat(101, "3e8\r\n" + std::string(1'000, 'x') + "\r\n") +
               "0\r\n\r\n"),
       413},
  };
}

std::vector<Case> Limits() {
  return {
      {"LongTarget",
       Head("", "POST /" + std::string(9'000, 'a') + " HTTP/1.1\r\n"), 414},
      {"TargetWithoutEnd", "POST /" + std::string(9'000, 'a'), 414},
      {"LongValue", Head("X-A: " + std::string(70'000, 'a') + "\r\n"), 431},
      {"ManyFields", Head(Repeat(300, "X-A: b\r\n")), 431},
      {"HeaderWithoutEnd",
       NotFinished(Head(Repeat(200, "X-A: " + std::string(400, 'b') + "\r\n")),
                   2),
       431},
      {"LongBody", Head("Content-Length: 100001\r\n"), 413},
      {"HugeLength", Head("Content-Length: 9999999999999999999\r\n"), 413},
  };
}

const auto kName = [](const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
};
INSTANTIATE_TEST_SUITE_P(Smuggling, Refused, ::testing::ValuesIn(Smuggling()),
                         kName);
INSTANTIATE_TEST_SUITE_P(Broken, Refused, ::testing::ValuesIn(Broken()), kName);
INSTANTIATE_TEST_SUITE_P(Targets, Refused, ::testing::ValuesIn(Targets()),
                         kName);
INSTANTIATE_TEST_SUITE_P(Chunks, Refused, ::testing::ValuesIn(Chunks()), kName);
INSTANTIATE_TEST_SUITE_P(Limits, Refused, ::testing::ValuesIn(Limits()), kName);

// RFC 9110 section 9.3.2: "the server MUST NOT send content in the response"
// to HEAD, which a refusal is, too.
TEST(Hostile, ARefusalOfHeadHasNoBody) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.body_limit = 100'000});
  for (const auto& cases :
       {Smuggling(), Broken(), Targets(), Chunks(), Limits()}) {
    for (const Case& one : cases) {
      if (!one.bytes.starts_with("POST ")) continue;
      RawHttpClient client = receiver.Connect();

      client.Send("\r\nHEAD" + one.bytes.substr(4));
      const RawResponse response = client.Receive(true);

      EXPECT_EQ(response.status, one.status) << one.name;
      EXPECT_NE(response.Header("content-length"), "0") << one.name;
      EXPECT_EQ(client.WaitForEnd(), RawHttpClient::End::kEnd) << one.name;
      EXPECT_EQ(client.rest(), "") << one.name;
    }
  }
}

// A value over 64 KiB is refused even where the header may be larger: no
// attribute may have it.
TEST(Hostile, AValueOver64KiBIsRefusedWhateverTheHeaderLimit) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.header_limit = 1'000'000});

  const RawResponse response =
      receiver.Exchange(Head("X-A: " + std::string(65'536, 'a') + "\r\n"));

  EXPECT_EQ(response.status, 431);
}

TEST(Hostile, TrailersNeverBecomeHeaders) {
  std::string type;
  std::size_t attributes = 0;
  InlineSink sink([&](const Delivery& delivery) {
    type = delivery.event()->type();
    attributes = delivery.event()->attribute_count();
    return Done();
  });
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();

  const RawResponse response = client.Exchange(
      Chunked("5\r\nhello\r\n0\r\nce-type: injected\r\nce-more: x\r\n"
              "Host: y\r\nConnection: close\r\nContent-Length: 3\r\n\r\n"));

  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(type, "t");
  EXPECT_EQ(attributes, 4u);
  EXPECT_EQ(client.Exchange(PostEvent("2")).status, 202);
}

// The last chunk cut at every byte: a parser that looks ahead may read, or
// assert, beyond what came.
TEST(Hostile, ChunksMayComeByteByByte) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  RawHttpClient client = receiver.Connect();

  for (int round = 0; round < 2; ++round) {
    for (const char c : Chunked("3\r\nabc\r\n0\r\n\r\n")) {
      ASSERT_TRUE(client.Send({&c, 1}));
    }
    EXPECT_EQ(client.Receive().status, 202);
  }
}

TEST(Hostile, ConnectionsOverTheLimitAreToldSo) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.max_connections = 3});
  std::vector<RawHttpClient> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(receiver.Connect());
    ASSERT_EQ(clients.back().Exchange(PostEvent("1")).status, 202);
  }

  RawHttpClient over = receiver.Connect();
  const RawResponse response = over.Receive();
  const RawHttpClient::End end = over.WaitForEnd();
  clients.pop_back();

  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("retry-after"), "1");
  EXPECT_EQ(end, RawHttpClient::End::kEnd);
  EXPECT_EQ(clients[0].Exchange(PostEvent("2")).status, 202);
  EXPECT_EQ(receiver.rejected(HttpReject::kConnections), 1u);
}

// Two hundred bodies of 1 MB but for their last byte, against 8 MB.
TEST(Hostile, HalfSentBodiesAreBoundedTogether) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.max_buffered_bytes = 8'000'000});
  const std::string request = PostEvent("1", std::string(1'000'000, 'x'));
  std::vector<RawHttpClient> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(receiver.Connect());
    clients.back().Send(
        std::string_view(request).substr(0, request.size() - 1));
    ASSERT_EQ(receiver.Exchange(PostEvent("small")).status, 202);
  }
  for (RawHttpClient& client : clients) client.Send("x");

  std::uint64_t served = 0;
  std::uint64_t refused = 0;
  for (RawHttpClient& client : clients) {
    const int status = client.Receive().status;
    served += status == 202 ? 1U : 0U;
    refused += status == 503 ? 1U : 0U;
  }

  EXPECT_GE(served, 1U);
  EXPECT_LE(served, 8U);
  EXPECT_EQ(refused, 200U - served);
  EXPECT_EQ(receiver.rejected(HttpReject::kBuffers), 200U - served);
  EXPECT_EQ(receiver.Exchange(request).status, 202);
}

TEST(Hostile, ALargeBodyAloneIsTakenHoweverManyThreadsThereAre) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.reactor_threads = 16,
                                  .header_limit = 8'192,
                                  .body_limit = 1'000'000,
                                  .max_buffered_bytes = 2'016'384});
  const std::string request = PostEvent("1", std::string(999'000, 'x'));

  for (int i = 0; i < 16; ++i) {
    ASSERT_EQ(receiver.Exchange(request).status, 202) << i;
  }
}

TEST(Hostile, ConnectionsToTheAdminPortAreBoundedBesideTheOthers) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.admin_port = 0, .max_connections = 1});
  RawHttpClient event = receiver.Connect();
  ASSERT_EQ(event.Exchange(PostEvent("1")).status, 202);
  const std::string request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
  std::vector<RawHttpClient> clients;
  for (int i = 0; i < 256; ++i) {
    clients.emplace_back(receiver->admin_port());
    ASSERT_EQ(clients.back().Exchange(request).status, 404);
  }

  RawHttpClient over(receiver->admin_port());

  EXPECT_EQ(over.Receive().status, 503);
  EXPECT_EQ(event.Exchange(PostEvent("2")).status, 202);
}

TEST(Hostile, RefusalsAreCountedByReason) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  receiver.Exchange(Head("X-A: b\r\n c\r\n"));
  receiver.Exchange(Head("Transfer-Encoding: gzip\r\n"));
  receiver.Exchange(Head("Content-Length: 99999999\r\n"));

  EXPECT_EQ(receiver.rejected(HttpReject::kBadRequest), 1u);
  EXPECT_EQ(receiver.rejected(HttpReject::kTransferEncoding), 1u);
  EXPECT_EQ(receiver.rejected(HttpReject::kBodyTooLarge), 1u);
}

}  // namespace
}  // namespace cirro::test
