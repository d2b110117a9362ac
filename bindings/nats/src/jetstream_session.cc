// What the fetching thread of a JetStream inlet does.

#include <algorithm>
#include <charconv>
#include <climits>
#include <utility>

#include "consumer_check.h"
#include "jetstream_inlet.h"
#include "raw_message.h"
#include "signals.h"

namespace cirro::internal::nats {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTimers{1'000};
constexpr milliseconds kFirstBackoff{100};
constexpr milliseconds kLongestBackoff{10'000};
// After the server said that it does not like a request.
constexpr milliseconds kPullPause{1'000};
constexpr int kMostAtOnce = 256;
// Of deliveries that are settled on return.
constexpr std::size_t kFew = 8;
constexpr std::size_t kWordsAtOnce = 32;
constexpr milliseconds kLinger{1};
// What a message is on the wire beside its payload and headers.
constexpr std::size_t kEnvelope = 4'096;

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) noexcept {
  Number number{};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return number;
}

TimePoint Now() noexcept { return std::chrono::steady_clock::now(); }

}  // namespace

void JetStreamInlet::Fetch(const std::stop_token& stop) noexcept {
  BlockSignals();
  fetching_thread_.store(std::this_thread::get_id());
  while (!stop.stop_requested()) {
    if (!link_.WaitConnected(stop)) {
      if (!link_.Refused()) break;
      continue;
    }
    if (SetUp()) {
      backoff_ = {};
      Session(stop);
    } else {
      backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kLongestBackoff);
      Wait(stop, Now() + backoff_);
    }
  }
  GiveBackRest();
  fetching_thread_.store({});
  {
    const MutexLock lock(mutex_);
    fetched_last_ = true;
    changed_.notify_all();
  }
  nats_ReleaseThreadMemory();
}

void JetStreamInlet::Say(LogLevel level, const std::string& text) {
  // A trouble that lasts is said once.
  if (std::exchange(last_said_, text) == text) return;
  observer_.Noted(level, options_.name, text);
}

bool JetStreamInlet::SetUp() {
  session_epoch_ = link_.epoch();
  pulls_.Reset();
  lost_ = false;
  {
    const MutexLock lock(mutex_);
    if (heard_) consumer_.Heard(*heard_);
  }
  auto facts = consumer_.CreateOrBind(link_.get());
  if (!facts) {
    Say(LogLevel::kError, facts.error().message);
    return false;
  }
  const ConsumerConfig& config = *facts->config;
  if (auto checked = CheckConsumer(options_, config); !checked) {
    Say(LogLevel::kError, checked.error().message);
    return false;
  }
  if (!Subscribe()) return false;
  Say(LogLevel::kInfo, "fetches from stream '" + options_.stream +
                           "' as consumer '" + options_.durable + "'");
  if (const auto otherwise = OtherwiseSet(options_, config)) {
    Say(LogLevel::kWarning, *otherwise);
  }
  Heard(*facts);
  return true;
}

bool JetStreamInlet::Subscribe() {
  {
    const MutexLock lock(mutex_);
    if (messages_ != nullptr) return true;
  }
  inbox_ = NewInbox();
  const auto made = link_.Subscribe(inbox_ + ".*");
  if (!made) {
    Say(LogLevel::kError, made.error().message);
    return false;
  }
  // No more comes than was asked for; libnats's own bound would drop some.
  static_cast<void>(natsSubscription_SetPendingLimits(*made, -1, -1));
  queue_empty_at_ = Now();
  const MutexLock lock(mutex_);
  messages_ = *made;
  wake_subject_ = inbox_ + ".w";
  return !draining_;
}

void JetStreamInlet::Session(const std::stop_token& stop) {
  while (!stop.stop_requested() && !lost_ && session_epoch_ == link_.epoch() &&
         link_.connected()) {
    DoSeek();
    if (Now() >= next_timers_) DoTimers();
    if (lost_) break;
    RunSuspect();
    Ask();
    if (pulls_.open()) {
      WaitForMessages();
    } else {
      TellSettled(fetcher_words_);
      Wait(stop, std::max(next_timers_, next_pull_at_));
    }
    if (pulls_.IsSilent(Now())) {
      Say(LogLevel::kWarning, "the server sent no heartbeat; asking anew");
      lost_ = true;
    }
  }
}

// Until something that was settled or wanted makes a difference.
void JetStreamInlet::Wait(const std::stop_token& stop, TimePoint until) {
  const MutexLock lock(mutex_);
  const std::size_t open = deliveries_.count() + unconfirmed_.size();
  fetcher_wakes_.wait_until(
      mutex_, stop, std::min(until, Now() + kTimers),
      [this, open, demand = demand_]() CIRRO_REQUIRES(mutex_) {
        return demand_ != demand || seek_ != nullptr ||
               (!suspect_runs_ && !must_wait_ && held_count_ > 0) ||
               wake_fetcher_ ||
               deliveries_.count() + unconfirmed_.size() < open;
      });
}

void JetStreamInlet::WaitForMessages() {
  natsSubscription* messages = nullptr;
  std::size_t settled = 0;
  {
    const MutexLock lock(mutex_);
    messages = messages_;  // Replaced by this thread alone.
    settled = outbox_.size();
  }
  int waiting = 0;
  if (natsSubscription_GetPending(messages, &waiting, nullptr) != NATS_OK) {
    lost_ = true;
    return;
  }
  if (waiting == 0) queue_empty_at_ = Now();
  natsMsg* first = nullptr;
  // While messages come in a stream their settlements are told many at a time:
  // each time costs a system call.
  if (settled > 0 && settled < kWordsAtOnce) {
    if (natsSubscription_NextMsg(&first, messages, kLinger.count()) ==
        NATS_OK) {
      return TakeAll(messages, first);
    }
  }
  if (settled > 0) TellSettled(fetcher_words_);
  const auto patience =
      std::chrono::ceil<milliseconds>(next_timers_ - Now()).count();
  const natsStatus status = natsSubscription_NextMsg(
      &first, messages, std::clamp<std::int64_t>(patience, 1, 1'000));
  if (status == NATS_OK) TakeAll(messages, first);
}

void JetStreamInlet::TakeAll(natsSubscription* messages, natsMsg* first) {
  int waiting = 0;
  static_cast<void>(natsSubscription_GetPending(messages, &waiting, nullptr));
  TakeOne(first);
  for (int i = 1; i < kMostAtOnce && i <= waiting; ++i) {
    natsMsg* next = nullptr;
    if (natsSubscription_NextMsg(&next, messages, 0) != NATS_OK) break;
    TakeOne(next);
    if (at_once_ && batch_.size() >= kFew) HandOver();
  }
  HandOver();
  spent_.LetGo();
}

void JetStreamInlet::TakeOne(natsMsg* message) {
  NatsHandle<natsMsg> owned(message);
  const char* const reply = natsMsg_GetReply(message);
  const auto facts =
      ParseAckReply(reply == nullptr ? std::string_view() : reply);
  if (!facts) return TakeStatus(message);

  const TimePoint now = Now();
  pulls_.Arrived(now);
  if (IsKnown(*facts, reply)) return;
  const std::string_view payload = PayloadOf(message);
  ReadHeaders(message, headers_);
  NatsContent content = decoder_.Decode(headers_, payload);

  bool suspect = false;
  DeliveryToken token;
  {
    const MutexLock lock(mutex_);
    // It lay here for so long that somebody else may have it by now.
    if (now - queue_empty_at_ > options_.ack_wait * 3 / 4) {
      suspects_.Excuse(facts->sequence, facts->delivered);
      return;
    }
    suspect = suspects_.IsSuspect(facts->sequence, facts->delivered,
                                  suspect_runs_ || !held_.empty());
    std::size_t bytes = payload.size();
    for (const NatsHeader& header : headers_) {
      bytes += header.name.size() + header.value.size();
    }
    token = deliveries_.Add(reply, *facts, bytes, suspect);
    if (heard_) heard_->pending = facts->pending;
  }
  spent_.Add(std::move(owned));
  Delivery delivery =
      std::holds_alternative<Event>(content.content)
          ? Delivery(std::get<Event>(std::move(content.content)), info_, *this,
                     token)
          : Delivery(std::get<Malformed>(std::move(content.content)), info_,
                     *this, token);
  delivery.facts.key = std::move(content.key);
  delivery.facts.trace = std::move(content.trace);
  delivery.facts.original = std::move(content.original);
  delivery.facts.attempt =
      static_cast<int>(std::min<std::uint64_t>(facts->delivered, INT_MAX));
  if (suspect) {
    held_.push_back({std::move(delivery), *facts});
    const MutexLock lock(mutex_);
    held_count_ = held_.size();
  } else {
    batch_.push_back(std::move(delivery));
  }
}

// Whether it needs no delivery: it is here already, or was done.
bool JetStreamInlet::IsKnown(const AckReply& facts, const char* reply) {
  // A server of 2.9 gives out twice, the second time as the first, what was
  // given back while nobody asked.
  const bool is_next = facts.sequence > highest_sequence_;
  if (is_next) highest_sequence_ = facts.sequence;
  if (facts.delivered < 2 && is_next) return false;
  const MutexLock lock(mutex_);
  if (OpenMessage* const same = deliveries_.FindSame(facts)) {
    // Still queued or running: its newest delivery is the one to be settled.
    same->reply = reply;
    same->facts = facts;
    return true;
  }
  if (!deliveries_.WasAcknowledged(facts)) return false;
  Word& word = outbox_.Next();
  word.kind = Word::Kind::kAck;
  word.confirm = 0;
  word.reply = reply;
  return true;
}

void JetStreamInlet::TakeStatus(natsMsg* message) {
  const std::string_view status = HeaderOf(message, "Status");
  if (status.empty()) return;  // A wake-up of our own.
  const TimePoint now = Now();
  if (status == "100") return pulls_.Heard(now);
  std::string_view subject = natsMsg_GetSubject(message);
  subject.remove_prefix(std::min(subject.size(), inbox_.size() + 1));
  const std::uint64_t pull = ParseNumber<std::uint64_t>(subject).value_or(0);
  pulls_.Closed(
      pull,
      ParseNumber<std::size_t>(HeaderOf(message, "Nats-Pending-Messages")),
      now);
  if (status == "404" || status == "408") return;
  const std::string why(HeaderOf(message, "Description"));
  if (status == "409" &&
      (why.starts_with("Batch Completed") || why.starts_with("Message Size"))) {
    return;
  }
  next_pull_at_ = now + kPullPause;
  // 503: nobody listens there; the consumer is no more.
  if (status == "503" || why.starts_with("Consumer") ||
      why.starts_with("Server Shutdown") ||
      why.starts_with("Leadership Change")) {
    lost_ = true;
    next_pull_at_ = {};
  }
  Say(LogLevel::kWarning,
      "the server ends a request: " +
          (why.empty() ? "no consumer '" + options_.durable + "' answers"
                       : why));
}

// Where the function runs at once, its events have been settled on return: few
// at a time are then still in the processor's cache, and in the allocator's.
// Otherwise each hand-over costs a lock and a wake-up: as many as there are.
void JetStreamInlet::HandOver() {
  if (batch_.empty()) return;
  last_said_.clear();
  settled_here_ = 0;
  sink_->Deliver(batch_);
  at_once_ = settled_here_ >= batch_.size();
  batch_.clear();
}

// The word that one was given back may come after the message itself.
void JetStreamInlet::ReleaseExcused() {
  if (held_.empty()) return;
  {
    const MutexLock lock(mutex_);
    const auto is_excused = [this](Held& held) CIRRO_REQUIRES(mutex_) {
      if (suspects_.IsSuspect(held.facts.sequence, held.facts.delivered,
                              true)) {
        return false;
      }
      if (OpenMessage* const open = deliveries_.Find(held.delivery.token())) {
        open->suspect = false;
      }
      batch_.push_back(std::move(held.delivery));
      return true;
    };
    std::deque<Held> suspects;
    for (Held& held : held_) {
      if (!is_excused(held)) suspects.push_back(std::move(held));
    }
    held_.swap(suspects);
    held_count_ = held_.size();
  }
  HandOver();
}

// Messages that may have killed a process are run one after the other, each
// written down before, so that none is blamed for another.
void JetStreamInlet::RunSuspect() {
  ReleaseExcused();
  if (held_.empty() && !suspicious_) return;
  {
    const MutexLock lock(mutex_);
    if (suspect_runs_) return;
    must_wait_ = true;  // Until it is woken, if it must.
  }
  if (suspicious_ == held_.empty()) {
    suspicious_ = !held_.empty();
    Say(suspicious_ ? LogLevel::kWarning : LogLevel::kInfo,
        suspicious_ ? held_.front().delivery.position() +
                          ": a process may have ended over it, and over " +
                          std::to_string(held_.size() - 1) +
                          " more that are here; they run one at a time"
                    : "no message is left that a process may have ended over");
  }
  if (held_.empty()) return;
  SuspectTurn::Ticket turn = turn_.Take(Now());
  if (turn == 0) return;
  Held held = std::move(held_.front());
  held_.pop_front();
  if (const auto before = journal_.Begin(link_.get(), held.facts)) {
    held.delivery.facts.crashed = *before >= options_.max_crashes;
    if (held.delivery.facts.crashed) {
      Say(LogLevel::kWarning,
          held.delivery.position() + " was run " + std::to_string(*before) +
              " times when its process died: it is not run again");
    }
  } else {
    Say(LogLevel::kWarning,
        before.error().message + ": crashes are not counted");
  }
  // It is not run, and may wait for its dead letter for long.
  if (held.delivery.facts.crashed) turn_.Give(std::exchange(turn, 0));
  {
    const MutexLock lock(mutex_);
    OpenMessage* const open = deliveries_.Find(held.delivery.token());
    if (open != nullptr) open->alone = true;
    suspect_runs_ = open != nullptr;
    must_wait_ = false;
    running_turn_ = turn;
    --held_count_;
  }
  batch_.push_back(std::move(held.delivery));
  HandOver();
}

std::size_t JetStreamInlet::RoomLeft() {
  const MutexLock lock(mutex_);
  if (!demand_ || draining_) return 0;
  const std::size_t open = deliveries_.count() + unconfirmed_.size();
  if (open >= options_.max_in_flight) return 0;
  std::size_t room = options_.max_in_flight - open;
  if (deliveries_.bytes() == 0) return room;
  if (deliveries_.bytes() >= options_.max_bytes) return 0;
  // The next are taken to be as large as those that are open.
  const std::size_t average = deliveries_.bytes() / deliveries_.count() + 1;
  return std::min(room,
                  std::max<std::size_t>(
                      (options_.max_bytes - deliveries_.bytes()) / average, 1));
}

void JetStreamInlet::Ask() {
  const TimePoint now = Now();
  if (now < next_pull_at_) return;
  const auto ask = pulls_.Next(RoomLeft(), now);
  if (!ask) return;
  // No message is larger than what the server takes at all.
  const auto largest = static_cast<std::size_t>(
      std::max<std::int64_t>(natsConnection_GetMaxPayload(link_.get()), 0));
  const std::string request =
      "{\"batch\":" + std::to_string(ask->batch) + ",\"expires\":" +
      std::to_string(std::chrono::nanoseconds(options_.expires).count()) +
      ",\"idle_heartbeat\":" +
      std::to_string(std::chrono::nanoseconds(options_.heartbeat).count()) +
      ",\"max_bytes\":" +
      std::to_string(std::max(options_.max_bytes, largest + kEnvelope)) + "}";
  const std::string answers = inbox_ + "." + std::to_string(ask->id);
  const natsStatus status = natsConnection_PublishRequest(
      link_.get(), consumer_.next_subject().c_str(), answers.c_str(),
      request.data(), static_cast<int>(request.size()));
  if (status != NATS_OK) {
    pulls_.Reset();
    next_pull_at_ = now + kPullPause;
  }
}

// Somebody may set the consumer otherwise while it is used.
bool JetStreamInlet::IsWronglySet() {
  const MutexLock lock(mutex_);
  return heard_ && heard_->config && !CheckConsumer(options_, *heard_->config);
}

void JetStreamInlet::DoTimers() {
  const TimePoint now = Now();
  if (IsWronglySet()) lost_ = true;
  next_timers_ = now + std::min<milliseconds>(kTimers, extend_every());
  const std::string answer = control_inbox_ + ".info";
  static_cast<void>(natsConnection_PublishRequest(
      link_.get(), consumer_.info_subject().c_str(), answer.c_str(), nullptr,
      0));
  AskForFirst(now);
  const MutexLock lock(mutex_);
  for (const Held& held : held_) {
    if (OpenMessage* const open = deliveries_.Find(held.delivery.token())) {
      Word& word = outbox_.Next();
      word.kind = Word::Kind::kInProgress;
      word.confirm = 0;
      word.reply = open->reply;
    }
  }
  for (auto& [number, waiting] : unconfirmed_) {
    if (now - waiting.sent < kTimers) continue;
    waiting.sent = now;
    Word& word = outbox_.Next();
    word.kind = Word::Kind::kAck;
    word.confirm = number;
    word.reply = waiting.reply;
  }
}

void JetStreamInlet::DoSeek() {
  SeekRequest* request = nullptr;
  {
    const MutexLock lock(mutex_);
    request = std::exchange(seek_, nullptr);
  }
  if (request == nullptr) return;
  auto made = consumer_.MakeAnew(link_.get(), request->to, request->patience);
  held_.clear();
  pulls_.Reset();
  natsSubscription* before = nullptr;
  SuspectTurn::Ticket turn = 0;
  {
    const MutexLock lock(mutex_);
    held_count_ = 0;
    if (made) {
      // What is open belongs to a consumer that is no more.
      deliveries_.Clear();
      suspects_.Clear();
      given_back_.Clear();
      unconfirmed_.clear();
      ended_suspects_.clear();
      turn = std::exchange(running_turn_, 0);
      outbox_.Empty([](const Word&) {});
      suspect_runs_ = false;
      heard_ = *made;
      static_cast<void>(drops_.Look(made->position()));
      // So is what it still sends.
      before = std::exchange(messages_, nullptr);
      wake_subject_.clear();
    }
    request->result = made ? Result<void>() : Result<void>(made.error());
    changed_.notify_all();
  }
  turn_.Give(turn);
  if (before != nullptr) Link::End(before);
  lost_ = !Subscribe();
}

}  // namespace cirro::internal::nats
