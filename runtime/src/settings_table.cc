#include <algorithm>
#include <array>
#include <vector>

#include "cirro/dispatch/registry.h"
#include "knative.h"
#include "settings_landing.h"

namespace cirro::internal {
namespace {

// --- Where a value lands -----------------------------------------------------

template <auto kField>
void LandRetry(Config& config, std::string_view /*name*/,
               const SettingValue& value) {
  Assign(config.dispatcher.retry.*kField, value);
}
template <auto kField>
void LandOutlet(Config& config, std::string_view name,
                const SettingValue& value) {
  Assign(SectionOf(config.outlets, name).http.*kField, value);
}

void LandOutletType(Config& config, std::string_view name,
                    const SettingValue& /*value*/) {
  SectionOf(config.outlets, name).http.name = name;  // One type so far.
}

void LandOutletMode(Config& config, std::string_view name,
                    const SettingValue& value) {
  constexpr std::array kModes{ContentMode::kBinary, ContentMode::kStructured,
                              ContentMode::kBatch};  // As in the table.
  SectionOf(config.outlets, name).http.mode =
      kModes.at(static_cast<std::size_t>(std::get<std::int64_t>(value)));
}

Result<void> CheckOverrides(std::string_view text) {
  const auto parsed = ParseOverrides(text);
  if (!parsed) return parsed.error();
  return {};
}

Result<void> CheckPointer(std::string_view text) {
  if (text.empty()) return {};  // None.
  // The rule is the engine's.
  const FunctionSpec any{
      .name = "any",
      .type = "any",
      .order_by = {OrderBy::Kind::kJsonPointer, std::string(text)}};
  if (CheckSpec(any)) return {};
  return Error{ErrorCode::kInvalidConfig,
               "must be a JSON pointer: it begins with /, and ~ is written ~0"};
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

// --- The table ---------------------------------------------------------------

// In the order of the pages, and of the settings.
constexpr std::array kSections{
    Section{"http", false, "The HTTP receiver: where events come in."},
    Section{"admin", false,
            "Health and metrics on a port of their own, so that the public one "
            "serves events alone."},
    Section{"metrics", false, "Who may read `/metrics` on the public port."},
    Section{"log", false, "What is logged, and how it looks."},
    Section{"drain", false, "How the process ends on SIGTERM."},
    Section{"dispatch", false, "The engine between inlets and functions."},
    Section{"knative", false, "What Knative's bindings hand to a container."},
    Section{"function", true,
            "One registered function; NAME is its name in lower case with "
            "every character that is no letter or digit as `_`. What is not "
            "set stays as the code says."},
    Section{"outlet", true,
            "A place that events are sent to: `reply_to`, `Context::Publish`."},
};

using enum SettingType;

// What comes after HttpSettings().
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

    Setting{.section = "dispatch",
            .key = "target",
            .type = kText,
            .fallback = "",
            .doc = "Serve the function of this name alone.",
            .land = &Land<&Config::dispatch, &DispatchConfig::target>,
            .platform = "FUNCTION_TARGET",
            .flag = "--target"},
    Setting{.section = "dispatch",
            .key = "reply_to",
            .type = kText,
            .fallback = "",
            .doc = "The outlet that takes replies which the request's answer "
                   "cannot carry; none discards them.",
            .land = &Land<&Config::dispatcher, &DispatcherOptions::reply_to>,
            .computed = "`k_sink` where `K_SINK` is set"},
    Setting{.section = "dispatch",
            .key = "workers",
            .type = kInteger,
            .fallback = "",
            .doc = "Most threads that run functions; they are started when "
                   "they are needed.",
            .land = &Land<&Config::dispatch, &DispatchConfig::workers>,
            .min = 1,
            .max = 10'000,
            .computed = "4 for each of the container's CPUs, at least 16"},
    Setting{.section = "dispatch",
            .key = "max_hung",
            .type = kInteger,
            .fallback = "4",
            .doc = "So many hung functions are replaced by a new thread; at "
                   "one more the process ends, to be started anew. So it does "
                   "when those that hang leave others no room.",
            .land = &Land<&Config::dispatch, &DispatchConfig::max_hung>,
            .max = 1'000},
    Setting{
        .section = "dispatch",
        .key = "max_in_flight",
        .type = kInteger,
        .fallback = "10000",
        .doc = "Events taken in and not settled; one more is answered 429.",
        .land = &Land<&Config::dispatcher, &DispatcherOptions::max_in_flight>,
        .min = 1,
        .max = kMaxCount},
    Setting{.section = "dispatch",
            .key = "max_in_flight_bytes",
            .type = kByteSize,
            .fallback = "",
            .doc = "The same bound in bytes of events.",
            .land = &Land<&Config::dispatcher, &DispatcherOptions::max_bytes>,
            .min = 1 << 20,
            .max = kMaxBytes,
            .computed = "a quarter of the container's memory, at most 256MiB"},
    Setting{
        .section = "dispatch",
        .key = "max_reply_bytes",
        .type = kByteSize,
        .fallback = "1MiB",
        .doc = "A larger reply fails its function with 500.",
        .land = &Land<&Config::dispatcher, &DispatcherOptions::max_reply_bytes>,
        .min = 1,
        .max = 1LL << 31},

    Setting{
        .section = "dispatch",
        .key = "overload_delay",
        .type = kDuration,
        .fallback = "1s",
        .doc = "What a refused sender is told to wait (`Retry-After`).",
        .land = &Land<&Config::dispatcher, &DispatcherOptions::overload_delay>,
        .max = kOneDay},
    Setting{
        .section = "dispatch",
        .key = "retry_attempts",
        .type = kInteger,
        .fallback = "5",
        .doc =
            "Calls of one event, the first included, before it is exhausted; "
            "where the sender waits for the answer (HTTP) there is one.",
        .land = &LandRetry<&RetryPolicy::attempts>,
        .min = 1,
        .max = 1'000'000},
    Setting{.section = "dispatch",
            .key = "retry_base",
            .type = kDuration,
            .fallback = "200ms",
            .doc = "The first backoff at most; each further one is twice as "
                   "long, and a random part of it is waited.",
            .land = &LandRetry<&RetryPolicy::base>,
            .min = 1,
            .max = kOneDay},
    Setting{.section = "dispatch",
            .key = "retry_cap",
            .type = kDuration,
            .fallback = "30s",
            .doc = "The largest backoff.",
            .land = &LandRetry<&RetryPolicy::cap>,
            .min = 1,
            .max = kOneDay},

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

    Setting{.section = "function",
            .key = "concurrency",
            .type = kInteger,
            .fallback = "",
            .doc = "Calls at once; 0 is no bound but `dispatch.workers`.",
            .land = &Land<&Config::functions, &FunctionConfig::concurrency>,
            .max = kMaxCount,
            .computed = "as in code, else 0"},
    Setting{.section = "function",
            .key = "timeout",
            .type = kDuration,
            .fallback = "",
            .doc = "After it the stop token is set and the sender gets 504.",
            .land = &Land<&Config::functions, &FunctionConfig::timeout>,
            .min = 1,
            .max = kOneDay,
            .computed = "as in code, else 20s"},
    Setting{.section = "function",
            .key = "inline",
            .type = kBool,
            .fallback = "",
            .doc = "Run on the thread that received the event; only for a "
                   "function that never blocks.",
            .land = &Land<&Config::functions, &FunctionConfig::inline_call>,
            .computed = "as in code, else false"},
    Setting{.section = "function",
            .key = "batch_max",
            .type = kInteger,
            .fallback = "",
            .doc = "Most events in one call of a batch function.",
            .land = &Land<&Config::functions, &FunctionConfig::batch_max>,
            .min = 1,
            .max = 1'000'000,
            .computed = "as in code, else 100"},
    Setting{.section = "function",
            .key = "max_in_flight",
            .type = kInteger,
            .fallback = "",
            .doc = "Events taken in for it and not finished; one more is "
                   "answered 429. 0 is no bound but the dispatcher's.",
            .land = &Land<&Config::functions, &FunctionConfig::max_in_flight>,
            .max = kMaxCount,
            .computed = "as in code, else 0"},
    Setting{
        .section = "function",
        .key = "max_in_flight_bytes",
        .type = kByteSize,
        .fallback = "",
        .doc = "The same bound in bytes.",
        .land = &Land<&Config::functions, &FunctionConfig::max_in_flight_bytes>,
        .max = kMaxBytes,
        .computed = "as in code, else 0"},
    Setting{.section = "function",
            .key = "reply_to",
            .type = kText,
            .fallback = "",
            .doc = "As `dispatch.reply_to`, for this function.",
            .land = &Land<&Config::functions, &FunctionConfig::reply_to>,
            .computed = "as in code, else `dispatch.reply_to`"},
    Setting{.section = "function",
            .key = "order_by",
            .type = kChoice,
            .fallback = "",
            .doc = "Which events' calls run one after the other: those of one "
                   "key of their source, one `partitionkey`, one subject, or "
                   "one value at `order_pointer`.",
            .land = &Land<&Config::functions, &FunctionConfig::order_by>,
            .choices = "source|none|partitionkey|subject|json_pointer",
            .computed = "as in code, else source"},
    Setting{.section = "function",
            .key = "order_pointer",
            .type = kText,
            .fallback = "",
            .doc = "RFC 6901 pointer into JSON data; `order_by` = "
                   "\"json_pointer\" needs it, and no other takes it.",
            .land = &Land<&Config::functions, &FunctionConfig::order_pointer>,
            .computed = "as in code",
            .check = &CheckPointer},

    Setting{.section = "outlet",
            .key = "type",
            .type = kChoice,
            .fallback = "http",
            .doc = "The protocol; it decides which module is loaded.",
            .land = &LandOutletType,
            .choices = "http"},
    Setting{.section = "outlet",
            .key = "url",
            .type = kUrl,
            .fallback = "",
            .doc = "Where events are posted to; required.",
            .land = &LandOutlet<&HttpOutletOptions::url>},
    Setting{.section = "outlet",
            .key = "mode",
            .type = kChoice,
            .fallback = "binary",
            .doc = "The content mode of the requests.",
            .land = &LandOutletMode,
            .choices = "binary|structured|batch"},
    Setting{.section = "outlet",
            .key = "batch_max",
            .type = kInteger,
            .fallback = "100",
            .doc = "Most events of one request in mode batch.",
            .land = &LandOutlet<&HttpOutletOptions::batch_max>,
            .min = 1,
            .max = 100'000},
    Setting{.section = "outlet",
            .key = "connect_timeout",
            .type = kDuration,
            .fallback = "5s",
            .doc = "How long a connection may take to be there.",
            .land = &LandOutlet<&HttpOutletOptions::connect_timeout>,
            .min = 1,
            .max = kOneDay},
    Setting{
        .section = "outlet",
        .key = "timeout",
        .type = kDuration,
        .fallback = "20s",
        .doc =
            "From the send to the answer, waiting for a connection included.",
        .land = &LandOutlet<&HttpOutletOptions::timeout>,
        .min = 1,
        .max = kOneDay},
    Setting{.section = "outlet",
            .key = "max_connections",
            .type = kInteger,
            .fallback = "32",
            .doc = "Connections, and so requests, at once.",
            .land = &LandOutlet<&HttpOutletOptions::max_connections>,
            .min = 1,
            .max = 10'000},
    Setting{.section = "outlet",
            .key = "max_in_flight",
            .type = kInteger,
            .fallback = "1024",
            .doc = "Events that wait or are on their way; one more fails as "
                   "overloaded.",
            .land = &LandOutlet<&HttpOutletOptions::max_in_flight>,
            .min = 1,
            .max = kMaxCount},
    Setting{
        .section = "outlet",
        .key = "authorization",
        .type = kSecret,
        .fallback = "",
        .doc = "The `Authorization` field of each request, scheme included.",
        .land = &Land<&Config::outlets, &OutletConfig::authorization>,
        .check = &CheckFieldValue},
    Setting{.section = "outlet",
            .key = "ca_certificates",
            .type = kPem,
            .fallback = "",
            .doc = "Certificates that are trusted beside the system's.",
            .land = &LandOutlet<&HttpOutletOptions::ca_certificates>},
    Setting{.section = "outlet",
            .key = "proxy",
            .type = kUrl,
            .fallback = "",
            .doc = "`http://host:port` of a proxy; the usual environment names "
                   "are not read.",
            .land = &LandOutlet<&HttpOutletOptions::proxy>},
};

}  // namespace

std::span<const Section> Sections() { return kSections; }

std::span<const Setting> Settings() {
  static const std::vector<Setting> kAll = [] {
    const std::span<const Setting> http = HttpSettings();
    std::vector<Setting> both(http.begin(), http.end());
    both.insert(both.end(), kSettings.begin(), kSettings.end());
    return both;
  }();
  return kAll;
}

}  // namespace cirro::internal
