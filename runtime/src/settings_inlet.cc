#include <array>

#include "settings_landing.h"
#include "units.h"

namespace cirro::internal {
namespace {

using enum SettingType;

void LandType(Config& config, std::string_view name,
              const SettingValue& value) {
  InletConfig& inlet = SectionOf(config.inlets, name);
  Assign(inlet.type, value);
  inlet.kafka.name = inlet.nats_jetstream.name = inlet.nats_core.name = name;
  inlet.memory.name = name;
}

constexpr std::array kSettings{
    Setting{.section = "inlet",
            .key = "type",
            .type = kChoice,
            .fallback = "",
            .doc = "The protocol; it decides which module is loaded.",
            .land = &LandType,
            .choices = "kafka|nats|memory",
            .required = "type = \"kafka\""},
    Setting{.section = "inlet",
            .key = "max_in_flight",
            .type = kInteger,
            .fallback = "10000",
            .doc = "Messages taken in and not settled. At three quarters of it "
                   "nothing more is asked for, until half of it is left.",
            .land = &Land<&Config::inlets, &InletConfig::max_in_flight>,
            .min = 1,
            .max = kMaxCount},
    Setting{.section = "inlet",
            .key = "max_in_flight_bytes",
            .type = kByteSize,
            .fallback = "64MiB",
            .doc = "The same bound in bytes.",
            .land = &Land<&Config::inlets, &InletConfig::max_in_flight_bytes>,
            .min = 1 << 16,
            .max = kMaxBytes,
            .types = "kafka|nats"},
};

}  // namespace

std::span<const Setting> InletSettings() { return kSettings; }

Result<SeekPoint> ParseSeekPoint(std::string_view text) {
  SeekPoint point;
  if (text == "beginning") return point;
  if (text == "end") {
    point.kind = SeekPoint::Kind::kEnd;
    return point;
  }
  if (const auto offset = ParseInteger(text); offset && *offset >= 0) {
    point.kind = SeekPoint::Kind::kOffset;
    point.offset = static_cast<std::uint64_t>(*offset);
    return point;
  }
  if (const auto time = ParseTimestamp(text)) {
    point.kind = SeekPoint::Kind::kTime;
    point.time = *time;
    return point;
  }
  return Error{ErrorCode::kInvalidConfig,
               "must be beginning, end, an offset, or an RFC 3339 time as in "
               "2026-01-31T12:00:00Z"};
}

Result<void> CheckSeekPoint(std::string_view text) {
  const auto point = ParseSeekPoint(text);
  if (!point) return point.error();
  return {};
}

}  // namespace cirro::internal
