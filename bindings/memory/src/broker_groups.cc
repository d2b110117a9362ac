#include <algorithm>
#include <utility>

#include "broker_core.h"

namespace cirro::internal::memory {

Result<std::uint64_t> BrokerCore::Join(const MemoryInletOptions& options,
                                       Waker& waker) {
  const MutexLock lock(mutex_);
  std::unique_ptr<Group>& group = groups_[options.group];
  if (group == nullptr) {
    group = std::make_unique<Group>();
    group->mode = options.mode;
    group->topics = options.topics;
    group->from_beginning = options.from_beginning;
    if (options.mode == MemoryMode::kShared) {
      group->shared.emplace(options.ack_wait);
    } else {
      group->owning.emplace(options_.rebalance_timeout);
    }
  }
  if (group->mode != options.mode) {
    return Error{ErrorCode::kInvalidConfig,
                 "mode: group '" + options.group +
                     "' consumes in the other mode; set another mode or group"};
  }
  const auto partitions = PartitionsOfTopics(options.topics);
  const std::uint64_t id = ++last_member_;
  if (group->owning) {
    group->owning->Join(id, waker, clock_.Now(), partitions);
    return id;
  }
  for (const std::uint32_t partition : partitions) {
    const PartitionLog& log = partitions_[partition]->log;
    group->shared->Add(partition,
                       options.from_beginning ? log.start() : log.end());
  }
  group->shared->Join(id, waker);
  return id;
}

void BrokerCore::Leave(std::string_view name, std::uint64_t member) {
  const MutexLock lock(mutex_);
  Group* const group = GroupOf(name);
  if (group == nullptr) return;
  if (group->owning) {
    group->owning->Leave(member, clock_.Now());
  } else {
    group->shared->Leave(member);
  }
}

GroupView BrokerCore::Look(std::string_view name, std::uint64_t member) {
  const MutexLock lock(mutex_);
  if (!reachable_) return {.reachable = false};
  Group* const group = GroupOf(name);
  if (group == nullptr || !group->owning) return {};
  return group->owning->Look(member, clock_.Now());
}

std::vector<Assignment> BrokerCore::Adopt(std::string_view name,
                                          std::uint64_t member,
                                          bool from_beginning) {
  const MutexLock lock(mutex_);
  std::vector<Assignment> all;
  Group* const group = GroupOf(name);
  if (group == nullptr || !group->owning) return all;
  for (const std::uint32_t id : group->owning->Adopt(member)) {
    const Partition& partition = *partitions_[id];
    const PartitionLog& log = partition.log;
    Assignment& one = all.emplace_back();
    one.partition = id;
    one.name = NameOf(partition);
    one.begin = from_beginning ? log.start() : log.end();
    one.end = log.end();
    if (const auto* const commit = group->owning->committed(id)) {
      one.commit = *commit;
    }
  }
  return all;
}

void BrokerCore::Release(std::string_view name, std::uint64_t member) {
  const MutexLock lock(mutex_);
  Group* const group = GroupOf(name);
  if (group != nullptr && group->owning) {
    group->owning->Release(member, clock_.Now());
  }
}

Result<void> BrokerCore::Commit(std::string_view name, std::uint64_t member,
                                std::uint32_t partition, MemoryCommit commit) {
  const MutexLock lock(mutex_);
  if (!reachable_) {
    return Error{ErrorCode::kUnavailable, "the broker is not reached"};
  }
  if (lost_acks_ > 0) {
    --lost_acks_;
    return {};
  }
  Group* const group = GroupOf(name);
  if (group != nullptr && group->owning &&
      group->owning->Commit(member, partition, std::move(commit))) {
    return {};
  }
  return Error{ErrorCode::kConflict,
               "the partition is another's: this member was out of its group"};
}

FetchEnd BrokerCore::Fetch(std::uint32_t partition, std::uint64_t offset,
                           std::size_t most, std::vector<Fetched>& batch) {
  const MutexLock lock(mutex_);
  const PartitionLog& log = partitions_[partition]->log;
  FetchEnd end{.next = std::max(offset, log.start()), .end = log.end()};
  if (!reachable_) return end;
  const TimePoint now = clock_.Now();
  for (; most > 0 && end.next < end.end; ++end.next) {
    const Stored& stored = log.At(end.next);
    if (stored.is_gap()) continue;
    if (stored.visible > now) {
      end.visible = stored.visible;
      break;
    }
    batch.emplace_back(stored, partition, end.next);
    --most;
  }
  return end;
}

std::uint64_t BrokerCore::OffsetOf(std::uint32_t partition,
                                   const SeekPoint& to) const {
  const MutexLock lock(mutex_);
  const PartitionLog& log = partitions_[partition]->log;
  switch (to.kind) {
    case SeekPoint::Kind::kBeginning:
      return log.start();
    case SeekPoint::Kind::kEnd:
      return log.end();
    case SeekPoint::Kind::kOffset:
      return std::clamp(to.offset, log.start(), log.end());
    case SeekPoint::Kind::kTime:
      break;
  }
  std::uint64_t at = log.start();
  while (at < log.end() && (log.At(at).is_gap() || log.At(at).time < to.time)) {
    ++at;
  }
  return at;
}

TimePoint BrokerCore::Take(std::string_view name, std::size_t most,
                           std::vector<Fetched>& batch) {
  const MutexLock lock(mutex_);
  Group* const group = GroupOf(name);
  if (!reachable_ || group == nullptr || !group->shared) {
    return TimePoint::max();
  }
  SharedGroup& shared = *group->shared;
  const TimePoint now = clock_.Now();
  const auto add = [&](const Stored& stored,
                       const SharedGroup::Message& message,
                       DeliveryToken token) {
    Fetched& one =
        batch.emplace_back(stored, message.partition, message.offset);
    one.token = token;
    one.attempt = message.attempts;
    --most;
  };
  DeliveryToken token;
  while (most > 0) {
    const SharedGroup::Message* const message = shared.TakeDue(now, token);
    if (message == nullptr) break;
    add(partitions_[message->partition]->log.At(message->offset), *message,
        token);
  }
  TimePoint more = shared.next_due();
  for (const auto& [id, unused] : shared.cursors()) {
    const PartitionLog& log = partitions_[id]->log;
    Watermark& cursor = *shared.cursor(id);
    cursor.Advance(log.start());
    while (most > 0 && cursor.next() < log.end() && !shared.full()) {
      const std::uint64_t offset = cursor.next();
      const Stored& stored = log.At(offset);
      if (stored.is_gap()) {
        cursor.Advance(offset + 1);
        if (cursor.next() == offset) break;  // As far as the span allows.
        continue;
      }
      if (stored.visible > now) {
        more = std::min(more, stored.visible);
        break;
      }
      if (cursor.Delivered(offset) != Watermark::Arrival::kOpen) break;
      token = shared.Deliver(id, offset, now);
      add(stored, *shared.Find(token), token);
    }
  }
  return std::min(more, shared.next_due());
}

void BrokerCore::Settle(std::string_view name,
                        std::span<const SharedEnd> ends) {
  const MutexLock lock(mutex_);
  Group* const group = GroupOf(name);
  if (group == nullptr || !group->shared) return;
  const TimePoint now = clock_.Now();
  for (const SharedEnd& end : ends) {
    // What is said to nobody is lost, as over a connection that is gone.
    if (!reachable_) continue;
    if (lost_acks_ > 0) {
      --lost_acks_;
      continue;
    }
    group->shared->Settle(end, now);
  }
  // Room, or something to be redelivered: to the others too.
  group->shared->WakeAll();
}

void BrokerCore::Extend(std::string_view name,
                        std::span<const DeliveryToken> tokens) {
  const MutexLock lock(mutex_);
  Group* const group = GroupOf(name);
  if (!reachable_ || group == nullptr || !group->shared) return;
  for (const DeliveryToken token : tokens) {
    group->shared->Extend(token, clock_.Now());
  }
}

std::string BrokerCore::PositionOf(std::string_view name,
                                   DeliveryToken token) const {
  const MutexLock lock(mutex_);
  const Group* const group = GroupOf(name);
  if (group == nullptr || !group->shared) return {};
  const SharedGroup::Message* const message = group->shared->Find(token);
  if (message == nullptr) return {};
  return NameOf(*partitions_[message->partition]) + "@" +
         std::to_string(message->offset);
}

std::vector<PartitionLag> BrokerCore::LagOf(std::string_view name) const {
  const MutexLock lock(mutex_);
  std::vector<PartitionLag> all;
  const Group* const group = GroupOf(name);
  if (group == nullptr || !group->shared) return all;
  for (const auto& [id, cursor] : group->shared->cursors()) {
    const Partition& partition = *partitions_[id];
    all.push_back({NameOf(partition),
                   partition.log.end() - cursor.next() + cursor.open()});
  }
  return all;
}

void BrokerCore::Rebalance(std::string_view name) {
  const MutexLock lock(mutex_);
  Group* const group = GroupOf(name);
  if (group != nullptr && group->owning) {
    group->owning->Rebalance(clock_.Now());
  }
}

void BrokerCore::Fence(std::string_view name) {
  const MutexLock lock(mutex_);
  Group* const group = GroupOf(name);
  if (group != nullptr && group->owning) group->owning->Fence();
}

void BrokerCore::OverwriteCommit(std::string_view name,
                                 std::string_view partition,
                                 MemoryCommit commit) {
  const MutexLock lock(mutex_);
  Group* const group = GroupOf(name);
  if (group == nullptr || !group->owning) return;
  for (const std::uint32_t id : group->owning->partitions()) {
    if (NameOf(*partitions_[id]) == partition) {
      group->owning->Overwrite(id, std::move(commit));
      return;
    }
  }
}

}  // namespace cirro::internal::memory
