#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <utility>
#include <vector>

#include "cirro/dispatch/delivery.h"
#include "cirro/dispatch/mutex.h"

namespace cirro::internal::http {

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
    std::size_t bytes = 0;  ///< Of its replies, where they are large.
    bool counted = false;   ///< They are in the sum; else they are gone.
  };
  struct Content {
    std::vector<Answer> answers;
    std::vector<NewSocket> sockets;
  };

  Mailbox() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() {
    if (fd_ >= 0) close(fd_);
  }

  /// Each wake-up is an edge on it; nobody need read it. -1: the system gave
  /// none.
  [[nodiscard]] int fd() const { return fd_; }

  // The owner is woken under the lock: once it has an answer, the thread that
  // brought it touches nothing here any more, and all may be destroyed.
  void Post(Answer answer) {
    MutexLock lock(mutex_);
    content_.answers.push_back(std::move(answer));
    Wake();
  }
  void Post(NewSocket socket) {
    MutexLock lock(mutex_);
    content_.sockets.push_back(socket);
    Wake();
  }
  /// The owner is to look here, if only to find nothing.
  void Wake() {
    // Sequentially consistent, as in TakeOrSleep: one of the two threads sees
    // what the other has written.
    has_mail_.store(true);
    if (!awake_.exchange(true)) Ring();
  }
  /// Wakes the owner whether it sleeps or not.
  void Ring() const {
    // Fails only when the counter is full, and then an edge is due anyway.
    [[maybe_unused]] const int written = eventfd_write(fd_, 1);
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
  const int fd_;
  std::atomic<bool> awake_{false};
  std::atomic<bool> has_mail_{false};
  Mutex mutex_;
  Content content_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::internal::http
