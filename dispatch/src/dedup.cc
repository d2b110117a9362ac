#include "cirro/dispatch/dedup.h"

#include <iterator>
#include <list>
#include <random>
#include <string>
#include <unordered_map>
#include <utility>

#include "cirro/dispatch/mutex.h"
#include "hash.h"

namespace cirro {
namespace {

// Two queues by time: every claim gets the same lease and every done key the
// same window, so what ends first stands in front, and each call only looks
// there. Claims are as many as their askers have events in flight, and those
// that an asker forgot leave a lease after their own ran out: until then they
// are anybody's who asks, or their own again who renew them late. One that was
// released is nobody's to renew: a renewal may be told after the release.
class MemoryDedup final : public DedupStore {
 public:
  MemoryDedup(const Clock& clock, std::chrono::milliseconds window,
              std::chrono::milliseconds lease, std::size_t most)
      : clock_(clock),
        window_(window),
        lease_(lease),
        most_(most),
        known_(0, Hash{std::random_device()()}) {}

  void Claim(const DedupKey& key, std::uint64_t claim,
             DedupListener& listener) noexcept override {
    // Answered outside of the lock: the listener may ask for the next.
    listener.OnClaimed(key, claim, Ask(key, claim, &listener));
  }

  void Renew(const DedupKey& key, std::uint64_t claim) noexcept override {
    const MutexLock lock(mutex_);
    const TimePoint now = Forget();
    const auto found = Find(key);
    if (found == known_.end()) return;
    if (!found->second->done && found->second->claim == claim) {
      Extend(found->second, now);
    }
  }

  void Done(const DedupKey& key, std::uint64_t /*claim*/) noexcept override {
    const MutexLock lock(mutex_);
    const TimePoint now = Forget();
    const auto found = Find(key);
    // Whoever holds it now: that it was done is true, and a later Release by
    // the other does not change it.
    const auto entry =
        found == known_.end() ? Add(claims_, now) : found->second;
    done_.splice(done_.end(), entry->done ? done_ : claims_, entry);
    entry->until = Until(now, window_);
    entry->done = true;
    while (done_.size() > most_) Drop(done_);
  }

  void Release(const DedupKey& key, std::uint64_t claim) noexcept override {
    const MutexLock lock(mutex_);
    const auto found = Find(key);
    if (found == known_.end()) return;
    const auto entry = found->second;
    if (entry->done || entry->claim != claim) return;
    known_.erase(found);
    claims_.erase(entry);
  }

 private:
  struct Entry {
    std::string key;
    TimePoint until;
    std::uint64_t claim = 0;
    const DedupListener* listener = nullptr;
    bool done = false;
  };
  using Queue = std::list<Entry>;

  // Peers pick the ids: the seed keeps them from picking one bucket for all.
  // Without noexcept, so that the table keeps each hash: a walk of a chain
  // else hashes keys that lie all over the memory (a quarter of the time).
  struct Hash {
    std::uint64_t seed;
    std::size_t operator()(std::string_view text) const {
      return internal::HashText(text, seed);
    }
  };
  // Views into the entries' own keys.
  using Known = std::unordered_map<std::string_view, Queue::iterator, Hash>;

  static TimePoint Until(TimePoint now, std::chrono::milliseconds span) {
    const auto room =
        std::chrono::floor<std::chrono::milliseconds>(TimePoint::max() - now);
    return span < room ? now + span : TimePoint::max();
  }

  DedupAnswer Ask(const DedupKey& key, std::uint64_t claim,
                  const DedupListener* listener) noexcept {
    const MutexLock lock(mutex_);
    const TimePoint now = Forget();
    const auto found = Find(key);
    if (found == known_.end()) {
      const auto entry = Add(claims_, Until(now, lease_));
      entry->claim = claim;
      entry->listener = listener;
      return DedupAnswer::kClaimed;
    }
    Entry& entry = *found->second;
    if (entry.done) return DedupAnswer::kDone;
    // Its own claim, asked for again.
    const bool own = entry.claim == claim && entry.listener == listener;
    if (!own && entry.until > now) return DedupAnswer::kHeld;
    entry.claim = claim;
    entry.listener = listener;
    Extend(found->second, now);
    return DedupAnswer::kClaimed;
  }

  Known::iterator Find(const DedupKey& key) CIRRO_REQUIRES(mutex_) {
    // No attribute holds a NUL, so the parts cannot run into each other.
    text_.assign(key.source).push_back('\0');
    text_.append(key.id).push_back('\0');
    text_.append(key.function);
    return known_.find(text_);
  }

  // A new entry for the key that Find was last asked for.
  Queue::iterator Add(Queue& queue, TimePoint until) CIRRO_REQUIRES(mutex_) {
    queue.push_back({.key = text_, .until = until});
    const auto entry = std::prev(queue.end());
    known_.emplace(entry->key, entry);
    return entry;
  }

  void Extend(Queue::iterator entry, TimePoint now) CIRRO_REQUIRES(mutex_) {
    entry->until = Until(now, lease_);
    claims_.splice(claims_.end(), claims_, entry);
  }

  void Drop(Queue& queue) CIRRO_REQUIRES(mutex_) {
    known_.erase(queue.front().key);
    queue.pop_front();
  }

  // Forgets what has run out; the time.
  TimePoint Forget() CIRRO_REQUIRES(mutex_) {
    const TimePoint now = clock_.Now();
    while (!done_.empty() && done_.front().until <= now) Drop(done_);
    while (!claims_.empty() && Until(claims_.front().until, lease_) <= now) {
      Drop(claims_);
    }
    return now;
  }

  const Clock& clock_;
  const std::chrono::milliseconds window_;
  const std::chrono::milliseconds lease_;
  const std::size_t most_;

  Mutex mutex_;
  std::string text_ CIRRO_GUARDED_BY(mutex_);
  Queue claims_ CIRRO_GUARDED_BY(mutex_);
  Queue done_ CIRRO_GUARDED_BY(mutex_);
  Known known_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<DedupStore> MakeMemoryDedup(const Clock& clock,
                                            std::chrono::milliseconds window,
                                            std::chrono::milliseconds lease,
                                            std::size_t most) {
  return std::make_unique<MemoryDedup>(clock, window, lease, most);
}

}  // namespace cirro
