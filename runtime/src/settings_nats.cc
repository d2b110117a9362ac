#include <array>
#include <vector>

#include "settings_landing.h"

// `type = "nats"` of inlets and outlets.
namespace cirro::internal {
namespace {

using enum SettingType;

constexpr std::string_view kNats = "nats";

template <auto kField>
constexpr auto kLandStream =
    &Land<&Config::inlets, &InletConfig::nats_jetstream, kField>;
template <auto kField>
constexpr auto kLandCore =
    &Land<&Config::inlets, &InletConfig::nats_core, kField>;
template <auto kField>
constexpr auto kLandOutlet =
    &Land<&Config::outlets, &OutletConfig::nats, kField>;

void LandCreate(Config& config, std::string_view name,
                const SettingValue& value) {
  using enum JetStreamInletOptions::Create;
  SectionOf(config.inlets, name).nats_jetstream.create =
      std::get<bool>(value) ? kCreateOrBind : kBind;
}

void LandStart(Config& config, std::string_view name,
               const SettingValue& value) {
  using enum JetStreamInletOptions::Deliver;
  JetStreamInletOptions& to = SectionOf(config.inlets, name).nats_jetstream;
  const auto& text = std::get<std::string>(value);
  if (text == "last") {
    to.deliver = kLast;
    return;
  }
  const auto point = ParseSeekPoint(text);
  switch (point->kind) {
    case SeekPoint::Kind::kBeginning:
      to.deliver = kAll;
      return;
    case SeekPoint::Kind::kEnd:
      to.deliver = kNew;
      return;
    case SeekPoint::Kind::kOffset:
      to.deliver = kByStartSequence;
      to.start_sequence = point->offset;
      return;
    case SeekPoint::Kind::kTime:
      to.deliver = kByStartTime;
      to.start_time = point->time;
      return;
  }
}

Result<void> CheckStart(std::string_view text) {
  if (text == "last") return {};
  return CheckSeekPoint(text);
}

Result<void> CheckServer(std::string_view text) {
  if (text.starts_with("nats://") || text.starts_with("tls://")) return {};
  return Error{ErrorCode::kInvalidConfig,
               "must be URLs that begin with nats:// or tls://"};
}

// Which servers, and as whom: the same for an inlet and an outlet.
template <auto kSection, auto... kTo>
constexpr auto ConnectionRows(std::string_view section) {
  return std::array{
      Setting{.section = section,
              .key = "servers",
              .type = kList,
              .fallback = "nats://127.0.0.1:4222",
              .doc = "`nats://host:port` or `tls://...`, several of one "
                     "cluster.",
              .land = &Land<kSection, kTo..., &NatsConnection::servers>,
              .platform = "NATS_URL",
              .check = &CheckServer,
              .types = kNats},
      Setting{.section = section,
              .key = "client_name",
              .type = kText,
              .fallback = "",
              .doc = "What the server's lists call the client.",
              .land = &Land<kSection, kTo..., &NatsConnection::client_name>,
              .computed = "the section's NAME",
              .types = kNats},
      Setting{.section = section,
              .key = "user",
              .type = kText,
              .fallback = "",
              .doc = "One of four ways to be known: with `password`;",
              .land = &Land<kSection, kTo..., &NatsConnection::user>,
              .types = kNats},
      Setting{.section = section,
              .key = "password",
              .type = kSecret,
              .fallback = "",
              .doc = "that of `user`;",
              .land = &Land<kSection, kTo..., &NatsConnection::password>,
              .types = kNats},
      Setting{.section = section,
              .key = "token",
              .type = kSecret,
              .fallback = "",
              .doc = "a token alone;",
              .land = &Land<kSection, kTo..., &NatsConnection::token>,
              .types = kNats},
      Setting{
          .section = section,
          .key = "credentials_file",
          .type = kText,
          .fallback = "",
          .doc = "a `.creds` file with a JWT and its seed;",
          .land = &Land<kSection, kTo..., &NatsConnection::credentials_file>,
          .types = kNats},
      Setting{.section = section,
              .key = "nkey",
              .type = kText,
              .fallback = "",
              .doc = "a public key, `U...`, with `nkey_seed_file`.",
              .land = &Land<kSection, kTo..., &NatsConnection::nkey>,
              .types = kNats},
      Setting{.section = section,
              .key = "nkey_seed_file",
              .type = kText,
              .fallback = "",
              .doc = "The file with the seed of `nkey`.",
              .land = &Land<kSection, kTo..., &NatsConnection::nkey_seed_file>,
              .types = kNats},
      Setting{.section = section,
              .key = "tls",
              .type = kBool,
              .fallback = "false",
              .doc = "Encrypt, also where the server only offers it.",
              .land = &Land<kSection, kTo..., &NatsConnection::tls>,
              .types = kNats},
      Setting{.section = section,
              .key = "ca_certificates_file",
              .type = kText,
              .fallback = "",
              .doc = "Certificates that the servers are trusted by, instead of "
                     "the system's.",
              .land = &Land<kSection, kTo..., &NatsConnection::ca_file>,
              .types = kNats},
      Setting{
          .section = section,
          .key = "certificate_file",
          .type = kText,
          .fallback = "",
          .doc = "The client's own certificate.",
          .land = &Land<kSection, kTo..., &NatsConnection::certificate_file>,
          .types = kNats},
      Setting{.section = section,
              .key = "key_file",
              .type = kText,
              .fallback = "",
              .doc = "Its private key.",
              .land = &Land<kSection, kTo..., &NatsConnection::key_file>,
              .types = kNats},
      Setting{.section = section,
              .key = "verify",
              .type = kBool,
              .fallback = "true",
              .doc = "Whether the server's certificate must be trusted and its "
                     "host's.",
              .land = &Land<kSection, kTo..., &NatsConnection::verify>,
              .types = kNats},
      Setting{.section = section,
              .key = "expected_host",
              .type = kText,
              .fallback = "",
              .doc = "The host that the certificate must name.",
              .land = &Land<kSection, kTo..., &NatsConnection::expected_host>,
              .computed = "that of the URL",
              .types = kNats},
      Setting{.section = section,
              .key = "connect_timeout",
              .type = kDuration,
              .fallback = "5s",
              .doc = "How long a connection may take to be there.",
              .land = &Land<kSection, kTo..., &NatsConnection::connect_timeout>,
              .min = 1,
              .max = kOneDay,
              .types = kNats},
      Setting{.section = section,
              .key = "reconnect_wait",
              .type = kDuration,
              .fallback = "500ms",
              .doc = "Between two attempts, which never end.",
              .land = &Land<kSection, kTo..., &NatsConnection::reconnect_wait>,
              .min = 1,
              .max = kOneDay,
              .types = kNats},
      Setting{.section = section,
              .key = "ping_interval",
              .type = kDuration,
              .fallback = "10s",
              .doc = "A server that does not answer two pings is gone.",
              .land = &Land<kSection, kTo..., &NatsConnection::ping_interval>,
              .min = 100,
              .max = kOneDay,
              .types = kNats},
  };
}

constexpr std::array kInlet{
    Setting{.section = "inlet",
            .key = "jetstream",
            .type = kBool,
            .fallback = "true",
            .doc = "A durable consumer of a stream: at least once. Without it "
                   "a subscription of core NATS: at most once, and what comes "
                   "while nobody listens is lost.",
            .land = &Land<&Config::inlets, &InletConfig::jetstream>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "stream",
            .type = kText,
            .fallback = "",
            .doc = "With `jetstream`: what is read; required.",
            .land = kLandStream<&JetStreamInletOptions::stream>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "durable",
            .type = kText,
            .fallback = "",
            .doc = "With `jetstream`: the consumer, which all who name it "
                   "share; required.",
            .land = kLandStream<&JetStreamInletOptions::durable>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "filter",
            .type = kText,
            .fallback = "",
            .doc = "The subjects of the stream that are read; empty: all. A "
                   "consumer that is there must have the same.",
            .land = kLandStream<&JetStreamInletOptions::filter>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "create",
            .type = kBool,
            .fallback = "true",
            .doc = "Make the consumer where there is none; else it must be "
                   "there, and nothing is made or changed.",
            .land = &LandCreate,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "start",
            .type = kText,
            .fallback = "beginning",
            .doc = "Where a consumer that is made begins: `beginning`, `end`, "
                   "`last`, a sequence, or an RFC 3339 time.",
            .land = &LandStart,
            .check = &CheckStart,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "ack_wait",
            .type = kDuration,
            .fallback = "30s",
            .doc = "Of a consumer that is made: what is silent for so long is "
                   "given to another; what is open is never silent. One that "
                   "is there must have no less.",
            .land = kLandStream<&JetStreamInletOptions::ack_wait>,
            .min = 1'000,
            .max = kOneDay,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "max_ack_pending",
            .type = kInteger,
            .fallback = "1000",
            .doc = "Of a consumer that is made: open messages of all processes "
                   "together. 1 is strict order: one that is there must have "
                   "it, too.",
            .land = kLandStream<&JetStreamInletOptions::max_ack_pending>,
            .min = 1,
            .max = 1'000'000,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "replicas",
            .type = kInteger,
            .fallback = "0",
            .doc = "Of a consumer that is made; 0 is as the stream has.",
            .land = kLandStream<&JetStreamInletOptions::replicas>,
            .max = 5,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "memory_storage",
            .type = kBool,
            .fallback = "false",
            .doc = "Of a consumer that is made: its state is lost with the "
                   "server.",
            .land = kLandStream<&JetStreamInletOptions::memory_storage>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "double_ack",
            .type = kBool,
            .fallback = "false",
            .doc = "An acknowledgement counts when the server has confirmed "
                   "it.",
            .land = kLandStream<&JetStreamInletOptions::double_ack>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "batch",
            .type = kInteger,
            .fallback = "256",
            .doc = "Messages that one request asks for at most.",
            .land = kLandStream<&JetStreamInletOptions::batch>,
            .min = 1,
            .max = 100'000,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "expires",
            .type = kDuration,
            .fallback = "30s",
            .doc = "How long such a request waits for messages.",
            .land = kLandStream<&JetStreamInletOptions::expires>,
            .min = 1'000,
            .max = kOneDay,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "heartbeat",
            .type = kDuration,
            .fallback = "5s",
            .doc = "How often the server says that a request waits; half of "
                   "`expires` at most.",
            .land = kLandStream<&JetStreamInletOptions::heartbeat>,
            .min = 100,
            .max = kOneDay,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "domain",
            .type = kText,
            .fallback = "",
            .doc = "Of JetStream.",
            .land = kLandStream<&JetStreamInletOptions::domain>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "api_prefix",
            .type = kText,
            .fallback = "",
            .doc = "Instead of `$JS.API`.",
            .land = kLandStream<&JetStreamInletOptions::api_prefix>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "max_crashes",
            .type = kInteger,
            .fallback = "3",
            .doc = "Processes that may die over one message, once it is run "
                   "alone because two may have, before it is given up as "
                   "`crashed`.",
            .land = kLandStream<&JetStreamInletOptions::max_crashes>,
            .min = 1,
            .max = 100,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "crash_stream",
            .type = kText,
            .fallback = "CIRRO_CRASHES",
            .doc = "The stream that remembers which message is run that may "
                   "have killed a process; made when it is first needed.",
            .land = kLandStream<&JetStreamInletOptions::crash_stream>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "subject",
            .type = kText,
            .fallback = "",
            .doc = "Without `jetstream`: what is subscribed to; required.",
            .land = kLandCore<&CoreNatsInletOptions::subject>,
            .types = kNats},
    Setting{.section = "inlet",
            .key = "queue",
            .type = kText,
            .fallback = "",
            .doc = "Without `jetstream`: the queue group, of which one member "
                   "gets each message.",
            .land = kLandCore<&CoreNatsInletOptions::queue>,
            .types = kNats},
};

constexpr std::array kOutlet{
    Setting{.section = "outlet",
            .key = "subject",
            .type = kText,
            .fallback = "",
            .doc = "Where events are published to.",
            .land = kLandOutlet<&NatsOutletOptions::subject>,
            .types = kNats,
            .required = "subject = \"SUBJECT\""},
    Setting{.section = "outlet",
            .key = "jetstream",
            .type = kBool,
            .fallback = "true",
            .doc = "A stream confirms what it keeps. Without it the server "
                   "confirms, also where nobody listens: no place for dead "
                   "letters.",
            .land = kLandOutlet<&NatsOutletOptions::jetstream>,
            .types = kNats},
    Setting{.section = "outlet",
            .key = "mode",
            .type = kChoice,
            .fallback = "structured",
            .doc = "The content mode of the messages; binary mode is newer, "
                   "and peers may not know it.",
            .land = &LandMode<&Config::outlets, &OutletConfig::nats,
                              &NatsOutletOptions::mode>,
            .choices = "binary|structured",
            .types = kNats},
    Setting{.section = "outlet",
            .key = "timeout",
            .type = kDuration,
            .fallback = "5s",
            .doc = "From the send to the answer.",
            .land = kLandOutlet<&NatsOutletOptions::timeout>,
            .min = 1,
            .max = kOneDay,
            .types = kNats},
    Setting{.section = "outlet",
            .key = "expected_stream",
            .type = kText,
            .fallback = "",
            .doc = "The stream that must be the one to keep the subject; "
                   "empty: any.",
            .land = kLandOutlet<&NatsOutletOptions::expected_stream>,
            .types = kNats},
    Setting{.section = "outlet",
            .key = "message_ids",
            .type = kBool,
            .fallback = "true",
            .doc = "Name each message after its event's `source` and `id`, so "
                   "that the stream keeps it once within `duplicate_window`.",
            .land = kLandOutlet<&NatsOutletOptions::message_ids>,
            .types = kNats},
    Setting{.section = "outlet",
            .key = "duplicate_window",
            .type = kDuration,
            .fallback = "2m",
            .doc = "The stream's own window, which this must repeat.",
            .land = kLandOutlet<&NatsOutletOptions::duplicate_window>,
            .min = 1,
            .max = 7 * kOneDay,
            .types = kNats},
};

constexpr auto kInletConnection =
    ConnectionRows<&Config::inlets, &InletConfig::nats>("inlet");
constexpr auto kOutletConnection =
    ConnectionRows<&Config::outlets, &OutletConfig::nats,
                   &NatsOutletOptions::connection>("outlet");

}  // namespace

std::span<const Setting> NatsSettings() {
  static constexpr auto kAll =
      Together(kInletConnection, kInlet, kOutletConnection, kOutlet);
  return kAll;
}

}  // namespace cirro::internal
