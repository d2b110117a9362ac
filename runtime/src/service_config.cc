// What the configuration says of functions, laid over what their code says.

#include <string>
#include <utility>

#include "service.h"
#include "setting_rules.h"
#include "settings.h"
#include "units.h"

namespace cirro::internal {

// Where a setting in effect was given, for the end of an error.
std::string Service::OriginOf(std::string_view section,
                              std::string_view key) const {
  const EffectiveSetting* const setting = FindEffective(config_, section, key);
  return setting == nullptr ? "" : " (" + setting->origin + ")";
}

Result<void> Service::CheckReplyTo(const std::string& section,
                                   std::string_view reply_to) const {
  if (reply_to.empty() || reply_to == "none") return {};
  std::string names;
  for (const auto& outlet : endpoints_.outlets()) {
    if (outlet->name() == reply_to) return {};
    names.append(", ").append(outlet->name());
  }
  return Error{ErrorCode::kInvalidConfig,
               section + ".reply_to = \"" + std::string(reply_to) +
                   "\": there is no such outlet; configure [outlet." +
                   std::string(reply_to) + "], or take one of: none" + names +
                   OriginOf(section, "reply_to")};
}

// What would make `name` a place for dead letters.
std::string Service::HowToBeAPlace(const std::string& name) const {
  for (const auto& outlet : endpoints_.outlets()) {
    if (outlet->name() != name) continue;
    return "outlet." + name +
           " keeps none, as core NATS (jetstream = false) does not; configure "
           "a [dead_letter.NAME]";
  }
  return "configure [outlet." + name + "] or [dead_letter." + name + "]";
}

Result<void> Service::CheckPlaces(const std::string& section,
                                  std::span<const std::string> names) const {
  const auto places = endpoints_.places();
  for (const std::string& name : names) {
    std::string there;
    bool found = false;
    for (const DeadLetterPlace* const place : places) {
      found = found || place->place_name() == name;
      there.append(there.empty() ? "" : ", ").append(place->place_name());
    }
    if (!found) {
      return Error{
          ErrorCode::kInvalidConfig,
          section + ".dead_letter: " + Quoted(name) +
              " is no place for dead letters; " + HowToBeAPlace(name) +
              ", or take one of: " + (there.empty() ? "none so far" : there) +
              OriginOf(section, "dead_letter")};
    }
  }
  return {};
}

// Lays the configuration over what the code says of its functions.
Result<void> Service::ApplyConfig() {
  for (const auto& [key, config] : config_.functions) {
    FunctionSpec& spec = registry_.Find(key)->spec;
    spec.concurrency = config.concurrency.value_or(spec.concurrency);
    spec.timeout = config.timeout.value_or(spec.timeout);
    spec.inline_call = config.inline_call.value_or(spec.inline_call);
    spec.batch_max = config.batch_max.value_or(spec.batch_max);
    spec.max_in_flight = config.max_in_flight.value_or(spec.max_in_flight);
    spec.max_bytes = config.max_in_flight_bytes.value_or(spec.max_bytes);
    spec.reply_to = config.reply_to.value_or(spec.reply_to);
    spec.order_by.kind = config.order_by.value_or(spec.order_by.kind);
    spec.order_by.pointer =
        config.order_pointer.value_or(spec.order_by.pointer);
    if (config.retry_attempts || config.retry_base || config.retry_cap) {
      RetryPolicy retry = spec.retry.value_or(config_.dispatcher.retry);
      retry.attempts = config.retry_attempts.value_or(retry.attempts);
      retry.base = config.retry_base.value_or(retry.base);
      retry.cap = config.retry_cap.value_or(retry.cap);
      if (retry.base > retry.cap) {
        return Error{
            ErrorCode::kInvalidConfig,
            "function." + key + ".retry_base (" + FormatDuration(retry.base) +
                ") must be at most retry_cap (" + FormatDuration(retry.cap) +
                ")" + OriginOf("function." + key, "retry_base")};
      }
      spec.retry = retry;
    }
    if (config.on_exhausted) spec.on_exhausted = config.on_exhausted;
    if (config.dead_letter) spec.dead_letter = config.dead_letter;
    spec.dedup = config.dedup.value_or(spec.dedup);
    const auto checked = CheckSpec(spec);
    if (!checked) return checked.error();
    auto placed = CheckReplyTo("function." + key, spec.reply_to);
    if (!placed) return placed;
  }
  for (const Function& function : std::as_const(registry_).functions()) {
    if (!function.spec.dead_letter) continue;
    auto placed = CheckPlaces("function." + ConfigKey(function.spec.name),
                              *function.spec.dead_letter);
    if (!placed) return placed;
  }
  if (auto placed = CheckReplyTo("dispatch", config_.dispatcher.reply_to);
      !placed) {
    return placed;
  }
  if (auto placed = CheckPlaces("dispatch", config_.dispatcher.dead_letter);
      !placed) {
    return placed;
  }
  if (!config_.dispatch.target.empty()) {
    const auto kept = registry_.KeepOnly(config_.dispatch.target);
    if (!kept) {
      return Error{kept.error().code,
                   "dispatch.target: " + kept.error().message +
                       OriginOf("dispatch", "target")};
    }
  }
  for (const Function& function : std::as_const(registry_).functions()) {
    types_.emplace(function.spec.name, function.spec.type);
  }
  return {};
}

}  // namespace cirro::internal
