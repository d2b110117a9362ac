#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "cirro/dispatch/mutex.h"
#include "cirro/dispatch/settlement.h"

namespace cirro::internal::kafka {

/// What became of a delivery, for the thread that reads.
struct Note {
  enum class Kind : std::uint8_t {
    kDone,
    kGivenBack,
    kFailed,  ///< So many of its attempts, and it is still open.
  };

  DeliveryToken token;
  Kind kind = Kind::kDone;
  int attempts = 0;
  std::chrono::milliseconds delay{0};
  /// What is to be sent with it; null where there is nothing.
  std::unique_ptr<Settlement> outputs{};
};

/// Takes notes from any thread to the one that reads, and wakes it; so does
/// librdkafka, through `descriptor`. As many notes as there are deliveries
/// open, and attempts of them, are in it at most.
class Mailbox {
 public:
  Mailbox();
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

  /// Any thread; never blocks for longer than another Post. The thread that
  /// reads takes no lock for its own.
  void Post(Note note) noexcept;
  void Wake() const noexcept;

  // The thread that reads, and nobody else.

  /// From now on the caller is that thread: it need not be woken by itself.
  void Own() noexcept { owner_.store(std::this_thread::get_id()); }
  /// No thread is, from now on: ids of threads that ended are given again.
  void Disown() noexcept { owner_.store({}); }
  /// Notes that it posted itself and has not taken.
  [[nodiscard]] std::size_t own() const noexcept { return own_.size(); }
  /// Forgets that it was woken. What is looked at afterwards is not missed.
  void Clear() const noexcept;
  /// Replaces `notes` by what was posted; false: nothing was.
  bool Take(std::vector<Note>& notes) noexcept;
  /// Until it is woken, or for `patience`.
  void Wait(std::chrono::milliseconds patience) const noexcept;

 private:
  const int descriptor_;
  std::atomic<std::thread::id> owner_{};
  std::vector<Note> own_;  // The owner's alone.
  Mutex mutex_;
  std::vector<Note> notes_ CIRRO_GUARDED_BY(mutex_);
};

}  // namespace cirro::internal::kafka
