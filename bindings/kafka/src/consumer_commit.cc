#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <utility>

#include "consumer.h"

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;

// After a commit that failed, where something waits for it.
constexpr milliseconds kCommitAgain{200};

// What says that the partitions are another's now, or about to be. Librdkafka
// does not always say so itself in time: its assignment_lost is not set where
// the session ends within a rebalance. A cooperative member keeps its
// partitions while a rebalance goes on, so that one does is no loss to it.
bool IsLost(rd_kafka_resp_err_t code, bool cooperative) noexcept {
  switch (code) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID:
    case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
    case RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION:
    case RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST:
      return true;
    case RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS:
      return !cooperative;
    default:
      return false;
  }
}

}  // namespace

Consumer::Slots Consumer::Assigned() const {
  Slots slots;
  for (const auto& partition : partitions_) {
    if (partition && !partition->revoking) slots.push_back(partition->slot);
  }
  return slots;
}

// None while the member joins: see OnSent.
void Consumer::AdvanceCommit(TimePoint now) noexcept {
  if (parts_.transactions != nullptr) TakeTransaction();
  if (committing_ || IsJoining(now) || closing_ || fatal_ || rewinding_) return;
  if (lost_ && now < lost_until_) return;
  lost_ = false;
  const bool full =
      parts_.transactions != nullptr &&
      (done_ >= options_.exactly_once.max_records || commit_outputs_);
  if (now < commit_at_ && !full) return;
  commit_outputs_ = false;
  commit_at_ =
      now + (parts_.transactions != nullptr ? options_.exactly_once.interval
                                            : options_.commit_every);
  StartCommit(Assigned(), false, true);
}

// False: there is nothing to be said. The metadata are always written, so that
// no commit erases what an earlier one said.
bool Consumer::StartCommit(const Slots& slots, bool clean,
                           bool stale_alone) noexcept {
  PartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(slots.size())));
  Committing committing;
  std::vector<std::unique_ptr<Settlement>> outputs;
  for (const std::uint32_t slot : slots) {
    if (slot >= partitions_.size() || !partitions_[slot]) continue;
    Partition& partition = *partitions_[slot];
    if (stale_alone && !partition.ledger.IsStale()) continue;
    // Nothing ran since it was assigned: what the last owner left stays.
    if (clean && !partition.began) continue;
    const Ledger::Commit commit =
        partition.ledger.ToCommit(clean, partition.metadata_bytes);
    auto* const element = rd_kafka_topic_partition_list_add(
        list.get(), partition.topic.c_str(), partition.number);
    element->offset = static_cast<std::int64_t>(commit.offset);
    // The list frees it; a text, for zero bytes do not come back.
    element->metadata = strdup(commit.metadata.c_str());
    element->metadata_size = commit.metadata.size();
    committing.parts.push_back(
        {slot, partition.epoch, partition.ledger.version(), commit.offset});
    partition.outputs.TakeBefore(commit.offset, outputs);
  }
  if (list->cnt == 0) return false;
  done_ = 0;

  if (parts_.transactions != nullptr) {
    Transactions::Batch batch;
    batch.offsets = std::move(list);
    batch.member.reset(rd_kafka_consumer_group_metadata(handle_.get()));
    batch.outputs = std::move(outputs);
    parts_.transactions->Submit(std::move(batch));
  } else {
    const auto code = rd_kafka_commit_queue(handle_.get(), list.get(),
                                            events_.get(), nullptr, nullptr);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      OnError(code, rd_kafka_err2str(code));
      return false;
    }
  }
  committing_ = std::move(committing);
  return true;
}

void Consumer::OnCommitted(const rd_kafka_event_t& event) noexcept {
  auto* const raw = const_cast<rd_kafka_event_t*>(&event);
  const rd_kafka_topic_partition_list_t* const list =
      rd_kafka_event_topic_partition_list(raw);
  const auto all = rd_kafka_event_error(raw);
  if (!committing_) return;
  const Committing committing = *std::exchange(committing_, std::nullopt);
  for (const Committing::Part& part : committing.parts) {
    rd_kafka_resp_err_t code = all;
    for (int i = 0; list != nullptr && i < list->cnt; ++i) {
      const auto& element = list->elems[i];
      if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR &&
          shared_.SlotOf(element.topic, element.partition) == part.slot) {
        code = element.err;
      }
    }
    Committed(part, code);
  }
}

void Consumer::Committed(const Committing::Part& part,
                         rd_kafka_resp_err_t code) noexcept {
  Partition* const partition =
      Find({static_cast<std::uint64_t>(part.epoch) << 32 | part.slot, 0});
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    committed_ok_ = true;
    if (partition == nullptr) return;
    partition->ledger.Committed(part.version);
    // After an abort the same offset is committed again, which is no progress.
    if (part.offset > partition->committed_offset) aborted_ = 0;
    partition->committed_offset = part.offset;
    partition->began = true;
    if (partition->awaited <= part.version) partition->awaited = 0;
    if (partition->ended_alone <= part.version) partition->ended_alone = 0;
    return;
  }

  // Never fatal: the next commit says it all again.
  const TimePoint now = clock_.Now();
  commit_at_ = std::min(commit_at_, now + kCommitAgain);
  if (code == RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE) {
    if (partition == nullptr) return;
    partition->metadata_bytes =
        std::max(kLeastMetadataBytes, partition->metadata_bytes / 2);
    voice_.Say(LogLevel::kWarning,
               shared_.NameOf(part.slot) +
                   ": the broker's offset.metadata.max.bytes is small; commits "
                   "say less of what is done above their offset");
    return;
  }
  if (closing_) {
    // Nothing is tried again. And librdkafka's group may have ended: it is not
    // to be asked for its protocol then, which would be waited for for ever.
  } else if (partition != nullptr && IsLost(code, IsCooperative())) {
    // Of an assignment that is over it says nothing of the next one.
    lost_ = true;
    lost_until_ = now + options_.session_timeout;
  } else if (final_commit_ && now < shared_.stop_by()) {
    final_commit_ = false;  // There is time for another one.
    final_at_ = now + kCommitAgain;
  }
  if (committed_ok_) {
    voice_.Say(LogLevel::kWarning,
               "the commit of " + shared_.NameOf(part.slot) + "@" +
                   std::to_string(part.offset) + " failed: " + TextOf(code) +
                   "; what is done since the last one may come again");
  }
  committed_ok_ = false;
}

void Consumer::TakeTransaction() noexcept {
  auto ended = parts_.transactions->Take();
  if (!ended || !committing_) return;
  const Committing committing = *std::exchange(committing_, std::nullopt);
  switch (ended->end) {
    case Transactions::End::kCommitted:
      for (const Committing::Part& part : committing.parts) {
        Committed(part, RD_KAFKA_RESP_ERR_NO_ERROR);
      }
      return;
    case Transactions::End::kAborted:
      voice_.Say(LogLevel::kWarning,
                 "a transaction was aborted and is done again: " + ended->why);
      RewindAll();
      return;
    case Transactions::End::kFenced:
      fatal_ = true;
      Link(LinkState::Kind::kFailed);
      voice_.Fail({ErrorCode::kUnavailable,
                   "inlet '" + options_.name + "' delivers nothing more: " +
                       ended->why + "; see `exactly_once.transactional_id` ('" +
                       parts_.transactions->id() +
                       "'), which one process at a time may use"});
      return;
    case Transactions::End::kRefused:
      fatal_ = true;
      Link(LinkState::Kind::kFailed);
      voice_.Fail({ErrorCode::kInvalidConfig,
                   "inlet '" + options_.name +
                       "' delivers nothing more: " + ended->why});
      return;
  }
}

}  // namespace cirro::internal::kafka
