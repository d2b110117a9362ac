#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "request_head.h"

namespace cirro::internal::http {

/// Bytes of a connection that are not a whole request yet, with kHeadPadding
/// readable bytes behind them. Holds no memory while it is empty.
class InputBuffer {
 public:
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::string_view view() const {
    return {data_.get() + begin_, end_ - begin_};
  }

  /// At least `size` bytes to write to, behind the view.
  [[nodiscard]] std::span<char> Room(std::size_t size) {
    if (capacity_ - end_ < size) Grow(end_ - begin_ + size);
    return {data_.get() + end_, capacity_ - end_};
  }
  /// `size` of them are written.
  void Commit(std::size_t size) { end_ += size; }

  void Append(std::string_view bytes) {
    std::memcpy(Room(bytes.size()).data(), bytes.data(), bytes.size());
    Commit(bytes.size());
  }

  void Consume(std::size_t size) {
    begin_ += size;
    if (empty()) Clear();
  }

  void Clear() { *this = InputBuffer(); }

 private:
  static constexpr std::size_t kSmallest = 2'048;

  void Grow(std::size_t size) {
    const std::size_t kept = end_ - begin_;
    if (size <= capacity_) {
      std::memmove(data_.get(), data_.get() + begin_, kept);
    } else {
      const std::size_t capacity = std::max({kSmallest, size, 2 * kept});
      auto data =
          std::make_unique_for_overwrite<char[]>(capacity + kHeadPadding);
      if (kept > 0) std::memcpy(data.get(), data_.get() + begin_, kept);
      std::memset(data.get() + capacity, 0, kHeadPadding);
      data_ = std::move(data);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = kept;
  }

  std::unique_ptr<char[]> data_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace cirro::internal::http
