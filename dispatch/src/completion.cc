#include "cirro/dispatch/completion.h"

#include <utility>

namespace cirro {

Completion::Completion(Completion&& other) noexcept
    : open_(other.open_.exchange(false)), call_(other.call_) {
  if (open_) listener_ = std::move(other.listener_);
}

Completion& Completion::operator=(Completion&& other) noexcept {
  if (this != &other) {
    const Completion dropped(std::move(*this));
    call_ = other.call_;
    if (other.open_.exchange(false)) {
      listener_ = std::move(other.listener_);
      open_ = true;
    }
  }
  return *this;
}

Completion::~Completion() {
  if (open_) Finish(Retry("the function dropped its Completion"));
}

void Completion::Finish(Outcome outcome) noexcept {
  if (!open_.exchange(false)) return;
  // Moved out first: the listener may be the last owner of what owns *this.
  const auto listener = std::move(listener_);
  listener->OnFinished(call_, std::move(outcome));
}

}  // namespace cirro
