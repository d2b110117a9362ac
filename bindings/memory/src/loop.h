#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <thread>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/settlement.h"
#include "group.h"

namespace cirro::internal::memory {

/// What somebody says of a delivery.
struct Said {
  enum class Kind : std::uint8_t { kDone, kAgain, kAttempted };

  DeliveryToken token{};
  Kind kind = Kind::kDone;
  bool counts = true;  ///< Of kAgain: it was tried.
  int attempts = 0;    ///< Of kAttempted.
  std::chrono::milliseconds delay{};
};

/// What an inlet does over and over.
class Turns {
 public:
  Turns() = default;
  Turns(const Turns&) = delete;
  Turns& operator=(const Turns&) = delete;
  virtual ~Turns() = default;

  struct Turned {
    std::size_t delivered = 0;
    TimePoint next = TimePoint::max();  ///< When there is more to do.
  };
  /// By one thread at a time.
  virtual Turned Turn() noexcept = 0;
  /// Nothing that was delivered is unsettled, and all of it is with the broker.
  [[nodiscard]] virtual bool idle() const noexcept = 0;
};

/// The thread of an inlet, and the box where others leave what they say. Any
/// thread may Post and Wake; the rest is its owner's.
class Loop final : public Waker {
 public:
  Loop(const Clock& clock, Turns& turns) : clock_(clock), turns_(turns) {}
  ~Loop() override { Quit(); }

  void Start();
  /// One turn of the caller's own. REQUIRES: not started.
  Turns::Turned Once() noexcept;

  void Wake() noexcept override;
  void Post(const Said& said) noexcept;
  /// Replaces `all` by what was posted since.
  void TakePosted(std::vector<Said>& all) noexcept;

  /// Waits until the turn that runs now is over, at most so long.
  void AwaitTurn(std::chrono::milliseconds patience) noexcept;
  /// Goes on until all is idle, at most so long, and ends.
  void Finish(std::chrono::milliseconds grace) noexcept;
  /// Ends after the turn that runs now.
  void Quit() noexcept;

 private:
  void Run() noexcept;

  const Clock& clock_;
  Turns& turns_;
  std::atomic<bool> woken_{false};
  std::atomic<bool> quit_{false};

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<Said> posted_ CIRRO_GUARDED_BY(mutex_);
  bool turning_ CIRRO_GUARDED_BY(mutex_) = false;
  bool finishing_ CIRRO_GUARDED_BY(mutex_) = false;
  TimePoint finish_by_ CIRRO_GUARDED_BY(mutex_) = TimePoint::max();

  std::jthread thread_;
};

}  // namespace cirro::internal::memory
