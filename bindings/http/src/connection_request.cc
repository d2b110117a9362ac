// Connection, second part: from a request to deliveries, from settlements to
// an answer.

#include <algorithm>
#include <cassert>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "cirro/cloudevents/event_assembler.h"
#include "cirro/cloudevents/header_text.h"
#include "cirro/cloudevents/media_type.h"
#include "connection.h"
#include "status.h"

namespace cirro::internal::http {
namespace {

constexpr int kIndexBits = 24;  // of a token's low half; above: the stream
constexpr std::uint64_t kIndexMask = (std::uint64_t{1} << kIndexBits) - 1;

constexpr HttpRefusal kAnswersAreFull{503, HttpReject::kBuffers,
                                      "too much is being sent"};
constexpr HttpRefusal kRedriveIsOff{403, HttpReject::kRedrive,
                                    "names its function; http.redrive is off"};
constexpr std::string_view kNeverFit =
    "the replies take more than http.max_buffered_bytes";

struct Target {
  std::string_view path;
  std::string_view query;
};

// RFC 9112 section 3.2: "To allow for transition to the absolute-form for all
// requests [...], a server MUST accept the absolute-form in requests".
Target SplitTarget(std::string_view target) {
  if (!target.starts_with('/')) {
    const std::size_t authority = target.find("://");
    if (authority != std::string_view::npos) {
      const std::size_t path = target.find_first_of("/?", authority + 3);
      target = path == std::string_view::npos ? "/" : target.substr(path);
    }
  }
  const std::size_t query = target.find('?');
  if (query == std::string_view::npos) return {target, {}};
  return {target.substr(0, query), target.substr(query + 1)};
}

// What browsers and crawlers ask of every host is never an event.
bool IsForBrowsers(std::string_view path) {
  return path == "/robots.txt" || path == "/favicon.ico";
}

// Whether a list of media ranges names JSON batches. `*/*` does not: a sender
// that does not expect a batch takes it for a broken event.
bool NamesBatch(std::string_view accept) {
  while (!accept.empty()) {
    const std::size_t comma = accept.find(',');
    std::string_view range = accept.substr(0, comma);
    accept.remove_prefix(comma == std::string_view::npos ? accept.size()
                                                         : comma + 1);
    range.remove_prefix(std::min(range.find_first_not_of(" \t"), range.size()));
    if (!EqualsIgnoreCase(MediaTypeEssence(range), kJsonBatchMediaType)) {
      continue;
    }
    // "a value of 0 means "not acceptable"". RFC 9110 section 12.4.2
    const std::string_view weight = MediaTypeParameter(range, "q");
    if (weight.empty() ||
        weight.find_first_not_of("0.") != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

// In any of the request's Accept fields, which together are one list.
bool AsksForBatch(std::span<const HttpHeader> headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& header) {
    return EqualsIgnoreCase(header.name, "accept") && NamesBatch(header.value);
  });
}

}  // namespace

void Connection::TakeRequest() {
  const RequestHead& head = host_.head;
  ThreadCounters::Add(host_.counters.requests);
  Exchange& exchange = exchanges_.Push();
  ++host_.open_requests;
  // Behind CONNECT would come a tunnel's bytes.
  exchange.close = !head.keep_alive || head.method == "CONNECT";
  exchange.keep_alive = head.keep_alive && !head.http11;
  exchange.head_only = head.method == "HEAD";
  exchange.body_bytes = parser_.body().size();
  open_bytes_ += exchange.body_bytes;
  if (exchange.close) input_done_ = true;

  if (head.method == "POST" && !admin_port_) {
    TakeEvent(exchange);
  } else if (!TakeSideRequest(exchange)) {
    ThreadCounters::Add(
        host_.counters.rejected[static_cast<std::size_t>(HttpReject::kMethod)]);
    WriteMethodNotAllowed(AllowedMethods(), exchange.answer);
    Answered(exchange);
  }
}

bool Connection::TakeSideRequest(Exchange& exchange) {
  const RequestHead& head = host_.head;
  if (head.method == "OPTIONS" && !admin_port_) {
    WriteOptions(AllowedMethods(), exchange.answer);
    Answered(exchange);
    return true;
  }
  if (head.method != "GET" && head.method != "HEAD") return false;
  HttpReply reply;
  if (AskSideRoutes(reply)) {
    WriteSideReply(reply, exchange.answer);
    Answered(exchange);
    return true;
  }
  if (!IsForBrowsers(SplitTarget(head.target).path) && !admin_port_) {
    return false;
  }
  Reject(exchange, {404, HttpReject::kNotFound, "nothing is here"});
  return true;
}

bool Connection::AskSideRoutes(HttpReply& reply) const {
  if (host_.parts.side_routes == nullptr) return false;
  const Target target = SplitTarget(host_.head.target);
  return host_.parts.side_routes->Handle({.path = target.path,
                                          .query = target.query,
                                          .headers = host_.head.headers,
                                          .admin_port = admin_port_},
                                         reply);
}

// "The origin server MUST generate an Allow header field in a 405 response
// containing a list of the target resource's currently supported methods."
// RFC 9110 section 15.5.6
std::string_view Connection::AllowedMethods() const {
  if (admin_port_) return "GET, HEAD";
  HttpReply unused;
  return AskSideRoutes(unused) ? "GET, HEAD, POST" : "POST";
}

void Connection::TakeEvent(Exchange& exchange) {
  if (IsForBrowsers(SplitTarget(host_.head.target).path)) {
    Reject(exchange, {404, HttpReject::kNotFound, "nothing is here"});
    return;
  }
  if (fenced_ && !began_before_fence_) {
    exchange.close = true;
    input_done_ = true;
    Reject(exchange, {503, HttpReject::kDraining, "stopping"});
    return;
  }
  if (host_.buffers.unsent > host_.parts.options.max_buffered_bytes) {
    Reject(exchange, kAnswersAreFull);
    return;
  }
  // Run by every function that takes it, it would be done twice by those that
  // had done it.
  if (!host_.head.redrive_function.empty() && !host_.parts.options.redrive) {
    Reject(exchange, kRedriveIsOff);
    return;
  }
  HttpContent content =
      host_.decoder.Decode(host_.head.headers, parser_.body());
  exchange.mode = content.mode;
  const std::uint64_t low = (exchanges_.next_stream() - 1) << kIndexBits;
  if (auto* const event = std::get_if<Event>(&content.value)) {
    if (content.forgiven != Leniency::kNone) {
      NoteForgiven(content.forgiven, *event);
    }
    host_.Enqueue(MakeDelivery(std::move(*event), low, 1));
  } else if (auto* const members =
                 std::get_if<std::vector<Result<Event>>>(&content.value)) {
    TakeBatch(exchange, std::move(*members), low);
  } else {
    Error& error = *std::get_if<Error>(&content.value);
    if (error.code == ErrorCode::kUnsupported) {
      WriteProblem(415, ToString(error.code), PublicDetail(error), {},
                   exchange.answer);
      ThreadCounters::Add(
          host_.counters
              .rejected[static_cast<std::size_t>(HttpReject::kUnsupported)]);
      Answered(exchange);
      return;
    }
    host_.Enqueue(
        MakeDelivery(Describe(std::move(error), parser_.body()), low, 0));
  }
  if (host_.should_deliver()) host_.Deliver();
}

void Connection::NoteForgiven(Leniency forgiven, const Event& event) {
  for (std::size_t bit = 0; bit < host_.counters.forgiven.size(); ++bit) {
    if (Has(forgiven, static_cast<Leniency>(1U << bit))) {
      ThreadCounters::Add(host_.counters.forgiven[bit]);
    }
  }
  const auto& tell = host_.parts.options.on_forgiven;
  if (tell) tell(forgiven, event);
}

// A message that is no event, as it came.
Malformed Connection::Describe(Error error, std::string_view body) const {
  Malformed malformed{
      .bytes = std::string(body), .headers = {}, .error = std::move(error)};
  malformed.headers.reserve(host_.head.headers.size());
  for (const HttpHeader& header : host_.head.headers) {
    malformed.headers.emplace_back(header.name, header.value);
  }
  return malformed;
}

void Connection::TakeBatch(Exchange& exchange,
                           std::vector<Result<Event>> members,
                           std::uint64_t low) {
  if (members.empty()) {
    exchange.state = Exchange::State::kDone;
    host_.Touch(*this);
    return;
  }
  assert(members.size() <= kIndexMask);
  // Beside a member that is refused for good no reply could be answered: its
  // status is the answer's, and nobody sends the others again.
  const bool replies =
      AsksForBatch(host_.head.headers) &&
      std::all_of(members.begin(), members.end(),
                  [](const Result<Event>& member) { return bool{member}; });
  exchange.batch = std::make_unique<BatchState>();
  exchange.batch->open = members.size();
  exchange.batch->status = host_.parts.options.done_status;
  exchange.batch->outcomes.resize(members.size());
  const auto capacity = replies
                            ? static_cast<std::uint32_t>(
                                  host_.parts.options.decode.max_batch_events)
                            : 0;
  for (Result<Event>& member : members) {
    if (member) {
      host_.Enqueue(MakeDelivery(*std::move(member), low++, capacity));
      continue;
    }
    // The bytes of one member are not at hand, and the headers would be copied
    // for each; its error says what is wrong.
    Malformed malformed{
        .bytes = {}, .headers = {}, .error = std::move(member).error()};
    host_.Enqueue(MakeDelivery(std::move(malformed), low++, 0));
  }
}

const InletInfo& Connection::InfoOfRequest() const {
  for (const HttpPath& one : host_.parts.options.paths) {
    if (SplitTarget(host_.head.target).path == one.path) return *one.info;
  }
  return host_.parts.info;
}

template <typename Content>
Delivery Connection::MakeDelivery(Content content, std::uint64_t low,
                                  std::uint32_t reply_capacity) {
  const RequestHead& head = host_.head;
  Delivery delivery(std::move(content), InfoOfRequest(), host_.parts.settler,
                    DeliveryToken{id_, low});
  delivery.facts.deadline = host_.now + host_.parts.options.deadline;
  delivery.facts.reply_capacity = reply_capacity;
  delivery.facts.trace =
      TraceContextOf(head.traceparent, head.tracestate, delivery.event());
  if (!head.redrive_function.empty()) {
    EventAssembler scratch(host_.parts.options.decode);
    const HeaderText function =
        ReadHeaderText(head.redrive_function, AttributeType::kString,
                       /*strict=*/false, scratch);
    delivery.facts.original = std::make_shared<const Original>(
        Original{.function = std::string(function.text)});
  }
  return delivery;
}

// The request in hand, or what cannot be one, ends the connection.
void Connection::Refuse(const HttpRefusal& refusal) {
  Exchange& exchange = exchanges_.Push();
  ++host_.open_requests;
  exchange.close = true;
  exchange.head_only = parser_.is_head();
  input_done_ = true;
  partial_ = Partial::kNone;
  Reject(exchange, refusal);
  parser_.Release();
}

void Connection::Reject(Exchange& exchange, const HttpRefusal& refusal) {
  ThreadCounters::Add(
      host_.counters.rejected[static_cast<std::size_t>(refusal.reason)]);
  WriteRefusal(refusal, exchange.answer);
  Answered(exchange);
}

void Connection::Answered(Exchange& exchange) {
  exchange.state = Exchange::State::kAnswered;
  Hold(exchange.answer.size());
  host_.Touch(*this);
}

// Many settlements may come before the turn's end: what is large is counted at
// once, so that each sees those before it.
void Connection::Hold(std::size_t bytes) {
  held_bytes_ += bytes;
  if (unsent() + held_bytes_ > noted_unsent_ + kSmallAnswer) NoteMemory();
}

// Beyond what this connection has for its peer.
bool Connection::HasMemoryToAnswer(std::size_t more) const {
  return unsent() + held_bytes_ + more <= kSmallAnswer ||
         host_.buffers.unsent + more <= host_.parts.options.max_buffered_bytes;
}

void Connection::RefuseConnection() {
  Refuse({503, HttpReject::kConnections, "too many connections"});
}

void Connection::Settle(std::uint64_t low, Settlement&& settlement) {
  Exchange* const exchange = exchanges_.Find(low >> kIndexBits);
  // Answered before: with 503, when the grace time of a drain was over.
  if (exchange == nullptr || exchange->state != Exchange::State::kOpen) return;
  if (exchange->batch != nullptr) {
    SettleBatched(*exchange, low & kIndexMask, std::move(settlement));
  } else {
    SettleOne(*exchange, std::move(settlement));
  }
}

// There is no memory for them now, or never.
void Connection::RejectReplies(Exchange& exchange, std::size_t bytes) {
  const HttpOptions& options = host_.parts.options;
  if (bytes <= options.max_buffered_bytes) {
    Reject(exchange, kAnswersAreFull);
  } else {
    Reject(exchange, {options.reject_status, HttpReject::kBuffers, kNeverFit});
  }
}

void Connection::SettleWithoutReplies(std::uint64_t low, std::size_t bytes) {
  Exchange* const exchange = exchanges_.Find(low >> kIndexBits);
  if (exchange == nullptr || exchange->state != Exchange::State::kOpen) return;
  if (exchange->batch == nullptr) {
    RejectReplies(*exchange, bytes);
    return;
  }
  exchange->batch->wanted_bytes += bytes;
  GiveUpReplies(*exchange->batch);
  SettleBatched(*exchange, low & kIndexMask, {.kind = Settlement::Kind::kAck});
}

void Connection::SettleOne(Exchange& exchange, Settlement&& settlement) {
  const HttpOptions& options = host_.parts.options;
  const bool done = settlement.kind == Settlement::Kind::kAck;
  if (done && settlement.replies.empty()) {
    exchange.state = Exchange::State::kDone;
    host_.Touch(*this);
    return;
  }
  if (done) {
    const Event& reply = settlement.replies.front();
    // The function is called again, which it must bear anyway.
    if (!HasMemoryToAnswer(reply.memory_size())) {
      RejectReplies(exchange, reply.memory_size());
      return;
    }
    ContentMode mode = exchange.mode;
    if (options.reply_mode != HttpReplyMode::kAsRequest) {
      mode = options.reply_mode == HttpReplyMode::kBinary
                 ? ContentMode::kBinary
                 : ContentMode::kStructured;
    }
    WriteReply(reply, mode, exchange.answer);
  } else {
    const Error unknown{ErrorCode::kInternal, {}};
    const Error& error = settlement.error ? *settlement.error : unknown;
    WriteProblem(StatusOf(settlement, options), ToString(error.code),
                 PublicDetail(error), settlement.delay, exchange.answer);
  }
  Answered(exchange);
}

void Connection::SettleBatched(Exchange& exchange, std::size_t index,
                               Settlement&& settlement) {
  BatchState& batch = *exchange.batch;
  EventOutcome& outcome = batch.outcomes[index];
  outcome.status = StatusOf(settlement, host_.parts.options);
  if (settlement.error) {
    outcome.code = settlement.error->code;
    outcome.detail = PublicDetail(*settlement.error);
  }
  batch.status = Worse(batch.status, outcome.status);
  batch.retry_after = std::max(batch.retry_after, settlement.delay);
  TakeReplies(batch, outcome, std::move(settlement.replies));
  if (--batch.open == 0) FinishBatch(exchange);
}

void Connection::TakeReplies(BatchState& batch, EventOutcome& outcome,
                             std::vector<Event> replies) {
  const std::size_t bytes = BytesOf(replies);
  batch.wanted_bytes += bytes;
  if (bytes == 0 || batch.too_large) return;
  if (!HasMemoryToAnswer(bytes)) {
    GiveUpReplies(batch);
    return;
  }
  outcome.replies = std::move(replies);
  batch.reply_bytes += bytes;
  Hold(bytes);
}

void Connection::GiveUpReplies(BatchState& batch) {
  batch.too_large = true;
  DropReplies(batch);
}

void Connection::DropReplies(BatchState& batch) {
  for (EventOutcome& outcome : batch.outcomes) outcome.replies = {};
  held_bytes_ -= std::exchange(batch.reply_bytes, 0);
  NoteMemory();
}

void Connection::FinishBatch(Exchange& exchange) {
  const std::unique_ptr<BatchState> batch = std::move(exchange.batch);
  if (batch->too_large) {
    RejectReplies(exchange, batch->wanted_bytes);
    return;
  }
  if (batch->status >= 300) {
    WriteBatchProblem(batch->status, batch->outcomes, batch->retry_after,
                      exchange.answer);
  } else if (batch->reply_bytes > 0) {
    WriteBatchReply(batch->outcomes, exchange.answer);
  } else {
    exchange.state = Exchange::State::kDone;
    host_.Touch(*this);
    return;
  }
  held_bytes_ -= batch->reply_bytes;
  Answered(exchange);
}

}  // namespace cirro::internal::http
