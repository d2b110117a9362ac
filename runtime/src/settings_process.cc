#include <array>

#include "knative.h"
#include "settings_landing.h"

namespace cirro::internal {
namespace {

Result<void> CheckOverrides(std::string_view text) {
  const auto parsed = ParseOverrides(text);
  if (!parsed) return parsed.error();
  return {};
}

using enum SettingType;

constexpr std::array kSettings{
    Setting{.section = "metrics",
            .key = "public",
            .type = kBool,
            .fallback = "false",
            .doc = "Serve `/metrics` to anyone on the public port.",
            .land = &Land<&Config::metrics, &MetricsConfig::open>},
    Setting{.section = "metrics",
            .key = "token",
            .type = kSecret,
            .fallback = "",
            .doc = "Serve `/metrics` to `Authorization: Bearer TOKEN`.",
            .land = &Land<&Config::metrics, &MetricsConfig::token>},

    Setting{.section = "log",
            .key = "level",
            .type = kChoice,
            .fallback = "info",
            .doc = "The least important lines that are written; data of "
                   "events is never logged above debug.",
            .land = &Land<&Config::log, &LogConfig::level>,
            .choices = "debug|info|warning|error"},
    Setting{.section = "log",
            .key = "format",
            .type = kChoice,
            .fallback = "auto",
            .doc = "One JSON object a line, or text for a terminal; auto looks "
                   "whether standard error is one.",
            .land = &Land<&Config::log, &LogConfig::format>,
            .choices = "auto|json|text"},

    Setting{.section = "drain",
            .key = "delay",
            .type = kDuration,
            .fallback = "0s",
            .doc = "How long requests are still served after readiness turned "
                   "503, until load balancers have seen it.",
            .land = &Land<&Config::drain, &DrainConfig::delay>,
            .max = kOneDay},
    Setting{.section = "drain",
            .key = "grace",
            .type = kDuration,
            .fallback = "8s",
            .doc = "How long what was received may take to finish; Cloud Run "
                   "kills 10 s after SIGTERM.",
            .land = &Land<&Config::drain, &DrainConfig::grace>,
            .max = kOneDay},

    Setting{.section = "readiness",
            .key = "broker",
            .type = kChoice,
            .fallback = "start",
            .doc = "Whether links to brokers count: until each inlet was "
                   "connected for the first time; always, where a link that "
                   "broke, a rebalance of more than 60 s, or waiting messages "
                   "of which none moves make it 503; or never.",
            .land = &Land<&Config::readiness, &ReadinessConfig::broker>,
            .choices = "start|always|never"},

    Setting{.section = "knative",
            .key = "sink",
            .type = kUrl,
            .fallback = "",
            .doc = "Becomes the outlet `k_sink`, and where replies go.",
            .land = &Land<&Config::knative, &KnativeConfig::sink>,
            .platform = "K_SINK"},
    Setting{.section = "knative",
            .key = "ce_overrides",
            .type = kText,
            .fallback = "",
            .doc = "`{\"extensions\":{\"name\":\"value\"}}`: set on every "
                   "outgoing event.",
            .land = &Land<&Config::knative, &KnativeConfig::ce_overrides>,
            .platform = "K_CE_OVERRIDES",
            .check = &CheckOverrides},
    Setting{.section = "knative",
            .key = "ca_certificates",
            .type = kPem,
            .fallback = "",
            .doc = "Certificates that `knative.sink` is trusted by, beside the "
                   "system's.",
            .land = &Land<&Config::knative, &KnativeConfig::ca_certificates>,
            .platform = "K_CA_CERTS"},

    Setting{.section = "knative",
            .key = "service",
            .type = kText,
            .fallback = "",
            .doc = "Named in the line that says where the process listens.",
            .land = &Land<&Config::knative, &KnativeConfig::service>,
            .platform = "K_SERVICE"},
    Setting{.section = "knative",
            .key = "revision",
            .type = kText,
            .fallback = "",
            .doc = "Likewise.",
            .land = &Land<&Config::knative, &KnativeConfig::revision>,
            .platform = "K_REVISION"},
};

}  // namespace

std::span<const Setting> ProcessSettings() { return kSettings; }

}  // namespace cirro::internal
