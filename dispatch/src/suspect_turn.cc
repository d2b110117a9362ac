#include "cirro/dispatch/suspect_turn.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "cirro/dispatch/mutex.h"

namespace cirro {
namespace {

struct Turns {
  Mutex mutex;
  SuspectTurn::Ticket last CIRRO_GUARDED_BY(mutex) = 0;
  SuspectTurn::Ticket ticket CIRRO_GUARDED_BY(mutex) = 0;  // 0: nobody's turn.
  const SuspectTurn* holder CIRRO_GUARDED_BY(mutex) = nullptr;
  TimePoint since CIRRO_GUARDED_BY(mutex){};
  std::deque<SuspectTurn*> refused CIRRO_GUARDED_BY(mutex){};
  // Who was woken to take it, and since when others would.
  const SuspectTurn* next CIRRO_GUARDED_BY(mutex) = nullptr;
  std::optional<TimePoint> next_since CIRRO_GUARDED_BY(mutex){};

  // Who is to be woken; null: nobody waits. Another than `last_owner` first.
  SuspectTurn* Pass(const SuspectTurn* last_owner) CIRRO_REQUIRES(mutex) {
    ticket = 0;
    holder = nullptr;
    next = nullptr;
    next_since.reset();
    if (refused.empty()) return nullptr;
    auto to =
        std::find_if(refused.begin(), refused.end(),
                     [&](const SuspectTurn* one) { return one != last_owner; });
    if (to == refused.end()) to = refused.begin();
    SuspectTurn* const woken = *to;
    refused.erase(to);
    next = woken;
    return woken;
  }
};

// Never destroyed: inlets may outlive what ends with the process.
Turns& All() {
  static auto& all = *new Turns();
  return all;
}

}  // namespace

SuspectTurn::SuspectTurn(std::function<void()> wake) : wake_(std::move(wake)) {}

SuspectTurn::~SuspectTurn() {
  Turns& all = All();
  const MutexLock lock(all.mutex);
  std::erase(all.refused, this);
  if (all.holder != this && all.next != this) return;
  if (SuspectTurn* const woken = all.Pass(this)) woken->wake_();
}

SuspectTurn::Ticket SuspectTurn::Take(TimePoint now) {
  Turns& all = All();
  const MutexLock lock(all.mutex);
  bool is_free = all.ticket == 0 || now - all.since >= kLongest;
  if (is_free && all.next != nullptr && all.next != this) {
    if (!all.next_since) all.next_since = now;
    is_free = now - *all.next_since >= kComing;
  }
  if (!is_free) {
    if (std::find(all.refused.begin(), all.refused.end(), this) ==
        all.refused.end()) {
      all.refused.push_back(this);
    }
    return 0;
  }
  std::erase(all.refused, this);
  all.next = nullptr;
  all.next_since.reset();
  all.ticket = ++all.last;
  all.holder = this;
  all.since = now;
  return all.ticket;
}

// NOLINTNEXTLINE(readability-make-member-function-const): others take it then.
void SuspectTurn::Give(Ticket ticket) noexcept {
  Turns& all = All();
  const MutexLock lock(all.mutex);
  if (ticket == 0 || all.ticket != ticket) return;
  if (SuspectTurn* const woken = all.Pass(this)) woken->wake_();
}

}  // namespace cirro
