#include "core_inlet.h"

#include <algorithm>
#include <utility>

#include "options_check.h"
#include "raw_message.h"
#include "signals.h"

namespace cirro::internal::nats {
namespace {

using std::chrono::milliseconds;

constexpr int kMostAtOnce = 256;
constexpr std::int64_t kTurnMs = 1'000;

}  // namespace

Result<std::unique_ptr<Inlet>> CoreNatsInlet::Make(CoreNatsInletOptions options,
                                                   const Clock& clock,
                                                   Observer& observer) {
  if (auto checked = Check(options); !checked) return checked.error();
  return std::unique_ptr<Inlet>(
      std::make_unique<CoreNatsInlet>(std::move(options), clock, observer));
}

CoreNatsInlet::CoreNatsInlet(CoreNatsInletOptions options, const Clock& clock,
                             Observer& observer)
    : options_(std::move(options)),
      info_({.name = options_.name,
             .max_in_flight = options_.max_in_flight,
             .max_bytes = options_.max_bytes}),
      observer_(observer),
      decoder_(options_.decode),
      link_(options_.connection, options_.name, clock, observer) {}

CoreNatsInlet::~CoreNatsInlet() { static_cast<void>(Stop(milliseconds(0))); }

Result<void> CoreNatsInlet::Start(Sink& sink) {
  sink_ = &sink;
  if (auto opened = link_.Open(); !opened) return opened;
  const auto made = link_.Subscribe(options_.subject, options_.queue);
  if (!made) return made.error();
  messages_ = *made;
  observer_.Noted(LogLevel::kInfo, options_.name,
                  "subscribes to '" + options_.subject +
                      "' at most once: what is not handled is lost (JetStream "
                      "is at least once)");
  // Beyond them libnats drops the newest, and says so (a slow consumer).
  static_cast<void>(natsSubscription_SetPendingLimits(
      messages_,
      static_cast<int>(
          std::min<std::uint32_t>(options_.max_in_flight, 1U << 30)),
      static_cast<int>(std::min<std::size_t>(options_.max_bytes, 1U << 30))));
  reader_ = std::jthread([this](const std::stop_token& stop) { Read(stop); });
  return {};
}

void CoreNatsInlet::SetDemand(bool wanted) noexcept {
  const MutexLock lock(mutex_);
  demand_ = wanted;
  changed_.notify_all();
}

void CoreNatsInlet::BeginDrain(milliseconds patience) noexcept {
  if (!reader_.joinable()) return;
  // What the server sent before it heard of the drain is delivered still: it
  // would be lost.
  static_cast<void>(natsSubscription_Drain(messages_));
  const TimePoint until = std::chrono::steady_clock::now() + patience;
  const MutexLock lock(mutex_);
  demand_ = true;
  changed_.notify_all();
  const auto is_over = [this]() CIRRO_REQUIRES(mutex_) { return read_last_; };
  if (changed_.wait_until(mutex_, until, is_over)) return;
  static_cast<void>(natsSubscription_Unsubscribe(messages_));
}

Result<void> CoreNatsInlet::Stop(milliseconds grace) noexcept {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(stopped_, true)) return {};
  }
  BeginDrain(grace);
  reader_.request_stop();
  if (messages_ != nullptr) {
    static_cast<void>(natsSubscription_Unsubscribe(messages_));
  }
  if (reader_.joinable()) reader_.join();
  link_.Close();
  if (open_.load() == 0) return {};
  return Error{ErrorCode::kDeadlineExceeded,
               std::to_string(open_.load()) + " messages were open, and lost"};
}

void CoreNatsInlet::Settle(DeliveryToken, Settlement settlement) noexcept {
  open_.fetch_sub(1, std::memory_order_relaxed);
  if (settlement.kind != Settlement::Kind::kNak) return;
  observer_.Noted(LogLevel::kError, options_.name,
                  "a message is lost, which core NATS does not give again: " +
                      (settlement.error ? settlement.error->message
                                        : std::string("given back")));
}

void CoreNatsInlet::Read(const std::stop_token& stop) noexcept {
  BlockSignals();
  while (!stop.stop_requested() && natsSubscription_IsValid(messages_)) {
    {
      const MutexLock lock(mutex_);
      changed_.wait(mutex_, stop,
                    [this]() CIRRO_REQUIRES(mutex_) { return demand_; });
    }
    TellDropped();
    natsMsg* first = nullptr;
    if (natsSubscription_NextMsg(&first, messages_, kTurnMs) == NATS_OK) {
      HandOver(first);
    }
  }
  {
    const MutexLock lock(mutex_);
    read_last_ = true;
    changed_.notify_all();
  }
  nats_ReleaseThreadMemory();
}

// What came while there was no room.
void CoreNatsInlet::TellDropped() {
  std::int64_t dropped = 0;
  if (natsSubscription_GetDropped(messages_, &dropped) != NATS_OK ||
      dropped <= dropped_) {
    return;
  }
  observer_.Lost(
      options_.name,
      static_cast<std::uint64_t>(dropped - std::exchange(dropped_, dropped)));
}

void CoreNatsInlet::HandOver(natsMsg* first) {
  int waiting = 0;
  static_cast<void>(natsSubscription_GetPending(messages_, &waiting, nullptr));
  waiting = std::min(waiting, kMostAtOnce - 1);
  for (natsMsg* message = first; message != nullptr;) {
    const NatsHandle<natsMsg> owned(message);
    ReadHeaders(message, headers_);
    NatsContent content = decoder_.Decode(headers_, PayloadOf(message));
    const DeliveryToken token{0, ++last_token_};
    batch_.push_back(
        std::holds_alternative<Event>(content.content)
            ? Delivery(std::get<Event>(std::move(content.content)), info_,
                       *this, token)
            : Delivery(std::get<Malformed>(std::move(content.content)), info_,
                       *this, token));
    Delivery::Facts& facts = batch_.back().facts;
    facts.key = std::move(content.key);
    facts.trace = std::move(content.trace);
    facts.original = std::move(content.original);
    message = nullptr;
    if (waiting-- > 0 &&
        natsSubscription_NextMsg(&message, messages_, 0) != NATS_OK) {
      message = nullptr;
    }
  }
  open_.fetch_add(batch_.size(), std::memory_order_relaxed);
  sink_->Deliver(batch_);
  batch_.clear();
}

}  // namespace cirro::internal::nats
