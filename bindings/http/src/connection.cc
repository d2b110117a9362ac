#include "connection.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace cirro::internal::http {
namespace {

// Own buffers grow with what has come, not with what was announced.
constexpr std::size_t kReadBytes = 2'048;
constexpr std::size_t kBodyReadBytes = 16'384;
// So much of a request is taken however full the memory of all connections is,
// so that those that send large ones cannot keep the others out.
constexpr std::size_t kSmallRequest = 4'096;

constexpr HttpRefusal kBuffersAreFull{503, HttpReject::kBuffers,
                                      "too much is being received"};

// Idle connections to the admin port must not keep a prober out for long.
constexpr std::chrono::milliseconds kAdminIdleTimeout{5'000};

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

void ConnectionHost::Touch(Connection& connection) {
  if (std::exchange(connection.touched, true)) return;
  touched_.push_back(&connection);
}

void ConnectionHost::Resume(Connection& connection) {
  if (std::exchange(connection.resumed, true)) return;
  resumed_.push_back(&connection);
}

void ConnectionHost::BeginTurn() {
  turn_bytes_ = 0;
  std::vector<Connection*> waiting;
  std::swap(waiting, resumed_);
  auto next = waiting.begin();
  for (; next != waiting.end() && !turn_is_long(); ++next) {
    (*next)->resumed = false;
    (*next)->OnReadable(false);
  }
  // Before those that have just had another share.
  resumed_.insert(resumed_.begin(), next, waiting.end());
}

Connection::Connection(std::uint64_t id, bool admin_port,
                       std::unique_ptr<Transport> transport,
                       ConnectionHost& host)
    : id_(id),
      admin_port_(admin_port),
      host_(host),
      transport_(std::move(transport)),
      parser_(host.parts.options),
      idle_timeout_(admin_port ? std::min(host.parts.options.idle_timeout,
                                          kAdminIdleTimeout)
                               : host.parts.options.idle_timeout),
      idle_deadline_(host.now + idle_timeout_) {
  ++host_.unquiet;
}

Connection::~Connection() {
  host_.buffers.received -= noted_received_;
  host_.buffers.unsent -= noted_unsent_;
  host_.open_requests -= exchanges_.size();
  if (unquiet_) --host_.unquiet;
  TimerWheel::Cancel(*this);
}

void Connection::OnReadable(bool end_in_sight) {
  readable_ = true;
  end_in_sight_ = end_in_sight_ || end_in_sight;
  // It has its place among those that wait, however much more comes.
  if (resumed) return;
  Pump();
  host_.Touch(*this);
}

void Connection::OnWritable() {
  if (unsent() > 0) host_.Touch(*this);
}

void Connection::OnPhase() {
  if (host_.phase == DrainPhase::kFenced) {
    readable_ = true;
    Pump();
  } else if (host_.phase == DrainPhase::kClosing) {
    const HttpRefusal late{503, HttpReject::kDraining, "stopping"};
    for (std::uint64_t s = exchanges_.next_stream() - exchanges_.size();
         s != exchanges_.next_stream(); ++s) {
      Exchange& exchange = *exchanges_.Find(s);
      if (exchange.state != Exchange::State::kOpen) continue;
      if (exchange.batch != nullptr) DropReplies(*exchange.batch);
      Reject(exchange, late);
    }
    if (!input_done_ && parser_.in_request()) {
      Refuse(late);
    }
    input_done_ = true;
  }
  host_.Touch(*this);
}

// Reading and parsing.

void Connection::NoteMemory() {
  const std::size_t received = in_.capacity() + parser_.memory();
  if (received != noted_received_) {
    host_.buffers.received += received - noted_received_;
    noted_received_ = received;
  }
  const std::size_t unsent_now = unsent() + held_bytes_;
  if (unsent_now != noted_unsent_) {
    host_.buffers.unsent += unsent_now - noted_unsent_;
    noted_unsent_ = unsent_now;
  }
}

// Beyond what this connection holds of a request.
bool Connection::HasMemoryFor(std::size_t more) const {
  return noted_received_ + more <= kSmallRequest ||
         host_.buffers.received + more <=
             host_.parts.options.max_buffered_bytes;
}

bool Connection::HasRoom() const {
  const HttpOptions& options = host_.parts.options;
  return exchanges_.size() < options.max_pipelined &&
         unsent() + held_bytes_ + open_bytes_ < options.max_unsent_bytes;
}

// In the middle of parsing: what functions on this thread answer at once, and
// the socket takes at once, is out of the way.
bool Connection::MakeRoom() {
  if (HasRoom()) return true;
  unparsed_ = true;
  host_.Deliver();
  Emit();
  Flush();
  unparsed_ = false;
  return HasRoom();
}

void Connection::Pump() {
  const std::size_t share = host_.share();
  for (std::size_t read = 0; readable_ && !paused_ && !finished_;) {
    if (read >= share) {
      host_.Resume(*this);
      return;
    }
    read += Read(share);
  }
  UpdateQuiet();
}

// At most `limit` bytes; how many it was.
std::size_t Connection::Read(std::size_t limit) {
  // A request that is here in part gets a buffer; others are read and parsed
  // in memory that all connections share, and leave nothing behind.
  const bool shared = input_done_ || in_.empty();
  std::span<char> room = host_.scratch();
  if (!shared) {
    const std::size_t have = in_.view().size();
    if (in_.capacity() == have && !HasMemoryFor(have)) {
      Refuse(kBuffersAreFull);
      in_.Clear();
      return 0;
    }
    room = in_.Room(
        parser_.wanted() > have
            ? std::min(parser_.wanted() - have, std::max(kBodyReadBytes, have))
            : kReadBytes);
  }
  room = room.first(std::min(room.size(), limit));
  const IoResult result = transport_->Read(room);
  switch (result.kind) {
    case IoResult::Kind::kDone:
      break;
    case IoResult::Kind::kBlock:
      readable_ = false;
      return 0;
    case IoResult::Kind::kEnd:
      readable_ = false;
      peer_ended_ = true;
      if (!input_done_ && parser_.in_request()) {
        Refuse({400, HttpReject::kBadRequest, "the request ends too early"});
      }
      input_done_ = true;
      return 0;
    case IoResult::Kind::kBroken:
      Break();
      return 0;
  }
  host_.NoteRead(result.size);
  // A read that did not fill the room has emptied the socket, and what comes
  // later is a new edge. An end that came with this edge is not.
  if (result.size < room.size()) readable_ = end_in_sight_;
  if (input_done_) return result.size;

  window_bytes_ += result.size;
  if (shared) {
    const std::string_view input(room.data(), result.size);
    const std::size_t used = Parse(input);
    if (used < input.size() && !input_done_) Keep(input.substr(used));
  } else {
    in_.Commit(result.size);
    ParseBuffered();
  }
  NoteMemory();
  return result.size;
}

// What could not be parsed yet, for a later read.
void Connection::Keep(std::string_view rest) {
  if (HasMemoryFor(rest.size())) {
    in_.Append(rest);
  } else {
    Refuse(kBuffersAreFull);
  }
}

void Connection::ParseBuffered() {
  const std::size_t used = Parse(in_.view());
  if (input_done_) {
    in_.Clear();
  } else {
    in_.Consume(used);
  }
}

std::size_t Connection::Parse(std::string_view input) {
  const std::size_t size = input.size();
  while (!input.empty() && !input_done_) {
    if (!MakeRoom()) {
      paused_ = true;
      break;
    }
    const RequestParser::Progress progress = parser_.Advance(input, host_.head);
    input.remove_prefix(progress.consumed);
    if (progress.step == RequestParser::Step::kNeedMore) {
      NotePartial();
      break;
    }
    partial_ = Partial::kNone;
    if (progress.step == RequestParser::Step::kRefused) {
      Refuse(parser_.refusal());
      break;
    }
    TakeRequest();
    parser_.Release();
    continue_owed_ = false;
    continue_sent_ = false;
    began_before_fence_ = false;
  }
  return size - input.size();
}

// The request in hand goes on in a later read: what it must keep to.
void Connection::NotePartial() {
  const HttpOptions& options = host_.parts.options;
  NoteMemory();
  if (!HasMemoryFor(0)) {  // A chunked body is in the parser.
    Refuse(kBuffersAreFull);
    return;
  }
  if (parser_.in_body()) {
    if (partial_ != Partial::kBody) {
      partial_ = Partial::kBody;
      partial_deadline_ = host_.now + options.body_timeout;
      window_bytes_ = 0;
    }
    if (parser_.expects_continue() && !continue_sent_) {
      // Who waits to be asked is not slow.
      continue_owed_ = true;
      partial_deadline_ = TimePoint::max();
      host_.Touch(*this);
    }
  } else if (parser_.in_request() && partial_ == Partial::kNone) {
    partial_ = Partial::kHead;
    partial_deadline_ = host_.now + options.header_timeout;
  }
}

// "A server MAY omit sending a 100 (Continue) response if it has already
// received some or all of the content". It comes after all earlier answers.
// RFC 9110 section 10.1.1
void Connection::SendContinue() {
  if (!continue_owed_ || !exchanges_.empty() || input_done_) return;
  continue_owed_ = false;
  continue_sent_ = true;
  partial_deadline_ = host_.now + host_.parts.options.body_timeout;
  window_bytes_ = 0;
  out_ += kContinue;
}

// Answers and sending.

void Connection::Continue() {
  for (;;) {
    Emit();
    SendContinue();
    Flush();
    if (finished_) return;
    // The socket took what it had refused a moment ago: no edge will say so.
    if (unsent() == 0 && HasAnswer()) continue;
    if (paused_ && HasRoom()) {
      paused_ = false;
      ParseBuffered();
      continue;
    }
    if (!paused_ && readable_ && !resumed) {
      if (host_.turn_is_long()) {
        host_.Resume(*this);
        break;
      }
      Pump();
      // Deliveries of these requests go out before their answers.
      if (!exchanges_.empty()) break;
      continue;
    }
    break;
  }
  NoteMemory();
  UpdateQuiet();
  EndIfDone();
}

bool Connection::HasAnswer() {
  return !exchanges_.empty() &&
         exchanges_.front().state != Exchange::State::kOpen;
}

void Connection::Emit() {
  while (HasAnswer()) {
    Exchange& exchange = exchanges_.front();
    // Answers wait where they are, not once more in the output.
    if (unsent() >= host_.parts.options.max_unsent_bytes) Flush();
    if (finished_ || unsent() >= host_.parts.options.max_unsent_bytes) return;
    EmitAnswer(exchange);
    open_bytes_ -= exchange.body_bytes;
    exchanges_.Pop();
    --host_.open_requests;
    idle_deadline_ = host_.now + idle_timeout_;
  }
}

void Connection::EmitAnswer(Exchange& exchange) {
  // A drain closes a connection with the last answer that it owes: not before
  // a request that has begun to arrive.
  const bool last = exchanges_.size() == 1 && in_.empty() && !unparsed_ &&
                    !parser_.in_request();
  const bool close =
      exchange.close || (last && host_.phase != DrainPhase::kServing);
  if (unsent() == 0) {
    write_deadline_ = host_.now + host_.parts.options.write_timeout;
  }
  if (exchange.state == Exchange::State::kDone) {
    out_ += host_.done_head;
  } else {
    out_ += exchange.answer.head;
    held_bytes_ -= exchange.answer.size();
  }
  out_ += host_.date_line;
  if (close) {
    out_ += "connection: close\r\n";
    input_done_ = true;
  } else if (exchange.keep_alive) {
    out_ += "connection: keep-alive\r\n";
  }
  out_ += "\r\n";
  if (!exchange.head_only) out_ += exchange.answer.body;
}

void Connection::Flush() {
  while (unsent() > 0 && !finished_) {
    const IoResult result =
        transport_->Write(std::string_view(out_).substr(sent_));
    if (result.kind == IoResult::Kind::kBlock) {
      // A peer may never take all of it: what went out is dropped when it is
      // the larger part, so that no byte is moved twice.
      if (sent_ > unsent()) {
        out_.erase(0, sent_);
        sent_ = 0;
      }
      return;
    }
    if (result.kind != IoResult::Kind::kDone) {
      Break();
      return;
    }
    sent_ += result.size;
    write_deadline_ = host_.now + host_.parts.options.write_timeout;
  }
  ClearBuffer(out_);
  sent_ = 0;
}

void Connection::EndIfDone() {
  if (finished_ || !input_done_ || !exchanges_.empty() || unsent() > 0) return;
  if (!std::exchange(ended_writing_, true)) {
    in_.Clear();
    paused_ = false;
    transport_->EndWriting();
    linger_deadline_ = host_.now + host_.parts.options.linger;
    // What is unread when the socket is closed would reset the peer, and the
    // answer it has not read yet would be lost to it.
    readable_ = true;
    Pump();
  }
  if (peer_ended_) finished_ = true;
}

void Connection::Break() {
  finished_ = true;
  input_done_ = true;
  readable_ = false;
}

// Quiet: nothing on this connection will become a delivery any more.
void Connection::UpdateQuiet() {
  if (host_.phase < DrainPhase::kFenced || !unquiet_) return;
  if (!fenced_ && !readable_ && !paused_) {
    fenced_ = true;
    began_before_fence_ = parser_.in_request();
  }
  if (input_done_ || (fenced_ && !began_before_fence_)) {
    unquiet_ = false;
    --host_.unquiet;
  }
}

// Time.

TimePoint Connection::deadline() const {
  TimePoint deadline = host_.close_by;
  if (ended_writing_) return std::min(deadline, linger_deadline_);
  if (unsent() > 0) deadline = std::min(deadline, write_deadline_);
  if (!input_done_ && !paused_) {
    if (partial_ != Partial::kNone) {
      deadline = std::min(deadline, partial_deadline_);
    } else if (exchanges_.empty() && unsent() == 0) {
      deadline = std::min(deadline, idle_deadline_);
    }
  }
  return deadline;
}

void Connection::OnTimer() {
  if (finished_ || host_.now < deadline()) return;
  if (ended_writing_ || host_.now >= host_.close_by ||
      (unsent() > 0 && host_.now >= write_deadline_)) {
    Break();
    return;
  }
  if (partial_ != Partial::kNone && resumed) {  // It waits for its turn.
    const HttpOptions& options = host_.parts.options;
    partial_deadline_ =
        host_.now + (partial_ == Partial::kBody ? options.body_timeout
                                                : options.header_timeout);
    return;
  }
  if (partial_ == Partial::kBody &&
      window_bytes_ >= host_.parts.options.body_min_bytes) {
    window_bytes_ = 0;
    partial_deadline_ = host_.now + host_.parts.options.body_timeout;
    return;
  }
  if (partial_ != Partial::kNone) {
    partial_ = Partial::kNone;
    Refuse({408, HttpReject::kTimeout, "the request comes too slowly"});
  }
  input_done_ = true;
  host_.Touch(*this);
}

}  // namespace cirro::internal::http
