#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "cirro/dispatch/offset_map.h"
#include "cirro/dispatch/watermark.h"
#include "group.h"

namespace cirro::internal::memory {

/// One partition that a member owns: what it read of it, and what to commit.
class PartitionReader {
 public:
  /// `epoch` tells what was delivered before a seek from what came after it.
  PartitionReader(Assignment assigned, std::uint32_t epoch,
                  std::uint32_t longest_span);

  [[nodiscard]] std::uint32_t partition() const { return partition_; }
  [[nodiscard]] std::uint32_t epoch() const { return epoch_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  /// Why a commit's metadata were ignored; empty where they were not.
  [[nodiscard]] const std::string& warning() const { return warning_; }

  [[nodiscard]] std::uint64_t next() const { return next_; }
  [[nodiscard]] bool HasRoom(std::uint64_t offset) const {
    return watermark_.HasRoom(offset);
  }
  /// Whether it is to be handed over. REQUIRES: it has room.
  bool Read(std::uint64_t offset);
  /// The reader is past what has no message.
  void PassTo(FetchEnd end);
  void Done(std::uint64_t offset);
  void Attempted(std::uint64_t offset, int attempts);
  /// How often a call of it failed so far.
  [[nodiscard]] int attempts(std::uint64_t offset) const;
  [[nodiscard]] bool IsOpen(std::uint64_t offset) const {
    return watermark_.IsOpen(offset);
  }
  /// Reads on from there; what is open counts for nothing.
  void Seek(std::uint64_t offset, std::uint32_t epoch);

  [[nodiscard]] std::uint64_t lag() const {
    return end_ - (next_ < end_ ? next_ : end_) + watermark_.open();
  }
  /// Whether there is anything new to commit.
  [[nodiscard]] bool dirty() const { return dirty_; }
  [[nodiscard]] MemoryCommit ToCommit(bool clean);
  void Committed() { dirty_ = false; }

 private:
  const std::uint32_t partition_;
  const std::string name_;
  std::string warning_;
  std::uint32_t epoch_;
  std::uint64_t next_ = 0;  // To be fetched.
  std::uint64_t end_ = 0;
  Watermark watermark_;
  OffsetMap map_;  // Kept for its memory; `starts` is its own.
  std::map<std::uint64_t, std::uint32_t> attempts_;
  bool dirty_ = true;
};

}  // namespace cirro::internal::memory
