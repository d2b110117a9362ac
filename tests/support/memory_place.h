#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/mutex.h"

namespace cirro::test {

/// Where dead letters are kept in memory. It confirms each as it comes, or
/// answers with an error while it is told to, or holds them until a test ends
/// them one by one. Any thread may bury.
class MemoryPlace final : public DeadLetterPlace {
 public:
  explicit MemoryPlace(std::string name) : name_(std::move(name)) {}

  [[nodiscard]] std::string_view place_name() const noexcept override {
    return name_;
  }
  void Bury(DeadLetter letter, SendCompletion completion) noexcept override {
    Result<void> result;
    {
      const MutexLock lock(mutex_);
      ++asked_;
      if (holds_) {
        open_.push_back({std::move(letter), std::move(completion)});
        return;
      }
      if (failing_) {
        result = *failing_;
      } else {
        kept_.push_back(std::move(letter));
      }
    }
    completion.Complete(std::move(result));
  }

  void Hold(bool holds = true) {
    const MutexLock lock(mutex_);
    holds_ = holds;
  }
  /// From now on, until Mend.
  void FailWith(ErrorCode code) {
    const MutexLock lock(mutex_);
    failing_ = Error{code, name_ + " does not take it"};
  }
  void Mend() {
    const MutexLock lock(mutex_);
    failing_.reset();
  }
  /// Ends the oldest that is held. False: there is none.
  bool Confirm() {
    std::vector<Open> taken;
    {
      const MutexLock lock(mutex_);
      if (open_.empty()) return false;
      taken.push_back(std::move(open_.front()));
      open_.pop_front();
      kept_.push_back(taken.front().letter);
    }
    taken.front().completion.Complete({});
    return true;
  }
  bool Fail(ErrorCode code) {
    std::vector<Open> taken;
    {
      const MutexLock lock(mutex_);
      if (open_.empty()) return false;
      taken.push_back(std::move(open_.front()));
      open_.pop_front();
    }
    taken.front().completion.Complete(Error{code, name_ + " says so"});
    return true;
  }
  [[nodiscard]] std::vector<DeadLetter> kept() {
    const MutexLock lock(mutex_);
    return kept_;
  }
  [[nodiscard]] std::size_t held() {
    const MutexLock lock(mutex_);
    return open_.size();
  }
  [[nodiscard]] int asked() {
    const MutexLock lock(mutex_);
    return asked_;
  }

 private:
  struct Open {
    DeadLetter letter;
    SendCompletion completion;
  };

  const std::string name_;

  Mutex mutex_;
  bool holds_ CIRRO_GUARDED_BY(mutex_) = false;
  std::optional<Error> failing_ CIRRO_GUARDED_BY(mutex_);
  std::deque<Open> open_ CIRRO_GUARDED_BY(mutex_);
  std::vector<DeadLetter> kept_ CIRRO_GUARDED_BY(mutex_);
  int asked_ CIRRO_GUARDED_BY(mutex_) = 0;
};

}  // namespace cirro::test
