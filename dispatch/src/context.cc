#include "cirro/dispatch/context.h"

namespace cirro {

std::stop_token ContextHost::StopToken(std::uint64_t /*call*/) noexcept {
  return {};
}

Context::Context(ContextHost& host, const Event* event, Facts facts) noexcept
    : host_(&host), event_(event), facts_(facts) {}

std::stop_token Context::stop_token() const noexcept {
  if (facts_.call != 0 && !stop_.stop_possible()) {
    stop_ = host_->StopToken(facts_.call);
  }
  return stop_;
}

const TraceContext& Context::trace() const noexcept {
  static const TraceContext kNone;
  return facts_.trace != nullptr ? *facts_.trace : kNone;
}

void Context::Log(LogLevel level, std::string_view message) const noexcept {
  host_->Log(level, facts_.function, event_, trace(), message);
}

void Context::Log(LogLevel level, const Event& event,
                  std::string_view message) const noexcept {
  host_->Log(level, facts_.function, &event, trace(), message);
}

Result<void> Context::Publish(std::string_view outlet,
                              const Event& event) const {
  return host_->Publish(facts_.call, outlet, {&event, 1}, facts_.deadline);
}

Result<void> Context::PublishAll(std::string_view outlet,
                                 std::span<const Event> events) const {
  return host_->Publish(facts_.call, outlet, events, facts_.deadline);
}

}  // namespace cirro
