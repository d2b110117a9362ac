#include "core.h"

#include <algorithm>
#include <utility>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/capability.h"
#include "json_pointer.h"
#include "severity.h"

namespace cirro {

using internal::Actions;
using internal::CallId;
using internal::FailureOf;
using internal::Scratch;
using internal::ScratchLease;

namespace {

std::string WhyNoFunction(const Delivery& delivery) {
  const Original* const original = delivery.facts.original.get();
  std::string why = "no function ";
  // Sent back, or replayed, for one.
  if (original != nullptr && !original->function.empty()) {
    why += "'" + original->function + "' ";
  }
  return why + "takes events of type '" +
         std::string(delivery.event()->type()) + "'";
}

std::vector<internal::EngineInlet> SourcesOf(std::span<Inlet* const> inlets) {
  std::vector<internal::EngineInlet> sources;
  for (Inlet* const inlet : inlets) {
    auto* const in_progress = CapabilityOf<InProgress>(*inlet);
    sources.push_back(
        {.info = &inlet->info(),
         .delays = CapabilityOf<DelayedRedelivery>(*inlet) != nullptr,
         .keeps_attempts = CapabilityOf<KeepsAttempts>(*inlet) != nullptr,
         .transactional = CapabilityOf<Transactional>(*inlet) != nullptr,
         .extend_every = in_progress == nullptr ? std::chrono::milliseconds(0)
                                                : in_progress->extend_every()});
  }
  return sources;
}

}  // namespace

Dispatcher::Core::Core(Registry registry,
                       std::vector<internal::EngineFunction> functions,
                       const DispatcherOptions& options, DispatcherParts parts)
    : registry_(std::move(registry)),
      functions_(registry_.functions()),
      router_(functions_),
      options_(options),
      reply_bounds_{.event_bytes = options.max_reply_bytes,
                    .all_bytes = options.max_bytes},
      parts_(std::move(parts)),
      sources_(SourcesOf(parts_.inlets)),
      engine_(std::move(functions), options, sources_),
      told_demand_(parts_.inlets.size(), 1) {
  const auto waits_not = [](const internal::EngineInlet& source) {
    return !source.info->peer_waits;
  };
  for (Inlet* const inlet : parts_.inlets) {
    transactions_.push_back(CapabilityOf<Transactional>(*inlet));
  }
  // What a transaction is to send with it belongs to a call of the engine's.
  one_source_ =
      std::count_if(sources_.begin(), sources_.end(), waits_not) == 1 &&
      std::none_of(sources_.begin(), sources_.end(),
                   [](const auto& source) { return source.transactional; });
  for (std::uint32_t i = 0; i < functions_.size(); ++i) {
    const Function& function = functions_[i];
    const FunctionSpec& spec = function.spec;
    const bool ordered = spec.order_by.kind != OrderBy::Kind::kNone &&
                         spec.order_by.kind != OrderBy::Kind::kSource;
    at_once_.push_back(function.handler->form() == Handler::Form::kSingle &&
                       spec.inline_call && !ordered && spec.concurrency == 0 &&
                       spec.max_in_flight == 0 && spec.max_bytes == 0 &&
                       !spec.dedup);
    const internal::EngineFunction& its = engine_.function(i);
    reply_to_.push_back(its.reply_to);
    buries_.push_back(!its.places.empty() &&
                      its.on_exhausted == OnExhausted::kDeadLetter);
  }
}

// ---- Taking in.

void Dispatcher::Core::Deliver(std::span<Delivery> batch) noexcept {
  const ScratchLease scratch;
  scratch->targets.clear();
  scratch->admissions.clear();
  scratch->dead.clear();
  scratch->rooms_used = 0;
  TimePoint now = parts_.clock.Now();
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
      TakeDead(delivery, {DeadReason::kMalformed, malformed->error}, i, 0,
               *scratch);
      continue;
    }
    const auto functions = Match(delivery, *scratch);
    if (functions.empty()) {
      if (options_.unmatched == Unmatched::kAccept) {
        SettleNow(delivery, {.kind = Settlement::Kind::kAck}, {});
        continue;
      }
      TakeDead(delivery,
               {DeadReason::kUnmatched,
                {ErrorCode::kNoFunction, WhyNoFunction(delivery)}},
               i, 0, *scratch);
      continue;
    }
    if (delivery.facts.crashed) {
      AddTargets(delivery, functions, *scratch);
      TakeDead(delivery,
               {DeadReason::kCrashed,
                {ErrorCode::kFunctionFailed, "the process died over it"}},
               i, static_cast<std::uint32_t>(functions.size()), *scratch);
      continue;
    }
    // What stands before it in the batch may be in its lane, too.
    if (functions.size() == 1 && MayRunAtOnce(delivery, functions[0]) &&
        (delivery.inlet().peer_waits || scratch->admissions.empty())) {
      now = RunAtOnce(delivery, functions[0], now);
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
    auto dead = scratch->dead.begin();
    for (const auto& [index, first, count, is_dead] : scratch->admissions) {
      const auto targets = std::span(scratch->targets).subspan(first, count);
      if (is_dead) {
        engine_.AdmitDead(std::move(batch[index]), targets, dead->reason,
                          dead->error, now, scratch->actions);
        ++dead;
        continue;
      }
      engine_.Admit(std::move(batch[index]), targets, now, scratch->actions);
    }
    AfterInput(scratch->actions);
  }
  Perform(scratch->actions);
}

// Nothing may be before it in its lane. Of a source that does not wait one
// thread at a time delivers a key, so that what it sees in flight is not less
// than what it has put there.
bool Dispatcher::Core::MayRunAtOnce(const Delivery& delivery,
                                    std::uint32_t function) const noexcept {
  if (at_once_[function] == 0) return false;
  if (delivery.inlet().peer_waits) return delivery.facts.key.empty();
  return one_source_ && in_flight_.load(std::memory_order_relaxed) == 0;
}

void Dispatcher::Core::TakeDead(Delivery& delivery, Scratch::Dead dead,
                                std::uint32_t index, std::uint32_t targets,
                                Scratch& scratch) const noexcept {
  if (delivery.inlet().peer_waits) {
    SettleNow(delivery,
              FailureOf(std::move(dead.error), {}, delivery.inlet(),
                        options_.retry.cap),
              {});
    return;
  }
  scratch.dead.push_back(std::move(dead));
  const auto first =
      static_cast<std::uint32_t>(scratch.targets.size()) - targets;
  scratch.admissions.push_back({index, first, targets, true});
}

std::span<const std::uint32_t> Dispatcher::Core::Match(const Delivery& delivery,
                                                       Scratch& scratch) const {
  const auto functions = router_.Match(*delivery.event(), scratch.matches);
  const Original* const original = delivery.facts.original.get();
  if (original == nullptr || original->function.empty()) return functions;
  // A redriven dead letter is for the function that gave it up.
  for (const std::uint32_t& function : functions) {
    if (functions_[function].spec.name == original->function) {
      return {&function, 1};
    }
  }
  return {};
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

void Dispatcher::Core::SettleNow(Delivery& delivery, Settlement&& settlement,
                                 Duration since) const noexcept {
  if (parts_.observer != nullptr) {
    parts_.observer->Settled(delivery, settlement, since);
  }
  delivery.Settle(std::move(settlement));
}

// ---- Performing.

void Dispatcher::Core::AfterInput(Actions& actions) noexcept {
  // A letter that is sent again is the same: a place may know it by that.
  for (Actions::Bury& letter : actions.bury) {
    if (letter.facts.time) continue;
    letter.facts.time = parts_.clock.WallTime();
    engine_.GaveUp(letter.call, *letter.facts.time);
  }
  const TimePoint next = engine_.NextTimer();
  if (next < armed_) {
    armed_ = next;
    actions.signal = true;
  }
  if (const std::size_t made = actions.settle.size(); made > actions.counted) {
    settling_ += made - std::exchange(actions.counted, made);
  }
  in_flight_.store(engine_.counts().in_flight, std::memory_order_relaxed);
  if (idle_waiters_ > 0 && IsIdle()) idle_.notify_all();
}

// What is settled is so for the engine before its source hears of it, outside
// of the lock.
bool Dispatcher::Core::IsIdle() const noexcept {
  const Counts& counts = engine_.counts();
  return counts.in_flight == 0 && counts.running == 0 && settling_ == 0;
}

void Dispatcher::Core::Perform(Actions& actions) noexcept {
  PerformOutside(actions);
  if (actions.run_inline.empty()) return;
  const ScratchLease inner;
  auto& calls = inner->inline_calls;
  while (!actions.run_inline.empty()) {
    calls.clear();
    calls.swap(actions.run_inline);
    for (const CallId call : calls) Run(call, actions);
    PerformOutside(actions);
  }
}

// Tells the timer queue and the inlets what is true now, one thread at a time:
// what is told last is then what holds.
void Dispatcher::Core::Signal() noexcept {
  const MutexLock signal(signal_mutex_);
  const ScratchLease scratch;
  std::vector<char>& demand = scratch->demand;
  TimePoint when;
  {
    const MutexLock lock(mutex_);
    when = armed_;
    demand.clear();
    for (std::uint32_t i = 0; i < parts_.inlets.size(); ++i) {
      demand.push_back(engine_.demand(i) ? 1 : 0);
    }
  }
  if (when != TimePoint::max()) {
    parts_.timers.Arm(when, {&TimerTask, this, 0});
  }
  for (std::uint32_t i = 0; i < parts_.inlets.size(); ++i) {
    Inlet& inlet = *parts_.inlets[i];
    // A peer that waits wants an answer, even if it is a refusal.
    if (inlet.info().peer_waits || told_demand_[i] == demand[i]) continue;
    told_demand_[i] = demand[i];
    inlet.SetDemand(demand[i] != 0);
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

void Dispatcher::Core::OnSent(std::uint64_t send, Result<void> result,
                              std::chrono::milliseconds retry_after) noexcept {
  if ((send & kPublished) == 0) {
    Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
      engine_.Sent(send, result, retry_after, parts_.clock.Now(), actions);
    });
    return;
  }
  OnPublished(send, result);
}

// ---- Drain.

void Dispatcher::Core::Withdraw(
    const InletInfo& inlet,
    std::span<const std::uint64_t> assignments) noexcept {
  Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
    engine_.Withdraw(inlet, assignments, parts_.clock.Now(), actions);
  });
}

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
  const bool idle = idle_.wait_for(
      mutex_, patience, [this]() CIRRO_REQUIRES(mutex_) { return IsIdle(); });
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
