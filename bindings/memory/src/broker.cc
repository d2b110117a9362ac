#include "cirro/memory/broker.h"

#include <utility>

#include "broker_core.h"

namespace cirro {

MemoryBroker::MemoryBroker(const Clock& clock, MemoryBrokerOptions options)
    : core_(std::make_unique<internal::memory::BrokerCore>(clock, options)) {}
MemoryBroker::~MemoryBroker() = default;

Result<void> MemoryBroker::CreateTopic(std::string_view name,
                                       std::uint32_t partitions) {
  return core_->CreateTopic(name, partitions);
}
Result<std::uint64_t> MemoryBroker::Produce(std::string_view topic,
                                            MemoryRecord record) {
  return core_->Produce(topic, std::move(record));
}
std::vector<MemoryRecord> MemoryBroker::Read(std::string_view topic) const {
  return core_->Read(topic);
}
std::optional<MemoryCommit> MemoryBroker::Committed(
    std::string_view group, std::string_view partition) const {
  return core_->Committed(group, partition);
}
std::uint64_t MemoryBroker::Pending(std::string_view group) const {
  return core_->Pending(group);
}
std::size_t MemoryBroker::Members(std::string_view group) const {
  return core_->Members(group);
}

void MemoryBroker::LoseAcks(std::size_t count) { core_->LoseAcks(count); }
void MemoryBroker::Duplicate(std::size_t count) { core_->Duplicate(count); }
void MemoryBroker::Delay(std::size_t count, std::chrono::milliseconds by) {
  core_->Delay(count, by);
}
void MemoryBroker::FailProduces(std::size_t count, ErrorCode code) {
  core_->FailProduces(count, code);
}
void MemoryBroker::Refuse(std::string_view topic,
                          std::optional<ErrorCode> code) {
  core_->Refuse(topic, code);
}
void MemoryBroker::SetReachable(bool reachable) {
  core_->SetReachable(reachable);
}
void MemoryBroker::LeaveGap(std::string_view topic, std::uint64_t count) {
  core_->LeaveGap(topic, count);
}
void MemoryBroker::Rebalance(std::string_view group) {
  core_->Rebalance(group);
}
void MemoryBroker::Fence(std::string_view group) { core_->Fence(group); }
void MemoryBroker::OverwriteCommit(std::string_view group,
                                   std::string_view partition,
                                   MemoryCommit commit) {
  core_->OverwriteCommit(group, partition, std::move(commit));
}

}  // namespace cirro
