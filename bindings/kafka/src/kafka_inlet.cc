#include "kafka_inlet.h"

#include <utility>

#include "kafka_outlet.h"

namespace cirro::internal::kafka {

using std::chrono::milliseconds;
using Phase = InletShared::Phase;

KafkaInlet::KafkaInlet(KafkaInletOptions options, Properties properties,
                       const Clock& clock, Observer& observer)
    : options_(std::move(options)),
      properties_(std::move(properties)),
      info_{.name = options_.name,
            .peer_waits = false,
            .max_in_flight = options_.max_in_flight,
            .max_bytes = options_.max_bytes},
      clock_(clock),
      voice_(options_.name, observer) {}

KafkaInlet::~KafkaInlet() { static_cast<void>(KafkaInlet::Stop({})); }

Result<void> KafkaInlet::Start(Sink& sink) { return StartWith(sink, nullptr); }

Result<void> KafkaInlet::StartWith(Sink& sink, Transactions* transactions) {
  shared_.SetLink({LinkState::Kind::kConnecting, clock_.Now()});
  const Consumer::Parts parts{options_, info_, clock_, voice_,      shared_,
                              *this,    sink,  hooks_, transactions};
  auto consumer = Consumer::Make(parts, properties_);
  if (!consumer) return std::move(consumer).error();
  consumer_ = *std::move(consumer);
  thread_ = std::jthread([this] { consumer_->Run(); });
  return {};
}

void KafkaInlet::SetDemand(bool wanted) noexcept {
  shared_.demand.store(wanted, std::memory_order_relaxed);
  if (wanted) shared_.mailbox.Wake();
}

void KafkaInlet::BeginDrain(milliseconds patience) noexcept {
  shared_.Enter(Phase::kDraining);
  if (thread_.joinable()) shared_.AwaitReached(Phase::kDraining, patience);
}

Result<void> KafkaInlet::Stop(milliseconds grace) noexcept {
  const TimePoint now = clock_.Now();
  // Not of `now + grace`, which may be past the end of time.
  if (grace < TimePoint::max() - now) shared_.StopBy(now + grace);
  shared_.Enter(Phase::kStopping);
  if (thread_.joinable()) thread_.join();
  consumer_.reset();
  if (!shared_.left_open) return {};
  return Error{ErrorCode::kDeadlineExceeded,
               "inlet '" + options_.name +
                   "': what was not settled within the grace time comes again"};
}

void KafkaInlet::Settle(DeliveryToken token, Settlement settlement) noexcept {
  // Of kTerm the dead letter is confirmed: for Kafka it is done.
  const bool done = settlement.kind != Settlement::Kind::kNak;
  shared_.mailbox.Post(
      {.token = token,
       .kind = done ? Note::Kind::kDone : Note::Kind::kGivenBack,
       .delay = settlement.delay});
}

std::string KafkaInlet::PositionOf(DeliveryToken token) const {
  const std::string name =
      shared_.NameOf(static_cast<std::uint32_t>(token.high));
  return name.empty() ? name : name + "@" + std::to_string(token.low);
}

Result<void> KafkaInlet::Seek(const SeekPoint& to, milliseconds patience) {
  return shared_.Seek(to, patience);
}

void KafkaInlet::Attempted(DeliveryToken token, int attempts) noexcept {
  shared_.mailbox.Post(
      {.token = token, .kind = Note::Kind::kFailed, .attempts = attempts});
}

TransactionalKafkaInlet::TransactionalKafkaInlet(KafkaInletOptions options,
                                                 Properties properties,
                                                 const Clock& clock,
                                                 Observer& observer)
    : KafkaInlet(std::move(options), std::move(properties), clock, observer) {}

// The consumer uses what is destroyed here.
TransactionalKafkaInlet::~TransactionalKafkaInlet() {
  static_cast<void>(TransactionalKafkaInlet::Stop({}));
}

Result<void> TransactionalKafkaInlet::MakeTransactions() {
  auto made = Transactions::Make(options(), voice(), clock());
  if (!made) return std::move(made).error();
  transactions_ = *std::move(made);
  return {};
}

Result<void> TransactionalKafkaInlet::Join(
    std::span<Outlet* const> outlets,
    std::span<DeadLetterPlace* const> places) {
  std::vector<KafkaOutletOptions> outlet_options;
  std::vector<KafkaOutletOptions> place_options;
  const auto add = [this](const KafkaOutlet* outlet, std::string_view name,
                          std::vector<KafkaOutletOptions>& to) -> Result<void> {
    if (outlet == nullptr ||
        outlet->options().connection.brokers != options().connection.brokers) {
      return InvalidOption(
          "exactly_once",
          "outlet '" + std::string(name) +
              "' is no topic of the same `brokers` as inlet '" +
              options().name +
              "': what is sent there cannot be part of its transactions");
    }
    to.push_back(outlet->options());
    return {};
  };
  for (Outlet* const outlet : outlets) {
    if (auto added = add(dynamic_cast<const KafkaOutlet*>(outlet),
                         outlet->name(), outlet_options);
        !added) {
      return added;
    }
  }
  for (DeadLetterPlace* const place : places) {
    if (auto added = add(dynamic_cast<const KafkaOutlet*>(place),
                         place->place_name(), place_options);
        !added) {
      return added;
    }
  }
  transactions_->Join(std::move(outlet_options), std::move(place_options));
  return {};
}

Result<void> TransactionalKafkaInlet::Start(Sink& sink) {
  if (auto started = transactions_->Start(shared().mailbox.descriptor());
      !started) {
    return started;
  }
  return StartWith(sink, transactions_.get());
}

Result<void> TransactionalKafkaInlet::Stop(milliseconds grace) noexcept {
  auto stopped = KafkaInlet::Stop(grace);
  if (transactions_) transactions_->Stop();
  return stopped;
}

void TransactionalKafkaInlet::Settle(DeliveryToken token,
                                     Settlement settlement) noexcept {
  Note note{.token = token, .delay = settlement.delay};
  if (settlement.kind == Settlement::Kind::kNak) {
    note.kind = Note::Kind::kGivenBack;
  } else if (!settlement.outputs.empty() || !settlement.letters.empty()) {
    note.outputs = std::make_unique<Settlement>(std::move(settlement));
  }
  shared().mailbox.Post(std::move(note));
}

Result<std::unique_ptr<Inlet>> MakeKafkaInlet(KafkaInletOptions options,
                                              const Clock& clock,
                                              Observer& observer) {
  auto properties = ConsumerProperties(options);
  if (!properties) return std::move(properties).error();
  // Librdkafka waits up to a second after a full queue, unless it is told.
  constexpr int kTakesBackoff = 0x02020000;
  if (rd_kafka_version() >= kTakesBackoff) {
    properties->insert(properties->begin(), {"fetch.queue.backoff.ms", "10"});
  }
  Voice voice(options.name, observer);
  if (auto conf = MakeConf(*properties, voice); !conf) {
    return std::move(conf).error();
  }
  if (!options.exactly_once.enabled) {
    return std::unique_ptr<Inlet>(std::make_unique<KafkaInlet>(
        std::move(options), *std::move(properties), clock, observer));
  }
  auto inlet = std::make_unique<TransactionalKafkaInlet>(
      std::move(options), *std::move(properties), clock, observer);
  if (auto made = inlet->MakeTransactions(); !made) return made.error();
  return std::unique_ptr<Inlet>(std::move(inlet));
}

}  // namespace cirro::internal::kafka
