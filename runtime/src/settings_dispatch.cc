#include <array>

#include "cirro/dispatch/registry.h"
#include "settings_landing.h"

namespace cirro::internal {
namespace {

template <auto kField>
void LandRetry(Config& config, std::string_view /*name*/,
               const SettingValue& value) {
  Assign(config.dispatcher.retry.*kField, value);
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

using enum SettingType;

constexpr std::array kSettings{
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
    Setting{
        .section = "dispatch",
        .key = "on_exhausted",
        .type = kChoice,
        .fallback = "dead_letter",
        .doc = "What becomes of an event that is exhausted, rejected, "
               "malformed or unmatched, where the sender does not wait: it "
               "is kept at a place of `dead_letter` (where there is none, "
               "tried again for ever), tried for ever, or lost.",
        .land = &Land<&Config::dispatcher, &DispatcherOptions::on_exhausted>,
        .choices = "dead_letter|retry|drop"},
    Setting{
        .section = "dispatch",
        .key = "dead_letter",
        .type = kList,
        .fallback = "",
        .doc = "Outlets and `[dead_letter.NAME]`s; the first that takes "
               "the letter keeps it.",
        .land = &Land<&Config::dispatcher, &DispatcherOptions::dead_letter>},
    Setting{
        .section = "dispatch",
        .key = "dedup_window",
        .type = kDuration,
        .fallback = "10m",
        .doc = "How long it is known what a function with `dedup` did.",
        .land = &Land<&Config::dispatcher, &DispatcherOptions::dedup_window>,
        .min = 1,
        .max = 7 * kOneDay},
    Setting{.section = "dispatch",
            .key = "dedup_lease",
            .type = kDuration,
            .fallback = "30s",
            .doc = "How long a claim on an event that is being done holds "
                   "unless it is renewed.",
            .land = &Land<&Config::dispatcher, &DispatcherOptions::dedup_lease>,
            .min = 1'000,
            .max = kOneDay},
    Setting{.section = "dispatch",
            .key = "dedup_max",
            .type = kInteger,
            .fallback = "1000000",
            .doc = "Events that are known to be done at most; beyond it the "
                   "oldest are forgotten.",
            .land = &Land<&Config::dispatch, &DispatchConfig::dedup_max>,
            .min = 1,
            .max = 100'000'000},
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

    Setting{.section = "function",
            .key = "dead_letter",
            .type = kList,
            .fallback = "",
            .doc = "As `dispatch.dead_letter`, for this function.",
            .land = &Land<&Config::functions, &FunctionConfig::dead_letter>,
            .computed = "as in code, else `dispatch.dead_letter`"},
    Setting{.section = "function",
            .key = "on_exhausted",
            .type = kChoice,
            .fallback = "",
            .doc = "As `dispatch.on_exhausted`, for this function.",
            .land = &Land<&Config::functions, &FunctionConfig::on_exhausted>,
            .choices = "dead_letter|retry|drop",
            .computed = "as in code, else `dead_letter` with a place of its "
                        "own, else `dispatch.on_exhausted`"},
    Setting{.section = "function",
            .key = "retry_attempts",
            .type = kInteger,
            .fallback = "",
            .doc = "As `dispatch.retry_attempts`, for this function.",
            .land = &Land<&Config::functions, &FunctionConfig::retry_attempts>,
            .min = 1,
            .max = 1'000'000,
            .computed = "as in code, else `dispatch.retry_attempts`"},
    Setting{.section = "function",
            .key = "retry_base",
            .type = kDuration,
            .fallback = "",
            .doc = "As `dispatch.retry_base`, for this function.",
            .land = &Land<&Config::functions, &FunctionConfig::retry_base>,
            .min = 1,
            .max = kOneDay,
            .computed = "as in code, else `dispatch.retry_base`"},
    Setting{.section = "function",
            .key = "retry_cap",
            .type = kDuration,
            .fallback = "",
            .doc = "As `dispatch.retry_cap`, for this function.",
            .land = &Land<&Config::functions, &FunctionConfig::retry_cap>,
            .min = 1,
            .max = kOneDay,
            .computed = "as in code, else `dispatch.retry_cap`"},
    Setting{.section = "function",
            .key = "dedup",
            .type = kBool,
            .fallback = "",
            .doc = "An event that it has done within `dispatch.dedup_window` "
                   "is not given to it again, by `source` and `id`.",
            .land = &Land<&Config::functions, &FunctionConfig::dedup>,
            .computed = "as in code, else false"},
};

}  // namespace

std::span<const Setting> DispatchSettings() { return kSettings; }

}  // namespace cirro::internal
