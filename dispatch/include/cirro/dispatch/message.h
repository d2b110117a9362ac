#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"

namespace cirro {

/// Header fields of a message, in its order; a name may come twice.
using MessageHeaders = std::vector<std::pair<std::string, std::string>>;

/// A message that is no event: what came, untouched, and what is wrong with
/// it. It is settled like an event.
struct Malformed {
  std::string bytes;
  MessageHeaders headers;
  Error error;
  bool has_bytes =
      true;  ///< False of a message without a value (Kafka's null).
};

/// What a message was beyond the event in it, so that its dead letter can be
/// the message as it came. Most messages have none of this.
struct Original {
  /// Of structured mode: the whole body. Of binary mode the event's data are.
  std::optional<std::string> bytes{};
  /// Of binary mode: those that are no attributes. Of structured mode: all.
  MessageHeaders headers{};
  /// Of a redriven dead letter: the one function that it is for.
  std::string function{};
  /// It was read from where dead letters are kept, and is not kept there again.
  bool dead_letter = false;
};

/// W3C trace context of a delivery: from the transport's header, else from the
/// event's extension. Empty texts where there is none.
struct TraceContext {
  std::string traceparent{};
  std::string tracestate{};
};

/// The trace of what came with these two headers of its transport and holds
/// `event`, which may be null. A traceparent that is malformed is passed over
/// and its tracestate with it: replies carry both on. W3C Trace Context: "If
/// the vendor failed to parse traceparent, it MUST NOT attempt to parse
/// tracestate." Of a tracestate over 512 bytes whole entries are left out,
/// first those over 128 bytes, then those at the end.
[[nodiscard]] CIRRO_EXPORT TraceContext
TraceContextOf(std::string_view traceparent, std::string_view tracestate,
               const Event* event);

}  // namespace cirro
