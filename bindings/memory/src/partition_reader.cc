#include "partition_reader.h"

#include <algorithm>
#include <limits>

namespace cirro::internal::memory {

PartitionReader::PartitionReader(Assignment assigned, std::uint32_t epoch,
                                 std::uint32_t longest_span)
    : partition_(assigned.partition),
      name_(std::move(assigned.name)),
      epoch_(epoch),
      end_(assigned.end),
      watermark_(longest_span) {
  map_.starts = 1;
  if (!assigned.commit) {
    watermark_.Reset(assigned.begin);
  } else {
    const MemoryCommit& commit = *assigned.commit;
    watermark_.Reset(commit.offset);
    auto map = DecodeOffsetMap(commit.metadata, commit.offset, assigned.end);
    if (map) {
      watermark_.Restore(map->base, map->done);
      for (const OffsetCount& one : map->attempts) {
        attempts_[one.offset] = one.count;
      }
      map_.starts = map->clean ? 1 : map->starts + 1;
    } else if (!commit.metadata.empty()) {
      warning_ = map.error().message;
    }
  }
  next_ = watermark_.next();
}

bool PartitionReader::Read(std::uint64_t offset) {
  next_ = offset + 1;
  dirty_ = true;
  return watermark_.Delivered(offset) == Watermark::Arrival::kOpen;
}

void PartitionReader::PassTo(FetchEnd end) {
  end_ = end.end;
  if (end.next <= next_ && watermark_.next() >= end.next) return;
  // No farther than the span allows; the rest is passed the next time.
  watermark_.Advance(end.next);
  next_ = std::max(next_, watermark_.next());
  dirty_ = true;
}

void PartitionReader::Done(std::uint64_t offset) {
  if (!watermark_.Done(offset)) return;
  dirty_ = true;
  if (!attempts_.empty()) attempts_.erase(offset);
}

void PartitionReader::Attempted(std::uint64_t offset, int attempts) {
  if (!watermark_.IsOpen(offset) || attempts <= 0) return;
  attempts_[offset] = static_cast<std::uint32_t>(attempts);
  dirty_ = true;
}

int PartitionReader::attempts(std::uint64_t offset) const {
  const auto found = attempts_.find(offset);
  if (found == attempts_.end()) return 0;
  // Anybody may have written the metadata; one more is to be added.
  constexpr std::uint32_t kMost = std::numeric_limits<int>::max() - 1;
  return static_cast<int>(std::min(found->second, kMost));
}

void PartitionReader::Seek(std::uint64_t offset, std::uint32_t epoch) {
  watermark_.Reset(offset);
  next_ = offset;
  epoch_ = epoch;
  attempts_.clear();
  dirty_ = true;
}

MemoryCommit PartitionReader::ToCommit(bool clean) {
  map_.base = watermark_.position();
  map_.next = std::max(map_.base, watermark_.next());
  map_.clean = clean;
  watermark_.DoneAbove(map_.done);
  map_.attempts.clear();
  for (const auto& [offset, count] : attempts_) {
    if (offset >= map_.base) map_.attempts.push_back({offset, count});
  }
  return {.offset = map_.base, .metadata = EncodeOffsetMap(map_)};
}

}  // namespace cirro::internal::memory
