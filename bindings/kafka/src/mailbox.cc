#include "mailbox.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

namespace cirro::internal::kafka {

Mailbox::Mailbox() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (descriptor_ < 0) throw std::bad_alloc();
}

Mailbox::~Mailbox() { close(descriptor_); }

void Mailbox::Post(Note note) noexcept {
  if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) {
    own_.push_back(std::move(note));
    return;
  }
  bool first = false;
  {
    const MutexLock lock(mutex_);
    first = notes_.empty();
    notes_.push_back(std::move(note));
  }
  if (first) Wake();
}

void Mailbox::Wake() const noexcept {
  const std::uint64_t one = 1;
  // Fails where it has been woken 2^64 times, and then it is awake.
  static_cast<void>(!write(descriptor_, &one, sizeof one));
}

void Mailbox::Clear() const noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!read(descriptor_, &count, sizeof count));
}

bool Mailbox::Take(std::vector<Note>& notes) noexcept {
  notes.clear();
  notes.swap(own_);
  const MutexLock lock(mutex_);
  if (notes.empty()) {
    notes.swap(notes_);
  } else if (!notes_.empty()) {
    std::move(notes_.begin(), notes_.end(), std::back_inserter(notes));
    notes_.clear();
  }
  return !notes.empty();
}

void Mailbox::Wait(std::chrono::milliseconds patience) const noexcept {
  pollfd polled{descriptor_, POLLIN, 0};
  poll(&polled, 1, static_cast<int>(patience.count()));
}

}  // namespace cirro::internal::kafka
