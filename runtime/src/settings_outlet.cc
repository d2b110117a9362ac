#include <algorithm>
#include <array>

#include "settings_landing.h"

namespace cirro::internal {
namespace {

template <auto kField>
constexpr auto kLandHttp = &Land<&Config::outlets, &OutletConfig::http, kField>;

void LandType(Config& config, std::string_view name,
              const SettingValue& value) {
  OutletConfig& outlet = SectionOf(config.outlets, name);
  Assign(outlet.type, value);
  outlet.http.name = outlet.kafka.name = outlet.nats.name = name;
  outlet.memory.name = name;
}

// What an HTTP field may hold.
Result<void> CheckFieldValue(std::string_view text) {
  const bool good = std::none_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == 0x7F;
  });
  if (good) return {};
  return Error{ErrorCode::kInvalidConfig,
               "must hold no line break and no other control character"};
}

// What a request for it names.
Result<void> CheckPath(std::string_view text) {
  const bool good = text.starts_with('/') &&
                    std::all_of(text.begin(), text.end(), [](char c) {
                      return '!' <= c && c <= '~' && c != '?' && c != '#';
                    });
  if (good) return {};
  return Error{ErrorCode::kInvalidConfig,
               "must be a path that begins with /, without query and spaces"};
}

using enum SettingType;

constexpr std::array kSettings{
    Setting{.section = "outlet",
            .key = "type",
            .type = kChoice,
            .fallback = "http",
            .doc = "The protocol; it decides which module is loaded.",
            .land = &LandType,
            .choices = "http|kafka|nats|memory"},
    Setting{.section = "outlet",
            .key = "url",
            .type = kUrl,
            .fallback = "",
            .doc = "Where events are posted to; required.",
            .land = kLandHttp<&HttpOutletOptions::url>,
            .types = "http",
            .required = "url = \"http://HOST/\""},
    Setting{.section = "outlet",
            .key = "mode",
            .type = kChoice,
            .fallback = "binary",
            .doc = "The content mode of the requests.",
            .land = &LandMode<&Config::outlets, &OutletConfig::http,
                              &HttpOutletOptions::mode>,
            .choices = "binary|structured|batch",
            .types = "http"},
    Setting{.section = "outlet",
            .key = "batch_max",
            .type = kInteger,
            .fallback = "100",
            .doc = "Most events of one request in mode batch.",
            .land = kLandHttp<&HttpOutletOptions::batch_max>,
            .min = 1,
            .max = 100'000,
            .types = "http"},
    Setting{.section = "outlet",
            .key = "connect_timeout",
            .type = kDuration,
            .fallback = "5s",
            .doc = "How long a connection may take to be there.",
            .land = kLandHttp<&HttpOutletOptions::connect_timeout>,
            .min = 1,
            .max = kOneDay,
            .types = "http"},
    Setting{
        .section = "outlet",
        .key = "timeout",
        .type = kDuration,
        .fallback = "20s",
        .doc =
            "From the send to the answer, waiting for a connection included.",
        .land = kLandHttp<&HttpOutletOptions::timeout>,
        .min = 1,
        .max = kOneDay,
        .types = "http"},
    Setting{.section = "outlet",
            .key = "max_connections",
            .type = kInteger,
            .fallback = "32",
            .doc = "Connections, and so requests, at once.",
            .land = kLandHttp<&HttpOutletOptions::max_connections>,
            .min = 1,
            .max = 10'000,
            .types = "http"},
    Setting{.section = "outlet",
            .key = "max_in_flight",
            .type = kInteger,
            .fallback = "1024",
            .doc = "Events that wait or are on their way; one more fails as "
                   "overloaded.",
            .land = &Land<&Config::outlets, &OutletConfig::max_in_flight>,
            .min = 1,
            .max = kMaxCount,
            .types = "http|kafka|nats"},
    Setting{.section = "outlet",
            .key = "http_path",
            .type = kText,
            .fallback = "",
            .doc = "Events that are posted to this path here, `/orders` say, "
                   "go to this outlet, and no function sees them; they are "
                   "answered when it has confirmed.",
            .land = &Land<&Config::outlets, &OutletConfig::http_path>,
            .check = &CheckPath},
    Setting{
        .section = "outlet",
        .key = "authorization",
        .type = kSecret,
        .fallback = "",
        .doc = "The `Authorization` field of each request, scheme included.",
        .land = &Land<&Config::outlets, &OutletConfig::authorization>,
        .check = &CheckFieldValue,
        .types = "http"},
    Setting{.section = "outlet",
            .key = "ca_certificates",
            .type = kPem,
            .fallback = "",
            .doc = "Certificates that are trusted beside the system's.",
            .land = kLandHttp<&HttpOutletOptions::ca_certificates>,
            .types = "http"},
    Setting{.section = "outlet",
            .key = "proxy",
            .type = kUrl,
            .fallback = "",
            .doc = "`http://host:port` of a proxy; the usual environment names "
                   "are not read.",
            .land = kLandHttp<&HttpOutletOptions::proxy>,
            .types = "http"},
};

}  // namespace

std::span<const Setting> OutletSettings() { return kSettings; }

}  // namespace cirro::internal
