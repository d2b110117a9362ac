#include "cirro/cloudevents/extensions.h"

#include <cstddef>
#include <string>

namespace cirro {
namespace {

// HEXDIGLC of the Trace Context: upper case is refused.
int HexValue(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool IsHex(std::string_view text) noexcept {
  for (const char c : text) {
    if (HexValue(c) < 0) return false;
  }
  return true;
}

// REQUIRES: IsHex(text), two digits.
std::uint8_t Byte(std::string_view text) noexcept {
  return static_cast<std::uint8_t>(HexValue(text[0]) * 16 + HexValue(text[1]));
}

// "All bytes as zero is considered an invalid value."
bool IsZero(std::string_view digits) noexcept {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

// version "-" trace-id "-" parent-id "-" trace-flags: 2, 32, 16 and 2 digits.
std::optional<TraceParent> ParseTraceParent(std::string_view text) noexcept {
  constexpr std::size_t kSize = 55;
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' ||
      text[52] != '-') {
    return std::nullopt;
  }
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent_id = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  if (!IsHex(version) || !IsHex(trace_id) || !IsHex(parent_id) ||
      !IsHex(flags) || version == "ff" || IsZero(trace_id) ||
      IsZero(parent_id)) {
    return std::nullopt;
  }
  // A later version may have more after another dash; this one has nothing.
  if (text.size() > kSize && (version == "00" || text[kSize] != '-')) {
    return std::nullopt;
  }
  return TraceParent{trace_id, parent_id, Byte(version), Byte(flags)};
}

std::optional<DistributedTracing> DistributedTracing::From(
    const Event& event) noexcept {
  const auto traceparent = event.extension("traceparent");
  if (!traceparent || !ParseTraceParent(*traceparent)) return std::nullopt;
  return DistributedTracing{
      *traceparent, event.extension("tracestate").value_or(std::string_view())};
}

EventBuilder& DistributedTracing::AddTo(EventBuilder& builder) const {
  builder.extension({"traceparent", traceparent});
  // The state of another trace must not stay behind.
  if (tracestate.empty()) return builder.RemoveExtension("tracestate");
  return builder.extension({"tracestate", tracestate});
}

// "partitionkey: REQUIRED, MUST be a non-empty string".
std::optional<Partitioning> Partitioning::From(const Event& event) noexcept {
  const auto partitionkey = event.extension("partitionkey");
  if (!partitionkey || partitionkey->empty()) return std::nullopt;
  return Partitioning{*partitionkey};
}

EventBuilder& Partitioning::AddTo(EventBuilder& builder) const {
  return builder.extension({"partitionkey", partitionkey});
}

// "sampledrate: [...] REQUIRED, the rate MUST be greater than zero".
std::optional<SampledRate> SampledRate::From(const Event& event) noexcept {
  const auto attribute = event.attribute("sampledrate");
  if (!attribute) return std::nullopt;
  const auto rate = attribute->AsInteger();
  if (!rate || *rate <= 0) return std::nullopt;
  return SampledRate{*rate};
}

EventBuilder& SampledRate::AddTo(EventBuilder& builder) const {
  return builder.extension({"sampledrate", sampledrate});
}

}  // namespace cirro
