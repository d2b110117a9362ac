#include "cirro/dispatch/suspect_turn.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cirro/dispatch/mutex.h"

namespace cirro {
namespace {

struct Turns {
  Mutex mutex;
  SuspectTurn* holder CIRRO_GUARDED_BY(mutex) = nullptr;
  TimePoint since CIRRO_GUARDED_BY(mutex){};
  std::vector<SuspectTurn*> refused CIRRO_GUARDED_BY(mutex);  // Since the last.
};

// Never destroyed: inlets may outlive what ends with the process.
Turns& All() {
  static auto& all = *new Turns();
  return all;
}

}  // namespace

SuspectTurn::SuspectTurn(std::function<void()> wake) : wake_(std::move(wake)) {}

SuspectTurn::~SuspectTurn() {
  Give();
  Turns& all = All();
  const MutexLock lock(all.mutex);
  std::erase(all.refused, this);
}

bool SuspectTurn::Take(TimePoint now) {
  Turns& all = All();
  const MutexLock lock(all.mutex);
  const bool is_free = all.holder == nullptr || now - all.since >= kLongest;
  if (is_free && !std::exchange(others_first_, false)) {
    all.holder = this;
    all.since = now;
    return true;
  }
  if (std::find(all.refused.begin(), all.refused.end(), this) ==
      all.refused.end()) {
    all.refused.push_back(this);
  }
  return false;
}

void SuspectTurn::Give() noexcept {
  Turns& all = All();
  const MutexLock lock(all.mutex);
  if (all.holder != this) return;
  all.holder = nullptr;
  for (SuspectTurn* const other : all.refused) {
    others_first_ = others_first_ || other != this;
    other->wake_();
  }
  all.refused.clear();
}

}  // namespace cirro
