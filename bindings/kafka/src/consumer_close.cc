#include <algorithm>

#include "consumer.h"

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;
using Phase = InletShared::Phase;

// The last commit, and the leaving of the group, each have so long; the commit
// has what is left of the grace time where there is a broker, for what it says
// would be done again. One that does not answer is left without a word.
constexpr milliseconds kLast{3'000};
constexpr milliseconds kLongestLast{30'000};
// Both together are over so long after the grace time, whatever the broker
// does: who stops this waits a moment, no longer.
constexpr milliseconds kPastGrace{800};
constexpr milliseconds kLeaving{200};  // Of that.
// 2.0 to 2.2 crash where they are closed before the first assignment.
constexpr int kClosesUnassigned = 0x02030000;

}  // namespace

void Consumer::AdvanceStop(TimePoint now) noexcept {
  if (shared_.phase.load() != Phase::kStopping) return;
  if (end_by_ == TimePoint::max()) {
    end_by_ = std::min(std::max(shared_.stop_by(), now),
                       TimePoint::max() - 2 * kPastGrace) +
              kPastGrace;
  }
  if (!final_commit_) {
    const bool in_time = now < shared_.stop_by();
    // A commit within a rebalance would be refused: it is waited for, too.
    if (in_time && (AnyOpen(nullptr) || rebalance_ || IsJoining(now))) return;
    if (now < final_at_) return;
    if (committing_ && now < close_by_) {
      close_by_ = std::min({close_by_, now + kLast, end_by_ - kLeaving});
      return;
    }
    if (!in_time) asker_->Stop();
    shared_.left_open = AnyOpen(nullptr);
    final_commit_ = true;
    close_by_ = now + kLast;
    if (shared_.link().kind != LinkState::Kind::kDisconnected) {
      // Less what the leaving may take.
      close_by_ =
          std::clamp(shared_.stop_by() - kLast, close_by_, now + kLongestLast);
    }
    close_by_ = std::min(close_by_, end_by_ - kLeaving);
    if (IsOurs() && !IsJoining(now) && !committing_)
      StartCommit(Assigned(), true, false);
    return;
  }
  if (!closing_) {
    if (committing_ && now < close_by_) return;
    closing_ = true;
    close_by_ = std::min(now + kLast, end_by_);
    if (!assigned_once_ && rd_kafka_version() < kClosesUnassigned) {
      Close();
      return;
    }
    closing_events_.reset(rd_kafka_queue_new(handle_.get()));
    const std::uint64_t one = 1;
    rd_kafka_queue_io_event_enable(
        closing_events_.get(), shared_.mailbox.descriptor(), &one, sizeof one);
    const HandleError error(
        rd_kafka_consumer_close_queue(handle_.get(), closing_events_.get()));
    if (error) Close();
    return;
  }
  if (rd_kafka_consumer_closed(handle_.get()) != 0 || now >= close_by_) Close();
}

void Consumer::Close() noexcept {
  for (auto& partition : partitions_) {
    if (!partition) continue;
    rd_kafka_queue_io_event_enable(partition->queue.get(), -1, nullptr, 0);
    partition.reset();
  }
  shared_.phase = Phase::kClosed;
}

}  // namespace cirro::internal::kafka
