#include "cirro/dispatch/outlet.h"

#include <cassert>

namespace cirro {

SendCompletion& SendCompletion::operator=(SendCompletion&& other) noexcept {
  if (this != &other) {
    const SendCompletion dropped(std::move(*this));
    listener_ = std::exchange(other.listener_, nullptr);
    send_ = other.send_;
  }
  return *this;
}

SendCompletion::~SendCompletion() {
  if (listener_ == nullptr) return;
  Complete(Error{ErrorCode::kUnknownOutcome,
                 "the outlet never said whether the event was taken"});
}

void SendCompletion::Complete(Result<void> result,
                              std::chrono::milliseconds retry_after) noexcept {
  assert(listener_ != nullptr);
  std::exchange(listener_, nullptr)
      ->OnSent(send_, std::move(result), retry_after);
}

}  // namespace cirro
