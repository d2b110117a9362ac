#include "transactions.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <climits>
#include <set>
#include <utility>
#include <variant>

#include "cirro/kafka/codec.h"
#include "refusals.h"

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;

// Each blocking call of librdkafka; it is made again where that helps.
constexpr milliseconds kCall{1'000};
constexpr milliseconds kTick{20};
// A call that is made again and again is told of after so long, and so often.
constexpr milliseconds kTellAfter{5'000};
constexpr milliseconds kTellEvery{60'000};

std::string HostName() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string TextOf(const rd_kafka_error_t* error) {
  return std::string(rd_kafka_error_string(error)) + " (" +
         rd_kafka_error_name(error) + ")";
}

// Of one record, as librdkafka is configured.
std::size_t MostBytes(const rd_kafka_conf_t* conf) {
  std::array<char, 32> text{};
  std::size_t size = text.size();
  std::size_t most = 1'000'000;
  if (rd_kafka_conf_get(conf, "message.max.bytes", text.data(), &size) ==
      RD_KAFKA_CONF_OK) {
    std::from_chars(text.data(), text.data() + size - 1, most);
  }
  return most;
}

}  // namespace

Result<std::unique_ptr<Transactions>> Transactions::Make(
    const KafkaInletOptions& options, const Voice& voice, const Clock& clock) {
  std::string id = TransactionalIdOf(options, HostName());
  auto properties = TransactionProperties(options, id);
  if (!properties) return std::move(properties).error();
  Voice trial = voice;
  const auto conf = MakeConf(*properties, trial);
  if (!conf) return conf.error();
  return std::unique_ptr<Transactions>(
      new Transactions(voice, clock, std::move(id), *std::move(properties),
                       MostBytes(conf->get())));
}

Transactions::Transactions(const Voice& voice, const Clock& clock,
                           std::string id, Properties properties,
                           std::size_t most_bytes)
    : id_(std::move(id)),
      properties_(std::move(properties)),
      most_bytes_(most_bytes),
      clock_(clock),
      voice_(voice),
      info_{.name = voice.part()} {}

Transactions::~Transactions() = default;

void Transactions::Join(std::vector<KafkaOutletOptions> outlets,
                        std::vector<KafkaOutletOptions> places) {
  for (auto& outlet : outlets) {
    outlets_.emplace_back(std::move(outlet), most_bytes_);
  }
  for (auto& place : places) {
    places_.emplace_back(std::move(place), most_bytes_);
  }
}

Result<void> Transactions::CanSend(std::uint32_t outlet,
                                   const Event& event) const noexcept {
  thread_local KafkaDraft draft;
  const Place& place = outlets_.at(outlet);
  // No character takes more than six on its way.
  constexpr std::size_t kMostGrowth = 8;
  const TimePoint now = clock_.Now();
  if (event.memory_size() < place.bound.MostBytes(now) / kMostGrowth &&
      !place.refusals.any(now)) {
    return {};
  }
  EncodeKafka(place.options.mode, event, draft);
  return Check(place, draft, KeyOf(event, place.options.key_from));
}

Result<void> Transactions::CanKeep(std::uint32_t place,
                                   const DeadLetter& letter) const noexcept {
  thread_local KafkaDraft draft;
  const MessageHeaders why = DeadLetterHeaders(letter.facts);
  EncodeKafkaLetter(letter, why, draft);
  return Check(places_.at(place), draft, letter.key);
}

Result<void> Transactions::Check(const Place& place, const KafkaDraft& draft,
                                 std::string_view key) const {
  const TimePoint now = clock_.Now();
  const std::size_t bytes = WireBytes(draft, key);
  const std::size_t most = place.bound.MostBytes(now);
  if (bytes <= most) return place.refusals.Check(DigestOf(draft, key), now);
  return Error{ErrorCode::kTooLarge,
               "outlet '" + place.options.name + "': topic '" +
                   place.options.topic + "': " + std::to_string(bytes) +
                   " bytes are more than " +
                   (most == most_bytes_
                        ? "`librdkafka.\"message.max.bytes\"` of inlet '" +
                              voice_.part() + "', " + std::to_string(most)
                        : "the topic's `max.message.bytes` allows")};
}

Result<void> Transactions::Start(int descriptor) {
  descriptor_ = descriptor;
  if (auto made = MakeProducer(); !made) return made;
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
  return {};
}

Result<void> Transactions::MakeProducer() {
  auto conf = MakeConf(properties_, voice_);
  if (!conf) return std::move(conf).error();
  // The commit tells whether all of them are good; why one was not, its report.
  rd_kafka_conf_set_dr_msg_cb(conf->get(), &OnReport);
  auto handle = MakeHandle(RD_KAFKA_PRODUCER, *std::move(conf));
  if (!handle) return std::move(handle).error();
  producer_ = *std::move(handle);
  for (auto* const all : {&outlets_, &places_}) {
    for (Place& place : *all) {
      place.topic = MakeTopic(producer_.get(), place.options.topic);
    }
  }
  initialised_ = false;
  return {};
}

void Transactions::Submit(Batch batch) noexcept {
  const MutexLock lock(mutex_);
  batch_ = std::move(batch);
  changed_.notify_all();
}

std::optional<Transactions::Ended> Transactions::Take() noexcept {
  const MutexLock lock(mutex_);
  return std::exchange(ended_, std::nullopt);
}

void Transactions::Stop() noexcept {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Transactions::Run(const std::stop_token& stop) noexcept {
  BlockSignals();
  for (;;) {
    std::optional<Batch> batch;
    {
      const MutexLock lock(mutex_);
      if (!changed_.wait(mutex_, stop, [this]() CIRRO_REQUIRES(mutex_) {
            return batch_.has_value();
          })) {
        break;
      }
      batch = std::exchange(batch_, std::nullopt);
    }
    Ended ended = Do(*batch, stop);
    const TimePoint now = clock_.Now();
    for (auto* const all : {&outlets_, &places_}) {
      for (Place& place : *all) place.refusals.End(now);
    }
    if (ended.end == End::kCommitted) {
      TellBuried(*batch);
    } else if (ended.code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
               ended.code == RD_KAFKA_RESP_ERR_OPERATION_NOT_ATTEMPTED) {
      FindRefusing(*batch, stop);
    }
    {
      const MutexLock lock(mutex_);
      ended_ = std::move(ended);
    }
    const std::uint64_t one = 1;
    static_cast<void>(!write(descriptor_, &one, sizeof one));
  }
  // Whether an event can be sent may still be asked of the places themselves.
  for (auto* const all : {&outlets_, &places_}) {
    for (Place& place : *all) place.topic.reset();
  }
  producer_.reset();
}

// Whether `call`, made again where that helps, succeeded at last.
template <typename Call>
Transactions::Ended Transactions::Try(const std::stop_token& stop,
                                      const Call& call) {
  TimePoint tell_at = clock_.Now() + kTellAfter;
  for (;;) {
    const HandleError error(call());
    if (!error) return {End::kCommitted, {}, {}};
    const std::string why = TextOf(error.get());
    if (rd_kafka_error_code(error.get()) ==
        RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT) {
      return {End::kRefused,
              why + WhatToChange(rd_kafka_error_code(error.get())),
              {}};
    }
    if (rd_kafka_error_is_fatal(error.get()) != 0) {
      if (rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__FENCED ||
          rd_kafka_error_code(error.get()) ==
              RD_KAFKA_RESP_ERR_PRODUCER_FENCED) {
        return {End::kFenced, why, {}};
      }
      return Rebuild(why + WhatToChange(rd_kafka_error_code(error.get())));
    }
    if (rd_kafka_error_txn_requires_abort(error.get()) != 0) {
      Ended ended = Abort(stop, why);
      ended.code = rd_kafka_error_code(error.get());
      return ended;
    }
    if (rd_kafka_error_is_retriable(error.get()) == 0) {
      return Rebuild(why + WhatToChange(rd_kafka_error_code(error.get())));
    }
    if (stop.stop_requested()) return {End::kAborted, "the inlet stops", {}};
    TellWaiting(why, tell_at);
  }
}

// That a broker keeps a transaction waiting, if it is time to.
void Transactions::TellWaiting(const std::string& why,
                               TimePoint& tell_at) const noexcept {
  const TimePoint now = clock_.Now();
  if (now < tell_at) return;
  tell_at = now + kTellEvery;
  voice_.Say(
      LogLevel::kWarning,
      "a transaction waits for the broker, which is asked again: " + why);
}

Transactions::Ended Transactions::Do(const Batch& batch,
                                     const std::stop_token& stop) {
  constexpr int kPatience = static_cast<int>(kCall.count());
  rd_kafka_t* const producer = producer_.get();
  if (!initialised_) {
    Ended ended = Try(
        stop, [&] { return rd_kafka_init_transactions(producer, kPatience); });
    if (ended.end != End::kCommitted) return ended;
    initialised_ = true;
  }
  Ended ended = Try(stop, [&] { return rd_kafka_begin_transaction(producer); });
  if (ended.end != End::kCommitted) return ended;
  written_.clear();
  spoilt_ = false;
  for (auto* const all : {&outlets_, &places_}) {
    for (Place& place : *all) place.bound.Begin(clock_.Now());
  }
  for (const auto& settlement : batch.outputs) {
    const auto code = Write(*settlement, stop);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return Abort(stop, internal::kafka::TextOf(code));
    }
  }
  ended = Try(stop, [&] {
    return rd_kafka_send_offsets_to_transaction(producer, batch.offsets.get(),
                                                batch.member.get(), kPatience);
  });
  if (ended.end != End::kCommitted) return ended;
  return Try(stop,
             [&] { return rd_kafka_commit_transaction(producer, kPatience); });
}

rd_kafka_resp_err_t Transactions::Write(const Settlement& settlement,
                                        const std::stop_token& stop) {
  KafkaDraft draft;
  for (const Settlement::Output& output : settlement.outputs) {
    Place& place = outlets_.at(output.outlet);
    EncodeKafka(place.options.mode, output.event, draft);
    const auto code = Write(
        place, draft, KeyOf(output.event, place.options.key_from), -1, stop);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
  }
  for (const Settlement::Letter& each : settlement.letters) {
    const MessageHeaders why = DeadLetterHeaders(each.letter.facts);
    EncodeKafkaLetter(each.letter, why, draft);
    const auto code = Write(places_.at(each.place), draft, each.letter.key,
                            PartitionIn(each.letter.facts.position), stop);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_resp_err_t Transactions::Write(Place& place, const KafkaDraft& draft,
                                        std::string_view key,
                                        std::int32_t partition,
                                        const std::stop_token& stop) {
  const std::size_t bytes = WireBytes(draft, key);
  const RecordDigest digest = DigestOf(draft, key);
  if (place.bound.IsFullFor(bytes) || place.refusals.IsFullFor(digest)) {
    const auto code = AwaitWritten(stop);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return code;
    place.bound.BeginGroup();
    place.refusals.BeginGroup();
  }
  place.refusals.Wrote(digest);
  Written& written = written_.emplace_back();
  written.partition = partition;
  written.place = &place;
  written.bytes = bytes;
  written.group = place.bound.Wrote(bytes);
  written.digest = digest;
  written.by = this;
  for (;;) {
    const auto code =
        Produce(producer_.get(), place.topic.get(), draft, key, &written);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL || stop.stop_requested()) {
      if (code != RD_KAFKA_RESP_ERR_NO_ERROR) Learn(written, code);
      return code;
    }
    rd_kafka_poll(producer_.get(), static_cast<int>(kTick.count()));
  }
}

// Until the broker has answered to all that was written. Once it refused one it
// is asked nothing more, and the rest would be waited for in vain.
rd_kafka_resp_err_t Transactions::AwaitWritten(const std::stop_token& stop) {
  for (;;) {
    const auto code =
        rd_kafka_flush(producer_.get(), static_cast<int>(kTick.count()));
    if (spoilt_) return RD_KAFKA_RESP_ERR__STATE;
    if (code != RD_KAFKA_RESP_ERR__TIMED_OUT || stop.stop_requested()) {
      return code;
    }
  }
}

// A broker that does not allow a topic refuses the transaction, without saying
// which of its topics: each is tried alone.
void Transactions::FindRefusing(const Batch& batch,
                                const std::stop_token& stop) {
  std::set<const Place*> asked;
  const auto ask = [&](Place& place, const Settlement& sample) {
    if (stop.stop_requested() || !asked.insert(&place).second) return;
    if (!Refuses(place, batch, sample, stop)) return;
    place.refusals.RefusedAll(
        RefusedBy(place, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED),
        clock_.Now());
  };
  for (const auto& settlement : batch.outputs) {
    for (const Settlement::Output& output : settlement->outputs) {
      Settlement sample;
      sample.outputs.push_back(output);
      ask(outlets_.at(output.outlet), sample);
    }
    for (const Settlement::Letter& letter : settlement->letters) {
      Settlement sample;
      sample.letters.push_back(letter);
      ask(places_.at(letter.place), sample);
    }
  }
}

// In a transaction that is undone in any case.
bool Transactions::Refuses(Place& place, const Batch& batch,
                           const Settlement& sample,
                           const std::stop_token& stop) {
  constexpr int kPatience = static_cast<int>(kCall.count());
  const HandleError begun(rd_kafka_begin_transaction(producer_.get()));
  if (begun) return false;
  written_.clear();
  spoilt_ = false;
  failed_ = false;
  place.bound.Begin(clock_.Now());
  bool undone = false;
  if (Write(sample, stop) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    static_cast<void>(rd_kafka_flush(producer_.get(), kPatience));
    const HandleError error(rd_kafka_send_offsets_to_transaction(
        producer_.get(), batch.offsets.get(), batch.member.get(), kPatience));
    undone = error && rd_kafka_error_txn_requires_abort(error.get()) != 0;
  }
  static_cast<void>(Abort(stop, {}));
  // A record that was with the broker by then is not reported.
  return undone && failed_;
}

Error Transactions::RefusedBy(const Place& place, rd_kafka_resp_err_t code) {
  return {SendErrorOf(code, RD_KAFKA_MSG_STATUS_NOT_PERSISTED),
          "outlet '" + place.options.name + "': topic '" + place.options.topic +
              "': it is refused: " + internal::kafka::TextOf(code)};
}

// What is with the broker now; whoever observes need not settle it.
void Transactions::TellBuried(const Batch& batch) const noexcept {
  class Nothing final : public Settler {
   public:
    explicit Nothing(std::string position) : position_(std::move(position)) {}
    void Settle(DeliveryToken /*token*/,
                Settlement /*settlement*/) noexcept override {}
    [[nodiscard]] std::string PositionOf(
        DeliveryToken /*token*/) const override {
      return position_;
    }

   private:
    const std::string position_;
  };
  for (const auto& settlement : batch.outputs) {
    for (const Settlement::Letter& each : settlement->letters) {
      Nothing settler(each.letter.facts.position);
      const Event* const event = std::get_if<Event>(&each.letter.content);
      const Delivery delivery =
          event != nullptr
              ? Delivery(*event, info_, settler, DeliveryToken{})
              : Delivery(*std::get_if<Malformed>(&each.letter.content), info_,
                         settler, DeliveryToken{});
      voice_.Buried(each.letter.facts, delivery,
                    places_.at(each.place).options.name);
    }
  }
}

// On the thread of the transactions, within a call of librdkafka.
void Transactions::OnReport(rd_kafka_t* /*handle*/,
                            const rd_kafka_message_t* message,
                            void* /*opaque*/) noexcept {
  const auto& written =
      *static_cast<const Written*>(static_cast<Wanted*>(message->_private));
  written.by->Learn(written, message->err);
}

// What a refusal tells of the records to come.
void Transactions::Learn(const Written& written, rd_kafka_resp_err_t code) {
  Place& place = *written.place;
  failed_ = true;
  switch (code) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      place.bound.Refused(written.group, written.bytes, clock_.Now());
      break;
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      place.refusals.Refused(written.digest, RefusedBy(place, code));
      break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      place.refusals.RefusedAll(RefusedBy(place, code), clock_.Now());
      break;
    default:
      return;
  }
  spoilt_ = true;
}

Transactions::Ended Transactions::Abort(const std::stop_token& stop,
                                        const std::string& why) {
  TimePoint tell_at = clock_.Now() + kTellAfter;
  for (;;) {
    const HandleError error(rd_kafka_abort_transaction(
        producer_.get(), static_cast<int>(kCall.count())));
    if (!error) return {End::kAborted, why, {}};
    if (rd_kafka_error_is_retriable(error.get()) == 0) {
      if (rd_kafka_error_code(error.get()) == RD_KAFKA_RESP_ERR__FENCED) {
        return {End::kFenced, TextOf(error.get()), {}};
      }
      return Rebuild(why + "; " + TextOf(error.get()));
    }
    if (stop.stop_requested()) return {End::kAborted, why, {}};
    TellWaiting(TextOf(error.get()), tell_at);
  }
}

// A producer that is of no use any more: what it had is aborted by the next
// one's first call.
Transactions::Ended Transactions::Rebuild(const std::string& why) {
  for (auto* const all : {&outlets_, &places_}) {
    for (Place& place : *all) place.topic.reset();
  }
  producer_.reset();
  if (auto made = MakeProducer(); !made) {
    return {End::kRefused, made.error().message, {}};
  }
  return {End::kAborted, why, {}};
}

}  // namespace cirro::internal::kafka
