#include <algorithm>
#include <string>
#include <utility>

#include "consumer.h"
#include "record_view.h"

namespace cirro::internal::kafka {
namespace {

// Of deliveries that are settled on return.
constexpr std::size_t kFew = 8;

constexpr std::chrono::milliseconds kNudge{10};
constexpr int kMostNudged = 16;

bool PausesWhenFull() noexcept {
  constexpr int kTakesBackoff = 0x02020000;  // fetch.queue.backoff.ms
  return rd_kafka_version() < kTakesBackoff;
}

}  // namespace

// One batch of each partition, beginning with another one every time.
bool Consumer::ReadAll(TimePoint now) noexcept {
  const std::size_t count = partitions_.size();
  bool any = false;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& partition = partitions_[(first_ + i) % count];
    if (partition && Read(*partition, now)) any = true;
    if (!shared_.demand.load(std::memory_order_relaxed)) break;
  }
  if (count > 0) first_ = (first_ + 1) % count;
  if (any && now >= nudge_at_) NudgeFetching(now);
  return any;
}

// Up to 2.1 librdkafka looks at a partition whose queue was full again after up
// to a second, however empty it is by then; but at each request for its broker
// it looks at once. This one is for the end of partitions that have more than a
// batch in their queue, and its answer is waited for by nobody.
void Consumer::NudgeFetching(TimePoint now) noexcept {
  static const bool kNeeded = PausesWhenFull();
  nudge_at_ = kNeeded ? now + kNudge : TimePoint::max();
  if (!kNeeded) return;
  const PartitionList list(rd_kafka_topic_partition_list_new(kMostNudged));
  for (const auto& partition : partitions_) {
    if (!partition || !partition->had_full_batch()) continue;
    if (list->cnt == kMostNudged) break;
    rd_kafka_topic_partition_list_add(list.get(), partition->topic.c_str(),
                                      partition->number)
        ->offset = RD_KAFKA_OFFSET_END;
  }
  if (list->cnt == 0) return;
  static_cast<void>(rd_kafka_offsets_for_times(handle_.get(), list.get(), 0));
}

bool Consumer::Read(Partition& partition, TimePoint now) noexcept {
  if (partition.revoking || partition.awaited != 0 || partition.gone) {
    return false;
  }
  if (partition.reads_again) {
    if (now < partition.read_at) return false;
    partition.reads_again = false;
    ReadFrom(partition, partition.read_from);
  }
  if (KeepsTooMuch(partition)) {
    // What is at the front of it goes with the next transaction.
    if (partition.outputs.AnyBefore(partition.ledger.position())) {
      return !std::exchange(commit_outputs_, true);
    }
    WarnOfOutputs(partition);
    return false;
  }
  if (!partition.ledger.AtSpanBound()) GoOn(partition);
  if (!partition.Fetch()) return false;

  bool took = false;
  for (bool holds = false; !holds;) {
    if (batch_.size() >= (at_once_ ? kFew : most_at_once_)) {
      HandOver();
      if (!shared_.demand.load(std::memory_order_relaxed)) break;
    }
    const rd_kafka_message_t* const message = partition.front();
    if (message == nullptr) break;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      took = true;
      if (!OnReadError(partition, *message, now)) break;
      partition.Pop();
      continue;
    }
    const auto offset = static_cast<std::uint64_t>(message->offset);
    if (partition.ledger.RunsAlone(offset) && !MayRunAlone(partition, now)) {
      break;
    }
    switch (partition.ledger.Arrived(offset)) {
      case Ledger::Take::kDeliver:
        Decode(partition, *message);
        partition.Pop();
        took = true;
        break;
      case Ledger::Take::kPassOver:
        partition.Pop();
        took = true;
        break;
      case Ledger::Take::kHold:
        holds = true;
        if (partition.ledger.AtSpanBound()) WarnOfSpan(partition);
        break;
      case Ledger::Take::kCommit:
        holds = true;
        partition.awaited = partition.ledger.version();
        commit_at_ = now;
        took = true;
        break;
    }
  }
  if (partition.held && !partition.ledger.AtSpanBound()) GoOn(partition);
  if (!batch_.empty()) HandOver();
  return took;
}

// Where the function runs at once, its events have been settled on return: few
// at a time are then still in the processor's cache, and in the allocator's.
// Otherwise each hand-over costs a lock and a wake-up: as many as there are.
void Consumer::HandOver() noexcept {
  const std::size_t before = shared_.mailbox.own();
  parts_.sink.Deliver(batch_);
  at_once_ = shared_.mailbox.own() - before >= batch_.size();
  batch_.clear();
}

void Consumer::Decode(Partition& partition, const rd_kafka_message_t& message) {
  const RecordView view(message, headers_);
  const KafkaRecord& record = view.record();
  KafkaContent content = decoder_.Decode(record);
  const auto offset = static_cast<std::uint64_t>(message.offset);
  const DeliveryToken token{partition.assignment(), offset};
  if (auto* const event = std::get_if<Event>(&content.value)) {
    batch_.emplace_back(std::move(*event), parts_.info, parts_.settler, token);
  } else {
    batch_.emplace_back(std::get<Malformed>(std::move(content.value)),
                        parts_.info, parts_.settler, token);
  }
  Delivery::Facts& facts = batch_.back().facts;
  if (!record.key.empty()) facts.key = record.key;
  if (!content.trace.traceparent.empty()) {
    facts.trace = std::move(content.trace);
  }
  facts.original = std::move(content.original);
  facts.attempt = partition.ledger.AttemptOf(offset);
  facts.crashed = partition.ledger.IsGivenUp(offset);
}

// False: what the partition holds is no longer what it was.
bool Consumer::OnReadError(Partition& partition,
                           const rd_kafka_message_t& message,
                           TimePoint now) noexcept {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF: {
      const auto end = static_cast<std::uint64_t>(message.offset);
      partition.ledger.PassTo(end);
      partition.end = std::max(partition.end, end);
      lag_at_ = std::min(lag_at_, now + std::chrono::milliseconds(100));
      return true;
    }
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      partition.Drop();
      partition.gone = true;
      partition.stopped = true;
      return false;
    default:
      OnError(message.err, shared_.NameOf(partition.slot) + ": " +
                               rd_kafka_message_errstr(&message));
      return true;
  }
}

// A death while a suspect runs is its own: so no other runs then, of whatever
// partition or inlet.
bool Consumer::MayRunAlone(Partition& partition, TimePoint now) {
  // Its last one ended, and is charged until that is committed.
  if (partition.turn != 0) return false;
  partition.turn = turn_.Take(now);
  has_turns_ = has_turns_ || partition.turn != 0;
  return partition.turn != 0;
}

void Consumer::GiveTurns() noexcept {
  if (!has_turns_) return;
  has_turns_ = false;
  for (const auto& partition : partitions_) {
    if (!partition || partition->turn == 0) continue;
    if (partition->ledger.charged() || partition->ended_alone != 0) {
      has_turns_ = true;
      continue;
    }
    turn_.Give(std::exchange(partition->turn, 0));
  }
}

// Its share of the bytes that the inlet may have in flight: what waits above a
// hole is no less in memory than what runs. One that has none reads in any
// case.
bool Consumer::KeepsTooMuch(const Partition& partition) const noexcept {
  if (partition.outputs.bytes() == 0 || options_.max_bytes == 0) return false;
  const auto ours =
      std::count_if(partitions_.begin(), partitions_.end(),
                    [](const auto& each) { return each != nullptr; });
  return partition.outputs.bytes() >=
         options_.max_bytes / static_cast<std::size_t>(ours);
}

void Consumer::WarnOfSpan(Partition& partition) noexcept {
  Wait(partition, "`max_span` (" + std::to_string(options_.max_span) +
                      ") offsets after it are delivered");
}

void Consumer::WarnOfOutputs(Partition& partition) noexcept {
  Wait(partition,
       "what is to be sent for those after it takes the partition's share of "
       "`max_in_flight_bytes` (" +
           std::to_string(options_.max_bytes) + ")");
}

void Consumer::Wait(Partition& partition, const std::string& why) noexcept {
  if (partition.held) return;
  partition.held = true;
  const std::string name = shared_.NameOf(partition.slot);
  voice_.Held(name, true);
  voice_.Say(LogLevel::kWarning,
             name + " waits: offset " +
                 std::to_string(partition.ledger.position()) +
                 " is not settled, and " + why);
}

void Consumer::GoOn(Partition& partition) noexcept {
  if (!partition.held) return;
  partition.held = false;
  voice_.Held(shared_.NameOf(partition.slot), false);
}

}  // namespace cirro::internal::kafka
