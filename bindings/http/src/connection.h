#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "answer.h"
#include "connection_host.h"
#include "exchange_ring.h"
#include "input_buffer.h"
#include "request_parser.h"
#include "timer_wheel.h"
#include "transport.h"

namespace cirro::internal::http {

/// One HTTP/1.1 connection: bytes in, requests, deliveries; settlements,
/// answers in order, bytes out. Knows neither sockets nor epoll, reads no
/// clock. One thread.
///
/// Its owner calls it on events, then Continue() for every connection that was
/// touched, then looks at finished() and deadline().
class Connection : public TimerNode {
 public:
  Connection(std::uint64_t id, bool admin_port,
             std::unique_ptr<Transport> transport, ConnectionHost& host);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Bytes or the peer's end may have come; `end_in_sight`: the end has.
  void OnReadable(bool end_in_sight);
  /// Bytes may go out again.
  void OnWritable();
  /// A deadline may be over.
  void OnTimer();
  /// There are too many connections: says so and ends.
  void RefuseConnection();

  /// A delivery of this connection is settled. `low` is its token's.
  void Settle(std::uint64_t low, Settlement&& settlement);
  /// One is, with replies of so many bytes that there was no memory for.
  void SettleWithoutReplies(std::uint64_t low, std::size_t bytes);

  /// The host's phase has changed.
  void OnPhase();

  /// Sends what can be sent, goes on with what had to wait.
  void Continue();

  [[nodiscard]] std::uint64_t id() const { return id_; }
  [[nodiscard]] bool admin_port() const { return admin_port_; }
  /// Nothing more happens here; it can be destroyed.
  [[nodiscard]] bool finished() const { return finished_; }
  /// Bytes of the buffers behind this connection.
  [[nodiscard]] std::size_t memory() const {
    return out_.capacity() + in_.capacity() + parser_.memory() +
           exchanges_.memory();
  }
  /// When OnTimer has something to do.
  [[nodiscard]] TimePoint deadline() const;

  bool touched = false;  ///< Of the host: in its list.
  bool resumed = false;  ///< Likewise: it reads on in a later turn.

 private:
  // What of a request is here; what its timeout is about.
  enum class Partial : std::uint8_t { kNone, kHead, kBody };

  void Pump();
  std::size_t Read(std::size_t limit);
  std::size_t Parse(std::string_view input);
  void Keep(std::string_view rest);
  void ParseBuffered();
  void NotePartial();
  void SendContinue();
  void NoteMemory();
  void Hold(std::size_t bytes);
  [[nodiscard]] bool HasMemoryFor(std::size_t more) const;
  [[nodiscard]] bool HasMemoryToAnswer(std::size_t more) const;
  [[nodiscard]] bool HasRoom() const;
  [[nodiscard]] bool MakeRoom();

  void TakeRequest();
  bool TakeSideRequest(Exchange& exchange);
  bool AskSideRoutes(HttpReply& reply) const;
  [[nodiscard]] std::string_view AllowedMethods() const;
  void TakeEvent(Exchange& exchange);
  void TakeBatch(Exchange& exchange, std::vector<Result<Event>> members,
                 std::uint64_t low);
  [[nodiscard]] const InletInfo& InfoOfRequest() const;
  template <typename Content>
  Delivery MakeDelivery(Content content, std::uint64_t low,
                        std::uint32_t reply_capacity);
  void NoteForgiven(Leniency forgiven, const Event& event);
  [[nodiscard]] Malformed Describe(Error error, std::string_view body) const;
  void Refuse(const HttpRefusal& refusal);
  void Reject(Exchange& exchange, const HttpRefusal& refusal);
  void Answered(Exchange& exchange);
  void SettleOne(Exchange& exchange, Settlement&& settlement);
  void SettleBatched(Exchange& exchange, std::size_t index,
                     Settlement&& settlement);
  void TakeReplies(BatchState& batch, EventOutcome& outcome,
                   std::vector<Event> replies);
  void RejectReplies(Exchange& exchange, std::size_t bytes);
  void GiveUpReplies(BatchState& batch);
  void DropReplies(BatchState& batch);
  void FinishBatch(Exchange& exchange);

  [[nodiscard]] bool HasAnswer();
  void Emit();
  void EmitAnswer(Exchange& exchange);
  void Flush();
  void EndIfDone();
  void Break();
  void UpdateQuiet();
  [[nodiscard]] std::size_t unsent() const { return out_.size() - sent_; }

  const std::uint64_t id_;
  const bool admin_port_;
  ConnectionHost& host_;
  std::unique_ptr<Transport> transport_;

  RequestParser parser_;
  InputBuffer in_;
  ExchangeRing exchanges_;
  std::string out_;
  std::size_t sent_ = 0;        ///< Of out_.
  std::size_t held_bytes_ = 0;  ///< Of answers that wait for an earlier one.
  std::size_t open_bytes_ = 0;  ///< Of the bodies of requests not answered.

  std::size_t noted_received_ = 0;  ///< In the host's received_bytes.
  std::size_t noted_unsent_ = 0;    ///< In its unsent_bytes.

  bool readable_ = false;      ///< The socket may have more.
  bool paused_ = false;        ///< in_ has more, but there was no room.
  bool unparsed_ = false;      ///< Parse() has more before it.
  bool input_done_ = false;    ///< What comes is dropped.
  bool end_in_sight_ = false;  ///< The peer's end is there, behind bytes.
  bool peer_ended_ = false;    ///< And is read.
  bool ended_writing_ = false;
  bool finished_ = false;
  bool continue_owed_ = false;
  bool continue_sent_ = false;
  bool fenced_ = false;              ///< What begins now came after the fence.
  bool began_before_fence_ = false;  ///< The request that is half here.
  bool unquiet_ = true;              ///< Counted in the host's `unquiet`.
  Partial partial_ = Partial::kNone;

  std::size_t window_bytes_ = 0;  ///< Read since the body's window began.
  TimePoint partial_deadline_{};
  const std::chrono::milliseconds idle_timeout_;
  TimePoint idle_deadline_{};
  TimePoint write_deadline_{};
  TimePoint linger_deadline_{};
};

}  // namespace cirro::internal::http
