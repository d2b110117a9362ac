#include <algorithm>
#include <utility>

#include "cirro/cloudevents/event_builder.h"
#include "core.h"

// What functions ask of the dispatcher by their Context, and outlets.

namespace cirro {

Result<Event> Dispatcher::Core::Overridden(std::uint32_t outlet,
                                           const Event& event) const {
  const OutletEntry& entry = parts_.outlets[outlet];
  if (entry.overrides.empty()) return event;
  EventBuilder builder(event);
  for (const Extension& extension : entry.overrides) {
    builder.extension(extension);
  }
  return builder.Build();
}

void Dispatcher::Core::SendTo(std::uint32_t outlet, Event event,
                              SendCompletion completion) noexcept {
  if (!parts_.outlets[outlet].overrides.empty()) {
    auto changed = Overridden(outlet, event);
    if (!changed) {
      completion.Complete(changed.error());
      return;
    }
    event = *std::move(changed);
  }
  parts_.outlets[outlet].outlet->Send(std::move(event), std::move(completion));
}

void Dispatcher::Core::OnPublished(std::uint64_t send,
                                   const Result<void>& result) noexcept {
  const MutexLock lock(publish_mutex_);
  for (const auto& [id, waiter] : publishing_) {
    if (id != send) continue;
    if (!result && !waiter->first) waiter->first = result.error();
    if (--waiter->open == 0) waiter->over.notify_all();
    return;
  }
}

Result<void> Dispatcher::Core::Publish(std::uint64_t call,
                                       std::string_view outlet,
                                       std::span<const Event> events,
                                       TimePoint deadline) noexcept {
  if (!Enter()) {
    return Error{ErrorCode::kDraining, "the process is stopping"};
  }
  auto published = PublishEntered(call, outlet, events, deadline, true);
  Leave();
  return published;
}

Result<void> Dispatcher::Core::PublishEntered(std::uint64_t call,
                                              std::string_view outlet,
                                              std::span<const Event> events,
                                              TimePoint deadline,
                                              bool may_wait) noexcept {
  std::uint32_t index = 0;
  while (index < parts_.outlets.size() &&
         parts_.outlets[index].outlet->name() != outlet) {
    ++index;
  }
  if (index == parts_.outlets.size()) {
    return Error{ErrorCode::kInvalidConfig,
                 "there is no outlet '" + std::string(outlet) +
                     "'; configure [outlet." + std::string(outlet) + "]"};
  }
  if (events.empty()) return {};
  if (call != 0) {
    if (auto can = CanPublish(call, index, events); !can) return can;
    using Buffered = internal::Engine::Buffered;
    const MutexLock lock(mutex_);
    const Buffered buffered = engine_.Buffer(call, index, events);
    if (buffered == Buffered::kYes) return {};
    if (buffered == Buffered::kTooLate) {
      return Error{ErrorCode::kUnavailable,
                   "the call has ended: what it publishes goes with the "
                   "settlement of its event, as `exactly_once` says"};
    }
  }
  if (!may_wait) {
    return Error{ErrorCode::kInternal,
                 "an inline function may not wait, and Publish waits: remove "
                 "`inline` or reply instead"};
  }

  Waiter waiter{.open = events.size()};
  std::uint64_t id = 0;
  {
    const MutexLock lock(publish_mutex_);
    id = kPublished | ++last_publish_;
    publishing_.emplace_back(id, &waiter);
  }
  for (const Event& event : events) {
    SendTo(index, event, SendCompletion(*this, id));
  }
  const MutexLock lock(publish_mutex_);
  const bool over = waiter.over.wait_until(
      publish_mutex_, deadline, [&waiter]() { return waiter.open == 0; });
  std::erase_if(publishing_,
                [id](const auto& entry) { return entry.first == id; });
  if (waiter.first) return *std::move(waiter.first);
  if (over) return {};
  return Error{ErrorCode::kTimedOut,
               "outlet '" + std::string(outlet) +
                   "' did not confirm before the call's deadline"};
}

// ---- What a source sends itself.

const Transactional* Dispatcher::Core::TransactionalOf(
    const InletInfo& inlet) const noexcept {
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    if (sources_[i].info == &inlet) return transactions_[i];
  }
  return nullptr;
}

Result<void> Dispatcher::Core::CanSend(const Transactional& source,
                                       std::uint32_t outlet,
                                       const Event& event) const {
  if (parts_.outlets[outlet].overrides.empty()) {
    return source.CanSend(outlet, event);
  }
  const auto changed = Overridden(outlet, event);
  return source.CanSend(outlet, changed ? *changed : event);
}

// A reply that its source can never send would undo the transaction that it is
// in, and with it what others did, time and again. It is no reply.
void Dispatcher::Core::CheckReplies(const Delivery& answered,
                                    std::uint32_t function,
                                    internal::CallResult& result) const {
  const std::uint32_t outlet = reply_to_[function];
  if (result.replies.empty() || outlet >= parts_.outlets.size()) return;
  const Transactional* const source = TransactionalOf(answered.inlet());
  if (source == nullptr) return;
  for (std::size_t i = 0; i < result.replies.size(); ++i) {
    const auto can = CanSend(*source, outlet, result.replies[i]);
    if (can) continue;
    result = internal::Failed(
        ErrorCode::kInvalidReply,
        "reply " + std::to_string(i + 1) + ": " + can.error().message);
    return;
  }
}

Result<void> Dispatcher::Core::CanPublish(
    std::uint64_t call, std::uint32_t outlet,
    std::span<const Event> events) noexcept {
  const auto is_none = [](const Transactional* each) {
    return each == nullptr;
  };
  if (std::all_of(transactions_.begin(), transactions_.end(), is_none)) {
    return {};
  }
  const InletInfo* inlet = nullptr;
  {
    const MutexLock lock(mutex_);
    if (const auto work = engine_.Find(call); work) {
      inlet = &work->delivery->inlet();
    }
  }
  if (inlet == nullptr) return {};
  const Transactional* const source = TransactionalOf(*inlet);
  if (source == nullptr) return {};
  for (const Event& event : events) {
    if (auto can = CanSend(*source, outlet, event); !can) return can;
  }
  return {};
}

// ---- The rest of a context.

void Dispatcher::Core::Log(LogLevel level, std::string_view function,
                           const Event* event, const TraceContext& trace,
                           std::string_view message) noexcept {
  if (!Enter()) return;
  if (parts_.observer != nullptr) {
    parts_.observer->Logged(level, function, event, trace, message);
  }
  Leave();
}

std::stop_token Dispatcher::Core::StopToken(std::uint64_t call) noexcept {
  const MutexLock lock(mutex_);
  return engine_.StopToken(call);
}

void Dispatcher::Core::InlineHost::Log(LogLevel level,
                                       std::string_view function,
                                       const Event* event,
                                       const TraceContext& trace,
                                       std::string_view message) noexcept {
  core_->Log(level, function, event, trace, message);
}

Result<void> Dispatcher::Core::InlineHost::Publish(
    std::uint64_t call, std::string_view outlet, std::span<const Event> events,
    TimePoint deadline) noexcept {
  if (!core_->Enter()) {
    return Error{ErrorCode::kDraining, "the process is stopping"};
  }
  auto published = core_->PublishEntered(call, outlet, events, deadline, false);
  core_->Leave();
  return published;
}

}  // namespace cirro
