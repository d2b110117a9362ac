#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "consumer.h"

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAsk{5'000};

}  // namespace

// Where a partition begins of which no offset is committed, or is gone.
Result<std::uint64_t> Consumer::StartOf(const Positions::Key& key,
                                        const Bounds& bounds,
                                        const Positions& positions) const {
  switch (options_.start.kind) {
    case KafkaStart::Kind::kEarliest:
      return bounds.begin;
    case KafkaStart::Kind::kLatest:
      return bounds.end;
    case KafkaStart::Kind::kOffset:
      return std::clamp(options_.start.offset, bounds.begin, bounds.end);
    case KafkaStart::Kind::kTime:
      break;
  }
  const auto times = positions.AskTime(options_.start.time);
  if (!times) return times.error();
  return times->at(key);
}

void Consumer::AdvanceSeek(TimePoint /*now*/) noexcept {
  const auto wanted = shared_.SeekWanted();
  if (wanted) shared_.SeekDone(Seek(*wanted));
}

Result<void> Consumer::Seek(const SeekPoint& to) {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  Slots slots;
  for (const std::uint32_t slot : Assigned()) {
    if (!to.partition.empty() && to.partition != shared_.NameOf(slot)) continue;
    slots.push_back(slot);
    rd_kafka_topic_partition_list_add(list.get(),
                                      partitions_[slot]->topic.c_str(),
                                      partitions_[slot]->number);
  }
  if (slots.empty()) {
    return Error{
        ErrorCode::kUnavailable,
        (to.partition.empty() ? "no partition" : "'" + to.partition + "'") +
            std::string(" is not assigned to this member")};
  }
  const Positions positions(handle_.get(), *list, kAsk);
  const auto bounds = positions.AskBounds();
  if (!bounds) return bounds.error();
  std::map<Positions::Key, std::uint64_t> times;
  if (to.kind == SeekPoint::Kind::kTime) {
    auto asked = positions.AskTime(to.time);
    if (!asked) return std::move(asked).error();
    times = *std::move(asked);
  }
  for (const std::uint32_t slot : slots) {
    Partition& partition = *partitions_[slot];
    const Positions::Key key{partition.topic, partition.number};
    const Bounds& range = bounds->at(key);
    std::uint64_t offset = range.begin;
    switch (to.kind) {
      case SeekPoint::Kind::kBeginning:
        break;
      case SeekPoint::Kind::kEnd:
        offset = range.end;
        break;
      case SeekPoint::Kind::kOffset:
        offset = std::clamp(to.offset, range.begin, range.end);
        break;
      case SeekPoint::Kind::kTime:
        offset = times.at(key);
        break;
    }
    Rewind(partition, offset, range.end);
  }
  return {};
}

// What was delivered of before counts for nothing. The new position is
// committed before a record of it runs.
void Consumer::Rewind(Partition& partition, std::uint64_t position,
                      std::uint64_t end) {
  partition.epoch = ++epochs_[partition.slot];
  partition.outputs.clear();
  partition.reads_again = false;
  partition.ledger.Begin(nullptr, position, end);
  partition.awaited = partition.ledger.version();
  commit_at_ = clock_.Now();
  ReadFrom(partition, position);
}

// Only this thread consumes, so no record from before the seek can follow it.
void Consumer::ReadFrom(Partition& partition, std::uint64_t offset) noexcept {
  partition.Drop();
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(),
                                    partition.number)
      ->offset = static_cast<std::int64_t>(offset);
  // 2.0 takes the milliseconds for microseconds.
  constexpr int kFixed = 0x02010000;
  const int patience = static_cast<int>(kAsk.count()) *
                       (rd_kafka_version() < kFixed ? 1'000 : 1);
  const HandleError error(
      rd_kafka_seek_partitions(handle_.get(), list.get(), patience));
  auto code =
      error ? rd_kafka_error_code(error.get()) : RD_KAFKA_RESP_ERR_NO_ERROR;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = list->elems[0].err;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  // Tried until it works: what is read before it is known, or not to be.
  voice_.Say(LogLevel::kWarning,
             shared_.NameOf(partition.slot) + ": the seek to " +
                 std::to_string(offset) +
                 " failed and is tried again: " + TextOf(code));
  partition.reads_again = true;
  partition.read_from = offset;
  partition.read_at = clock_.Now() + milliseconds(200);
}

// The offset that was asked for is gone: retention took it, or somebody made
// the topic anew.
void Consumer::StartAnew(Partition& partition) noexcept {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(),
                                    partition.number);
  const Positions positions(handle_.get(), *list, kAsk);
  const Positions::Key key{partition.topic, partition.number};
  const auto bounds = positions.AskBounds();
  const std::uint64_t gone = partition.ledger.next();
  if (bounds) {
    const Bounds& range = bounds->at(key);
    if (const auto start = StartOf(key, range, positions)) {
      voice_.Say(LogLevel::kWarning,
                 shared_.NameOf(partition.slot) + ": offset " +
                     std::to_string(gone) + " is gone (" +
                     std::to_string(range.begin) + " to " +
                     std::to_string(range.end) + " are there); it begins at " +
                     std::to_string(*start) + ", as `start` says");
      Rewind(partition, *start, range.end);
      return;
    }
  }
  partition.Drop();
  partition.reads_again = true;
  partition.read_from = gone;
  partition.read_at = clock_.Now() + milliseconds(1'000);
}

// After an aborted transaction: nothing since the committed offsets is done.
void Consumer::RewindAll() noexcept {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  for (const auto& partition : partitions_) {
    if (!partition) continue;
    rd_kafka_topic_partition_list_add(list.get(), partition->topic.c_str(),
                                      partition->number);
  }
  const auto code = rd_kafka_committed(handle_.get(), list.get(),
                                       static_cast<int>(kAsk.count()));
  for (int i = 0; i < list->cnt; ++i) {
    const auto& element = list->elems[i];
    const std::uint32_t slot = shared_.SlotOf(element.topic, element.partition);
    Partition& partition = *partitions_[slot];
    // Without the broker's word the first one undone is known here, too: all
    // that was in the transaction lies at or above what was committed before.
    const bool known = code == RD_KAFKA_RESP_ERR_NO_ERROR &&
                       element.err == RD_KAFKA_RESP_ERR_NO_ERROR &&
                       element.offset >= 0;
    const std::uint64_t position =
        known ? static_cast<std::uint64_t>(element.offset)
              : partition.committed_offset;
    Rewind(partition, position, partition.ledger.next());
  }
}

}  // namespace cirro::internal::kafka
