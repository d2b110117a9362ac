#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/export.h"

namespace cirro {

// Documented extensions as typed views. `From` gives nothing when the event
// does not have the extension, or has it with a value that its document
// forbids; views live as long as the event. `AddTo` sets the attributes.

/// A traceparent, taken apart. Source: W3C Trace Context, section 3.2.
struct TraceParent {
  std::string_view trace_id;   ///< 32 lower-case hexadecimal digits.
  std::string_view parent_id;  ///< 16 of them.
  std::uint8_t version = 0;
  std::uint8_t flags = 0;

  [[nodiscard]] bool sampled() const noexcept { return (flags & 1U) != 0; }
};

/// Reads a traceparent of this version or a later one; nothing when it is
/// malformed, of version ff, or names no trace (zeros).
[[nodiscard]] CIRRO_EXPORT std::optional<TraceParent> ParseTraceParent(
    std::string_view text) noexcept;

/// The trace in which the event was produced.
/// Source: CloudEvents extension "Distributed Tracing".
struct CIRRO_EXPORT DistributedTracing {
  std::string_view traceparent;
  std::string_view tracestate{};  ///< Empty when absent.

  [[nodiscard]] static std::optional<DistributedTracing> From(
      const Event& event) noexcept;
  EventBuilder& AddTo(EventBuilder& builder) const;
};

/// The key by which consumers keep related events together.
/// Source: CloudEvents extension "Partitioning".
struct CIRRO_EXPORT Partitioning {
  std::string_view partitionkey;  ///< Not empty.

  [[nodiscard]] static std::optional<Partitioning> From(
      const Event& event) noexcept;
  EventBuilder& AddTo(EventBuilder& builder) const;
};

/// How many similar events this one stands for, itself included.
/// Source: CloudEvents extension "Sampling".
struct CIRRO_EXPORT SampledRate {
  std::int32_t sampledrate = 1;  ///< Greater than zero.

  [[nodiscard]] static std::optional<SampledRate> From(
      const Event& event) noexcept;
  EventBuilder& AddTo(EventBuilder& builder) const;
};

}  // namespace cirro
