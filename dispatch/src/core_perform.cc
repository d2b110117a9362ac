#include <utility>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/capability.h"
#include "core.h"

// What the engine asks for, done outside of its lock.

namespace cirro {

using internal::Actions;
using internal::CallId;
using internal::ScratchLease;

thread_local Dispatcher::Core::Pass* Dispatcher::Core::Pass::top = nullptr;

// All but the inline calls, which are left in `actions`.
void Dispatcher::Core::PerformOutside(Actions& actions) noexcept {
  while (!actions.NothingOutside()) {
    std::optional<ScratchLease> next;
    {
      const Pass pass(*this, next);
      PerformOnce(actions);
    }
    PostAll(actions);  // Outside of the pass: an executor may run it at once.
    if (!next) return;
    Actions& follows = (*next)->actions;
    follows.run_inline.insert(follows.run_inline.begin(),
                              actions.run_inline.begin(),
                              actions.run_inline.end());
    actions.run_inline.clear();
    std::swap(actions, follows);
  }
}

void Dispatcher::Core::PerformOnce(Actions& actions) noexcept {
  if (std::exchange(actions.signal, false)) Signal();
  Observe(actions);
  TellSources(actions);
  // Before the settlement: what comes again because of it meets it as done.
  TellDedup(actions);
  SettleAll(actions);
  for (std::stop_source& stop : actions.stop) stop.request_stop();
  actions.stop.clear();
  for (const auto& [function, delivery, call, replace] : actions.hung) {
    if (parts_.observer != nullptr) {
      parts_.observer->Hung(functions_[function].spec.name, delivery);
    }
    if (replace) parts_.executor.ReplaceHung({&RunTask, this, call});
  }
  actions.hung.clear();
  if (std::exchange(actions.stuck, false) && parts_.stuck.run != nullptr) {
    parts_.stuck.run(parts_.stuck.target, parts_.stuck.argument);
  }
  for (auto& [outlet, call, event] : actions.send) {
    SendTo(outlet, std::move(event), SendCompletion(*this, call));
  }
  actions.send.clear();
  Bury(actions);
}

void Dispatcher::Core::PostAll(Actions& actions) noexcept {
  if (actions.post.empty()) return;
  const ScratchLease inner;
  inner->tasks.clear();
  for (const CallId call : actions.post) {
    inner->tasks.push_back({&RunTask, this, call});
  }
  actions.post.clear();
  parts_.executor.Post(inner->tasks);
}

void Dispatcher::Core::Observe(Actions& actions) const noexcept {
  using Kind = Actions::Note::Kind;
  if (parts_.observer == nullptr) {
    actions.notes.clear();
    return;
  }
  Observer& observer = *parts_.observer;
  for (Actions::Note& note : actions.notes) {
    const std::string_view function = note.facts.function;
    const std::string_view place =
        note.place == internal::kNone ? std::string_view()
                                      : parts_.places[note.place]->place_name();
    switch (note.kind) {
      case Kind::kRetrying:
        observer.Retrying(function, note.delivery, note.facts.attempts + 1,
                          note.delay);
        break;
      case Kind::kKept:
        observer.Kept(function, note.delivery, note.facts.reason, *note.error);
        break;
      case Kind::kDropped:
        observer.Dropped(function, note.delivery, note.facts.reason,
                         *note.error);
        break;
      case Kind::kBuried:
        observer.Buried(note.facts, note.delivery, place);
        break;
      case Kind::kNotBuried:
      case Kind::kStalled:
        observer.NotBuried(note.facts, note.delivery, place, *note.error,
                           note.kind == Kind::kStalled);
        break;
      case Kind::kDuplicate:
        observer.Duplicate(function, note.delivery);
        break;
    }
  }
  actions.notes.clear();
}

void Dispatcher::Core::TellSources(Actions& actions) const noexcept {
  for (const auto& [inlet, token, attempts] : actions.attempted) {
    CapabilityOf<KeepsAttempts>(*parts_.inlets[inlet])
        ->Attempted(token, attempts);
  }
  actions.attempted.clear();
  for (const auto& [inlet, tokens] : actions.extend) {
    CapabilityOf<InProgress>(*parts_.inlets[inlet])->Extend(tokens);
  }
  actions.extend.clear();
}

void Dispatcher::Core::TellDedup(Actions& actions) noexcept {
  using Kind = Actions::Dedup::Kind;
  for (const auto& [kind, call, function, event] : actions.dedup) {
    const DedupKey key{functions_[function].spec.name, event.source(),
                       event.id()};
    switch (kind) {
      case Kind::kClaim:
        parts_.dedup->Claim(key, call, *this);
        break;
      case Kind::kRenew:
        parts_.dedup->Renew(key, call);
        break;
      case Kind::kDone:
        parts_.dedup->Done(key, call);
        break;
      case Kind::kRelease:
        parts_.dedup->Release(key, call);
        break;
    }
  }
  actions.dedup.clear();
}

void Dispatcher::Core::OnClaimed(const DedupKey& key, std::uint64_t claim,
                                 Result<DedupAnswer> answer) noexcept {
  bool wanted = false;
  Step([&](Actions& actions) CIRRO_REQUIRES(mutex_) {
    wanted = engine_.Claimed(claim, answer, parts_.clock.Now(), actions);
  });
  // What it may have claimed: of another's claim a release says nothing.
  if (!wanted) parts_.dedup->Release(key, claim);
}

// ---- Dead letters.

namespace {

DeadLetter LetterOf(const Delivery& delivery, DeadLetterFacts facts,
                    const Clock& clock) {
  facts.position = delivery.position();
  if (!facts.time) facts.time = clock.WallTime();
  DeadLetter letter;
  letter.original = delivery.facts.original;
  letter.key = delivery.facts.key;
  letter.facts = std::move(facts);
  if (const Event* event = delivery.event(); event != nullptr) {
    letter.content = *event;
  } else {
    letter.content = *delivery.malformed();
  }
  return letter;
}

}  // namespace

void Dispatcher::Core::Bury(Actions& actions) noexcept {
  for (auto& [place, call, delivery, facts, source] : actions.bury) {
    DeadLetter letter = LetterOf(delivery, std::move(facts), parts_.clock);
    SendCompletion completion(*this, call);
    if (source == internal::kNone) {
      parts_.places[place]->Bury(std::move(letter), std::move(completion));
    } else {
      completion.Complete(transactions_[source]->CanKeep(place, letter));
    }
  }
  actions.bury.clear();
}

void Dispatcher::Core::SettleAll(Actions& actions) noexcept {
  if (actions.settle.empty()) return;
  for (Actions::Settle& settle : actions.settle) SettleOne(settle);
  actions.settle.clear();
  const std::size_t told = std::exchange(actions.counted, 0);
  // Whoever waits counts itself before it looks at this.
  if (settling_.fetch_sub(told) != told || idle_waiters_ == 0) return;
  const MutexLock lock(mutex_);
  idle_.notify_all();
}

void Dispatcher::Core::SettleOne(Actions::Settle& settle) const noexcept {
  auto& [delivery, settlement, since] = settle;
  for (Settlement::Letter& letter : settlement.letters) {
    letter.letter =
        LetterOf(delivery, std::move(letter.letter.facts), parts_.clock);
  }
  for (Settlement::Output& output : settlement.outputs) {
    if (auto changed = Overridden(output.outlet, output.event); changed) {
      output.event = *std::move(changed);
    }
  }
  SettleNow(delivery, std::move(settlement), since);
}

}  // namespace cirro
