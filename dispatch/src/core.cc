#include "core.h"

#include <algorithm>
#include <cassert>
#include <exception>
#include <stdexcept>
#include <utility>

#include "cirro/cloudevents/event_builder.h"
#include "json_pointer.h"
#include "severity.h"

namespace cirro {

using internal::Actions;
using internal::CallId;
using internal::CallResult;
using internal::Failed;
using internal::FailureOf;
using internal::Scratch;
using internal::ScratchLease;
using internal::ToResult;
using internal::Work;

namespace {

// The top bit tells the sends of Publish from those of the engine's calls.
constexpr std::uint64_t kPublished = std::uint64_t{1} << 63;

// The one place where user code runs: what it throws ends here.
template <typename UserCode>
std::optional<CallResult> Guarded(UserCode code) noexcept {
  try {
    code();
    return std::nullopt;
  } catch (const std::exception& error) {
    return Failed(ErrorCode::kFunctionFailed,
                  internal::ErrorText(error.what()));
  } catch (...) {
    return Failed(ErrorCode::kFunctionFailed,
                  "the function threw what is no std::exception");
  }
}

}  // namespace

Dispatcher::Core::Core(Registry registry,
                       std::vector<internal::EngineFunction> functions,
                       const DispatcherOptions& options, DispatcherParts parts)
    : registry_(std::move(registry)),
      functions_(registry_.functions()),
      router_(functions_),
      options_(options),
      parts_(std::move(parts)),
      engine_(std::move(functions), options) {
  for (const Function& function : functions_) {
    const FunctionSpec& spec = function.spec;
    const bool ordered = spec.order_by.kind != OrderBy::Kind::kNone &&
                         spec.order_by.kind != OrderBy::Kind::kSource;
    at_once_.push_back(function.handler->form() == Handler::Form::kSingle &&
                       spec.inline_call && !ordered && spec.concurrency == 0 &&
                       spec.max_in_flight == 0 && spec.max_bytes == 0);
  }
}

// ---- Taking in.

void Dispatcher::Core::Deliver(std::span<Delivery> batch) noexcept {
  const ScratchLease scratch;
  scratch->targets.clear();
  scratch->admissions.clear();
  scratch->rooms_used = 0;
  const TimePoint now = parts_.clock.Now();
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    Delivery& delivery = batch[i];
    if (parts_.observer != nullptr) parts_.observer->Received(delivery);
    if (draining_.load(std::memory_order_relaxed)) {
      SettleNow(
          delivery,
          {.error = Error{ErrorCode::kDraining, "the process is stopping"}},
          {});
      continue;
    }
    if (const Malformed* malformed = delivery.malformed(); malformed) {
      SettleNow(
          delivery,
          FailureOf(malformed->error, {}, delivery.inlet(), options_.retry.cap),
          {});
      continue;
    }
    const auto functions = router_.Match(*delivery.event(), scratch->matches);
    if (functions.empty()) {
      const bool accept = options_.unmatched == Unmatched::kAccept;
      SettleNow(
          delivery,
          accept ? Settlement{.kind = Settlement::Kind::kAck}
                 : FailureOf({ErrorCode::kNoFunction,
                              "no function takes events of type '" +
                                  std::string(delivery.event()->type()) + "'"},
                             {}, delivery.inlet(), options_.retry.cap),
          {});
      continue;
    }
    if (functions.size() == 1 && at_once_[functions[0]] &&
        delivery.inlet().peer_waits && delivery.facts.key.empty()) {
      RunAtOnce(delivery, functions[0], now);
      continue;
    }
    const auto first = static_cast<std::uint32_t>(scratch->targets.size());
    AddTargets(delivery, functions, *scratch);
    scratch->admissions.push_back(
        {i, first, static_cast<std::uint32_t>(functions.size())});
  }
  if (scratch->admissions.empty()) return;
  {
    const MutexLock lock(mutex_);
    for (const auto& [index, first, count] : scratch->admissions) {
      engine_.Admit(std::move(batch[index]),
                    std::span(scratch->targets).subspan(first, count), now,
                    scratch->actions);
    }
    AfterInput(scratch->actions);
  }
  Perform(scratch->actions);
}

void Dispatcher::Core::AddTargets(const Delivery& delivery,
                                  std::span<const std::uint32_t> functions,
                                  Scratch& scratch) const {
  const Event& event = *delivery.event();
  for (const std::uint32_t function : functions) {
    const OrderBy& order = functions_[function].spec.order_by;
    internal::Target target{.function = function};
    switch (order.kind) {
      case OrderBy::Kind::kSource:
        target.by_source_key = true;
        break;
      case OrderBy::Kind::kNone:
        break;
      case OrderBy::Kind::kPartitionKey:
        target.key = event.extension("partitionkey").value_or("");
        break;
      case OrderBy::Kind::kSubject:
        target.key = event.subject();
        break;
      case OrderBy::Kind::kJsonPointer:
        if (event.data_kind() != DataKind::kJson) break;
        if (scratch.rooms_used == scratch.key_rooms.size()) {
          scratch.key_rooms.emplace_back();
        }
        target.key = internal::KeyAt(event.data(), order.pointer,
                                     scratch.key_rooms[scratch.rooms_used++]);
        break;
    }
    scratch.targets.push_back(target);
  }
}

void Dispatcher::Core::SettleNow(Delivery& delivery, Settlement settlement,
                                 Duration since) const noexcept {
  if (parts_.observer != nullptr) {
    parts_.observer->Settled(delivery, settlement, since);
  }
  delivery.Settle(std::move(settlement));
}

// The common way over HTTP: no lock, and no cache line that another thread
// writes.
void Dispatcher::Core::RunAtOnce(Delivery& delivery, std::uint32_t function,
                                 TimePoint now) noexcept {
  const FunctionSpec& spec = functions_[function].spec;
  const Delivery::Facts& facts = delivery.facts;
  const Work work{.function = function,
                  .delivery = &delivery,
                  .attempt = facts.attempt,
                  .started = now,
                  .deadline = std::min(now + spec.timeout, facts.deadline)};
  Context context(inline_host_, *delivery.event(),
                  {.function = spec.name,
                   .inlet = delivery.inlet().name,
                   .attempt = work.attempt,
                   .deadline = work.deadline,
                   .trace = &facts.trace});
  Duration since{};
  CallResult result = Single(work, context, since);
  switch (result.kind) {
    case Outcome::Kind::kReply:
      if (result.replies.size() > facts.reply_capacity) {
        Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
          engine_.AdmitFinished(std::move(delivery), function,
                                std::move(result), now, actions);
        });
        return;
      }
      [[fallthrough]];
    case Outcome::Kind::kDone:
      SettleNow(delivery,
                {.kind = Settlement::Kind::kAck,
                 .replies = std::move(result.replies)},
                since);
      return;
    case Outcome::Kind::kRetry:
    case Outcome::Kind::kReject:
      SettleNow(delivery,
                FailureOf(*std::move(result.error),
                          result.after.value_or(std::chrono::milliseconds(0)),
                          delivery.inlet(), options_.retry.cap),
                since);
      return;
  }
}

// ---- Running.

CallResult Dispatcher::Core::Single(const Work& work, Context& context,
                                    Duration& took) noexcept {
  const Function& function = functions_[work.function];
  Observer* const observer = parts_.observer;
  if (observer != nullptr) {
    observer->Started(function.spec.name, *work.delivery, work.attempt);
  }
  CallResult result;
  if (auto thrown = Guarded([&] {
        result =
            ToResult(function.handler->Single(*work.delivery->event(), context),
                     *work.delivery, function.spec.name, parts_.clock,
                     options_.max_reply_bytes);
      });
      thrown) {
    result = *std::move(thrown);
  }
  if (observer != nullptr) {
    took = parts_.clock.Now() - work.started;
    observer->Finished(function.spec.name, *work.delivery, result.kind,
                       result.error ? &*result.error : nullptr, took);
  }
  return result;
}

std::vector<CallResult> Dispatcher::Core::RunBatch(const Work& work,
                                                   Context& context) noexcept {
  const Function& function = functions_[work.function];
  const internal::BatchRun& batch = *work.batch;
  const std::size_t size = batch.calls.size();
  Observer* const observer = parts_.observer;
  if (observer != nullptr) {
    for (std::size_t i = 0; i < size; ++i) {
      observer->Started(function.spec.name, *batch.deliveries[i],
                        batch.attempts[i]);
    }
  }
  std::vector<CallResult> results;
  auto failed = Guarded([&] {
    auto outcomes = function.handler->Batch(batch.events, context);
    if (outcomes.size() != size) {
      throw std::length_error("a batch of " + std::to_string(size) +
                              " events got " + std::to_string(outcomes.size()) +
                              " outcomes");
    }
    for (std::size_t i = 0; i < size; ++i) {
      results.push_back(ToResult(std::move(outcomes[i]), *batch.deliveries[i],
                                 function.spec.name, parts_.clock,
                                 options_.max_reply_bytes));
    }
  });
  if (failed) results.assign(size, *failed);
  if (observer != nullptr) {
    const Duration took = parts_.clock.Now() - work.started;
    for (std::size_t i = 0; i < size; ++i) {
      observer->Finished(function.spec.name, *batch.deliveries[i],
                         results[i].kind,
                         results[i].error ? &*results[i].error : nullptr, took);
    }
  }
  return results;
}

// Runs a posted call; what follows from it is added to `actions`.
void Dispatcher::Core::Run(CallId call, Actions& actions) noexcept {
  Work work;
  bool begun = false;
  {
    const TimePoint now = parts_.clock.Now();
    const MutexLock lock(mutex_);
    begun = engine_.Begin(call, now, work, actions);
    AfterInput(actions);
  }
  // Others' work does not wait for this function; its own thread's does.
  PerformOutside(actions);
  if (!begun) return;

  const Function& function = functions_[work.function];
  const Delivery& delivery = *work.delivery;
  const bool is_inline = function.spec.inline_call;
  ContextHost& host =
      is_inline ? static_cast<ContextHost&>(inline_host_) : *this;
  const Context::Facts facts{.function = function.spec.name,
                             .inlet = delivery.inlet().name,
                             .attempt = work.attempt,
                             .deadline = work.deadline,
                             .call = is_inline ? 0 : call,
                             .trace = &delivery.facts.trace};
  switch (function.handler->form()) {
    case Handler::Form::kSingle: {
      Context context(host, *delivery.event(), facts);
      Duration took{};
      CallResult result = Single(work, context, took);
      const TimePoint now = parts_.clock.Now();
      const MutexLock lock(mutex_);
      engine_.Finish(call, {&result, 1}, now, actions);
      AfterInput(actions);
      return;
    }
    case Handler::Form::kBatch: {
      Context context(host, *delivery.event(), facts);
      std::vector<CallResult> results = RunBatch(work, context);
      const TimePoint now = parts_.clock.Now();
      const MutexLock lock(mutex_);
      engine_.Finish(call, results, now, actions);
      AfterInput(actions);
      return;
    }
    case Handler::Form::kAsync: {
      // In the call's slot, because it lives until the Completion does.
      Context& context = work.context->emplace(host, *delivery.event(), facts);
      if (parts_.observer != nullptr) {
        parts_.observer->Started(function.spec.name, delivery, work.attempt);
      }
      auto thrown = Guarded([&] {
        function.handler->Async(*delivery.event(), context,
                                Completion(shared_from_this(), call));
      });
      const TimePoint now = parts_.clock.Now();
      const MutexLock lock(mutex_);
      engine_.Returned(call, std::move(thrown), now, actions);
      AfterInput(actions);
      return;
    }
  }
}

void Dispatcher::Core::RunTask(void* core, std::uint64_t call) noexcept {
  const ScratchLease scratch;
  static_cast<Core*>(core)->Run(call, scratch->actions);
  static_cast<Core*>(core)->Perform(scratch->actions);
}

void Dispatcher::Core::OnFinished(std::uint64_t call,
                                  Outcome outcome) noexcept {
  std::optional<Work> work;
  {
    const MutexLock lock(mutex_);
    if (closed_) return;
    work = engine_.Find(call);
    if (!work) return;
    ++busy_;
  }
  const std::string_view function = functions_[work->function].spec.name;
  CallResult result;
  if (auto failed = Guarded([&] {
        result = ToResult(std::move(outcome), *work->delivery, function,
                          parts_.clock, options_.max_reply_bytes);
      });
      failed) {
    result = *std::move(failed);
  }
  if (parts_.observer != nullptr) {
    const CallResult& counts = work->thrown != nullptr ? *work->thrown : result;
    parts_.observer->Finished(function, *work->delivery, counts.kind,
                              counts.error ? &*counts.error : nullptr,
                              parts_.clock.Now() - work->started);
  }
  Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
    engine_.Completed(call, std::move(result), parts_.clock.Now(), actions);
  });
  const MutexLock lock(mutex_);
  --busy_;
  if (closed_ && busy_ == 0) idle_.notify_all();
}

// ---- Performing.

template <typename Input>
void Dispatcher::Core::Step(Input input) noexcept {
  const ScratchLease scratch;
  {
    const MutexLock lock(mutex_);
    input(scratch->actions);
    AfterInput(scratch->actions);
  }
  Perform(scratch->actions);
}

void Dispatcher::Core::AfterInput(Actions& actions) noexcept {
  const TimePoint next = engine_.NextTimer();
  if (next < armed_) {
    armed_ = next;
    actions.signal = true;
  }
  const Counts& counts = engine_.counts();
  if (idle_waiters_ > 0 && counts.in_flight == 0 && counts.running == 0) {
    idle_.notify_all();
  }
}

void Dispatcher::Core::Perform(Actions& actions) noexcept {
  const ScratchLease inner;
  auto& calls = inner->inline_calls;
  for (;;) {
    PerformOutside(actions);
    if (actions.run_inline.empty()) return;
    calls.clear();
    calls.swap(actions.run_inline);
    for (const CallId call : calls) Run(call, actions);
  }
}

void Dispatcher::Core::PerformOutside(Actions& actions) noexcept {
  if (std::exchange(actions.signal, false)) Signal();
  for (auto& [delivery, settlement, since] : actions.settle) {
    SettleNow(delivery, std::move(settlement), since);
  }
  actions.settle.clear();
  for (std::stop_source& stop : actions.stop) stop.request_stop();
  actions.stop.clear();
  for (const auto& [function, delivery, call, replace] : actions.hung) {
    if (parts_.observer != nullptr) {
      parts_.observer->Hung(functions_[function].spec.name, delivery);
    }
    if (replace) parts_.executor.ReplaceHung({&RunTask, this, call});
  }
  actions.hung.clear();
  for (auto& [outlet, call, event] : actions.send) {
    SendTo(outlet, std::move(event), SendCompletion(*this, call));
  }
  actions.send.clear();
  if (actions.post.empty()) return;
  const ScratchLease inner;
  inner->tasks.clear();
  for (const CallId call : actions.post) {
    inner->tasks.push_back({&RunTask, this, call});
  }
  actions.post.clear();
  parts_.executor.Post(inner->tasks);
}

// Tells the timer queue and the inlets what is true now, one thread at a time:
// what is told last is then what holds.
void Dispatcher::Core::Signal() noexcept {
  const MutexLock signal(signal_mutex_);
  TimePoint when;
  bool demand = false;
  {
    const MutexLock lock(mutex_);
    when = armed_;
    demand = engine_.demand();
  }
  if (when != TimePoint::max()) {
    parts_.timers.Arm(when, {&TimerTask, this, 0});
  }
  if (demand == told_demand_) return;
  told_demand_ = demand;
  for (Inlet* inlet : parts_.inlets) {
    // A peer that waits wants an answer, even if it is a refusal.
    if (!inlet->info().peer_waits) inlet->SetDemand(demand);
  }
}

void Dispatcher::Core::TimerTask(void* core,
                                 std::uint64_t /*unused*/) noexcept {
  static_cast<Core*>(core)->OnTimer();
}

void Dispatcher::Core::OnTimer() noexcept {
  Step([this](Actions& actions) CIRRO_REQUIRES(mutex_) {
    armed_ = TimePoint::max();
    engine_.Tick(parts_.clock.Now(), actions);
  });
}

// ---- Outlets.

void Dispatcher::Core::SendTo(std::uint32_t outlet, Event event,
                              SendCompletion completion) noexcept {
  const OutletEntry& entry = parts_.outlets[outlet];
  if (!entry.overrides.empty()) {
    EventBuilder builder(event);
    for (const Extension& extension : entry.overrides) {
      builder.extension(extension);
    }
    auto changed = builder.Build();
    if (!changed) {
      completion.Complete(changed.error());
      return;
    }
    event = *std::move(changed);
  }
  entry.outlet->Send(std::move(event), std::move(completion));
}

void Dispatcher::Core::OnSent(std::uint64_t send, Result<void> result,
                              std::chrono::milliseconds retry_after) noexcept {
  if ((send & kPublished) == 0) {
    Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
      engine_.Sent(send, result, retry_after, parts_.clock.Now(), actions);
    });
    return;
  }
  const MutexLock lock(publish_mutex_);
  for (const auto& [id, waiter] : publishing_) {
    if (id != send) continue;
    if (!result && !waiter->first) waiter->first = result.error();
    if (--waiter->open == 0) waiter->over.notify_all();
    return;
  }
}

Result<void> Dispatcher::Core::Publish(std::string_view outlet,
                                       std::span<const Event> events,
                                       TimePoint deadline) noexcept {
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

// ---- The rest of a context.

void Dispatcher::Core::Log(LogLevel level, std::string_view function,
                           const Event& event, const TraceContext& trace,
                           std::string_view message) noexcept {
  if (parts_.observer == nullptr) return;
  parts_.observer->Logged(level, function, event, trace, message);
}

std::stop_token Dispatcher::Core::StopToken(std::uint64_t call) noexcept {
  const MutexLock lock(mutex_);
  return engine_.StopToken(call);
}

void Dispatcher::Core::InlineHost::Log(LogLevel level,
                                       std::string_view function,
                                       const Event& event,
                                       const TraceContext& trace,
                                       std::string_view message) noexcept {
  core_->Log(level, function, event, trace, message);
}

Result<void> Dispatcher::Core::InlineHost::Publish(
    std::string_view /*outlet*/, std::span<const Event> /*events*/,
    TimePoint /*deadline*/) noexcept {
  return Error{ErrorCode::kInternal,
               "an inline function may not wait, and Publish waits: remove "
               "`inline` or reply instead"};
}

// ---- Drain.

void Dispatcher::Core::BeginDrain() noexcept {
  draining_.store(true, std::memory_order_relaxed);
  Step([&](Actions& actions)
           CIRRO_REQUIRES(mutex_) { engine_.BeginDrain(actions); });
}

void Dispatcher::Core::GiveBackWaiting() noexcept {
  draining_.store(true, std::memory_order_relaxed);
  Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
    engine_.GiveBackWaiting(parts_.clock.Now(), actions);
  });
}

void Dispatcher::Core::GiveBackAll() noexcept {
  draining_.store(true, std::memory_order_relaxed);
  Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
    engine_.GiveBackAll(parts_.clock.Now(), actions);
  });
}

bool Dispatcher::Core::WaitIdle(std::chrono::milliseconds patience) noexcept {
  const MutexLock lock(mutex_);
  ++idle_waiters_;
  const bool idle =
      idle_.wait_for(mutex_, patience, [this]() CIRRO_REQUIRES(mutex_) {
        return engine_.counts().in_flight == 0 && engine_.counts().running == 0;
      });
  --idle_waiters_;
  return idle;
}

Dispatcher::Counts Dispatcher::Core::counts() noexcept {
  const MutexLock lock(mutex_);
  return engine_.counts();
}

void Dispatcher::Core::Close() noexcept {
  GiveBackAll();
  const MutexLock lock(mutex_);
  closed_ = true;
  idle_.wait(mutex_, [this]() CIRRO_REQUIRES(mutex_) { return busy_ == 0; });
}

}  // namespace cirro
