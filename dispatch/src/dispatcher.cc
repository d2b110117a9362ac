#include "cirro/dispatch/dispatcher.h"

#include <algorithm>
#include <utility>

#include "core.h"

namespace cirro {
namespace {

Error Wrong(std::string message) {
  return {ErrorCode::kInvalidConfig, std::move(message)};
}

// The index of the outlet that `reply_to` names, or what else it says.
Result<std::uint32_t> ResolveReplyTo(std::string_view reply_to,
                                     const DispatcherParts& parts) {
  using internal::EngineFunction;
  if (reply_to.empty()) return EngineFunction::kNowhere;
  if (reply_to == "none") return EngineFunction::kDiscard;
  for (std::uint32_t i = 0; i < parts.outlets.size(); ++i) {
    if (parts.outlets[i].outlet->name() == reply_to) return i;
  }
  return Wrong("`reply_to` names the outlet '" + std::string(reply_to) +
               "', which does not exist");
}

// The indexes of the places that `dead_letter` names.
Result<std::vector<std::uint32_t>> ResolvePlaces(
    const std::vector<std::string>& names, const DispatcherParts& parts) {
  std::vector<std::uint32_t> indexes;
  for (const std::string& name : names) {
    std::uint32_t index = 0;
    while (index < parts.places.size() &&
           parts.places[index]->place_name() != name) {
      ++index;
    }
    if (index == parts.places.size()) {
      return Wrong("`dead_letter` names '" + name +
                   "', which is no outlet and no file that keeps dead letters");
    }
    if (std::find(indexes.begin(), indexes.end(), index) != indexes.end()) {
      return Wrong("`dead_letter` names '" + name + "' twice");
    }
    indexes.push_back(index);
  }
  return indexes;
}

// What is longer is past the end of the clock.
Result<void> CheckLength(const std::string& setting,
                         std::chrono::milliseconds length) {
  if (length <= internal::kLongestDelay) return {};
  return Wrong("`" + setting + "` is " + std::to_string(length.count()) +
               " ms; it must be at most 365 days");
}

Result<void> CheckRetry(const RetryPolicy& retry) {
  if (retry.attempts < 1) {
    return Wrong("`retry.attempts` is " + std::to_string(retry.attempts) +
                 "; it must be at least 1");
  }
  if (retry.base.count() <= 0 || retry.cap < retry.base) {
    return Wrong("`retry.base` must be more than 0 and at most `retry.cap`");
  }
  return CheckLength("retry.cap", retry.cap);
}

Result<void> CheckOptions(const DispatcherOptions& options) {
  if (options.max_in_flight == 0) {
    return Wrong("`max_in_flight` is 0; it must be at least 1");
  }
  if (options.max_bytes == 0) {
    return Wrong("`max_bytes` is 0; it must be at least 1");
  }
  if (options.dedup_window.count() <= 0 || options.dedup_lease.count() <= 0) {
    return Wrong("`dedup_window` and `dedup_lease` must be more than 0");
  }
  if (auto checked = CheckLength("dedup_lease", options.dedup_lease);
      !checked) {
    return checked;
  }
  return CheckRetry(options.retry);
}

}  // namespace

Result<std::unique_ptr<Dispatcher>> Dispatcher::Make(
    Registry registry, const DispatcherOptions& options,
    DispatcherParts parts) {
  if (auto checked = CheckOptions(options); !checked) return checked.error();
  if (registry.functions().empty()) return Wrong("there is no function");
  const auto places = ResolvePlaces(options.dead_letter, parts);
  if (!places) return places.error();
  std::vector<internal::EngineFunction> functions;
  for (const Function& function : registry.functions()) {
    const FunctionSpec& spec = function.spec;
    if (auto checked = CheckSpec(spec); !checked) return checked.error();
    const auto reply_to = ResolveReplyTo(
        spec.reply_to.empty() ? options.reply_to : spec.reply_to, parts);
    if (!reply_to) {
      return Wrong("function '" + spec.name + "': " + reply_to.error().message);
    }
    const auto in_function = [&spec](const Error& error) {
      return Wrong("function '" + spec.name + "': " + error.message);
    };
    const RetryPolicy retry = spec.retry.value_or(options.retry);
    if (auto checked = CheckRetry(retry); !checked) {
      return in_function(checked.error());
    }
    auto own_places =
        spec.dead_letter ? ResolvePlaces(*spec.dead_letter, parts) : places;
    if (!own_places) return in_function(own_places.error());
    const bool has_own_place = spec.dead_letter && !spec.dead_letter->empty();
    if (has_own_place && spec.on_exhausted &&
        *spec.on_exhausted != OnExhausted::kDeadLetter) {
      return in_function(Wrong(
          "`on_exhausted` is \"" +
          std::string(*spec.on_exhausted == OnExhausted::kDrop ? "drop"
                                                               : "retry") +
          "\", and `dead_letter` names '" + spec.dead_letter->front() +
          "', which that does not use; set one of them"));
    }
    // Who names a place for this one wants it kept, whatever becomes of others.
    const OnExhausted inherited =
        has_own_place ? OnExhausted::kDeadLetter : options.on_exhausted;
    if (spec.dedup && parts.dedup == nullptr) {
      return in_function(Wrong("it has `dedup`, and there is no dedup store"));
    }
    functions.push_back({.name = spec.name,
                         .form = function.handler->form(),
                         .inline_call = spec.inline_call,
                         .concurrency = spec.concurrency,
                         .max_in_flight = spec.max_in_flight,
                         .max_bytes = spec.max_bytes,
                         .timeout = spec.timeout,
                         .batch_max = spec.batch_max,
                         .reply_to = *reply_to,
                         .retry = retry,
                         .on_exhausted = spec.on_exhausted.value_or(inherited),
                         .places = *std::move(own_places),
                         .dedup = spec.dedup});
  }
  // What becomes of what no function takes.
  functions.push_back({.name = {},
                       .retry = options.retry,
                       .on_exhausted = options.on_exhausted,
                       .places = *places});
  return std::unique_ptr<Dispatcher>(new Dispatcher(std::make_shared<Core>(
      std::move(registry), std::move(functions), options, std::move(parts))));
}

Dispatcher::Dispatcher(std::shared_ptr<Core> core) noexcept
    : core_(std::move(core)) {}

Dispatcher::~Dispatcher() { core_->Close(); }

void Dispatcher::Deliver(std::span<Delivery> batch) noexcept {
  core_->Deliver(batch);
}
void Dispatcher::Withdraw(const InletInfo& inlet,
                          std::span<const std::uint64_t> assignments) noexcept {
  core_->Withdraw(inlet, assignments);
}
void Dispatcher::BeginDrain() noexcept { core_->BeginDrain(); }
void Dispatcher::GiveBackWaiting() noexcept { core_->GiveBackWaiting(); }
void Dispatcher::GiveBackAll() noexcept { core_->GiveBackAll(); }
bool Dispatcher::WaitIdle(std::chrono::milliseconds patience) noexcept {
  return core_->WaitIdle(patience);
}
Dispatcher::Counts Dispatcher::counts() const noexcept {
  return core_->counts();
}

}  // namespace cirro
