#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace cirro::internal {

/// No index.
inline constexpr std::uint32_t kNone = 0xFFFFFFFF;

/// Slots that are used again: an index finds one, addresses never change, and
/// a warm pool allocates nothing. What a slot holds stays between uses, so its
/// owner resets it.
template <typename T>
class Pool {
 public:
  [[nodiscard]] std::uint32_t Take() {
    if (free_.empty()) Grow();
    const std::uint32_t index = free_.back();
    free_.pop_back();
    return index;
  }
  void Release(std::uint32_t index) { free_.push_back(index); }

  T& operator[](std::uint32_t index) {
    return chunks_[index / kChunk][index % kChunk];
  }
  const T& operator[](std::uint32_t index) const {
    return chunks_[index / kChunk][index % kChunk];
  }
  /// Slots that exist, in use or not.
  [[nodiscard]] std::uint32_t size() const {
    return static_cast<std::uint32_t>(chunks_.size()) * kChunk;
  }

 private:
  static constexpr std::uint32_t kChunk = 64;

  void Grow() {
    const std::uint32_t first = size();
    chunks_.push_back(std::make_unique<T[]>(kChunk));
    free_.reserve(size());
    for (std::uint32_t i = kChunk; i > 0; --i) free_.push_back(first + i - 1);
  }

  std::vector<std::unique_ptr<T[]>> chunks_;
  std::vector<std::uint32_t> free_;
};

}  // namespace cirro::internal
