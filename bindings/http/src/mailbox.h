#pragma once

#include <atomic>
#include <utility>
#include <vector>

#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/mutex.h"

namespace cirro::internal {

/// A socket on its way to its reactor thread.
struct NewSocket {
  int fd = -1;
  bool admin_port = false;
};

/// What other threads have for a reactor thread, in bunches with one wake-up.
///
/// Bounded without a number of its own: a delivery is settled once, so there
/// are never more settlements here than deliveries open; sockets are bounded
/// by max_connections. Any thread may post; one takes.
class Mailbox {
 public:
  struct Answer {
    DeliveryToken token;
    Settlement settlement;
  };
  struct Content {
    std::vector<Answer> answers;
    std::vector<NewSocket> sockets;
  };

  /// Each Post, and Wake, returns whether the owner sleeps; whoever is told so
  /// wakes it.
  [[nodiscard]] bool Post(Answer answer) {
    {
      MutexLock lock(mutex_);
      content_.answers.push_back(std::move(answer));
    }
    return Wake();
  }
  [[nodiscard]] bool Post(NewSocket socket) {
    {
      MutexLock lock(mutex_);
      content_.sockets.push_back(socket);
    }
    return Wake();
  }
  [[nodiscard]] bool Wake() {
    // Sequentially consistent, as in TakeOrSleep: one of the two threads sees
    // what the other has written.
    has_mail_.store(true);
    return !awake_.exchange(true);
  }

  /// The owner runs: it looks here again before it sleeps.
  void SetAwake() { awake_.store(true, std::memory_order_relaxed); }
  /// Swaps what is here into `content`, which is empty. False: there was
  /// nothing, and the owner is taken to sleep from now on. Without mail it
  /// takes no lock.
  [[nodiscard]] bool TakeOrSleep(Content& content) {
    if (!has_mail_.load()) {
      awake_.store(false);
      if (!has_mail_.load()) return false;
      awake_.store(true);
    }
    has_mail_.store(false);
    MutexLock lock(mutex_);
    std::swap(content_, content);
    return true;
  }

 private:
  std::atomic<bool> awake_{false};
  std::atomic<bool> has_mail_{false};
  Mutex mutex_;
  Content content_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::internal
