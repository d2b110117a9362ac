#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "consumer.h"

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAskAgain{200};
// A cooperative member that gave partitions up joins once more, at once.
constexpr milliseconds kJoinsAgain{2'000};
// Or so long after a heartbeat that said that others join.
constexpr milliseconds kJoinsToo{50};
// For the last commit of a partition that is taken away, and as much for the
// one before it; with the patience for what runs, within max.poll.interval.ms.
constexpr milliseconds kLastCommit{5'000};
constexpr int kLastCommitShare = 5;

std::span<rd_kafka_topic_partition_t> Elements(
    rd_kafka_topic_partition_list_t& list) {
  return {list.elems, static_cast<std::size_t>(list.cnt)};
}

std::string_view MetadataOf(const rd_kafka_topic_partition_t& element) {
  return {static_cast<const char*>(element.metadata), element.metadata_size};
}

// Of what the commit of `element` says is not done, how much left the partition
// since.
std::uint64_t LostSince(const rd_kafka_topic_partition_t& element,
                        const Bounds& range, const std::string& group) {
  const auto committed = static_cast<std::uint64_t>(element.offset);
  if (committed >= range.begin) return 0;
  std::uint64_t lost = range.begin - committed;
  const auto map =
      DecodeOffsetMap(MetadataOf(element), committed, range.end,
                      MapPlace(group, element.topic, element.partition));
  if (!map) return lost;
  for (const OffsetRun& run : map->done) {
    const std::uint64_t end = std::min(run.end, range.begin);
    if (run.begin < end) lost -= end - run.begin;
  }
  return lost;
}

}  // namespace

bool Consumer::IsCooperative() const noexcept {
  const char* const protocol = rd_kafka_rebalance_protocol(handle_.get());
  return protocol != nullptr && std::strcmp(protocol, "COOPERATIVE") == 0;
}

// Or may be about to, as far as can be known.
bool Consumer::IsJoining(TimePoint now) noexcept {
  if (callbacks_->heard.exchange(false) &&
      options_.assignor == KafkaAssignor::kCooperativeSticky) {
    joins_by_ = std::max(joins_by_, now + kJoinsToo);
  }
  return rejoining_ || (assigned_once_ && callbacks_->joining) ||
         now < joins_by_;
}

std::string Consumer::MemberId() const {
  char* const id = rd_kafka_memberid(handle_.get());
  std::string member = id == nullptr ? "" : id;
  rd_kafka_mem_free(handle_.get(), id);
  return member;
}

// Whether what is assigned may be committed. Who was put out of the group and
// joined again has another name, and would commit what another has now: the
// broker looks at the generation alone, which is the new one.
bool Consumer::IsOurs() const {
  return !lost_ && !fatal_ && !rewinding_ &&
         rd_kafka_assignment_lost(handle_.get()) == 0 && MemberId() == member_;
}

Consumer::Slots Consumer::SlotsOf(
    const rd_kafka_topic_partition_list_t& list) const {
  Slots slots;
  for (int i = 0; i < list.cnt; ++i) {
    slots.push_back(
        shared_.SlotOf(list.elems[i].topic, list.elems[i].partition));
  }
  return slots;
}

// Librdkafka waits for the answer, which is an assign or unassign: there is one
// rebalance at a time.
void Consumer::OnRebalance(const rd_kafka_event_t& event) noexcept {
  auto* const raw = const_cast<rd_kafka_event_t*>(&event);
  rd_kafka_topic_partition_list_t* const list =
      rd_kafka_event_topic_partition_list(raw);
  Rebalance rebalance;
  rebalance.list.reset(rd_kafka_topic_partition_list_copy(list));
  rebalance.assign =
      rd_kafka_event_error(raw) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
  const TimePoint now = clock_.Now();
  const bool joined = callbacks_->joining.exchange(false);
  // What comes beside the partitions that a cooperative member gave up: it is
  // about to join again, and a commit that met that would cost it the others.
  joins_by_ = rebalance.assign && rejoining_ && !joined && IsCooperative()
                  ? now + kJoinsAgain
                  : now;
  if (!rebalance.assign) {
    rejoining_ = true;
    Link(LinkState::Kind::kRebalancing);
    const milliseconds patience =
        std::min(options_.revoke_patience, options_.max_poll_interval / 2);
    rebalance.deadline = std::min(now + patience, close_by_);
    Withdraw(SlotsOf(*list));
  }
  rebalance_ = std::move(rebalance);
  AdvanceRebalance(now);
}

// What does not run is not waited for: the others of the group wait for us.
void Consumer::Withdraw(const Slots& slots) noexcept {
  std::vector<std::uint64_t> assignments;
  for (const std::uint32_t slot : slots) {
    if (slot >= partitions_.size() || !partitions_[slot]) continue;
    partitions_[slot]->revoking = true;
    assignments.push_back(partitions_[slot]->assignment());
  }
  // In a drain the sink gives back by itself, and may end before we do.
  if (shared_.phase.load() == InletShared::Phase::kRunning) {
    parts_.sink.Withdraw(parts_.info, assignments);
  }
}

void Consumer::AdvanceRebalance(TimePoint now) noexcept {
  if (!rebalance_) return;
  if (!rebalance_->assign) {
    AdvanceRevoke(now);
  } else if (rebalance_->list->cnt == 0 || closing_) {
    Assign(now);
  } else if (rebalance_->asked == 0 && now >= rebalance_->try_at) {
    TryAssign();
  }
}

void Consumer::TryAssign() noexcept {
  if (asker_->busy()) return;
  Asker::Question question{
      .about = Asker::About::kAssign,
      .list = PartitionList(
          rd_kafka_topic_partition_list_copy(rebalance_->list.get())),
      .committed = true,
      .bounds = true};
  if (options_.start.kind == KafkaStart::Kind::kTime) {
    question.time = options_.start.time;
  }
  rebalance_->asked = asker_->Ask(std::move(question));
}

void Consumer::OnAnswer(Asker::Answer answer, TimePoint now) noexcept {
  if (!rebalance_ || rebalance_->asked != answer.ticket) return;
  if (!answer.result) {
    if (committed_ok_) {
      voice_.Say(LogLevel::kWarning,
                 answer.result.error().message + "; it is asked for again");
    }
    committed_ok_ = false;
    rebalance_->asked = 0;
    rebalance_->try_at = now + kAskAgain;
    return;
  }
  Prepare(answer);
  rebalance_->list = std::move(answer.list);
  Assign(now);
}

void Consumer::Assign(TimePoint now) noexcept {
  rd_kafka_topic_partition_list_t& list = *rebalance_->list;
  committed_ok_ = true;
  if (IsCooperative()) {
    const HandleError error(rd_kafka_incremental_assign(handle_.get(), &list));
    if (error)
      OnError(rd_kafka_error_code(error.get()),
              rd_kafka_error_string(error.get()));
  } else {
    const auto code = rd_kafka_assign(handle_.get(), &list);
    OnError(code, rd_kafka_err2str(code));
  }
  assigned_once_ = true;
  member_ = MemberId();
  rejoining_ = false;
  lost_ = false;
  Link(LinkState::Kind::kConnected);
  std::vector<std::string> names;
  for (const std::uint32_t slot : SlotsOf(list)) {
    names.push_back(shared_.NameOf(slot));
  }
  if (parts_.hooks != nullptr) parts_.hooks->OnAssigned(names);
  std::string line = "assigned:";
  for (const std::string& name : names) line += " " + name;
  voice_.Say(LogLevel::kInfo, names.empty() ? "assigned nothing" : line);
  commit_at_ = now;
  rebalance_.reset();
}

// What the commit of `element` says; nothing: it says nothing, or what is not
// to be believed.
std::optional<OffsetMap> Consumer::LastSaid(
    std::uint32_t slot, const rd_kafka_topic_partition_t& element,
    const Bounds& range) {
  const auto position = static_cast<std::uint64_t>(element.offset);
  auto map = DecodeOffsetMap(
      MetadataOf(element), position, range.end,
      MapPlace(options_.group, element.topic, element.partition));
  if (map) return *std::move(map);
  if (element.metadata_size > 0) {
    voice_.Say(LogLevel::kWarning,
               shared_.NameOf(slot) + ": what the commit of offset " +
                   std::to_string(position) +
                   " says is ignored: " + map.error().message);
  }
  return std::nullopt;
}

// A ledger and an un-forwarded queue for each that is asked of, and the offset
// to begin at. Un-forwarded before the assignment a queue stays so: its records
// are polled when there is room for them, and never reach the main queue, which
// is polled always.
void Consumer::Prepare(const Asker::Answer& answer) {
  for (auto& element : Elements(*answer.list)) {
    const std::uint32_t slot = shared_.SlotOf(element.topic, element.partition);
    if (slot >= partitions_.size()) {
      partitions_.resize(slot + 1);
      epochs_.resize(slot + 1);
      survived_.resize(slot + 1);
    }
    const Positions::Key key{element.topic, element.partition};
    const Bounds& range = answer.bounds.at(key);
    const bool kept =
        element.offset >= 0 &&
        static_cast<std::uint64_t>(element.offset) >= range.begin &&
        static_cast<std::uint64_t>(element.offset) <= range.end;
    const std::uint64_t position =
        kept ? static_cast<std::uint64_t>(element.offset)
             : StartOf(key, answer);
    std::optional<OffsetMap> last;
    if (kept) {
      last = LastSaid(slot, element, range);
    } else if (element.offset >= 0) {
      TellGone(slot, static_cast<std::uint64_t>(element.offset), range,
               position, LostSince(element, range, options_.group));
    }
    const Survived ours = std::exchange(survived_[slot], {});
    if (last && ours.unsaid && ours.base == position) {
      Forgive(ours.charged, *last);
    }

    Ledger::Limits limits;
    limits.max_span = options_.max_span;
    limits.max_crashes = options_.max_crashes;
    limits.place = MapPlace(options_.group, element.topic, element.partition);
    // With transactions what is done above the prefix is not yet sent.
    limits.offset_map = options_.offset_map && parts_.transactions == nullptr;
    partitions_[slot] = std::make_unique<Partition>(slot, element.topic,
                                                    element.partition, limits);
    Partition& partition = *partitions_[slot];
    partition.epoch = ++epochs_[slot];
    partition.end = range.end;
    partition.committed_offset = position;
    partition.ledger.Begin(last ? &*last : nullptr, position, range.end);
    // That it began is committed before anything runs that may kill us.
    partition.awaited = partition.ledger.version();
    TellSuspicion(partition);
    partition.queue.reset(rd_kafka_queue_get_partition(
        handle_.get(), element.topic, element.partition));
    rd_kafka_queue_forward(partition.queue.get(), nullptr);
    const std::uint64_t one = 1;
    rd_kafka_queue_io_event_enable(
        partition.queue.get(), shared_.mailbox.descriptor(), &one, sizeof one);
    element.offset = static_cast<std::int64_t>(partition.ledger.position());
  }
}

// When a partition begins and ends to run one record at a time.
void Consumer::TellSuspicion(Partition& partition) noexcept {
  if (partition.suspicious == partition.ledger.suspicious()) return;
  partition.suspicious = !partition.suspicious;
  const std::string at = shared_.NameOf(partition.slot) + "@" +
                         std::to_string(partition.ledger.position());
  if (partition.suspicious) {
    voice_.Say(LogLevel::kWarning,
               at +
                   ": the process ended more than once here; records run one "
                   "at a time, each after a commit, until offset " +
                   std::to_string(partition.ledger.suspect_until()));
  } else {
    voice_.Say(LogLevel::kInfo,
               at + ": past what may have ended the process; records run in "
                    "parallel again");
  }
}

void Consumer::AdvanceRevoke(TimePoint now) noexcept {
  Rebalance& revoke = *rebalance_;
  const milliseconds last_commit =
      std::min(kLastCommit, options_.max_poll_interval / kLastCommitShare);
  if (closing_) {  // All was committed before.
    FinishRevoke(false);
    return;
  }
  if (!IsOurs()) {
    FinishRevoke(true);
    return;
  }
  if (!revoke.committing) {
    const Slots slots = SlotsOf(*revoke.list);
    if (now < revoke.deadline && AnyOpen(&slots)) return;
    if (committing_) {  // One at a time; its answer comes.
      if (now < revoke.deadline + last_commit) return;
      FinishRevoke(false);  // The others of the group wait for us.
      return;
    }
    revoke.committing = StartCommit(slots, true, false);
    if (!revoke.committing) {
      FinishRevoke(false);
      return;
    }
    revoke.deadline = now + last_commit;
  }
  if (!committing_ || now >= revoke.deadline) FinishRevoke(false);
}

// A session that is lost is no death.
void Consumer::Remember(const Partition& partition) noexcept {
  survived_[partition.slot] = {true, partition.committed_offset,
                               partition.ledger.charged()};
}

void Consumer::FinishRevoke(bool lost) noexcept {
  const PartitionList list = std::move(rebalance_->list);
  rebalance_.reset();
  GiveAway(list.get(), lost);
}

void Consumer::GiveAway(rd_kafka_topic_partition_list_t* list,
                        bool lost) noexcept {
  std::vector<std::string> names;
  for (const std::uint32_t slot : SlotsOf(*list)) {
    names.push_back(shared_.NameOf(slot));
    if (slot >= partitions_.size() || !partitions_[slot]) continue;
    GoOn(*partitions_[slot]);
    Remember(*partitions_[slot]);
    // A suspect that still runs keeps its turn for as long as one may.
    if (!partitions_[slot]->ledger.charged()) {
      turn_.Give(partitions_[slot]->turn);
    }
    rd_kafka_queue_io_event_enable(partitions_[slot]->queue.get(), -1, nullptr,
                                   0);
    partitions_[slot].reset();
  }
  if (IsCooperative()) {
    const HandleError error(rd_kafka_incremental_unassign(handle_.get(), list));
    if (error)
      OnError(rd_kafka_error_code(error.get()),
              rd_kafka_error_string(error.get()));
  } else {
    const auto code = rd_kafka_assign(handle_.get(), nullptr);
    OnError(code, rd_kafka_err2str(code));
  }
  if (parts_.hooks != nullptr) parts_.hooks->OnRevoked(names, lost);
  std::string line = lost ? "lost:" : "revoked:";
  for (const std::string& name : names) line += " " + name;
  voice_.Say(lost ? LogLevel::kWarning : LogLevel::kInfo, line);
  lag_at_ = clock_.Now();
}

}  // namespace cirro::internal::kafka
