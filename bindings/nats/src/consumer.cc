#include "consumer.h"

#include <algorithm>
#include <utility>

namespace cirro::internal::nats {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kApiPatience{5'000};

std::string PrefixOf(const JetStreamInletOptions& options) {
  if (!options.api_prefix.empty()) return options.api_prefix;
  if (!options.domain.empty()) return "$JS." + options.domain + ".API";
  return "$JS.API";
}

// Since 1970, and after it: libnats sends no time before, and no message is
// older than JetStream. A fraction it writes without the zeros that it begins
// with (3.4): 50 ms would be 500 ms, and what lies between passed over. Rather
// it begins too early, with the second.
std::int64_t StartOf(const Timestamp& time) {
  constexpr std::int64_t kSecond{1'000'000'000};
  const std::int64_t since_1970 = std::max<std::int64_t>(
      ToSysTime(time).time_since_epoch().count(), kSecond);
  const std::int64_t fraction = since_1970 % kSecond;
  return fraction < kSecond / 10 ? since_1970 - fraction : since_1970;
}

// What the server does not like is in the request.
bool IsOfSettings(jsErrCode code) noexcept {
  switch (code) {
    case JSConsumerCreateErr:
    case JSStreamReplicasNotSupportedErr:
    case JSConsumerFilterNotSubsetErr:
    case JSConsumerInvalidPolicyErr:
    case JSConsumerWQMultipleUnfilteredErr:
    case JSConsumerWQConsumerNotUniqueErr:
    case JSConsumerWQConsumerNotDeliverAllErr:
    case JSConsumerMaxPendingAckExcessErr:
    case JSConsumerReplicasExceedsStreamErr:
      return true;
    default:
      return false;
  }
}

ConsumerFacts FactsOf(const jsConsumerInfo& info) {
  const char* const leader =
      info.Cluster == nullptr ? nullptr : info.Cluster->Leader;
  const jsConsumerConfig& config = *info.Config;
  return {.config = ConsumerConfig{.ack_wait =
                                       std::chrono::duration_cast<milliseconds>(
                                           nanoseconds(config.AckWait)),
                                   .max_deliver = config.MaxDeliver,
                                   .max_ack_pending = config.MaxAckPending,
                                   .filter = config.FilterSubject == nullptr
                                                 ? ""
                                                 : config.FilterSubject,
                                   .headers_only = config.HeadersOnly},
          .pending = info.NumPending,
          .ack_pending = static_cast<std::uint64_t>(info.NumAckPending),
          .ack_floor = info.AckFloor.Stream,
          .deliveries = info.Delivered.Consumer,
          .sequence = info.Delivered.Stream,
          .created = info.Created,
          .leader = leader == nullptr ? "" : leader,
          .led = info.Cluster == nullptr || leader != nullptr};
}

}  // namespace

Consumer::Consumer(const JetStreamInletOptions& options)
    : options_(options),
      prefix_(PrefixOf(options)),
      next_subject_(prefix_ + ".CONSUMER.MSG.NEXT." + options.stream + "." +
                    options.durable),
      info_subject_(prefix_ + ".CONSUMER.INFO." + options.stream + "." +
                    options.durable) {}

Result<NatsHandle<jsCtx>> Consumer::Context(natsConnection* connection,
                                            milliseconds patience) const {
  jsOptions js_options;
  static_cast<void>(jsOptions_Init(&js_options));
  js_options.Prefix = prefix_.c_str();
  js_options.Wait = std::max<std::int64_t>(patience.count(), 1);
  jsCtx* raw = nullptr;
  const natsStatus status =
      natsConnection_JetStream(&raw, connection, &js_options);
  if (status != NATS_OK) {
    return Error{ErrorCode::kUnavailable, Explain("JetStream", status)};
  }
  return NatsHandle<jsCtx>(raw);
}

Error Consumer::Explained(const std::string& what, natsStatus status,
                          jsErrCode code) const {
  std::string why = Explain(what, status);
  if (code == JSStreamNotFoundErr) {
    why = "stream '" + options_.stream +
          "' is not there; make it, or see the setting stream";
  } else if (status == NATS_NO_RESPONDERS) {
    why = "JetStream does not answer on '" + prefix_ +
          "': is it enabled, for this account; see domain and api_prefix";
  }
  return {ErrorCode::kUnavailable, std::move(why)};
}

Consumer::Start Consumer::FirstStart() const {
  using enum JetStreamInletOptions::Deliver;
  switch (options_.deliver) {
    case kAll:
      return {js_DeliverAll};
    case kNew:
      return {js_DeliverNew};
    case kLast:
      return {js_DeliverLast};
    case kByStartSequence:
      return {js_DeliverByStartSequence, options_.start_sequence};
    case kByStartTime:
      return {js_DeliverByStartTime, 0, StartOf(options_.start_time)};
  }
  return {js_DeliverAll};
}

Result<Consumer::Start> Consumer::NextStart(jsCtx* js) {
  jsStreamInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status =
      js_GetStreamInfo(&raw, js, options_.stream.c_str(), nullptr, &code);
  if (status != NATS_OK) return Explained("stream", status, code);
  const NatsHandle<jsStreamInfo> info(raw);
  const std::int64_t created = std::exchange(stream_created_, info->Created);
  if (created == 0) return FirstStart();
  // Another stream of the same name: all that is in it is new.
  if (created != info->Created) return Start{js_DeliverAll};
  if (ack_floor_ == 0) return FirstStart();
  return Start{js_DeliverByStartSequence, ack_floor_ + 1};
}

Result<ConsumerFacts> Consumer::Make(jsCtx* js, const Start& start) {
  jsConsumerConfig config;
  static_cast<void>(jsConsumerConfig_Init(&config));
  config.Durable = options_.durable.c_str();
  config.DeliverPolicy = start.policy;
  config.OptStartSeq = start.sequence;
  config.OptStartTime = start.time;
  config.AckPolicy = js_AckExplicit;
  config.AckWait = nanoseconds(options_.ack_wait).count();
  // What is exhausted is for the dispatcher to say: the server would drop it.
  config.MaxDeliver = -1;
  if (!options_.filter.empty()) config.FilterSubject = options_.filter.c_str();
  config.ReplayPolicy = js_ReplayInstant;
  config.MaxAckPending = options_.max_ack_pending;
  config.Replicas = options_.replicas;
  config.MemoryStorage = options_.memory_storage;
  jsConsumerInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status = js_AddConsumer(&raw, js, options_.stream.c_str(),
                                           &config, nullptr, &code);
  if (status != NATS_OK) {
    Error why = Explained("consumer '" + options_.durable + "' cannot be made",
                          status, code);
    if (IsOfSettings(code)) {
      why.message +=
          "; see `filter`, `start`, `max_ack_pending`, `replicas` and "
          "`memory_storage`";
    }
    return why;
  }
  const NatsHandle<jsConsumerInfo> info(raw);
  return FactsOf(*info);
}

Result<ConsumerFacts> Consumer::CreateOrBind(natsConnection* connection) {
  auto js = Context(connection, kApiPatience);
  if (!js) return std::move(js).error();
  jsConsumerInfo* raw = nullptr;
  jsErrCode code{};
  natsStatus status =
      js_GetConsumerInfo(&raw, js->get(), options_.stream.c_str(),
                         options_.durable.c_str(), nullptr, &code);
  if (status == NATS_OK) {
    const NatsHandle<jsConsumerInfo> info(raw);
    const jsConsumerConfig& config = *info->Config;
    const bool is_push =
        config.DeliverSubject != nullptr && *config.DeliverSubject != '\0';
    if (is_push || config.AckPolicy != js_AckExplicit) {
      return Error{ErrorCode::kInvalidConfig,
                   "consumer '" + options_.durable + "' of stream '" +
                       options_.stream +
                       "' is no pull consumer with explicit acknowledgement; "
                       "delete it, or name another by durable"};
    }
    if (stream_created_ == 0) {
      if (auto start = NextStart(js->get()); !start) {
        return std::move(start).error();
      }
    }
    return FactsOf(*info);
  }
  if (code != JSConsumerNotFoundErr) {
    return Explained("consumer '" + options_.durable + "'", status, code);
  }
  if (options_.create == JetStreamInletOptions::Create::kBind) {
    return Error{ErrorCode::kUnavailable,
                 "consumer '" + options_.durable + "' of stream '" +
                     options_.stream +
                     "' is not there; make it, or see the setting create"};
  }
  auto start = NextStart(js->get());
  if (!start) return std::move(start).error();
  return Make(js->get(), *start);
}

// A server of 2.9 says at times that it could not remove a consumer's folder,
// and has removed the consumer.
bool Consumer::Exists(jsCtx* js) const {
  jsConsumerInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status =
      js_GetConsumerInfo(&raw, js, options_.stream.c_str(),
                         options_.durable.c_str(), nullptr, &code);
  const NatsHandle<jsConsumerInfo> info(raw);
  return status == NATS_OK || code != JSConsumerNotFoundErr;
}

Result<ConsumerFacts> Consumer::MakeAnew(natsConnection* connection,
                                         const SeekPoint& to,
                                         milliseconds patience) {
  // Three requests at most.
  auto js = Context(connection, patience / 3);
  if (!js) return std::move(js).error();
  jsErrCode code{};
  const natsStatus status =
      js_DeleteConsumer(js->get(), options_.stream.c_str(),
                        options_.durable.c_str(), nullptr, &code);
  if (status != NATS_OK && code != JSConsumerNotFoundErr && Exists(js->get())) {
    return Explained("consumer '" + options_.durable + "' cannot be deleted",
                     status, code);
  }
  Start start{js_DeliverAll};
  switch (to.kind) {
    case SeekPoint::Kind::kBeginning:
      break;
    case SeekPoint::Kind::kEnd:
      start = {js_DeliverNew};
      break;
    case SeekPoint::Kind::kOffset:
      if (to.offset > 0) start = {js_DeliverByStartSequence, to.offset};
      break;
    case SeekPoint::Kind::kTime:
      start = {js_DeliverByStartTime, 0, StartOf(to.time)};
      break;
  }
  return Make(js->get(), start);
}

}  // namespace cirro::internal::nats
