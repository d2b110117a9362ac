// The part of the table that the receiver is made from.

#include <arpa/inet.h>

#include <array>
#include <string>
#include <string_view>

#include "settings_landing.h"

namespace cirro::internal {
namespace {

template <auto kField>
void LandDecode(Config& config, std::string_view /*name*/,
                const SettingValue& value) {
  Assign(config.receiver.decode.*kField, value);
}

void LandDoneStatus(Config& config, std::string_view /*name*/,
                    const SettingValue& value) {
  constexpr std::array kStatus{202, 200, 204};  // As in the table.
  config.receiver.done_status =
      kStatus.at(static_cast<std::size_t>(std::get<std::int64_t>(value)));
}

Result<void> CheckAddress(std::string_view text) {
  const std::string address(text);
  in6_addr parsed{};
  if (inet_pton(AF_INET, address.c_str(), &parsed) == 1 ||
      inet_pton(AF_INET6, address.c_str(), &parsed) == 1) {
    return {};
  }
  return Error{ErrorCode::kInvalidConfig,
               "must be an IPv4 or IPv6 address in digits"};
}

constexpr std::int64_t kMaxPort = 65'535;

using enum SettingType;

constexpr std::array kSettings{
    Setting{.section = "http",
            .key = "enabled",
            .type = kBool,
            .fallback = "true",
            .doc = "Whether to listen for events over HTTP.",
            .land = &Land<&Config::http, &HttpConfig::enabled>},
    Setting{.section = "http",
            .key = "host",
            .type = kText,
            .fallback = "0.0.0.0",
            .doc = "The IPv4 or IPv6 address to listen on, in digits.",
            .land = &Land<&Config::receiver, &HttpOptions::address>,
            .flag = "--host",
            .check = &CheckAddress},
    Setting{.section = "http",
            .key = "port",
            .type = kInteger,
            .fallback = "8080",
            .doc = "The TCP port to listen on; 0 takes a free one.",
            .land = &Land<&Config::receiver, &HttpOptions::port>,
            .max = kMaxPort,
            .platform = "PORT",
            .flag = "--port"},
    Setting{.section = "http",
            .key = "threads",
            .type = kInteger,
            .fallback = "",
            .doc = "How many threads serve connections.",
            .land = &Land<&Config::receiver, &HttpOptions::reactor_threads>,
            .min = 1,
            .max = 255,
            .computed = "the container's CPUs, at most 16"},
    Setting{.section = "http",
            .key = "deadline",
            .type = kDuration,
            .fallback = "25s",
            .doc = "Everything about one request ends within it; then 504.",
            .land = &Land<&Config::receiver, &HttpOptions::deadline>,
            .min = 1,
            .max = kOneDay},
    Setting{.section = "http",
            .key = "done_status",
            .type = kChoice,
            .fallback = "202",
            .doc = "The status after success without a reply.",
            .land = &LandDoneStatus,
            .choices = "202|200|204"},
    Setting{.section = "http",
            .key = "reject_status",
            .type = kInteger,
            .fallback = "422",
            .doc = "The status of an event that its function rejected and that "
                   "no dead-letter place took; 400 for Azure Event Grid.",
            .land = &Land<&Config::receiver, &HttpOptions::reject_status>,
            .min = 400,
            .max = 499},
    Setting{.section = "http",
            .key = "unmatched",
            .type = kChoice,
            .fallback = "reject",
            .doc =
                "What becomes of an event that no function is registered for: "
                "reject answers 404, accept answers as if it were done.",
            .land = &Land<&Config::dispatcher, &DispatcherOptions::unmatched>,
            .choices = "reject|accept"},
    Setting{.section = "http",
            .key = "redrive",
            .type = kBool,
            .fallback = "false",
            .doc = "Whether a request may name the one function that runs, of "
                   "those that take its event (`cirro-redrive-function`, as "
                   "`cirro dlq redrive` sends it); else it is answered 403.",
            .land = &Land<&Config::receiver, &HttpOptions::redrive>},
    Setting{.section = "http",
            .key = "reply_mode",
            .type = kChoice,
            .fallback = "request",
            .doc = "The content mode of a reply: that of its request, or "
                   "always the same.",
            .land = &Land<&Config::receiver, &HttpOptions::reply_mode>,
            .choices = "request|binary|structured"},
    Setting{.section = "http",
            .key = "strict",
            .type = kBool,
            .fallback = "false",
            .doc = "Refuse what CloudEvents does not allow although it harms "
                   "nobody; docs/conformance.md lists the cases.",
            .land = &LandDecode<&DecodeOptions::strict>},
    Setting{.section = "http",
            .key = "max_connections",
            .type = kInteger,
            .fallback = "10000",
            .doc = "More connections at once are answered 503 and closed.",
            .land = &Land<&Config::receiver, &HttpOptions::max_connections>,
            .min = 1,
            .max = kMaxCount},
    Setting{.section = "http",
            .key = "max_pipelined",
            .type = kInteger,
            .fallback = "32",
            .doc = "Requests of one connection that are open at once; the next "
                   "one is read when the first is answered.",
            .land = &Land<&Config::receiver, &HttpOptions::max_pipelined>,
            .min = 1,
            .max = kMaxCount},
    Setting{.section = "http",
            .key = "max_unsent_bytes",
            .type = kByteSize,
            .fallback = "256KiB",
            .doc = "Bytes of answers that one peer leaves untaken before its "
                   "next request is read.",
            .land = &Land<&Config::receiver, &HttpOptions::max_unsent_bytes>,
            .min = 1 << 12,
            .max = kMaxBytes},
    Setting{.section = "http",
            .key = "max_buffered_bytes",
            .type = kByteSize,
            .fallback = "",
            .doc = "Bytes of requests that are received in part by all "
                   "connections, and likewise of answers not yet taken; over "
                   "it 503. At least twice `max_body_bytes` and "
                   "`max_header_bytes` together, and "
                   "`dispatch.max_reply_bytes`. The replies of one batch must "
                   "fit, too.",
            .land = &Land<&Config::receiver, &HttpOptions::max_buffered_bytes>,
            .min = 1 << 20,
            .max = kMaxBytes,
            .computed = "an eighth of the container's memory, 4MiB to 256MiB"},
    Setting{.section = "http",
            .key = "max_line_bytes",
            .type = kByteSize,
            .fallback = "8KiB",
            .doc = "A longer request line is 414.",
            .land = &Land<&Config::receiver, &HttpOptions::line_limit>,
            .min = 1 << 8,
            .max = 1 << 20},
    Setting{.section = "http",
            .key = "max_header_bytes",
            .type = kByteSize,
            .fallback = "64KiB",
            .doc = "A longer header, request line included, is 431.",
            .land = &Land<&Config::receiver, &HttpOptions::header_limit>,
            .min = 1 << 10,
            .max = 1 << 24},
    Setting{.section = "http",
            .key = "max_headers",
            .type = kInteger,
            .fallback = "256",
            .doc = "More header fields are 431.",
            .land = &Land<&Config::receiver, &HttpOptions::max_headers>,
            .min = 8,
            .max = 100'000},
    Setting{.section = "http",
            .key = "max_body_bytes",
            .type = kByteSize,
            .fallback = "1MiB",
            .doc = "A longer body is 413.",
            .land = &Land<&Config::receiver, &HttpOptions::body_limit>,
            .min = 1,
            .max = 1LL << 31},
    Setting{.section = "http",
            .key = "max_event_bytes",
            .type = kByteSize,
            .fallback = "1MiB",
            .doc = "A larger event, data and attributes together, is 413.",
            .land = &LandDecode<&DecodeOptions::max_event_bytes>,
            .min = 1,
            .max = 1LL << 31},
    Setting{.section = "http",
            .key = "max_batch_events",
            .type = kInteger,
            .fallback = "1000",
            .doc = "A batch of more events is 413.",
            .land = &LandDecode<&DecodeOptions::max_batch_events>,
            .min = 1,
            .max = kMaxCount},
    Setting{.section = "http",
            .key = "max_attributes",
            .type = kInteger,
            .fallback = "128",
            .doc = "An event with more attributes is 413.",
            .land = &LandDecode<&DecodeOptions::max_attributes>,
            .min = 8,
            .max = 100'000},
    Setting{.section = "http",
            .key = "max_attribute_value_bytes",
            .type = kByteSize,
            .fallback = "65535",
            .doc = "An event with a longer attribute value is 413.",
            .land = &LandDecode<&DecodeOptions::max_attribute_value_bytes>,
            .min = 1 << 6,
            .max = 1 << 24},
    Setting{.section = "http",
            .key = "header_timeout",
            .type = kDuration,
            .fallback = "10s",
            .doc = "From a request's first byte to its header's end; then 408.",
            .land = &Land<&Config::receiver, &HttpOptions::header_timeout>,
            .min = 1,
            .max = kOneDay},
    Setting{.section = "http",
            .key = "body_timeout",
            .type = kDuration,
            .fallback = "10s",
            .doc = "While a body comes, each such span must bring "
                   "`body_min_bytes`, else 408.",
            .land = &Land<&Config::receiver, &HttpOptions::body_timeout>,
            .min = 1,
            .max = kOneDay},
    Setting{.section = "http",
            .key = "body_min_bytes",
            .type = kByteSize,
            .fallback = "1KiB",
            .doc = "See `body_timeout`.",
            .land = &Land<&Config::receiver, &HttpOptions::body_min_bytes>,
            .min = 1,
            .max = 1 << 30},
    Setting{
        .section = "http",
        .key = "write_timeout",
        .type = kDuration,
        .fallback = "30s",
        .doc = "A peer that takes no byte of an answer for so long is cut off.",
        .land = &Land<&Config::receiver, &HttpOptions::write_timeout>,
        .min = 1,
        .max = kOneDay},
    Setting{.section = "http",
            .key = "idle_timeout",
            .type = kDuration,
            .fallback = "75s",
            .doc = "A connection without a request is closed after it.",
            .land = &Land<&Config::receiver, &HttpOptions::idle_timeout>,
            .min = 1,
            .max = kOneDay},

    Setting{.section = "admin",
            .key = "port",
            .type = kInteger,
            .fallback = "",
            .doc = "Moves health and metrics off the public port to this one "
                   "of the same address; 0 takes a free one.",
            .land = &Land<&Config::receiver, &HttpOptions::admin_port>,
            .max = kMaxPort,
            .flag = "--admin-port"},
};

}  // namespace

std::span<const Setting> HttpSettings() { return kSettings; }

}  // namespace cirro::internal
