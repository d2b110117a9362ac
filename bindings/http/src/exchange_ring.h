#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "answer.h"
#include "cirro/http/codec.h"

namespace cirro::internal::http {

/// The deliveries of one batch request, until the last is settled.
struct BatchState {
  std::size_t open = 0;
  int status = 0;  ///< The worst so far.
  std::chrono::milliseconds retry_after{0};
  std::vector<EventOutcome> outcomes;  ///< By event, in order.
  std::size_t reply_bytes = 0;         ///< Of the replies in them.
  std::size_t wanted_bytes = 0;        ///< Of all replies, also those refused.
  bool too_large = false;  ///< There was no memory for them: they are gone.
};

/// A request and what becomes its answer.
struct Exchange {
  enum class State : std::uint8_t {
    kOpen,      ///< With the sink.
    kDone,      ///< Answered by the done status alone.
    kAnswered,  ///< `answer` is written.
  };

  State state = State::kOpen;
  ContentMode mode = ContentMode::kNone;
  bool close = false;          ///< The connection ends after it.
  bool keep_alive = false;     ///< An HTTP/1.0 client wants to hear so.
  bool head_only = false;      ///< To HEAD.
  std::size_t body_bytes = 0;  ///< Of the request.
  Answer answer{};
  std::unique_ptr<BatchState> batch{};
};

/// The requests of a connection that are not answered yet, in order. Each has
/// a stream number, counted up from 0 and never used again.
class ExchangeRing {
 public:
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t next_stream() const { return first_ + size_; }

  [[nodiscard]] Exchange& front() { return At(first_); }
  /// The exchange of that stream, or null when it is over.
  [[nodiscard]] Exchange* Find(std::uint64_t stream) {
    return stream - first_ < size_ ? &At(stream) : nullptr;
  }

  /// Bytes of the answers' buffers, also of slots that are free.
  [[nodiscard]] std::size_t memory() const {
    std::size_t sum = 0;
    for (const Exchange& exchange : slots_) {
      sum += exchange.answer.head.capacity() + exchange.answer.body.capacity();
    }
    return sum;
  }

  /// References to others stay valid only until then.
  Exchange& Push() {
    if (size_ == slots_.size()) Grow();
    ++size_;
    return At(first_ + size_ - 1);
  }
  /// The slot keeps no more than a small answer's memory.
  void Pop() {
    Exchange& over = front();
    over.answer.Clear();
    over.batch.reset();
    over.state = Exchange::State::kOpen;
    over.mode = ContentMode::kNone;
    over.close = over.keep_alive = over.head_only = false;
    over.body_bytes = 0;
    ++first_;
    --size_;
  }

 private:
  [[nodiscard]] Exchange& At(std::uint64_t stream) {
    return slots_[stream & (slots_.size() - 1)];
  }

  // To the next power of two, each exchange at its stream's new place.
  void Grow() {
    std::vector<Exchange> larger(slots_.empty() ? 1 : slots_.size() * 2);
    for (std::uint64_t s = first_; s != first_ + size_; ++s) {
      larger[s & (larger.size() - 1)] = std::move(At(s));
    }
    slots_ = std::move(larger);
  }

  std::vector<Exchange> slots_;
  std::uint64_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace cirro::internal::http
