// The receiver over real sockets against messages whose content is hostile:
// bytes that are no text, JSON that is deep, batches over a bound.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "cirro/cloudevents/json_format.h"
#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kEvent =
    "ce-specversion: 1.0\r\nce-source: /s\r\nce-type: t\r\nce-id: 1\r\n";

TEST(HostileContent, DeepJsonIsRefused) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  const std::string deep(100'000, '[');
  const std::string head =
      R"({"specversion":"1.0","source":"/s","type":"t","id":"1","data":)";

  EXPECT_EQ(receiver
                .Exchange(Post("Content-Type: application/cloudevents+json\r\n",
                               head + deep + std::string(100'000, ']') + "}"))
                .status,
            400);
  EXPECT_EQ(receiver
                .Exchange(Post("Content-Type: application/cloudevents+json\r\n",
                               deep))
                .status,
            400);
  EXPECT_EQ(
      receiver
          .Exchange(Post("Content-Type: application/cloudevents-batch+json\r\n",
                         deep))
          .status,
      400);
  EXPECT_THAT(sink.ids(), IsEmpty());
}

TEST(HostileContent, InvalidUtf8InJsonIsRefused) {
  InlineSink sink;
  RunningReceiver receiver(sink);

  for (const char* const bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80"}) {
    const RawResponse response = receiver.Exchange(
        Post("Content-Type: application/cloudevents+json\r\n",
             R"({"specversion":"1.0","source":"/s","type":"t","id":")" +
                 std::string(bad) + "\"}"));
    EXPECT_EQ(response.status, 400);
    EXPECT_TRUE(IsJson(response.body)) << response.body;
  }
  EXPECT_THAT(sink.ids(), IsEmpty());
}

TEST(HostileContent, InvalidUtf8InAHeaderIsRefusedWhereStrict) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.decode = {.strict = true}});

  EXPECT_EQ(receiver
                .Exchange(Post("ce-specversion: 1.0\r\nce-source: /s\r\n"
                               "ce-type: t\r\nce-id: %c0%af\r\n"))
                .status,
            400);
}

// Bytes that are UTF-8 nowhere, wherever a sender may put them.
constexpr std::array<std::string_view, 4> kNoUtf8 = {
    "\xff", "\xc0\xaf", "\xed\xa0\x80", "\xe2\x82"};

TEST(HostileContent, InvalidUtf8InTheMediaTypeIsRefused) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  for (const std::string_view bad : kNoUtf8) {
    const auto typed = [&](std::string_view type, std::string_view more = {},
                           std::string_view body = "{}") {
      std::string lines(more);
      lines.append("Content-Type: ").append(type).append("\r\n");
      return receiver.Exchange(Post(lines, body));
    };
    const std::string quoted = "text/plain; a=\"" + std::string(bad) + "\"";
    const std::string token = "text/" + std::string(bad);

    for (const std::string& type : {quoted, token, std::string(bad)}) {
      const RawResponse event = typed(type, kEvent);
      const RawResponse none = typed(type);
      EXPECT_EQ(event.status, 400) << event.body;
      EXPECT_TRUE(IsJson(event.body)) << event.body;
      EXPECT_EQ(none.status, 415) << none.body;
      EXPECT_TRUE(IsJson(none.body)) << none.body;
    }
    EXPECT_EQ(typed("application/cloudevents" + std::string(bad)).status, 415);
  }
  EXPECT_THAT(sink.ids(), IsEmpty());
  EXPECT_EQ(receiver.Exchange(PostEvent("next")).status, 202);
}

TEST(HostileContent, InvalidUtf8InDataOfAJsonEventIsRefused) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  for (const std::string_view bad : kNoUtf8) {
    const std::string text(bad);
    for (const std::string& member :
         {"\"data\":\"" + text + "\"", "\"data\":{\"" + text + "\":1}",
          "\"data\":" + text, "\"data_base64\":\"" + text + "\"",
          "\"datacontenttype\":\"text/plain\",\"data\":\"a" + text + "b\"",
          "\"" + text + "\":1", "\"subject\":\"" + text + "\""}) {
      const std::string event =
          R"({"specversion":"1.0","source":"/s","type":"t","id":"1",)" +
          member + "}";

      const RawResponse alone = receiver.Exchange(
          Post("Content-Type: application/cloudevents+json\r\n", event));
      const RawResponse batch = receiver.Exchange(
          Post("Content-Type: application/cloudevents-batch+json\r\n",
               "[" + event + "]"));

      EXPECT_EQ(alone.status, 400) << member;
      EXPECT_TRUE(IsJson(alone.body)) << alone.body;
      EXPECT_EQ(batch.status, 400) << member;
      EXPECT_TRUE(IsJson(batch.body)) << batch.body;
    }
  }
  EXPECT_THAT(sink.ids(), IsEmpty());
}

// In binary mode the body is not looked at: it is whatever it is.
TEST(HostileContent, InvalidUtf8InABinaryBodyIsHandedOnAsItCame) {
  std::string data;
  DataKind kind = DataKind::kNone;
  InlineSink sink([&](const Delivery& delivery) {
    data = delivery.event()->data();
    kind = delivery.event()->data_kind();
    return Done();
  });
  RunningReceiver receiver(sink);
  for (const char* const type : {"application/json", "text/plain"}) {
    EXPECT_EQ(receiver
                  .Exchange(Post(
                      std::string(kEvent) + "Content-Type: " + type + "\r\n",
                      "\"\xff\""))
                  .status,
              202);
    EXPECT_EQ(data, "\"\xff\"");
    EXPECT_EQ(kind, DataKind::kBinary);
  }
}

TEST(HostileContent, InvalidUtf8InAHeaderIsLatin1) {
  std::string subject;
  InlineSink sink([&](const Delivery& delivery) {
    subject = delivery.event()->subject();
    return Done();
  });
  RunningReceiver receiver(sink);
  const auto send = [&](std::string_view value) {
    std::string lines(kEvent);
    lines.append("ce-subject: ").append(value).append("\r\n");
    return receiver.Exchange(Post(lines)).status;
  };

  EXPECT_EQ(send("a\xff"), 202);
  EXPECT_EQ(subject, "a\xC3\xBF");
  EXPECT_EQ(send("\xc0\xaf"), 202);
  EXPECT_EQ(subject, "\xC3\x80\xC2\xAF");
  EXPECT_EQ(receiver->counters().forgiven[1], 2u);
  // ISO-8859-1 has control characters, which no attribute may have.
  EXPECT_EQ(send("\xed\xa0\x80"), 400);
  // And what was encoded on purpose is UTF-8 or nothing.
  for (const char* const value : {"%ff", "%c0%af", "%ED%A0%80", "%e2%82"}) {
    EXPECT_EQ(send(value), 400) << value;
  }
}

// Batches over a bound.

constexpr std::string_view kBatchType =
    "Content-Type: application/cloudevents-batch+json\r\n";

std::string EventOf(std::size_t data_bytes) {
  return R"({"specversion":"1.0","source":"/s","type":"t","id":"1","data":")" +
         std::string(data_bytes, 'x') + "\"}";
}

TEST(HostileContent, ABatchOfTooManyBytesIs413) {
  constexpr std::size_t kLimit = 100'000;
  InlineSink sink;
  RunningReceiver receiver(sink, {.body_limit = kLimit});
  std::string batch = "[" + EventOf(30'000) + "," + EventOf(30'000) + "]";
  batch.insert(batch.size() - 1, kLimit - batch.size(), ' ');

  const RawResponse most = receiver.Exchange(Post(kBatchType, batch));
  const RawResponse over = receiver.Exchange(Post(kBatchType, batch + " "));
  const RawResponse chunked = receiver.Exchange(
      "POST / HTTP/1.1\r\nHost: x\r\n" + std::string(kBatchType) +
      "Transfer-Encoding: chunked\r\n\r\n186a1\r\n" + batch + " \r\n0\r\n\r\n");

  EXPECT_EQ(most.status, 202);
  EXPECT_EQ(over.status, 413);
  EXPECT_TRUE(IsJson(over.body)) << over.body;
  EXPECT_EQ(chunked.status, 413);
  EXPECT_EQ(sink.ids().size(), 2u);
  EXPECT_EQ(receiver.rejected(HttpReject::kBodyTooLarge), 2u);
  EXPECT_EQ(receiver.Exchange(PostEvent("next")).status, 202);
}

TEST(HostileContent, ABatchOfTooManyEventsIs413AndRunsNone) {
  InlineSink sink;
  RunningReceiver receiver(sink);
  const std::size_t bound = DecodeOptions().max_batch_events;
  std::string events = EventOf(1);
  for (std::size_t i = 1; i < bound; ++i) events += "," + EventOf(1);

  const RawResponse over = receiver.Exchange(
      Post(kBatchType, "[" + events + "," + EventOf(1) + "]"));
  const std::size_t ran = sink.ids().size();
  const RawResponse most =
      receiver.Exchange(Post(kBatchType, "[" + events + "]"));

  EXPECT_EQ(over.status, 413);
  EXPECT_TRUE(IsJson(over.body)) << over.body;
  EXPECT_EQ(ran, 0u);
  EXPECT_EQ(most.status, 202);
  EXPECT_EQ(sink.ids().size(), bound);
}

// The bound on an event is each member's own: the others run.
TEST(HostileContent, AMemberOfTooManyBytesIs413Alone) {
  InlineSink sink;
  RunningReceiver receiver(sink, {.decode = {.max_event_bytes = 1'000}});

  const RawResponse response = receiver.Exchange(
      Post(kBatchType,
           "[" + EventOf(1) + "," + EventOf(1'000) + "," + EventOf(1) + "]"));

  EXPECT_EQ(response.status, 413);
  EXPECT_TRUE(IsJson(response.body)) << response.body;
  EXPECT_THAT(sink.ids(), ElementsAre("1", "1"));
}

}  // namespace
}  // namespace cirro::test
