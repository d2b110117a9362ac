#include "kafka_outlet.h"

#include <algorithm>
#include <array>
#include <utility>

#include "produce.h"

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;

// The thread wakes for delivery reports; this often it also looks whether it is
// to stop, and how the link is.
constexpr milliseconds kTick{100};
// How often a broker that was lost is asked for.
constexpr milliseconds kProbe{1'000};
// What ended a producer may end the next one at once.
constexpr milliseconds kAnewAgain{1'000};
// What a purge leaves is reported within moments.
constexpr milliseconds kLastReports{2'000};

}  // namespace

// The duty of a record that librdkafka holds: its opaque.
struct KafkaOutlet::Sending : Wanted {
  Sending(std::int32_t wanted, SendCompletion duty)
      : Wanted{wanted}, completion(std::move(duty)) {}

  SendCompletion completion;
};

Result<std::unique_ptr<Outlet>> KafkaOutlet::Make(KafkaOutletOptions options,
                                                  const Clock& clock,
                                                  Observer& observer) {
  auto properties = ProducerProperties(options);
  if (!properties) return std::move(properties).error();
  auto outlet = std::unique_ptr<KafkaOutlet>(new KafkaOutlet(
      std::move(options), *std::move(properties), clock, observer));
  if (auto conf = MakeConf(outlet->properties_, outlet->voice_); !conf) {
    return std::move(conf).error();
  }
  return std::unique_ptr<Outlet>(std::move(outlet));
}

KafkaOutlet::KafkaOutlet(KafkaOutletOptions options, Properties properties,
                         const Clock& clock, Observer& observer)
    : options_(std::move(options)),
      properties_(std::move(properties)),
      clock_(clock),
      voice_(options_.name, observer) {}

KafkaOutlet::~KafkaOutlet() { Stop(milliseconds(0)); }

Result<void> KafkaOutlet::Start() {
  if (auto made = MakeProducer(); !made) return made;
  {
    const MutexLock lock(mutex_);
    link_.since = clock_.Now();
  }
  thread_ = std::jthread([this] { Run(); });
  return {};
}

Result<void> KafkaOutlet::MakeProducer() {
  auto conf = MakeConf(properties_, voice_);
  if (!conf) return std::move(conf).error();
  rd_kafka_conf_set_events(conf->get(),
                           RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR);
  auto handle = MakeHandle(RD_KAFKA_PRODUCER, *std::move(conf));
  if (!handle) return std::move(handle).error();
  // It asks for the topic's metadata at once: in 2.0 the first record would
  // otherwise wait for them up to a second.
  Topic topic = MakeTopic(handle->get(), options_.topic);
  reports_.reset(rd_kafka_queue_get_main(handle->get()));
  const MutexLock lock(mutex_);
  topic_ = std::move(topic);
  producer_ = *std::move(handle);
  return {};
}

void KafkaOutlet::Send(Event event, SendCompletion completion) noexcept {
  thread_local KafkaDraft draft;
  EncodeKafka(options_.mode, event, draft);
  Enqueue(draft, KeyOf(event, options_.key_from), -1, std::move(completion));
}

void KafkaOutlet::Bury(DeadLetter letter, SendCompletion completion) noexcept {
  thread_local KafkaDraft draft;
  const MessageHeaders why = DeadLetterHeaders(letter.facts);
  EncodeKafkaLetter(letter, why, draft);
  Enqueue(draft, letter.key, PartitionIn(letter.facts.position),
          std::move(completion));
}

void KafkaOutlet::SendBack(const DeadLetter& letter,
                           SendCompletion completion) noexcept {
  KafkaDraft draft;
  MessageHeaders whom;
  if (!letter.facts.function.empty()) {
    whom.emplace_back(kRedriveHeader, letter.facts.function);
  }
  EncodeKafkaLetter(letter, whom, draft);
  Enqueue(draft, letter.key, PartitionIn(letter.facts.position),
          std::move(completion));
}

void KafkaOutlet::Enqueue(const KafkaDraft& draft, std::string_view key,
                          std::int32_t partition,
                          SendCompletion completion) noexcept {
  auto sending = std::make_unique<Sending>(partition, std::move(completion));
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
  bool running = false;
  {
    const MutexLock lock(mutex_);
    running = producer_ != nullptr && !stopping_;
    if (running && in_flight_ < options_.max_in_flight) {
      code = Produce(producer_.get(), topic_.get(), draft, key, sending.get());
      if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++in_flight_;
        static_cast<void>(sending.release());  // Report takes it back.
        return;
      }
    }
  }
  if (!running) {
    Refuse(std::move(sending->completion), ErrorCode::kUnavailable,
           "it is not running");
  } else if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    Refuse(std::move(sending->completion), ErrorCode::kOverloaded,
           "`max_in_flight` (" + std::to_string(options_.max_in_flight) +
               ") events are on their way");
  } else if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    Refuse(std::move(sending->completion), ErrorCode::kOverloaded,
           "the events that are on their way fill "
           "`librdkafka.\"queue.buffering.max.kbytes\"`");
  } else {
    Refuse(std::move(sending->completion),
           SendErrorOf(code, RD_KAFKA_MSG_STATUS_NOT_PERSISTED), TextOf(code));
  }
}

void KafkaOutlet::Refuse(SendCompletion completion, ErrorCode code,
                         const std::string& why) const noexcept {
  completion.Complete(Error{code, "outlet '" + options_.name + "': topic '" +
                                      options_.topic + "': " + why});
}

void KafkaOutlet::Stop(milliseconds grace) noexcept {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    const TimePoint now = clock_.Now();
    // Not of `now + grace`, which may be past the end of time.
    if (grace < give_up_at_ - now) give_up_at_ = now + grace;
  }
  if (thread_.joinable()) thread_.join();
}

LinkState KafkaOutlet::link() const noexcept {
  const MutexLock lock(mutex_);
  return link_;
}

void KafkaOutlet::Run() noexcept {
  BlockSignals();
  while (!IsDone()) {
    WatchLink();
    Serve(kTick);
    if (fatal_ && clock_.Now() >= anew_at_) Rebuild();
  }
  Handle producer;
  Topic topic;
  {
    const MutexLock lock(mutex_);
    producer = std::move(producer_);
    topic = std::move(topic_);
  }
  if (producer) GiveUp(producer.get());
  topic.reset();
  reports_.reset();  // Before its handle.
}

bool KafkaOutlet::IsDone() noexcept {
  const MutexLock lock(mutex_);
  return stopping_ && (in_flight_ == 0 || producer_ == nullptr ||
                       clock_.Now() >= give_up_at_);
}

void KafkaOutlet::Serve(milliseconds patience) noexcept {
  const HandleEvent event(
      rd_kafka_queue_poll(reports_.get(), static_cast<int>(patience.count())));
  if (!event) return;
  if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) {
    while (const rd_kafka_message_t* const message =
               rd_kafka_event_message_next(event.get())) {
      Report(*message);
    }
    return;
  }
  if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_ERROR) return;
  const rd_kafka_resp_err_t code = rd_kafka_event_error(event.get());
  // Its code is what was wrong.
  if (rd_kafka_event_error_is_fatal(event.get()) != 0) {
    fatal_ = true;
  } else if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    // Librdkafka goes on trying, and so do those who send.
    Link(LinkState::Kind::kDisconnected);
  } else if (IsOfConnection(code)) {
    refusals_.Tell(code, rd_kafka_event_error_string(event.get()), voice_,
                   clock_.Now());
  } else {
    refusals_.TellOther(code, rd_kafka_event_error_string(event.get()), voice_,
                        clock_.Now());
  }
}

void KafkaOutlet::Report(const rd_kafka_message_t& message) noexcept {
  const std::unique_ptr<Sending> sending(
      static_cast<Sending*>(static_cast<Wanted*>(message._private)));
  {
    const MutexLock lock(mutex_);
    --in_flight_;
  }
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    Link(LinkState::Kind::kConnected);
    sending->completion.Complete({});
    return;
  }
  Refuse(std::move(sending->completion),
         SendErrorOf(message.err, rd_kafka_message_status(&message)),
         TextOf(message.err));
}

// Every record that is still there is reported, as what it came to.
void KafkaOutlet::GiveUp(rd_kafka_t* producer) noexcept {
  rd_kafka_purge(producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  const TimePoint end = clock_.Now() + kLastReports;
  while (rd_kafka_outq_len(producer) > 0 && clock_.Now() < end) Serve(kTick);
}

// A producer that had a fatal error takes no record any more. Who sent what it
// had is told, and sends it again.
void KafkaOutlet::Rebuild() noexcept {
  Handle old;
  Topic topic;
  {
    const MutexLock lock(mutex_);
    old = std::move(producer_);
    topic = std::move(topic_);
  }
  std::array<char, 512> why{};
  rd_kafka_fatal_error(old.get(), why.data(), why.size());
  voice_.Say(LogLevel::kWarning,
             std::string("the producer is made anew: ") + why.data());
  GiveUp(old.get());
  topic.reset();
  reports_.reset();
  old.reset();
  fatal_ = false;
  anew_at_ = clock_.Now() + kAnewAgain;
  if (auto made = MakeProducer(); !made) {
    voice_.Fail(made.error());
    Link(LinkState::Kind::kFailed);
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
}

// Librdkafka tells when every broker is lost, and not when one is found.
void KafkaOutlet::WatchLink() noexcept {
  rd_kafka_t* producer = nullptr;
  rd_kafka_topic_t* topic = nullptr;
  TimePoint due = probed_;
  {
    const MutexLock lock(mutex_);
    if (link_.kind == LinkState::Kind::kConnected) return;
    if (link_.kind == LinkState::Kind::kDisconnected) due += kProbe;
    producer = producer_.get();
    topic = topic_.get();
  }
  if (clock_.Now() < due) return;
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto code = rd_kafka_metadata(producer, 0, topic, &metadata,
                                      static_cast<int>(kTick.count()));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
    rd_kafka_metadata_destroy(metadata);
    Link(LinkState::Kind::kConnected);
  }
  probed_ = clock_.Now();
}

void KafkaOutlet::Link(LinkState::Kind kind) noexcept {
  {
    const MutexLock lock(mutex_);
    if (link_.kind == kind) return;
    link_ = {kind, clock_.Now()};
  }
  if (kind == LinkState::Kind::kConnected) {
    voice_.Say(LogLevel::kInfo, "connected to " + options_.connection.brokers);
  } else if (kind == LinkState::Kind::kDisconnected) {
    refusals_.TellAway(options_.connection.brokers, voice_, clock_.Now());
  }
}

}  // namespace cirro::internal::kafka
