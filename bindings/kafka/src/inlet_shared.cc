#include "inlet_shared.h"

#include <algorithm>
#include <utility>

namespace cirro::internal::kafka {

using std::chrono::milliseconds;

void InletShared::Enter(Phase later) noexcept {
  Phase now = phase.load();
  while (now < later && !phase.compare_exchange_weak(now, later)) {
  }
  mailbox.Wake();
}

void InletShared::StopBy(TimePoint when) noexcept {
  const MutexLock lock(mutex_);
  stop_by_ = std::min(stop_by_, when);
}

TimePoint InletShared::stop_by() const noexcept {
  const MutexLock lock(mutex_);
  return stop_by_;
}

void InletShared::Reached(Phase phase_seen) noexcept {
  const MutexLock lock(mutex_);
  if (phase_seen <= reached_) return;
  reached_ = phase_seen;
  changed_.notify_all();
}

bool InletShared::AwaitReached(Phase wanted, milliseconds patience) noexcept {
  const MutexLock lock(mutex_);
  return changed_.wait_for(mutex_, patience, [&]() CIRRO_REQUIRES(mutex_) {
    return reached_ >= wanted;
  });
}

Result<void> InletShared::Seek(const SeekPoint& to, milliseconds patience) {
  const TimePoint end = std::chrono::steady_clock::now() + patience;
  const MutexLock lock(mutex_);
  const auto over = [] {
    return Error{ErrorCode::kTimedOut, "the broker did not answer in time"};
  };
  if (!changed_.wait_until(
          mutex_, end, [&]() CIRRO_REQUIRES(mutex_) { return !seeking_; })) {
    return over();
  }
  seeking_ = true;
  seek_ = to;
  sought_.reset();
  mailbox.Wake();
  const bool done =
      changed_.wait_until(mutex_, end, [&]() CIRRO_REQUIRES(mutex_) {
        return sought_.has_value() || reached_ == Phase::kClosed;
      });
  seeking_ = false;
  seek_.reset();
  changed_.notify_all();
  if (!done) return over();
  return sought_.value_or(
      Result<void>(Error{ErrorCode::kDraining, "the inlet is closed"}));
}

std::optional<SeekPoint> InletShared::SeekWanted() {
  const MutexLock lock(mutex_);
  return std::exchange(seek_, std::nullopt);
}

void InletShared::SeekDone(Result<void> result) noexcept {
  const MutexLock lock(mutex_);
  if (!seeking_ || seek_) return;  // Of one that nobody waits for.
  sought_ = std::move(result);
  changed_.notify_all();
}

void InletShared::SetLink(LinkState link) noexcept {
  const MutexLock lock(mutex_);
  link_ = link;
  was_connected_ |= link.kind == LinkState::Kind::kConnected;
}

LinkState InletShared::link() const noexcept {
  const MutexLock lock(mutex_);
  return link_;
}

LinkState InletShared::link_as_told() const noexcept {
  const MutexLock lock(mutex_);
  LinkState told = link_;
  if (told.kind == LinkState::Kind::kDisconnected && !was_connected_) {
    told.kind = LinkState::Kind::kConnecting;
  }
  return told;
}

void InletShared::SetLag(std::vector<PartitionLag> lag) {
  const MutexLock lock(mutex_);
  lag_ = std::move(lag);
}

std::vector<PartitionLag> InletShared::lag() const {
  const MutexLock lock(mutex_);
  return lag_;
}

std::uint32_t InletShared::SlotOf(const std::string& topic,
                                  std::int32_t partition) {
  const std::string name = topic + "/" + std::to_string(partition);
  const MutexLock lock(mutex_);
  const auto at = std::find(names_.begin(), names_.end(), name);
  const auto slot = static_cast<std::uint32_t>(at - names_.begin());
  if (at == names_.end()) names_.push_back(name);
  return slot;
}

std::string InletShared::NameOf(std::uint32_t slot) const {
  const MutexLock lock(mutex_);
  return slot < names_.size() ? names_[slot] : std::string();
}

}  // namespace cirro::internal::kafka
