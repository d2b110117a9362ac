#include "jetstream_inlet.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "ack_reply.h"
#include "options_check.h"
#include "raw_message.h"
#include "signals.h"

namespace cirro::internal::nats {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstDelay{200};
constexpr milliseconds kLongestDelay{30'000};
constexpr milliseconds kFlushPatience{500};
// Deliveries that ended well and are remembered; about 6 MB at most.
constexpr std::size_t kExcused = 65'536;

TimePoint After(TimePoint now, milliseconds wait) noexcept {
  return wait < TimePoint::max() - now ? now + wait : TimePoint::max();
}

milliseconds DelayOf(const Settlement& settlement,
                     std::uint64_t delivered) noexcept {
  if (settlement.delay > milliseconds(0)) return settlement.delay;
  // At once, it would burn its attempts in no time.
  const auto doublings = std::min<std::uint64_t>(delivered - 1, 16);
  return std::min(kFirstDelay * (std::int64_t{1} << doublings), kLongestDelay);
}

// With one message open in all processes together, nothing can come between. Of
// a consumer that gives out more nothing is taken.
class OrderedJetStreamInlet final : public JetStreamInlet,
                                    public OrderedDelivery {
 public:
  using JetStreamInlet::JetStreamInlet;
};

}  // namespace

Result<std::unique_ptr<Inlet>> JetStreamInlet::Make(
    JetStreamInletOptions options, const Clock& clock, Observer& observer) {
  if (auto checked = Check(options); !checked) return checked.error();
  if (options.max_ack_pending == 1) {
    return std::unique_ptr<Inlet>(std::make_unique<OrderedJetStreamInlet>(
        std::move(options), clock, observer));
  }
  return std::unique_ptr<Inlet>(
      std::make_unique<JetStreamInlet>(std::move(options), clock, observer));
}

JetStreamInlet::JetStreamInlet(JetStreamInletOptions options,
                               const Clock& clock, Observer& observer)
    : options_(std::move(options)),
      info_({.name = options_.name,
             .max_in_flight = options_.max_in_flight,
             .max_bytes = options_.max_bytes}),
      clock_(clock),
      observer_(observer),
      control_inbox_(NewInbox()),
      consumer_(options_),
      journal_(options_, consumer_.prefix()),
      decoder_(options_.decode),
      pulls_(static_cast<std::size_t>(options_.batch), options_.expires,
             options_.heartbeat),
      suspects_(kExcused),
      drops_(!options_.filter.empty()),
      link_(options_.connection, options_.name, clock, observer),
      turn_([this] {
        {
          const MutexLock lock(mutex_);
          must_wait_ = false;
          wake_fetcher_ = true;
        }
        settler_wakes_.notify_one();
        fetcher_wakes_.notify_one();
      }) {}

JetStreamInlet::~JetStreamInlet() { static_cast<void>(Stop(milliseconds(0))); }

Result<void> JetStreamInlet::Start(Sink& sink) {
  sink_ = &sink;
  if (auto opened = link_.Open(); !opened) return opened;
  if (auto listens = link_.Listen(control_inbox_ + ".*", &OnControl, this);
      !listens) {
    return listens;
  }
  // Others give messages back, too. Without the right to listen a message of
  // theirs may be a suspect when it comes here, which costs time alone.
  if (auto listens = link_.Listen("$JS.EVENT.ADVISORY.CONSUMER.MSG_NAKED." +
                                      options_.stream + "." + options_.durable,
                                  &OnNaked, this);
      !listens) {
    return listens;
  }
  settler_ =
      std::jthread([this](const std::stop_token& stop) { RunSettler(stop); });
  fetcher_ = std::jthread([this](const std::stop_token& stop) { Fetch(stop); });
  return {};
}

void JetStreamInlet::SetDemand(bool wanted) noexcept {
  const MutexLock lock(mutex_);
  demand_ = wanted;
  if (wanted) fetcher_wakes_.notify_one();
}

void JetStreamInlet::BeginDrain(milliseconds patience) noexcept {
  const TimePoint until = After(std::chrono::steady_clock::now(), patience);
  fetcher_.request_stop();
  {
    const MutexLock lock(mutex_);
    if (std::exchange(draining_, true)) return;
    // What is on its way comes still, to be given back.
    if (messages_ != nullptr) {
      static_cast<void>(natsSubscription_Drain(messages_));
    }
    if (!fetcher_.joinable()) return;
    const auto is_over = [this]()
                             CIRRO_REQUIRES(mutex_) { return fetched_last_; };
    if (!changed_.wait_until(mutex_, until, is_over) && messages_ != nullptr) {
      static_cast<void>(natsSubscription_Unsubscribe(messages_));
    }
  }
  EndRequests();
}

// A request of ours may be open, and nobody listens any more for what it
// brings. A server of 2.9 answers it with the first message that is given back,
// which then waits for its ack_wait. Who asks about the consumer makes the
// server look who listens.
void JetStreamInlet::EndRequests() noexcept {
  constexpr std::int64_t kPatienceMs = 250;
  if (link_.get() == nullptr || !link_.connected()) return;
  natsMsg* raw = nullptr;
  static_cast<void>(natsConnection_RequestString(
      &raw, link_.get(), consumer_.info_subject().c_str(), "", kPatienceMs));
  const NatsHandle<natsMsg> answer(raw);
}

Result<void> JetStreamInlet::Stop(milliseconds grace) noexcept {
  const TimePoint until = After(std::chrono::steady_clock::now(), grace);
  {
    const MutexLock lock(mutex_);
    if (std::exchange(stopped_, true)) return {};
  }
  BeginDrain(grace);
  if (fetcher_.joinable()) fetcher_.join();
  std::size_t left = 0;
  {
    const MutexLock lock(mutex_);
    left = deliveries_.count();
    while (OpenMessage* const message = deliveries_.AnyOpen()) {
      SettleOpen(*message, Word::Kind::kNak, milliseconds(0));
    }
    settler_wakes_.notify_one();
    if (settler_.joinable()) {
      changed_.wait_until(mutex_, until, [this]() CIRRO_REQUIRES(mutex_) {
        return outbox_.size() == 0 && telling_ == 0 && unconfirmed_.empty();
      });
    }
    left += unconfirmed_.size();
  }
  bool flushed = true;
  if (link_.get() != nullptr && link_.connected()) {
    const auto rest = std::chrono::ceil<milliseconds>(
        until - std::chrono::steady_clock::now());
    flushed = natsConnection_FlushTimeout(
                  link_.get(), std::clamp<std::int64_t>(rest.count(), 1,
                                                        1'000'000)) == NATS_OK;
  }
  settler_.request_stop();
  if (settler_.joinable()) settler_.join();
  link_.Close();
  if (left == 0 && flushed) return {};
  return Error{ErrorCode::kDeadlineExceeded,
               std::to_string(left) +
                   " messages were open; they were given back" +
                   (flushed ? "" : ", if the server heard it")};
}

void JetStreamInlet::Settle(DeliveryToken token,
                            Settlement settlement) noexcept {
  const bool own_thread = fetching_thread_.load(std::memory_order_relaxed) ==
                          std::this_thread::get_id();
  if (own_thread) ++settled_here_;
  const MutexLock lock(mutex_);
  OpenMessage* const message = deliveries_.Find(token);
  if (message == nullptr) return;
  switch (settlement.kind) {
    case Settlement::Kind::kAck:
      SettleOpen(*message, Word::Kind::kAck, {});
      break;
    case Settlement::Kind::kTerm:
      SettleOpen(*message, Word::Kind::kTerm, {});
      break;
    case Settlement::Kind::kNak:
      // In a drain another process is to have it at once.
      SettleOpen(*message, Word::Kind::kNak,
                 draining_ ? milliseconds(0)
                           : DelayOf(settlement, message->facts.delivered));
      break;
  }
  if (!own_thread) {
    settler_wakes_.notify_one();
    fetcher_wakes_.notify_one();
  }
}

void JetStreamInlet::SettleOpen(OpenMessage& message, Word::Kind kind,
                                milliseconds delay) {
  if (kind == Word::Kind::kNak) {
    suspects_.Excuse(message.facts.sequence, message.facts.delivered);
    if (delay > milliseconds(0)) {
      given_back_.Add(message.facts.sequence,
                      After(std::chrono::steady_clock::now(), delay));
    }
  } else {
    suspects_.Forget(message.facts.sequence);
  }
  if (message.suspect) {
    if (message.alone) {
      suspect_runs_ = false;
      ended_turn_ = std::exchange(running_turn_, 0);
    }
    wake_fetcher_ = true;
    ended_suspects_.push_back(message.facts);
  }
  Word& word = outbox_.Next();
  word.kind = kind;
  word.delay = delay;
  word.confirm = 0;
  std::swap(word.reply, message.reply);
  if (options_.double_ack && kind == Word::Kind::kAck) {
    word.confirm = ++last_confirm_;
    unconfirmed_.emplace(word.confirm, Unconfirmed{word.reply, clock_.Now()});
  }
  deliveries_.Remove(message, kind != Word::Kind::kNak);
}

std::string JetStreamInlet::PositionOf(DeliveryToken token) const {
  return options_.stream + "/" + options_.durable + "@" +
         std::to_string(token.low);
}

void JetStreamInlet::Extend(std::span<const DeliveryToken> tokens) noexcept {
  const MutexLock lock(mutex_);
  // A server that takes nothing is not told ever more.
  if (outbox_.size() > std::size_t{4} * options_.max_in_flight) return;
  for (const DeliveryToken token : tokens) {
    OpenMessage* const message = deliveries_.Find(token);
    if (message == nullptr) continue;
    Word& word = outbox_.Next();
    word.kind = Word::Kind::kInProgress;
    word.confirm = 0;
    word.reply = message->reply;
  }
  settler_wakes_.notify_one();
}

Result<void> JetStreamInlet::Seek(const SeekPoint& to, milliseconds patience) {
  if (options_.create == JetStreamInletOptions::Create::kBind) {
    return Error{ErrorCode::kInvalidConfig,
                 "create: seeking makes the consumer '" + options_.durable +
                     "' anew, which kBind does not allow"};
  }
  if (!to.partition.empty() && to.partition != options_.stream) {
    return Error{ErrorCode::kInvalidConfig, "partition '" + to.partition +
                                                "': there is only '" +
                                                options_.stream + "'"};
  }
  SeekRequest request{to, patience};
  const TimePoint until = After(std::chrono::steady_clock::now(), patience);
  const MutexLock lock(mutex_);
  if (seek_ != nullptr) {
    return Error{ErrorCode::kOverloaded, "another seek is under way"};
  }
  seek_ = &request;
  wake_fetcher_ = true;
  settler_wakes_.notify_one();
  fetcher_wakes_.notify_one();
  const bool done = changed_.wait_until(
      mutex_, until, [this, &request]() CIRRO_REQUIRES(mutex_) {
        return request.result.has_value() || fetched_last_;
      });
  // One that was taken up is waited for: it has the same patience.
  while (!request.result && seek_ == nullptr && !fetched_last_) {
    changed_.wait(mutex_);
  }
  seek_ = nullptr;
  if (request.result) return *std::move(request.result);
  return Error{done ? ErrorCode::kDraining : ErrorCode::kUnavailable,
               "not connected to the server in time"};
}

std::vector<PartitionLag> JetStreamInlet::Lag() const {
  const MutexLock lock(mutex_);
  if (!heard_) return {};
  return {{options_.stream + "/" + options_.durable,
           heard_->pending + heard_->ack_pending}};
}

void JetStreamInlet::Publish(Outbox& words) noexcept {
  constexpr std::string_view kAck = "+ACK";
  constexpr std::string_view kTerm = "+TERM";
  constexpr std::string_view kNak = "-NAK";
  constexpr std::string_view kInProgress = "+WPI";
  natsConnection* const connection = link_.get();
  const auto send = [connection](const Word& word, std::string_view text) {
    // What cannot be sent now comes again, and is told again.
    static_cast<void>(natsConnection_Publish(connection, word.reply.c_str(),
                                             text.data(),
                                             static_cast<int>(text.size())));
  };
  words.Empty([&](const Word& word) {
    switch (word.kind) {
      case Word::Kind::kAck:
        if (word.confirm != 0) {
          const std::string answer =
              control_inbox_ + ".a" + std::to_string(word.confirm);
          static_cast<void>(natsConnection_PublishRequest(
              connection, word.reply.c_str(), answer.c_str(), kAck.data(),
              static_cast<int>(kAck.size())));
        } else {
          send(word, kAck);
        }
        break;
      case Word::Kind::kTerm:
        send(word, kTerm);
        break;
      case Word::Kind::kInProgress:
        send(word, kInProgress);
        break;
      case Word::Kind::kNak:
        if (word.delay > milliseconds(0)) {
          send(word, "-NAK {\"delay\":" +
                         std::to_string(
                             std::chrono::nanoseconds(word.delay).count()) +
                         "}");
        } else {
          send(word, kNak);
        }
        break;
    }
  });
}

void JetStreamInlet::TellSettled(Outbox& scratch) noexcept {
  std::vector<AckReply> ended;
  SuspectTurn::Ticket turn = 0;
  std::string wake;
  {
    const MutexLock lock(mutex_);
    std::swap(scratch, outbox_);
    ended.swap(ended_suspects_);
    turn = std::exchange(ended_turn_, 0);
    if (std::exchange(wake_fetcher_, false)) wake = wake_subject_;
    ++telling_;
  }
  Publish(scratch);
  for (const AckReply& message : ended) journal_.End(link_.get(), message);
  // A death from here on is not its own, and the server has to know that. If it
  // does not, nobody waits longer for it than for one that runs.
  if (turn != 0 && natsConnection_FlushTimeout(
                       link_.get(), kFlushPatience.count()) == NATS_OK) {
    turn_.Give(turn);
  }
  // To one that waits for messages of the server.
  if (!wake.empty()) {
    static_cast<void>(
        natsConnection_Publish(link_.get(), wake.c_str(), nullptr, 0));
  }
  const MutexLock lock(mutex_);
  --telling_;
  changed_.notify_all();
}

void JetStreamInlet::RunSettler(const std::stop_token& stop) noexcept {
  BlockSignals();
  Outbox scratch;
  while (!stop.stop_requested()) {
    {
      const MutexLock lock(mutex_);
      settler_wakes_.wait(mutex_, stop, [this]() CIRRO_REQUIRES(mutex_) {
        return outbox_.size() > 0 || wake_fetcher_;
      });
    }
    TellSettled(scratch);
  }
  TellSettled(scratch);
  nats_ReleaseThreadMemory();
}

// Confirmations of acknowledgements ("a" and its number), and what the server
// says of the consumer ("info") and its stream ("stream").
void JetStreamInlet::OnControl(natsConnection*, natsSubscription*,
                               natsMsg* message, void* self) noexcept {
  const NatsHandle<natsMsg> owned(message);
  JetStreamInlet& inlet = *static_cast<JetStreamInlet*>(self);
  std::string_view kind = natsMsg_GetSubject(message);
  kind.remove_prefix(std::min(kind.size(), inlet.control_inbox_.size() + 1));
  if (kind == "info") {
    const auto facts = ParseConsumerInfo(PayloadOf(message));
    if (facts) inlet.Heard(*facts);
    return;
  }
  if (kind == "stream") {
    const auto first = ParseFirstSequence(PayloadOf(message));
    if (first) inlet.HeardFirst(*first);
    return;
  }
  if (kind.empty() || kind.front() != 'a') return;
  // Nobody heard it: it is told again.
  if (natsMsg_IsNoResponders(message)) return;
  std::uint64_t number = 0;
  std::from_chars(kind.data() + 1, kind.data() + kind.size(), number);
  const MutexLock lock(inlet.mutex_);
  inlet.unconfirmed_.erase(number);
  inlet.fetcher_wakes_.notify_one();
  inlet.changed_.notify_all();
}

void JetStreamInlet::OnNaked(natsConnection*, natsSubscription*,
                             natsMsg* message, void* self) noexcept {
  const NatsHandle<natsMsg> owned(message);
  JetStreamInlet& inlet = *static_cast<JetStreamInlet*>(self);
  const auto advisory = ParseNakAdvisory(PayloadOf(message));
  if (!advisory) return;
  const MutexLock lock(inlet.mutex_);
  inlet.suspects_.Excuse(advisory->sequence, advisory->delivered);
  // One of those that wait may be it.
  if (inlet.held_count_ == 0) return;
  inlet.wake_fetcher_ = true;
  inlet.settler_wakes_.notify_one();
  inlet.fetcher_wakes_.notify_one();
}

// Those that were held, and those that come until the server has heard that
// nothing more is wanted.
void JetStreamInlet::GiveBackRest() noexcept {
  held_.clear();
  natsSubscription* messages = nullptr;
  {
    const MutexLock lock(mutex_);
    messages = messages_;
  }
  while (messages != nullptr && natsSubscription_IsValid(messages)) {
    natsMsg* message = nullptr;
    const natsStatus status =
        natsSubscription_NextMsg(&message, messages, 1'000);
    const NatsHandle<natsMsg> owned(message);
    if (status == NATS_OK) {
      const char* const reply = natsMsg_GetReply(message);
      const auto facts =
          ParseAckReply(reply == nullptr ? std::string_view() : reply);
      if (!facts || IsKnown(*facts, reply)) continue;
      const MutexLock lock(mutex_);
      Word& word = outbox_.Next();
      word.kind = Word::Kind::kNak;
      word.delay = {};
      word.confirm = 0;
      word.reply = reply;
    } else if (!link_.connected()) {
      break;
    }
  }
  TellSettled(fetcher_words_);
}

}  // namespace cirro::internal::nats
