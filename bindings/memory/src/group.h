#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/settlement.h"
#include "cirro/dispatch/watermark.h"
#include "cirro/memory/broker.h"
#include "cirro/memory/memory.h"

// What the broker knows of its groups. None of it locks: it is the broker's.
namespace cirro::internal::memory {

/// Who is told that there may be something to do. Called with the broker's
/// mutex held: it does not call the broker.
class Waker {
 public:
  Waker() = default;
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  virtual ~Waker() = default;
  virtual void Wake() noexcept = 0;
};

/// How a member stands in its group.
struct GroupView {
  bool reachable = true;
  bool member = false;   ///< Else it is to join again.
  bool release = false;  ///< It is to give up what it owns.
  bool adopt = false;    ///< It owns something new, or nothing any more.
  /// Others have so long to give up what they own; max(): they have.
  TimePoint rebalanced_by = TimePoint::max();
};

struct Assignment {
  std::uint32_t partition = 0;
  std::string name;  ///< "topic/3"
  std::optional<MemoryCommit> commit;
  std::uint64_t begin = 0;  ///< Where it starts without a commit.
  std::uint64_t end = 0;
};

struct FetchEnd {
  std::uint64_t next = 0;  ///< The first offset that was not looked at.
  std::uint64_t end = 0;
  TimePoint visible = TimePoint::max();  ///< When the next one is there.
};

/// A group whose members own partitions. Eager: at each change all give up all.
class OwningGroup {
 public:
  explicit OwningGroup(Duration timeout) : timeout_(timeout) {}

  void Join(std::uint64_t id, Waker& waker, TimePoint now,
            const std::vector<std::uint32_t>& partitions);
  void Leave(std::uint64_t id, TimePoint now);
  [[nodiscard]] GroupView Look(std::uint64_t id, TimePoint now);
  std::vector<std::uint32_t> Adopt(std::uint64_t id);
  void Release(std::uint64_t id, TimePoint now);
  void Rebalance(TimePoint now);
  void Fence();

  /// False where the member may not.
  bool Commit(std::uint64_t id, std::uint32_t partition, MemoryCommit commit);
  void Overwrite(std::uint32_t partition, MemoryCommit commit) {
    commits_[partition] = std::move(commit);
  }
  [[nodiscard]] const MemoryCommit* committed(std::uint32_t partition) const;
  [[nodiscard]] const std::vector<std::uint32_t>& partitions() const {
    return partitions_;
  }
  [[nodiscard]] std::size_t settled_members() const;
  void WakeAll() noexcept;

 private:
  struct Member {
    Waker* waker;
    bool released = true;
    bool adopted = true;
    std::vector<std::uint32_t> owned{};
  };

  void Finish(TimePoint now);

  const Duration timeout_;
  std::map<std::uint64_t, Member> members_;
  std::vector<std::uint32_t> partitions_;
  std::map<std::uint32_t, MemoryCommit> commits_;
  bool rebalancing_ = false;
  TimePoint deadline_{};
};

/// How a message of a durable consumer ended.
struct SharedEnd {
  DeliveryToken token{};
  bool done = false;
  bool counts = true;  ///< What was given back untried was not delivered.
  Duration delay{};
};

/// A durable consumer whose members share messages: each is out until it is
/// settled, and comes again when its time is over.
class SharedGroup {
 public:
  static constexpr std::uint32_t kMostOut = 16'384;

  struct Message {
    std::uint32_t partition = 0;
    std::uint64_t offset = 0;
    std::uint64_t serial = 0;  ///< Of this delivery; 0: the slot is free.
    int attempts = 0;
    TimePoint due{};
    std::size_t place = 0;  ///< In the heap.
    bool out = false;
  };

  explicit SharedGroup(Duration ack_wait) : ack_wait_(ack_wait) {}

  void Join(std::uint64_t id, Waker& waker) { members_[id] = &waker; }
  void Leave(std::uint64_t id) { members_.erase(id); }
  [[nodiscard]] std::size_t members() const { return members_.size(); }
  void WakeAll() noexcept;

  /// The reading position in a partition, from `begin` where it is new.
  void Add(std::uint32_t partition, std::uint64_t begin);
  [[nodiscard]] Watermark* cursor(std::uint32_t partition);
  [[nodiscard]] const std::map<std::uint32_t, Watermark>& cursors() const {
    return cursors_;
  }

  [[nodiscard]] bool full() const { return due_.size() == kMostOut; }
  /// The next one whose time is over, delivered once more; null: none is.
  const Message* TakeDue(TimePoint now, DeliveryToken& token);
  /// A message that was never delivered. REQUIRES: not full().
  DeliveryToken Deliver(std::uint32_t partition, std::uint64_t offset,
                        TimePoint now);
  /// When the next one comes again.
  [[nodiscard]] TimePoint next_due() const {
    return due_.empty() ? TimePoint::max() : slots_[due_.front()].due;
  }
  void Settle(const SharedEnd& end, TimePoint now);
  void Extend(DeliveryToken token, TimePoint now);
  [[nodiscard]] const Message* Find(DeliveryToken token) const;

 private:
  DeliveryToken Send(std::uint32_t slot, TimePoint now);
  // A heap of the slots in use, the one that comes again first in front.
  void Place(std::size_t place, std::uint32_t slot);
  void Sift(std::size_t place);
  void SetDue(std::uint32_t slot, TimePoint due);
  void Remove(std::uint32_t slot);

  const Duration ack_wait_;
  std::map<std::uint64_t, Waker*> members_;
  std::map<std::uint32_t, Watermark> cursors_;
  std::vector<Message> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> due_;
  std::uint64_t last_serial_ = 0;
};

/// One of the two, and what is common to them.
struct Group {
  MemoryMode mode = MemoryMode::kPartitioned;
  std::vector<std::string> topics{};
  bool from_beginning = true;
  std::optional<OwningGroup> owning{};
  std::optional<SharedGroup> shared{};
};

}  // namespace cirro::internal::memory
