#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/inlet.h"
#include "cirro/http/codec.h"
#include "cirro/http/options.h"
#include "cirro/http/receiver.h"
#include "request_head.h"

namespace cirro::internal::http {

class Connection;

/// How far a drain has come. Only forwards.
enum class DrainPhase : std::uint8_t {
  kServing,
  kLastRequests,  ///< Each answer that can be the last one says so.
  kFenced,        ///< Each connection is read to its end once; what begins
                  ///< after that is refused.
  kClosing,       ///< What is open is refused, and connections end.
};

/// Counters of one reactor thread: one writer, any reader.
struct alignas(64) ThreadCounters {
  using Counter = std::atomic<std::uint64_t>;

  static void Add(Counter& counter) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + 1,
                  std::memory_order_relaxed);
  }

  Counter accepted{0};
  Counter closed{0};
  Counter requests{0};
  std::array<Counter, kHttpRejects> rejected{};
  std::array<Counter, 4> forgiven{};
};

/// Sums over all connections of a receiver, bounded by max_buffered_bytes.
/// Written only where a request comes in pieces or an answer is not taken at
/// once.
struct BufferSums {
  std::atomic<std::size_t> received{0};  ///< Memory of requests here in part.
  std::atomic<std::size_t> unsent{0};    ///< Bytes of answers.

  /// Adds to `unsent` what fits. False: it does not.
  [[nodiscard]] bool Take(std::size_t bytes, std::size_t bound) {
    std::size_t held = unsent.load();
    while (held + bytes <= bound) {
      if (unsent.compare_exchange_weak(held, held + bytes)) return true;
    }
    return false;
  }
};

/// So much of an answer is taken however full the memory of all connections
/// is: an answer that says so is no larger.
inline constexpr std::size_t kSmallAnswer = 4'096;

[[nodiscard]] inline std::size_t BytesOf(const std::vector<Event>& replies) {
  std::size_t bytes = 0;
  for (const Event& reply : replies) bytes += reply.memory_size();
  return bytes;
}

/// What the connections of one reactor thread share: memory that only one
/// needs at a time, and the way to the sink. One thread.
class ConnectionHost {
 public:
  struct Parts {
    const HttpOptions& options;
    const InletInfo& info;
    Settler& settler;
    Sink& sink;
    HttpSideRoutes* side_routes;
  };

  /// REQUIRES: `shared` outlives *this.
  ConnectionHost(const Parts& given, BufferSums& shared)
      : parts(given),
        decoder(given.options.decode),
        buffers(shared),
        scratch_(std::make_unique_for_overwrite<char[]>(kScratchBytes +
                                                        kHeadPadding)) {
    deliveries_.reserve(kDeliverAt);
  }

  const Parts parts;
  HttpDecoder decoder;
  BufferSums& buffers;
  RequestHead head;
  ThreadCounters counters;
  TimePoint now{};  ///< Of this turn.
  DrainPhase phase = DrainPhase::kServing;
  TimePoint close_by = TimePoint::max();  ///< The end of every connection.
  /// The head of the answer to most requests, built once.
  std::string done_head;
  /// The Date field of this turn's answers; empty: none.
  std::string date_line;

  /// For one read; kHeadPadding readable bytes lie behind it.
  [[nodiscard]] std::span<char> scratch() {
    return {scratch_.get(), kScratchBytes};
  }

  /// Collects deliveries, so that the sink gets many at once.
  void Enqueue(Delivery delivery) {
    deliveries_.push_back(std::move(delivery));
  }
  [[nodiscard]] bool has_deliveries() const { return !deliveries_.empty(); }
  [[nodiscard]] bool should_deliver() const {
    return deliveries_.size() >= kDeliverAt;
  }
  /// Hands them over. Some may be settled when it returns.
  void Deliver() {
    if (deliveries_.empty()) return;
    parts.sink.Deliver(deliveries_);
    deliveries_.clear();
  }

  /// `connection` is looked at again before the turn ends.
  void Touch(Connection& connection);
  /// `connection` has more to read, but others had to wait long enough.
  void Resume(Connection& connection);
  [[nodiscard]] std::vector<Connection*>& touched() { return touched_; }
  [[nodiscard]] std::vector<Connection*>& resumed() { return resumed_; }

  /// Lets those that had to wait go on, first come, first served, until the
  /// turn is long.
  void BeginTurn();
  /// What a connection may read, about, before others have their turn.
  [[nodiscard]] std::size_t share() const {
    return turn_is_long() ? kShareOfLongTurn : kShare;
  }
  [[nodiscard]] bool turn_is_long() const { return turn_bytes_ >= kLongTurn; }
  void NoteRead(std::size_t bytes) { turn_bytes_ += bytes; }

  // Sums over the thread's connections, for who waits for the drain.
  std::size_t open_requests = 0;  ///< Read and not yet answered.
  std::size_t unquiet = 0;        ///< Connections that may deliver still.

 private:
  static constexpr std::size_t kScratchBytes = 65'536;
  static constexpr std::size_t kDeliverAt = 32;
  // In bytes, for there is work behind each: one-byte chunks are the dearest,
  // at some 10 ns a byte. In a turn that is long already, each connection that
  // has an event still has a small request read at once.
  static constexpr std::size_t kShare = 131'072;
  static constexpr std::size_t kShareOfLongTurn = 4'096;
  static constexpr std::size_t kLongTurn = 524'288;

  std::unique_ptr<char[]> scratch_;
  std::vector<Delivery> deliveries_;
  std::vector<Connection*> touched_;
  std::vector<Connection*> resumed_;
  std::size_t turn_bytes_ = 0;  ///< Read in this turn.
};

}  // namespace cirro::internal::http
