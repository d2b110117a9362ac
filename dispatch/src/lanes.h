#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hash.h"
#include "pool.h"

namespace cirro::internal {

/// A lane: one function's calls of one key, first come first called. Its
/// members are the engine's calls, linked from `head` to `tail`.
struct Lane {
  std::uint64_t hash = 0;
  std::string key;
  std::uint32_t function = 0;
  std::uint32_t head = kNone;
  std::uint32_t tail = kNone;
};

/// The lanes that have calls, found by function and exact key. Open addressing
/// without tombstones; the seed keeps senders, who pick the keys, from
/// knowing which ones collide.
class Lanes {
 public:
  explicit Lanes(std::uint64_t seed) : seed_(seed), slots_(64, kNone) {}

  /// The lane of that key, new and empty if there was none.
  [[nodiscard]] std::uint32_t Open(std::uint32_t function,
                                   std::string_view key) {
    if (slots_.size() < 2 * (std::size_t{count_} + 1)) Grow();
    const std::uint64_t hash =
        HashText(key, seed_ ^ Fold(std::uint64_t{function} + 1, kOdd));
    std::uint64_t at = hash & (slots_.size() - 1);
    for (; slots_[at] != kNone; at = Next(at)) {
      const Lane& lane = lanes_[slots_[at]];
      if (lane.hash == hash && lane.function == function && lane.key == key) {
        return slots_[at];
      }
    }
    const std::uint32_t index = lanes_.Take();
    Lane& lane = lanes_[index];
    lane.hash = hash;
    lane.key = key;
    lane.function = function;
    lane.head = lane.tail = kNone;
    slots_[at] = index;
    ++count_;
    return index;
  }

  /// REQUIRES: the lane is empty.
  void Close(std::uint32_t index) {
    std::uint64_t hole = lanes_[index].hash & (slots_.size() - 1);
    while (slots_[hole] != index) hole = Next(hole);
    // What was pushed past the hole moves back, so that no search ends early.
    for (std::uint64_t at = Next(hole); slots_[at] != kNone; at = Next(at)) {
      const std::uint64_t mask = slots_.size() - 1;
      const std::uint64_t home = lanes_[slots_[at]].hash & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        slots_[hole] = slots_[at];
        hole = at;
      }
    }
    slots_[hole] = kNone;
    lanes_.Release(index);
    --count_;
  }

  Lane& operator[](std::uint32_t index) { return lanes_[index]; }
  [[nodiscard]] std::uint32_t count() const { return count_; }

 private:
  static constexpr std::uint64_t kOdd = 0xA24BAED4963EE407;

  [[nodiscard]] std::uint64_t Next(std::uint64_t at) const {
    return (at + 1) & (slots_.size() - 1);
  }

  void Grow() {
    std::vector<std::uint32_t> old(slots_.size() * 2, kNone);
    old.swap(slots_);
    for (const std::uint32_t index : old) {
      if (index == kNone) continue;
      std::uint64_t at = lanes_[index].hash & (slots_.size() - 1);
      while (slots_[at] != kNone) at = Next(at);
      slots_[at] = index;
    }
  }

  const std::uint64_t seed_;
  Pool<Lane> lanes_;
  std::vector<std::uint32_t> slots_;
  std::uint32_t count_ = 0;
};

}  // namespace cirro::internal
