#include <algorithm>
#include <iterator>

#include "group.h"

namespace cirro::internal::memory {

void OwningGroup::Join(std::uint64_t id, Waker& waker, TimePoint now,
                       const std::vector<std::uint32_t>& partitions) {
  for (const std::uint32_t partition : partitions) {
    if (std::find(partitions_.begin(), partitions_.end(), partition) ==
        partitions_.end()) {
      partitions_.push_back(partition);
    }
  }
  members_[id] = {.waker = &waker};
  Rebalance(now);
}

void OwningGroup::Leave(std::uint64_t id, TimePoint now) {
  if (members_.erase(id) > 0) Rebalance(now);
}

void OwningGroup::Rebalance(TimePoint now) {
  if (!rebalancing_) {
    rebalancing_ = true;
    deadline_ = now + timeout_;
    for (auto& [id, member] : members_) member.released = member.owned.empty();
  }
  WakeAll();
  Finish(now);
}

// Once all gave up what they had, or had their time.
void OwningGroup::Finish(TimePoint now) {
  if (!rebalancing_) return;
  const auto has_not = [](const auto& one) { return !one.second.released; };
  if (now < deadline_ &&
      std::any_of(members_.begin(), members_.end(), has_not)) {
    return;
  }
  std::erase_if(members_, has_not);
  for (auto& [id, member] : members_) {
    member.owned.clear();
    member.adopted = false;
  }
  auto next = members_.begin();
  for (const std::uint32_t partition : partitions_) {
    if (members_.empty()) break;
    next->second.owned.push_back(partition);
    if (++next == members_.end()) next = members_.begin();
  }
  rebalancing_ = false;
  WakeAll();
}

GroupView OwningGroup::Look(std::uint64_t id, TimePoint now) {
  Finish(now);
  const auto found = members_.find(id);
  if (found == members_.end()) return {};
  const Member& member = found->second;
  return {.member = true,
          .release = rebalancing_ && !member.released,
          .adopt = !rebalancing_ && !member.adopted,
          .rebalanced_by = rebalancing_ ? deadline_ : TimePoint::max()};
}

std::vector<std::uint32_t> OwningGroup::Adopt(std::uint64_t id) {
  const auto found = members_.find(id);
  if (found == members_.end()) return {};
  found->second.adopted = true;
  return found->second.owned;
}

void OwningGroup::Release(std::uint64_t id, TimePoint now) {
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  found->second.released = true;
  found->second.owned.clear();
  Finish(now);
}

void OwningGroup::Fence() {
  const std::map<std::uint64_t, Member> fenced = std::move(members_);
  members_.clear();
  for (const auto& [id, member] : fenced) member.waker->Wake();
}

bool OwningGroup::Commit(std::uint64_t id, std::uint32_t partition,
                         MemoryCommit commit) {
  const auto found = members_.find(id);
  if (found == members_.end()) return false;
  const auto& owned = found->second.owned;
  if (std::find(owned.begin(), owned.end(), partition) == owned.end()) {
    return false;
  }
  commits_[partition] = std::move(commit);
  return true;
}

const MemoryCommit* OwningGroup::committed(std::uint32_t partition) const {
  const auto found = commits_.find(partition);
  return found == commits_.end() ? nullptr : &found->second;
}

std::size_t OwningGroup::settled_members() const {
  if (rebalancing_) return 0;
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(),
                    [](const auto& one) { return one.second.adopted; }));
}

void OwningGroup::WakeAll() noexcept {
  for (auto& [id, member] : members_) member.waker->Wake();
}

}  // namespace cirro::internal::memory
