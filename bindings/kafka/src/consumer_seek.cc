#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "consumer.h"

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAsk{5'000};

// What is wrong with a transaction may be so for long.
constexpr milliseconds kFirstRewind{50};
constexpr int kMostDoublings = 7;

}  // namespace

// Where a partition begins of which no offset is committed, or is gone.
std::uint64_t Consumer::StartOf(const Positions::Key& key,
                                const Asker::Answer& answer) const {
  const Bounds& range = answer.bounds.at(key);
  switch (options_.start.kind) {
    case KafkaStart::Kind::kEarliest:
      return range.begin;
    case KafkaStart::Kind::kLatest:
      return range.end;
    case KafkaStart::Kind::kOffset:
      return std::clamp(options_.start.offset, range.begin, range.end);
    case KafkaStart::Kind::kTime:
      return answer.times.at(key);
  }
  return range.begin;
}

PartitionList Consumer::ListOf(const Slots& slots) const {
  PartitionList list(
      rd_kafka_topic_partition_list_new(static_cast<int>(slots.size())));
  for (const std::uint32_t slot : slots) {
    rd_kafka_topic_partition_list_add(list.get(),
                                      partitions_[slot]->topic.c_str(),
                                      partitions_[slot]->number);
  }
  return list;
}

void Consumer::AdvanceSeek() noexcept {
  if (asker_->busy()) return;
  const auto wanted = shared_.SeekWanted();
  if (!wanted) return;
  if (auto asked = AskSeek(*wanted); !asked) shared_.SeekDone(asked);
}

Result<void> Consumer::AskSeek(const SeekPoint& to) {
  Slots slots;
  for (const std::uint32_t slot : Assigned()) {
    if (!to.partition.empty() && to.partition != shared_.NameOf(slot)) continue;
    slots.push_back(slot);
  }
  if (slots.empty()) {
    return Error{
        ErrorCode::kUnavailable,
        (to.partition.empty() ? "no partition" : "'" + to.partition + "'") +
            std::string(" is not assigned to this member")};
  }
  constexpr int kTries = 5;
  Asker::Question question{.about = Asker::About::kSeek,
                           .list = ListOf(slots),
                           .bounds = true,
                           .tries = kTries};
  if (to.kind == SeekPoint::Kind::kTime) question.time = to.time;
  asker_->Ask(std::move(question));
  seek_ = to;
  return {};
}

// Of those that are still here.
Result<void> Consumer::Seek(const Asker::Answer& answer) {
  if (!answer.result) return answer.result;
  const SeekPoint& to = *seek_;
  for (const std::uint32_t slot : SlotsOf(*answer.list)) {
    if (!partitions_[slot] || partitions_[slot]->revoking) continue;
    Partition& partition = *partitions_[slot];
    const Positions::Key key{partition.topic, partition.number};
    const Bounds& range = answer.bounds.at(key);
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
        offset = answer.times.at(key);
        break;
    }
    partition.rewinds = false;  // This is where it begins.
    partition.end = range.end;
    Rewind(partition, offset, range.end);
  }
  return {};
}

// What was delivered of before counts for nothing. The new position is
// committed before a record of it runs.
void Consumer::Rewind(Partition& partition, std::uint64_t position,
                      std::uint64_t end) {
  Void(partition, position, end);
  commit_at_ = clock_.Now();
  ReadFrom(partition, position);
}

void Consumer::Void(Partition& partition, std::uint64_t position,
                    std::uint64_t end) {
  GoOn(partition);
  partition.epoch = ++epochs_[partition.slot];
  partition.outputs.Clear();
  partition.reads_again = false;
  partition.gone = false;
  partition.suspicious = false;
  // A charge stands until the commit that says nothing of it.
  const bool charged = partition.ledger.charged() || partition.ended_alone != 0;
  partition.ledger.Begin(nullptr, position, end);
  partition.awaited = partition.ledger.version();
  partition.ended_alone = charged ? partition.ledger.version() : 0;
}

// Only this thread consumes, so no record from before the seek can follow it.
void Consumer::ReadFrom(Partition& partition, std::uint64_t offset) noexcept {
  partition.Drop();
  const auto code = partition.stopped ? Restart(partition, offset)
                                      : SeekTo(partition, offset);
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

// Librdkafka answers it by itself, whether there is a broker or not.
rd_kafka_resp_err_t Consumer::SeekTo(const Partition& partition,
                                     std::uint64_t offset) noexcept {
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
  return code;
}

// A partition whose offset was gone is fetched no more, and cannot be sought
// in: only an assignment begins it again. Of a group that is eager that is one
// of all partitions, which go on where they are.
rd_kafka_resp_err_t Consumer::Restart(Partition& partition,
                                      std::uint64_t offset) noexcept {
  // An assignment would be taken for the answer to the rebalance.
  if (rebalance_ || IsJoining(clock_.Now()))
    return RD_KAFKA_RESP_ERR__PREV_IN_PROGRESS;
  const PartitionList list =
      ListOf(IsCooperative() ? Slots{partition.slot} : Assigned());
  for (int i = 0; i < list->cnt; ++i) {
    auto& element = list->elems[i];
    const std::uint32_t slot = shared_.SlotOf(element.topic, element.partition);
    Partition& each = *partitions_[slot];
    each.Drop();
    element.offset = static_cast<std::int64_t>(
        slot == partition.slot ? offset : each.ledger.ReadsFrom());
  }
  auto code = RD_KAFKA_RESP_ERR_NO_ERROR;
  if (IsCooperative()) {
    HandleError error(rd_kafka_incremental_unassign(handle_.get(), list.get()));
    if (!error) {
      error.reset(rd_kafka_incremental_assign(handle_.get(), list.get()));
    }
    if (error) code = rd_kafka_error_code(error.get());
  } else {
    code = rd_kafka_assign(handle_.get(), list.get());
  }
  partition.stopped = code != RD_KAFKA_RESP_ERR_NO_ERROR;
  return code;
}

// The offset that was asked for is gone: retention took it, or somebody made
// the topic anew. Of the first nothing that was delivered is undone: what is
// open is still waited for, by the next commit too.
void Consumer::AskAnew(TimePoint now) noexcept {
  for (const auto& partition : partitions_) {
    if (asker_->busy()) return;
    if (!partition || !partition->gone || partition->revoking ||
        now < partition->read_at) {
      continue;
    }
    partition->anew = partition->epoch;
    Asker::Question question{.about = Asker::About::kAnew,
                             .list = ListOf({partition->slot}),
                             .bounds = true};
    if (options_.start.kind == KafkaStart::Kind::kTime) {
      question.time = options_.start.time;
    }
    asker_->Ask(std::move(question));
  }
}

void Consumer::StartAnew(const Asker::Answer& answer, TimePoint now) noexcept {
  const std::uint32_t slot = SlotsOf(*answer.list).front();
  if (!partitions_[slot]) return;
  Partition& partition = *partitions_[slot];
  if (!partition.gone || partition.anew != partition.epoch) return;
  if (!answer.result) {
    partition.read_at = now + milliseconds(1'000);
    return;
  }
  const Positions::Key key{partition.topic, partition.number};
  const Bounds& range = answer.bounds.at(key);
  partition.end = range.end;
  Ledger& ledger = partition.ledger;
  const std::uint64_t next = ledger.next();
  const std::uint64_t from = ledger.ReadsFrom();
  if (range.end >= next && from >= range.begin) {  // It is there after all.
    partition.gone = false;
    ReadFrom(partition, from);
    return;
  }
  const std::uint64_t start = range.end >= next && next >= range.begin
                                  ? range.begin
                                  : StartOf(key, answer);
  const std::uint64_t lost = range.end >= next ? ledger.Gone(range.begin) : 0;
  TellGone(slot, from, range, start, lost);
  if (range.end < next) {
    Rewind(partition, start, range.end);
    return;
  }
  ledger.PassTo(start);
  partition.gone = false;
  partition.reads_again = false;
  ReadFrom(partition, start);
}

// An offset that was to be read is not there, and so many after it, which were
// not delivered.
void Consumer::TellGone(std::uint32_t slot, std::uint64_t offset,
                        const Bounds& range, std::uint64_t start,
                        std::uint64_t lost) noexcept {
  const std::string where =
      shared_.NameOf(slot) + ": offset " + std::to_string(offset) +
      " is gone (" + std::to_string(range.begin) + " to " +
      std::to_string(range.end) + " are there); it begins at " +
      std::to_string(start) + ", as `start` says";
  if (lost == 0) {
    voice_.Say(LogLevel::kWarning, where);
    return;
  }
  voice_.Lost(lost);
  voice_.Say(LogLevel::kError,
             where + "; up to " + std::to_string(lost) +
                 " records left the topic before they were delivered: they "
                 "were too old or too many for its `retention.ms` and "
                 "`retention.bytes`, or somebody removed them");
}

// After an aborted transaction nothing since the committed offsets is done.
// Which those are the broker alone knows: the commit of a transaction whose end
// was not heard may have taken effect. Nothing is read or committed until it
// says so.
void Consumer::RewindAll() noexcept {
  rewinding_ = false;
  rewind_at_ =
      clock_.Now() + kFirstRewind * (1 << std::min(aborted_, kMostDoublings));
  ++aborted_;
  for (const auto& partition : partitions_) {
    if (!partition) continue;
    Void(*partition, partition->committed_offset, partition->ledger.next());
    partition->rewinds = true;
    rewinding_ = true;
  }
}

void Consumer::AskRewind(TimePoint now) noexcept {
  if (asker_->busy()) return;
  Slots slots;
  for (const auto& partition : partitions_) {
    if (partition && partition->rewinds) slots.push_back(partition->slot);
  }
  if (slots.empty()) {
    rewinding_ = false;
    return;
  }
  if (now < rewind_at_) return;
  asker_->Ask({.about = Asker::About::kRewind,
               .list = ListOf(slots),
               .committed = true});
}

void Consumer::RewindTo(const Asker::Answer& answer) noexcept {
  if (!answer.result) return;  // It is asked again.
  for (int i = 0; i < answer.list->cnt; ++i) {
    const auto& element = answer.list->elems[i];
    const std::uint32_t slot = shared_.SlotOf(element.topic, element.partition);
    if (!partitions_[slot] || !partitions_[slot]->rewinds) continue;
    Partition& partition = *partitions_[slot];
    partition.rewinds = false;
    Rewind(partition,
           element.offset >= 0 ? static_cast<std::uint64_t>(element.offset)
                               : partition.committed_offset,
           partition.ledger.next());
  }
}

}  // namespace cirro::internal::kafka
