#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/executor.h"
#include "cirro/dispatch/router.h"
#include "engine.h"

namespace cirro::internal {

/// What one pass through the dispatcher needs, kept warm.
struct Scratch {
  struct Admission {
    std::uint32_t delivery;  // Its place in the batch.
    std::uint32_t first_target = 0;
    std::uint32_t targets = 0;
    bool dead = false;  // Of the next of them.
  };
  struct Dead {
    DeadReason reason;
    Error error;
  };

  Actions actions;
  Matches matches;
  std::vector<Target> targets;
  std::vector<Admission> admissions;
  std::vector<Dead> dead;
  std::deque<std::string> key_rooms;  // Of keys that had to be unescaped.
  std::size_t rooms_used = 0;
  std::vector<Task> tasks;
  std::vector<CallId> inline_calls;
  std::vector<char> demand;  // By inlet.
};

/// A Scratch of this thread's own for one scope. A pass may call code that
/// begins another one on the same thread, so there is one for each level.
class ScratchLease {
 public:
  ScratchLease() {
    if (spare_.empty()) spare_.push_back(std::make_unique<Scratch>());
    scratch_ = std::move(spare_.back());
    spare_.pop_back();
  }
  ~ScratchLease() { spare_.push_back(std::move(scratch_)); }

  ScratchLease(const ScratchLease&) = delete;
  ScratchLease& operator=(const ScratchLease&) = delete;

  Scratch& operator*() const { return *scratch_; }
  Scratch* operator->() const { return scratch_.get(); }

 private:
  static std::vector<std::unique_ptr<Scratch>>& Spare() {
    thread_local std::vector<std::unique_ptr<Scratch>> spare;
    return spare;
  }

  std::vector<std::unique_ptr<Scratch>>& spare_ = Spare();
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace cirro::internal
