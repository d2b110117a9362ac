#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "handles.h"
#include "raw_message.h"

namespace cirro::internal::nats {

/// Messages that nobody needs any more. libnats has a thread of its own to
/// free them: here it is woken once for many. One thread at a time.
class SpentMessages {
 public:
  void Add(NatsHandle<natsMsg> message) {
    bytes_ += PayloadOf(message.get()).size();
    messages_.push_back(std::move(message));
    if (bytes_ >= kMostBytes) LetGo();
  }
  void LetGo() noexcept {
    messages_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr std::size_t kMostBytes = 262'144;

  std::vector<NatsHandle<natsMsg>> messages_;
  std::size_t bytes_ = 0;
};

}  // namespace cirro::internal::nats
