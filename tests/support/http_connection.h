#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bindings/http/src/connection.h"
#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/inlet.h"

namespace cirro::test {

/// Both ends of a connection without a socket, on a time that stands still.
/// The test gives bytes and room to send; it may look at everything that came
/// out. Settlements reach the connection at once.
class HttpConnectionRig final : public Settler {
 public:
  HttpConnectionRig(Sink& sink, HttpOptions options, bool admin_port = false)
      : options_(std::move(options)),
        host_({.options = options_,
               .info = info_,
               .settler = *this,
               .sink = sink,
               .side_routes = nullptr},
              buffers_) {
    host_.now = TimePoint(std::chrono::hours(1));
    host_.done_head = "HTTP/1.1 " + std::to_string(options_.done_status) +
                      " Done\r\ncontent-length: 0\r\n";
    connection_ = std::make_unique<internal::http::Connection>(
        1, admin_port, std::make_unique<Wire>(*this), host_);
  }

  void Settle(DeliveryToken token, Settlement settlement) noexcept override {
    if (connection_) connection_->Settle(token.low, std::move(settlement));
  }

  /// Bytes from the peer, as one event of the reactor.
  void Receive(std::string_view bytes) {
    Arrive(bytes);
    Turn();
  }
  /// Likewise, and no turn follows.
  void Arrive(std::string_view bytes) {
    arrived_ += bytes;
    connection_->OnReadable(peer_ended_);
  }
  void PeerEnds() {
    peer_ended_ = true;
    connection_->OnReadable(true);
    Turn();
  }
  /// The peer takes so many bytes more; at first it takes everything.
  void GiveRoom(std::size_t bytes) {
    room_ = bytes;
    connection_->OnWritable();
    Turn();
  }
  void Advance(std::chrono::milliseconds time) {
    host_.now += time;
    connection_->OnTimer();
    Turn();
  }
  void Enter(internal::http::DrainPhase phase) {
    host_.phase = phase;
    connection_->OnPhase();
    Turn();
  }
  /// What a reactor thread does at the end of a turn, and what it does for
  /// connections that had more to read than their share.
  void Turn() {
    for (bool more = true; more;) {
      EndTurn();
      more = !host_.resumed().empty();
      host_.BeginTurn();
    }
  }
  /// What is left of this turn alone.
  void EndTurn() {
    std::vector<internal::http::Connection*> touched;
    do {
      host_.Deliver();
      touched.clear();
      std::swap(touched, host_.touched());
      for (internal::http::Connection* const one : touched) {
        one->touched = false;
        one->Continue();
      }
    } while (!touched.empty());
  }
  void Destroy() { connection_.reset(); }

  [[nodiscard]] internal::http::Connection& connection() {
    return *connection_;
  }
  [[nodiscard]] internal::http::ConnectionHost& host() { return host_; }
  /// Everything sent so far.
  [[nodiscard]] const std::string& sent() const { return sent_; }
  [[nodiscard]] bool ended_writing() const { return ended_writing_; }
  [[nodiscard]] std::size_t unread() const { return arrived_.size(); }
  [[nodiscard]] int reads() const { return reads_; }
  /// From now until deadline(); max() when there is none.
  [[nodiscard]] Duration left() const {
    const TimePoint deadline = connection_->deadline();
    return deadline == TimePoint::max() ? Duration::max()
                                        : deadline - host_.now;
  }

 private:
  class Wire final : public internal::http::Transport {
   public:
    explicit Wire(HttpConnectionRig& rig) : rig_(rig) {}

    internal::http::IoResult Read(std::span<char> into) noexcept override {
      ++rig_.reads_;
      const std::size_t size = std::min(into.size(), rig_.arrived_.size());
      if (size == 0) {
        return {rig_.peer_ended_ ? internal::http::IoResult::Kind::kEnd
                                 : internal::http::IoResult::Kind::kBlock,
                0};
      }
      std::memcpy(into.data(), rig_.arrived_.data(), size);
      rig_.arrived_.erase(0, size);
      return {internal::http::IoResult::Kind::kDone, size};
    }
    internal::http::IoResult Write(std::string_view bytes) noexcept override {
      const std::size_t size = std::min(bytes.size(), rig_.room_);
      if (size == 0) return {internal::http::IoResult::Kind::kBlock, 0};
      rig_.sent_ += bytes.substr(0, size);
      rig_.room_ -= size;
      return {internal::http::IoResult::Kind::kDone, size};
    }
    void EndWriting() noexcept override { rig_.ended_writing_ = true; }

   private:
    HttpConnectionRig& rig_;
  };

  const HttpOptions options_;
  const InletInfo info_{.name = "http", .peer_waits = true};
  internal::http::BufferSums buffers_;
  internal::http::ConnectionHost host_;
  std::string arrived_;
  bool peer_ended_ = false;
  std::size_t room_ = ~std::size_t{0};
  std::string sent_;
  bool ended_writing_ = false;
  int reads_ = 0;
  std::unique_ptr<internal::http::Connection> connection_;
};

/// Success with a reply whose data has so many bytes.
inline Settlement ReplyOf(std::size_t bytes) {
  return {.kind = Settlement::Kind::kAck,
          .replies = {*EventBuilder()
                           .id("r")
                           .source("/s")
                           .type("t")
                           .data(Text(std::string(bytes, 'x')))
                           .Build()}};
}

/// An event in chunks, with an extension of one and a trailer.
inline std::string ChunkedEvent() {
  return "POST / HTTP/1.1\r\nHost: x\r\nce-specversion: 1.0\r\nce-id: c\r\n"
         "ce-source: /s\r\nce-type: t\r\nTransfer-Encoding: chunked\r\n\r\n"
         "4;a=b\r\ndata\r\n00\r\nT: x\r\n\r\n";
}

/// The statuses of the answers in `sent`, in order; -1 where it is no answer
/// whose length is what its Content-Length says. `100 Continue` is left out.
inline std::vector<int> StatusesIn(std::string_view sent) {
  std::vector<int> statuses;
  while (!sent.empty()) {
    const std::size_t head = sent.find("\r\n\r\n");
    if (!sent.starts_with("HTTP/1.1 ") || head == std::string_view::npos) {
      statuses.push_back(-1);
      break;
    }
    const int status = std::atoi(sent.data() + 9);
    const std::size_t at = sent.find("content-length: ");
    const std::size_t length =
        at < head ? std::strtoul(sent.data() + at + 16, nullptr, 10) : 0;
    if (sent.size() < head + 4 + length) {
      statuses.push_back(-1);
      break;
    }
    sent.remove_prefix(head + 4 + length);
    if (status != 100) statuses.push_back(status);
  }
  return statuses;
}

}  // namespace cirro::test
