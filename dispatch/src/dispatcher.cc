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

Result<void> CheckOptions(const DispatcherOptions& options) {
  if (options.max_in_flight == 0) {
    return Wrong("`max_in_flight` is 0; it must be at least 1");
  }
  if (options.max_bytes == 0) {
    return Wrong("`max_bytes` is 0; it must be at least 1");
  }
  if (options.retry.attempts < 1) {
    return Wrong("`retry.attempts` is " +
                 std::to_string(options.retry.attempts) +
                 "; it must be at least 1");
  }
  if (options.retry.base.count() <= 0 ||
      options.retry.cap < options.retry.base) {
    return Wrong("`retry.base` must be more than 0 and at most `retry.cap`");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Dispatcher>> Dispatcher::Make(
    Registry registry, const DispatcherOptions& options,
    DispatcherParts parts) {
  if (auto checked = CheckOptions(options); !checked) return checked.error();
  if (registry.functions().empty()) return Wrong("there is no function");
  std::vector<internal::EngineFunction> functions;
  for (const Function& function : registry.functions()) {
    const FunctionSpec& spec = function.spec;
    if (auto checked = CheckSpec(spec); !checked) return checked.error();
    const auto reply_to = ResolveReplyTo(
        spec.reply_to.empty() ? options.reply_to : spec.reply_to, parts);
    if (!reply_to) {
      return Wrong("function '" + spec.name + "': " + reply_to.error().message);
    }
    functions.push_back({.name = spec.name,
                         .form = function.handler->form(),
                         .inline_call = spec.inline_call,
                         .concurrency = spec.concurrency,
                         .max_in_flight = spec.max_in_flight,
                         .max_bytes = spec.max_bytes,
                         .timeout = spec.timeout,
                         .batch_max = spec.batch_max,
                         .reply_to = *reply_to});
  }
  return std::unique_ptr<Dispatcher>(new Dispatcher(std::make_shared<Core>(
      std::move(registry), std::move(functions), options, std::move(parts))));
}

Dispatcher::Dispatcher(std::shared_ptr<Core> core) noexcept
    : core_(std::move(core)) {}

Dispatcher::~Dispatcher() { core_->Close(); }

void Dispatcher::Deliver(std::span<Delivery> batch) noexcept {
  core_->Deliver(batch);
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
