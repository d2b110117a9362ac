// What the SDKs of other languages send is taken, as tests/data/peers holds it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "cirro/http/codec.h"
#include "support/http_decode.h"
#include "support/recorded_request.h"

namespace cirro {
namespace {

using test::DecodeHttp;
using test::EventOf;
using test::ReadRecorded;

constexpr std::string_view kSubject =
    "Gr\xC3\xBC\xC3\x9F"
    "e \"quoted\" 50% %0g";

class Peer : public ::testing::TestWithParam<std::string> {
 protected:
  static HttpContent Decode(const std::string& name,
                            const DecodeOptions& options = {}) {
    const test::RecordedRequest request =
        ReadRecorded(GetParam() + "/" + name + ".http");
    return DecodeHttp(request.headers(), request.body, options);
  }
};

void ExpectPlain(const Event& event) {
  EXPECT_EQ(event.id(), "1");
  EXPECT_EQ(event.source(), "/shop");
  EXPECT_EQ(event.type(), "com.example.order.placed");
  EXPECT_EQ(event.subject(), "a b");
  EXPECT_EQ(event.dataschema(), "https://example.com/schema");
  EXPECT_EQ(event.datacontenttype(), "application/json");
  EXPECT_EQ(event.time()->seconds, 1'709'204'400);
  EXPECT_EQ(event.attribute("sampledrate")->AsInteger(), 3);
  EXPECT_EQ(event.attribute("flag")->AsBoolean(), true);
  EXPECT_EQ(event.data_kind(), DataKind::kJson);
  EXPECT_THAT(std::string(event.data()),
              ::testing::MatchesRegex("\\{\"total\": ?3.5\\}"));
}

void ExpectText(const Event& event) {
  EXPECT_EQ(event.id(), "100%");
  EXPECT_EQ(event.source(), "/a%20b");
  EXPECT_EQ(event.subject(), kSubject);
  EXPECT_EQ(event.datacontenttype(), "text/plain");
  EXPECT_EQ(event.data(), "caf\xC3\xA9");
}

TEST_P(Peer, PlainEventInBinaryMode) {
  const HttpContent content = Decode("binary-plain");

  EXPECT_EQ(content.mode, ContentMode::kBinary);
  ExpectPlain(EventOf(content));
  EXPECT_EQ(content.forgiven, Leniency::kNone);
}

TEST_P(Peer, PlainEventInStructuredMode) {
  const HttpContent content = Decode("structured-plain");

  EXPECT_EQ(content.mode, ContentMode::kStructured);
  ExpectPlain(EventOf(content));
}

TEST_P(Peer, HostileTextInBinaryMode) {
  ExpectText(EventOf(Decode("binary-text")));
}

TEST_P(Peer, HostileTextInStructuredMode) {
  ExpectText(EventOf(Decode("structured-text")));
}

TEST_P(Peer, HostileTextIsForgivenOnlyWhereItIsNotEncoded) {
  const bool encodes = GetParam().starts_with("pypi");

  EXPECT_EQ(Decode("binary-text").forgiven == Leniency::kNone, encodes);
  EXPECT_EQ(std::holds_alternative<Event>(
                Decode("binary-text", {.strict = true}).value),
            encodes);
}

INSTANTIATE_TEST_SUITE_P(Sdks, Peer,
                         ::testing::Values("npm-cloudevents-10.0.0",
                                           "pypi-cloudevents-2.2.0",
                                           "go-cloudevents-sdk-2.16.2"),
                         [](const auto& param_info) {
                           return param_info.param.substr(
                               0, param_info.param.find('-'));
                         });

TEST(PeerOfItsOwn, JavaScriptSendsIso88591) {
  const test::RecordedRequest request =
      ReadRecorded("npm-cloudevents-10.0.0/binary-text.http");

  const HttpContent content = DecodeHttp(request.headers(), request.body);

  EXPECT_TRUE(Has(content.forgiven, Leniency::kLatin1));
  EXPECT_TRUE(Has(content.forgiven, Leniency::kLiteralValue));
  EXPECT_TRUE(Has(content.forgiven, Leniency::kLiteralUri));
}

TEST(PeerOfItsOwn, GoSendsTextAsBase64InABatch) {
  const test::RecordedRequest request =
      ReadRecorded("go-cloudevents-sdk-2.16.2/batch.http");

  const HttpContent content = DecodeHttp(request.headers(), request.body);

  const auto& members = std::get<std::vector<Result<Event>>>(content.value);
  ASSERT_EQ(members.size(), 2U);
  ExpectPlain(*members[0]);
  ExpectText(*members[1]);
}

}  // namespace
}  // namespace cirro
