#include "broker_core.h"

#include <algorithm>
#include <utility>

#include "cirro/cloudevents/event.h"

namespace cirro::internal::memory {
namespace {

constexpr std::uint32_t kMostPartitions = 1'024;

// FNV-1a: the same key has the same partition, in every process.
std::uint64_t HashOf(std::string_view key) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : key) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  }
  return hash;
}

std::size_t SizeOf(const MessageHeaders& headers) {
  std::size_t size = 0;
  for (const auto& [name, value] : headers) size += name.size() + value.size();
  return size;
}

std::size_t SizeOf(const MemoryRecord& record) {
  std::size_t size = sizeof(Stored) + record.key.size();
  if (const auto* const event = std::get_if<Event>(&record.content)) {
    size += event->memory_size();
  } else {
    const auto& malformed = std::get<Malformed>(record.content);
    size += malformed.bytes.size() + SizeOf(malformed.headers);
  }
  if (record.original != nullptr) {
    size += SizeOf(record.original->headers);
    if (record.original->bytes) size += record.original->bytes->size();
  }
  return size;
}

void Store(MemoryRecord&& record, Stored& stored) {
  stored.original = std::move(record.original);
  stored.key = std::move(record.key);
  if (auto* const event = std::get_if<Event>(&record.content)) {
    stored.event = std::move(*event);
  } else {
    stored.malformed = std::make_shared<const Malformed>(
        std::get<Malformed>(std::move(record.content)));
  }
}

Error Refusal(ErrorCode code, std::string_view topic, std::string_view why) {
  return {code,
          "memory topic '" + std::string(topic) + "': " + std::string(why)};
}

}  // namespace

BrokerCore::Topics::iterator BrokerCore::TopicOf(std::string_view name,
                                                 std::uint32_t partitions) {
  const auto found = topics_.find(name);
  if (found != topics_.end()) return found;
  const auto made = topics_.try_emplace(std::string(name)).first;
  for (std::uint32_t index = 0; index < partitions; ++index) {
    made->second.partitions.push_back(
        static_cast<std::uint32_t>(partitions_.size()));
    partitions_.push_back(std::make_unique<Partition>(
        Partition{.topic = std::string(name), .index = index}));
  }
  return made;
}

Group* BrokerCore::GroupOf(std::string_view name) const {
  const auto found = groups_.find(name);
  return found == groups_.end() ? nullptr : found->second.get();
}

std::vector<std::uint32_t> BrokerCore::PartitionsOfTopics(
    const std::vector<std::string>& topics) {
  std::vector<std::uint32_t> all;
  for (const std::string& topic : topics) {
    const auto& some = TopicOf(topic, options_.partitions)->second.partitions;
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

Result<void> BrokerCore::CreateTopic(std::string_view name,
                                     std::uint32_t partitions) {
  if (partitions == 0 || partitions > kMostPartitions) {
    return Refusal(
        ErrorCode::kInvalidConfig, name,
        std::to_string(partitions) + " partitions are not 1 to 1024");
  }
  const MutexLock lock(mutex_);
  const std::size_t has = TopicOf(name, partitions)->second.partitions.size();
  if (has == partitions) return {};
  return Refusal(ErrorCode::kConflict, name,
                 "it has " + std::to_string(has) + " partitions, not " +
                     std::to_string(partitions));
}

Result<void> BrokerCore::MayProduce(const Topic& topic) {
  if (!reachable_) {
    return Error{ErrorCode::kUnavailable, "it is not reached"};
  }
  if (topic.refused) return Error{*topic.refused, "it is told to refuse"};
  if (failing_ == 0) return {};
  --failing_;
  return Error{failure_, "it is told to fail"};
}

bool BrokerCore::HasRoom(const Partition& partition, std::size_t bytes) const {
  return partition.log.size() < options_.max_records &&
         bytes_ + bytes <= options_.max_bytes;
}

// Whether a record of so many bytes has room, after what all groups settled
// was forgotten.
bool BrokerCore::MakeRoom(Partition& partition, std::uint32_t id,
                          std::size_t bytes) {
  if (HasRoom(partition, bytes)) return true;
  std::uint64_t settled = partition.log.end();
  bool read = false;
  for (const auto& [name, group] : groups_) {
    std::uint64_t position = partition.log.start();
    if (group->shared) {
      const Watermark* const cursor = group->shared->cursor(id);
      if (cursor == nullptr) continue;
      position = cursor->position();
    } else {
      const auto& all = group->owning->partitions();
      if (std::find(all.begin(), all.end(), id) == all.end()) continue;
      if (const MemoryCommit* const commit = group->owning->committed(id)) {
        position = commit->offset;
      }
    }
    read = true;
    settled = std::min(settled, position);
  }
  if (!read) return false;
  // Some at once, so that this is not done for each record.
  const std::uint64_t share = options_.max_records / 4 + 1;
  bytes_ -= partition.log.DropBefore(
      std::min(settled, partition.log.start() + share));
  if (!HasRoom(partition, bytes)) {
    bytes_ -= partition.log.DropBefore(settled);
  }
  return HasRoom(partition, bytes);
}

Result<std::uint64_t> BrokerCore::Produce(std::string_view name,
                                          MemoryRecord&& record) {
  const std::size_t bytes = SizeOf(record);
  const Timestamp time = clock_.WallTime();
  const MutexLock lock(mutex_);
  Topic& topic = TopicOf(name, options_.partitions)->second;
  if (auto may = MayProduce(topic); !may) {
    return Refusal(may.error().code, name, may.error().message);
  }
  if (bytes > options_.max_record_bytes) {
    return Refusal(ErrorCode::kTooLarge, name,
                   "the record takes " + std::to_string(bytes) +
                       " bytes, more than max_record_bytes, " +
                       std::to_string(options_.max_record_bytes));
  }
  const std::uint64_t turn =
      record.key.empty() ? topic.turn++ : HashOf(record.key);
  const std::uint32_t id =
      topic
          .partitions[static_cast<std::size_t>(turn % topic.partitions.size())];
  Partition& partition = *partitions_[id];
  if (!MakeRoom(partition, id, bytes)) {
    return Refusal(
        ErrorCode::kOverloaded, name,
        "it is full with what no group has settled: max_records is " +
            std::to_string(options_.max_records) + " a partition, max_bytes " +
            std::to_string(options_.max_bytes));
  }
  const std::uint64_t offset = partition.log.end();
  Stored& stored = partition.log.Append();
  Store(std::move(record), stored);
  stored.time = time;
  stored.bytes = bytes;
  bytes_ += bytes;
  if (delayed_ > 0) {
    --delayed_;
    stored.visible = clock_.Now() + delay_;
  }
  if (duplicates_ > 0) {
    --duplicates_;
    Stored twin = stored;
    partition.log.Append() = std::move(twin);
    bytes_ += bytes;
  }
  WakeAll();
  return offset;
}

// Waking whom it does not concern costs him a look.
void BrokerCore::WakeAll() {
  for (const auto& [name, group] : groups_) {
    if (group->shared) {
      group->shared->WakeAll();
    } else {
      group->owning->WakeAll();
    }
  }
}

std::vector<MemoryRecord> BrokerCore::Read(std::string_view name) const {
  const MutexLock lock(mutex_);
  std::vector<MemoryRecord> records;
  const auto found = topics_.find(name);
  if (found == topics_.end()) return records;
  for (const std::uint32_t id : found->second.partitions) {
    const Partition& partition = *partitions_[id];
    for (std::uint64_t at = partition.log.start(); at < partition.log.end();
         ++at) {
      const Stored& stored = partition.log.At(at);
      if (stored.is_gap()) continue;
      using Content = std::variant<Event, Malformed>;
      records.push_back({.content = stored.event ? Content(*stored.event)
                                                 : Content(*stored.malformed),
                         .original = stored.original,
                         .key = stored.key,
                         .time = stored.time,
                         .topic = partition.topic,
                         .partition = partition.index,
                         .offset = at});
    }
  }
  return records;
}

std::string BrokerCore::NameOf(std::uint32_t partition) const {
  const MutexLock lock(mutex_);
  if (partition >= partitions_.size()) return {};
  return NameOf(*partitions_[partition]);
}

std::string BrokerCore::NameOf(const Partition& partition) {
  return partition.topic + "/" + std::to_string(partition.index);
}

bool BrokerCore::reachable() const {
  const MutexLock lock(mutex_);
  return reachable_;
}

std::optional<MemoryCommit> BrokerCore::Committed(
    std::string_view group, std::string_view partition) const {
  const MutexLock lock(mutex_);
  const Group* const found = GroupOf(group);
  if (found == nullptr || !found->owning) return std::nullopt;
  for (const std::uint32_t id : found->owning->partitions()) {
    if (NameOf(*partitions_[id]) != partition) continue;
    if (const MemoryCommit* const commit = found->owning->committed(id)) {
      return *commit;
    }
  }
  return std::nullopt;
}

std::uint64_t BrokerCore::Pending(std::string_view name) const {
  const MutexLock lock(mutex_);
  const Group* const group = GroupOf(name);
  if (group == nullptr) return 0;
  std::uint64_t pending = 0;
  if (group->shared) {
    for (const auto& [id, cursor] : group->shared->cursors()) {
      pending += partitions_[id]->log.end() - cursor.next() + cursor.open();
    }
    return pending;
  }
  for (const std::uint32_t id : group->owning->partitions()) {
    const PartitionLog& log = partitions_[id]->log;
    const MemoryCommit* const commit = group->owning->committed(id);
    pending += log.end() - (commit == nullptr ? log.start() : commit->offset);
  }
  return pending;
}

std::size_t BrokerCore::Members(std::string_view name) const {
  const MutexLock lock(mutex_);
  const Group* const group = GroupOf(name);
  if (group == nullptr) return 0;
  return group->shared ? group->shared->members()
                       : group->owning->settled_members();
}

void BrokerCore::LoseAcks(std::size_t count) {
  const MutexLock lock(mutex_);
  lost_acks_ = count;
}
void BrokerCore::Duplicate(std::size_t count) {
  const MutexLock lock(mutex_);
  duplicates_ = count;
}
void BrokerCore::Delay(std::size_t count, Duration by) {
  const MutexLock lock(mutex_);
  delayed_ = count;
  delay_ = by;
}
void BrokerCore::FailProduces(std::size_t count, ErrorCode code) {
  const MutexLock lock(mutex_);
  failing_ = count;
  failure_ = code;
}
void BrokerCore::Refuse(std::string_view topic, std::optional<ErrorCode> code) {
  const MutexLock lock(mutex_);
  TopicOf(topic, options_.partitions)->second.refused = code;
}
void BrokerCore::SetReachable(bool reachable) {
  const MutexLock lock(mutex_);
  reachable_ = reachable;
  WakeAll();
}
void BrokerCore::LeaveGap(std::string_view topic, std::uint64_t count) {
  const MutexLock lock(mutex_);
  for (const std::uint32_t id :
       TopicOf(topic, options_.partitions)->second.partitions) {
    for (std::uint64_t i = 0; i < count; ++i) partitions_[id]->log.Append();
  }
  WakeAll();
}

}  // namespace cirro::internal::memory
