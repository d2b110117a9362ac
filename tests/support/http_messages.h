#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/settlement.h"

namespace cirro::test {

/// The parts of requests with events in them, and replies to them.

inline Event MakeReply(std::string_view id = "r1") {
  return *EventBuilder()
              .id(id)
              .source("/reply")
              .type("test.reply")
              .data(JsonText(R"({"ok":true})"))
              .Build();
}

inline Settlement Replied(std::vector<Event> replies) {
  return {.kind = Settlement::Kind::kAck, .replies = std::move(replies)};
}

inline std::string Structured(std::string_view id) {
  return R"({"specversion":"1.0","source":"/s","type":"t","id":")" +
         std::string(id) + R"("})";
}
inline constexpr std::string_view kStructuredType =
    "Content-Type: application/cloudevents+json\r\n";
inline constexpr std::string_view kBatchType =
    "Content-Type: application/cloudevents-batch+json\r\n";

}  // namespace cirro::test
