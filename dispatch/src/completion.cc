#include "cirro/dispatch/completion.h"

#include <cassert>

namespace cirro {

Completion& Completion::operator=(Completion&& other) noexcept {
  if (this != &other) {
    const Completion dropped(std::move(*this));
    listener_ = std::move(other.listener_);
    call_ = other.call_;
  }
  return *this;
}

Completion::~Completion() {
  if (listener_) Finish(Retry("the function dropped its Completion"));
}

void Completion::Finish(Outcome outcome) noexcept {
  assert(listener_);
  // Moved out first: the listener may be the last owner of what owns *this.
  const auto listener = std::move(listener_);
  listener->OnFinished(call_, std::move(outcome));
}

}  // namespace cirro
