#include "outlet.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "options_check.h"
#include "raw_message.h"
#include "signals.h"

namespace cirro::internal::nats {
namespace {

using std::chrono::milliseconds;

// How many are published before answers are looked at.
constexpr std::size_t kMostAtOnce = 64;

// What the server's API says went wrong (its err_code).
constexpr int kStreamNotMatch = 10060;
constexpr int kMessageExceedsMaximum = 10054;

TimePoint Now() noexcept { return std::chrono::steady_clock::now(); }

class StreamOutlet : public NatsOutlet, public DeadLetterPlace {
 public:
  using NatsOutlet::NatsOutlet;

  [[nodiscard]] std::string_view place_name() const noexcept override {
    return name();
  }
  void Bury(DeadLetter letter, SendCompletion completion) noexcept override {
    Take(std::move(letter), std::move(completion));
  }
};

class DedupedOutlet final : public StreamOutlet, public Deduper {
 public:
  using StreamOutlet::StreamOutlet;

  [[nodiscard]] milliseconds window() const noexcept override {
    return options().duplicate_window;
  }
};

ErrorCode CodeOf(int status, int api_code) noexcept {
  if (api_code == kMessageExceedsMaximum) return ErrorCode::kTooLarge;
  if (api_code == kStreamNotMatch) return ErrorCode::kUnroutable;
  // 503: the stream is full, or has no leader now.
  return status >= 500 ? ErrorCode::kOverloaded : ErrorCode::kRefused;
}

int Number(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<int>()
                                                             : 0;
}

}  // namespace

Result<std::unique_ptr<Outlet>> NatsOutlet::Make(NatsOutletOptions options,
                                                 const Clock& clock,
                                                 Observer& observer) {
  if (auto checked = Check(options); !checked) return checked.error();
  if (!options.jetstream) {
    return std::unique_ptr<Outlet>(
        std::make_unique<NatsOutlet>(std::move(options), clock, observer));
  }
  if (!options.message_ids) {
    return std::unique_ptr<Outlet>(
        std::make_unique<StreamOutlet>(std::move(options), clock, observer));
  }
  return std::unique_ptr<Outlet>(
      std::make_unique<DedupedOutlet>(std::move(options), clock, observer));
}

NatsOutlet::NatsOutlet(NatsOutletOptions options, const Clock& clock,
                       Observer& observer)
    : options_(std::move(options)),
      inbox_(NewInbox()),
      link_(options_.connection, options_.name, clock, observer, [this] {
        const MutexLock lock(mutex_);
        link_changed_ = true;
        changed_.notify_all();
      }) {}

NatsOutlet::~NatsOutlet() { Stop(milliseconds(0)); }

Result<void> NatsOutlet::Start() {
  if (auto opened = link_.Open(); !opened) return opened;
  if (auto listens = link_.Listen(inbox_ + ".*", &OnAnswer, this); !listens) {
    return listens;
  }
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  return {};
}

void NatsOutlet::Send(Event event, SendCompletion completion) noexcept {
  Take(std::move(event), std::move(completion));
}

void NatsOutlet::Take(std::variant<Event, DeadLetter> content,
                      SendCompletion completion) noexcept {
  const char* refused = nullptr;
  ErrorCode code = ErrorCode::kOverloaded;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      code = ErrorCode::kUnavailable;
      refused = "it has been stopped";
    } else if (in_flight_ >= options_.max_in_flight) {
      refused = "max_in_flight events are on their way";
    } else {
      ++in_flight_;
      waiting_.push_back({std::move(content), std::move(completion),
                          Now() + options_.timeout});
      changed_.notify_all();
      return;
    }
  }
  completion.Complete(Failed(code, refused));
}

void NatsOutlet::Stop(milliseconds grace) noexcept {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    // Not of `now + grace`, which may be past the end of time.
    const TimePoint now = Now();
    if (grace < give_up_at_ - now) give_up_at_ = now + grace;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  link_.Close();
  FailSent(ErrorCode::kUnknownOutcome, "it was stopped before an answer came");
  std::deque<Waiting> left;
  {
    const MutexLock lock(mutex_);
    left.swap(waiting_);
    in_flight_ -= left.size();
  }
  for (Waiting& waiting : left) {
    waiting.completion.Complete(
        Failed(ErrorCode::kUnavailable, "it was stopped before it was sent"));
  }
}

bool NatsOutlet::IsDone() {
  return stopping_ && (in_flight_ == 0 || Now() >= give_up_at_);
}

void NatsOutlet::Run(const std::stop_token& stop) noexcept {
  BlockSignals();
  for (;;) {
    WaitForWork(stop);
    {
      const MutexLock lock(mutex_);
      if (IsDone()) break;
    }
    // What the server knew of another connection it answers to nobody.
    if (const std::uint64_t epoch = link_.epoch();
        epoch_ != epoch || !link_.connected()) {
      epoch_ = epoch;
      FailSent(ErrorCode::kUnknownOutcome,
               "the connection broke before an answer came");
    }
    FailOverdue();
    if (link_.connected()) PublishBatch(TakeBatch());
  }
  nats_ReleaseThreadMemory();
}

void NatsOutlet::WaitForWork(const std::stop_token& stop) {
  const bool connected = link_.connected();
  const MutexLock lock(mutex_);
  TimePoint until = give_up_at_;
  if (!waiting_.empty()) until = std::min(until, waiting_.front().deadline);
  if (!sent_.empty()) until = std::min(until, sent_.begin()->second.deadline);
  const auto is_work = [this, connected]() CIRRO_REQUIRES(mutex_) {
    return (connected && !waiting_.empty()) || link_changed_ || IsDone();
  };
  if (until == TimePoint::max()) {
    // Something that is put in while nothing waits has a deadline of its own.
    changed_.wait(mutex_, stop, [&]() CIRRO_REQUIRES(mutex_) {
      return is_work() || !waiting_.empty();
    });
  } else {
    changed_.wait_until(mutex_, stop, until, is_work);
  }
  link_changed_ = false;
}

void NatsOutlet::FailOverdue() {
  std::vector<std::pair<SendCompletion, Error>> overdue;
  {
    const TimePoint now = Now();
    const MutexLock lock(mutex_);
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
      overdue.emplace_back(
          std::move(waiting_.front().completion),
          Failed(ErrorCode::kUnavailable,
                 "not connected to the server within the timeout"));
      waiting_.pop_front();
    }
    while (!sent_.empty() && sent_.begin()->second.deadline <= now) {
      overdue.emplace_back(
          std::move(sent_.begin()->second.completion),
          Failed(ErrorCode::kTimedOut,
                 "the stream of '" + options_.subject + "' did not answer"));
      sent_.erase(sent_.begin());
    }
    in_flight_ -= overdue.size();
  }
  for (auto& [completion, error] : overdue) {
    completion.Complete(std::move(error));
  }
}

void NatsOutlet::FailSent(ErrorCode code, const std::string& why) {
  std::map<std::uint64_t, Sent> failed;
  {
    const MutexLock lock(mutex_);
    failed.swap(sent_);
    in_flight_ -= failed.size();
  }
  for (auto& [id, sent] : failed) sent.completion.Complete(Failed(code, why));
}

std::vector<NatsOutlet::Waiting> NatsOutlet::TakeBatch() {
  const MutexLock lock(mutex_);
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(
                                          kMostAtOnce, waiting_.size()));
  std::vector<Waiting> batch(std::make_move_iterator(waiting_.begin()),
                             std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return batch;
}

void NatsOutlet::PublishBatch(std::vector<Waiting> batch) {
  std::vector<SendCompletion> flushed;
  TimePoint first_deadline = TimePoint::max();
  for (Waiting& waiting : batch) {
    std::string reply;
    std::uint64_t id = 0;
    if (options_.jetstream) {
      const MutexLock lock(mutex_);
      id = ++last_id_;
      reply = inbox_ + "." + std::to_string(id);
      sent_.emplace(id, Sent{std::move(waiting.completion), waiting.deadline});
    }
    const auto published =
        Publish(waiting.content, reply.empty() ? nullptr : reply.c_str());
    if (options_.jetstream) {
      if (!published) Answered(id, published);
      continue;
    }
    if (published) {
      flushed.push_back(std::move(waiting.completion));
      first_deadline = std::min(first_deadline, waiting.deadline);
      continue;
    }
    {
      const MutexLock lock(mutex_);
      --in_flight_;
    }
    waiting.completion.Complete(published);
  }
  published_.LetGo();
  if (!flushed.empty()) ConfirmByFlush(std::move(flushed), first_deadline);
}

Result<void> NatsOutlet::Publish(const std::variant<Event, DeadLetter>& content,
                                 const char* reply) {
  MessageHeaders headers;
  std::string buffer;
  std::string_view payload;
  const bool takes_headers =
      natsConnection_HasHeaderSupport(link_.get()) == NATS_OK;
  const auto* const letter = std::get_if<DeadLetter>(&content);
  if (letter != nullptr) {
    if (!takes_headers) {
      return Failed(ErrorCode::kRefused,
                    "a dead letter needs headers, which the server does not "
                    "take; NATS 2.2 does");
    }
    payload = EncodeNatsDeadLetter(*letter, headers, buffer);
  } else {
    payload =
        EncodeNats(takes_headers ? options_.mode : ContentMode::kStructured,
                   std::get<Event>(content), headers, buffer);
  }
  if (options_.jetstream && options_.message_ids) {
    headers.emplace_back("Nats-Msg-Id",
                         letter != nullptr
                             ? NatsMessageId(*letter)
                             : NatsMessageId(std::get<Event>(content)));
  }
  if (!options_.expected_stream.empty()) {
    headers.emplace_back("Nats-Expected-Stream", options_.expected_stream);
  }
  natsMsg* raw = nullptr;
  natsStatus status =
      natsMsg_Create(&raw, options_.subject.c_str(), reply, payload.data(),
                     static_cast<int>(payload.size()));
  NatsHandle<natsMsg> message(raw);
  if (takes_headers) {
    for (const auto& [name, value] : headers) {
      if (status != NATS_OK) break;
      status = natsMsgHeader_Add(raw, name.c_str(), value.c_str());
    }
  }
  if (status == NATS_OK) {
    status = natsConnection_PublishMsg(link_.get(), raw);
    published_.Add(std::move(message));
  }
  if (status == NATS_OK) return {};
  return Failed(status == NATS_MAX_PAYLOAD ? ErrorCode::kTooLarge
                                           : ErrorCode::kUnavailable,
                Explain("publish", status));
}

void NatsOutlet::ConfirmByFlush(std::vector<SendCompletion> sent,
                                TimePoint deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Now()).count();
  const natsStatus status =
      natsConnection_FlushTimeout(link_.get(), std::max<std::int64_t>(left, 1));
  Result<void> result;
  if (status != NATS_OK) {
    result = Failed(status == NATS_TIMEOUT ? ErrorCode::kTimedOut
                                           : ErrorCode::kUnknownOutcome,
                    Explain("flush", status));
  }
  {
    const MutexLock lock(mutex_);
    in_flight_ -= sent.size();
  }
  for (SendCompletion& completion : sent) completion.Complete(result);
}

void NatsOutlet::Answered(std::uint64_t id,
                          const Result<void>& result) noexcept {
  std::map<std::uint64_t, Sent>::node_type answered;
  {
    const MutexLock lock(mutex_);
    answered = sent_.extract(id);
    if (answered.empty()) return;
    --in_flight_;
    if (stopping_) changed_.notify_all();
  }
  answered.mapped().completion.Complete(result);
}

void NatsOutlet::OnAnswer(natsConnection*, natsSubscription*, natsMsg* message,
                          void* self) noexcept {
  const NatsHandle<natsMsg> owned(message);
  NatsOutlet& outlet = *static_cast<NatsOutlet*>(self);
  std::string_view number = natsMsg_GetSubject(message);
  number.remove_prefix(std::min(number.size(), outlet.inbox_.size() + 1));
  std::uint64_t id = 0;
  std::from_chars(number.data(), number.data() + number.size(), id);
  outlet.Answered(id, outlet.ReadAnswer(message));
}

Result<void> NatsOutlet::ReadAnswer(natsMsg* message) const {
  if (natsMsg_IsNoResponders(message)) {
    return Failed(ErrorCode::kUnroutable, "no stream keeps the subject '" +
                                              options_.subject +
                                              "'; make one, or see jetstream");
  }
  const std::string_view text = PayloadOf(message);
  // Nearly all of them.
  if (text.starts_with(R"({"stream":")") && text.ends_with('}') &&
      text.find(R"("error")") == std::string_view::npos) {
    return {};
  }
  const auto answer = nlohmann::json::parse(text, nullptr, false);
  if (answer.is_object()) {
    const auto error = answer.find("error");
    if (error == answer.end() && answer.contains("stream")) return {};
    if (error != answer.end() && error->is_object()) {
      const int api_code = Number(*error, "err_code");
      const auto why = error->find("description");
      return Failed(CodeOf(Number(*error, "code"), api_code),
                    "the stream of '" + options_.subject + "' says: " +
                        (why != error->end() && why->is_string()
                             ? why->get<std::string>()
                             : "error " + std::to_string(api_code)));
    }
  }
  return Failed(ErrorCode::kUnknownOutcome,
                "what answers on '" + options_.subject + "' is no stream");
}

Error NatsOutlet::Failed(ErrorCode code, const std::string& why) const {
  return {code, "outlet '" + options_.name + "': " + why};
}

}  // namespace cirro::internal::nats
