#include <array>
#include <vector>

#include "settings_landing.h"

// `type = "kafka"` of inlets and outlets.
namespace cirro::internal {
namespace {

using enum SettingType;

constexpr std::string_view kKafka = "kafka";

template <auto... kPath>
constexpr auto kLandInlet =
    &Land<&Config::inlets, &InletConfig::kafka, kPath...>;
template <auto... kPath>
constexpr auto kLandOutlet =
    &Land<&Config::outlets, &OutletConfig::kafka, kPath...>;
template <auto kField>
constexpr auto kLandOnce = &Land<&Config::inlets, &InletConfig::kafka,
                                 &KafkaInletOptions::exactly_once, kField>;

template <auto kField>
constexpr auto kLandDecode = &Land<&Config::inlets, &InletConfig::kafka,
                                   &KafkaInletOptions::decode, kField>;

void LandStart(Config& config, std::string_view name,
               const SettingValue& value) {
  const auto point = ParseSeekPoint(std::get<std::string>(value));
  KafkaStart& start = SectionOf(config.inlets, name).kafka.start;
  switch (point->kind) {
    case SeekPoint::Kind::kBeginning:
      start.kind = KafkaStart::Kind::kEarliest;
      return;
    case SeekPoint::Kind::kEnd:
      start.kind = KafkaStart::Kind::kLatest;
      return;
    case SeekPoint::Kind::kOffset:
      start.kind = KafkaStart::Kind::kOffset;
      start.offset = point->offset;
      return;
    case SeekPoint::Kind::kTime:
      start.kind = KafkaStart::Kind::kTime;
      start.time = point->time;
      return;
  }
}

// Which cluster, and as whom: the same for an inlet and an outlet.
template <auto kSection, auto... kTo>
constexpr auto ConnectionRows(std::string_view section) {
  return std::array{
      Setting{.section = section,
              .key = "brokers",
              .type = kText,
              .fallback = "",
              .doc = "`host:port` of the first to ask, several with commas "
                     "between them.",
              .land = &Land<kSection, kTo..., &KafkaConnection::brokers>,
              .platform = "KAFKA_BROKERS",
              .types = kKafka,
              .required = "brokers = \"HOST:9092\", or set KAFKA_BROKERS"},
      Setting{.section = section,
              .key = "client_id",
              .type = kText,
              .fallback = "cirro",
              .doc = "What the brokers' logs and quotas know the client by.",
              .land = &Land<kSection, kTo..., &KafkaConnection::client_id>,
              .types = kKafka},
      Setting{.section = section,
              .key = "security",
              .type = kChoice,
              .fallback = "plaintext",
              .doc = "Whether the connection is encrypted, and whether a name "
                     "and a password are asked for.",
              .land = &Land<kSection, kTo..., &KafkaConnection::security>,
              .choices = "plaintext|tls|sasl_plaintext|sasl_tls",
              .types = kKafka},
      Setting{.section = section,
              .key = "sasl",
              .type = kChoice,
              .fallback = "plain",
              .doc = "How name and password are proved.",
              .land = &Land<kSection, kTo..., &KafkaConnection::sasl>,
              .choices = "plain|scram_sha_256|scram_sha_512",
              .types = kKafka},
      Setting{.section = section,
              .key = "username",
              .type = kText,
              .fallback = "",
              .doc = "The name.",
              .land = &Land<kSection, kTo..., &KafkaConnection::username>,
              .types = kKafka},
      Setting{.section = section,
              .key = "password",
              .type = kSecret,
              .fallback = "",
              .doc = "The password.",
              .land = &Land<kSection, kTo..., &KafkaConnection::password>,
              .types = kKafka},
      Setting{.section = section,
              .key = "ca_certificates",
              .type = kPem,
              .fallback = "",
              .doc = "Certificates that the brokers are trusted by, instead of "
                     "the system's.",
              .land = &Land<kSection, kTo..., &KafkaConnection::ca>,
              .types = kKafka},
      Setting{.section = section,
              .key = "certificate",
              .type = kPem,
              .fallback = "",
              .doc = "The client's own certificate.",
              .land = &Land<kSection, kTo..., &KafkaConnection::certificate>,
              .types = kKafka},
      Setting{.section = section,
              .key = "key",
              .type = kSecret,
              .fallback = "",
              .doc = "The private key of `certificate`, in PEM.",
              .land = &Land<kSection, kTo..., &KafkaConnection::key>,
              .types = kKafka},
      Setting{.section = section,
              .key = "key_password",
              .type = kSecret,
              .fallback = "",
              .doc = "What `key` is encrypted with.",
              .land = &Land<kSection, kTo..., &KafkaConnection::key_password>,
              .types = kKafka},
      Setting{.section = section,
              .key = "verify",
              .type = kBool,
              .fallback = "true",
              .doc = "Whether the broker's certificate must be trusted and its "
                     "host's.",
              .land = &Land<kSection, kTo..., &KafkaConnection::verify>,
              .types = kKafka},
      Setting{
          .section = section,
          .key = "librdkafka",
          .type = kTable,
          .fallback = "",
          .doc = "Properties of librdkafka as it names them, that no "
                 "setting here sets. What may be a secret is not shown.",
          .land = &LandEntry<kSection, kTo..., &KafkaConnection::librdkafka>,
          .types = kKafka},
  };
}

constexpr std::array kInlet{
    Setting{.section = "inlet",
            .key = "topics",
            .type = kList,
            .fallback = "",
            .doc = "What is read; one that begins with `^` is a regular "
                   "expression.",
            .land = kLandInlet<&KafkaInletOptions::topics>,
            .types = kKafka,
            .required = "topics = [\"TOPIC\"]"},
    Setting{.section = "inlet",
            .key = "group",
            .type = kText,
            .fallback = "",
            .doc = "The consumer group: partitions are shared among all who "
                   "name it, and so is what was done.",
            .land = kLandInlet<&KafkaInletOptions::group>,
            .types = kKafka,
            .required = "group = \"NAME\""},
    Setting{.section = "inlet",
            .key = "instance_id",
            .type = kText,
            .fallback = "",
            .doc = "Static membership: a restart within `session_timeout` is "
                   "no rebalance. Unique in the group.",
            .land = kLandInlet<&KafkaInletOptions::instance_id>,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "start",
            .type = kText,
            .fallback = "beginning",
            .doc = "Where a group begins that has committed nothing: "
                   "`beginning`, `end`, an offset, or an RFC 3339 time.",
            .land = &LandStart,
            .check = &CheckSeekPoint,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "read_uncommitted",
            .type = kBool,
            .fallback = "false",
            .doc = "Read also what transactions have not committed.",
            .land = kLandInlet<&KafkaInletOptions::read_uncommitted>,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "assignor",
            .type = kChoice,
            .fallback = "range",
            .doc = "How partitions are shared in the group; the same for all "
                   "its members.",
            .land = kLandInlet<&KafkaInletOptions::assignor>,
            .choices = "range|roundrobin|cooperative_sticky",
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "session_timeout",
            .type = kDuration,
            .fallback = "45s",
            .doc = "After it the group does without a member that is silent.",
            .land = kLandInlet<&KafkaInletOptions::session_timeout>,
            .min = 1'000,
            .max = kOneDay,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "max_poll_interval",
            .type = kDuration,
            .fallback = "5m",
            .doc = "How long a rebalance waits for members that finish what is "
                   "open.",
            .land = kLandInlet<&KafkaInletOptions::max_poll_interval>,
            .min = 1'000,
            .max = kOneDay,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "max_span",
            .type = kInteger,
            .fallback = "16384",
            .doc = "Offsets of one partition between the oldest that is not "
                   "settled and the newest delivered. At it the partition "
                   "waits for the oldest.",
            .land = kLandInlet<&KafkaInletOptions::max_span>,
            .min = 1,
            .max = 16'384,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "commit_every",
            .type = kDuration,
            .fallback = "1s",
            .doc = "How often what is done is committed: after a crash so much "
                   "is done again at most.",
            .land = kLandInlet<&KafkaInletOptions::commit_every>,
            .min = 1,
            .max = kOneDay,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "offset_map",
            .type = kBool,
            .fallback = "true",
            .doc = "Whether commits also say what is done above their offset.",
            .land = kLandInlet<&KafkaInletOptions::offset_map>,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "revoke_patience",
            .type = kDuration,
            .fallback = "20s",
            .doc = "How long a partition that is taken away waits for what "
                   "runs of it.",
            .land = kLandInlet<&KafkaInletOptions::revoke_patience>,
            .max = kOneDay,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "max_crashes",
            .type = kInteger,
            .fallback = "3",
            .doc = "A message that the process died over so often is given up "
                   "as `crashed`.",
            .land = kLandInlet<&KafkaInletOptions::max_crashes>,
            .min = 1,
            .max = 100,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "exactly_once",
            .type = kBool,
            .fallback = "false",
            .doc =
                "Consume, process and produce in transactions: replies, dead "
                "letters and offsets take effect together, or not at all. "
                "Outlets must be topics of the same cluster.",
            .land = kLandOnce<&KafkaExactlyOnce::enabled>,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "transactional_id",
            .type = kText,
            .fallback = "",
            .doc = "One process at a time uses it.",
            .land = kLandOnce<&KafkaExactlyOnce::transactional_id>,
            .computed = "the group and the host's name",
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "transaction_timeout",
            .type = kDuration,
            .fallback = "15s",
            .doc = "After it the broker gives up a transaction that is silent.",
            .land = kLandOnce<&KafkaExactlyOnce::transaction_timeout>,
            .min = 1'000,
            .max = kOneDay,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "transaction_interval",
            .type = kDuration,
            .fallback = "100ms",
            .doc = "A transaction ends after so long.",
            .land = kLandOnce<&KafkaExactlyOnce::interval>,
            .min = 1,
            .max = kOneDay,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "transaction_max_records",
            .type = kInteger,
            .fallback = "10000",
            .doc = "Or after so many records.",
            .land = kLandOnce<&KafkaExactlyOnce::max_records>,
            .min = 1,
            .max = 1'000'000,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "lag_every",
            .type = kDuration,
            .fallback = "5s",
            .doc = "How often the brokers are asked how far there is to read. "
                   "Unless `read_uncommitted`, that is up to the first "
                   "transaction that is open.",
            .land = kLandInlet<&KafkaInletOptions::lag_every>,
            .min = 100,
            .max = kOneDay,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "queue_messages",
            .type = kInteger,
            .fallback = "100000",
            .doc = "Messages that are fetched ahead, of each partition.",
            .land = kLandInlet<&KafkaInletOptions::queue_messages>,
            .min = 1,
            .max = 10'000'000,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "queue_bytes",
            .type = kByteSize,
            .fallback = "16MiB",
            .doc = "The same bound in bytes.",
            .land = kLandInlet<&KafkaInletOptions::queue_bytes>,
            .min = 1 << 10,
            .max = kMaxBytes,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "strict",
            .type = kBool,
            .fallback = "false",
            .doc = "Refuse also what the specification does not allow although "
                   "it harms nobody, as `http.strict`: the record is then a "
                   "dead letter.",
            .land = kLandDecode<&DecodeOptions::strict>,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "max_event_bytes",
            .type = kByteSize,
            .fallback = "1MiB",
            .doc = "Of an event's attributes and data. A larger one is a dead "
                   "letter.",
            .land = kLandDecode<&DecodeOptions::max_event_bytes>,
            .min = 1,
            .max = kMaxBytes,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "max_attributes",
            .type = kInteger,
            .fallback = "128",
            .doc = "Of an event, the required ones included.",
            .land = kLandDecode<&DecodeOptions::max_attributes>,
            .min = 8,
            .max = 100'000,
            .types = kKafka},
    Setting{.section = "inlet",
            .key = "max_attribute_value_bytes",
            .type = kByteSize,
            .fallback = "65535",
            .doc = "Of one attribute's value.",
            .land = kLandDecode<&DecodeOptions::max_attribute_value_bytes>,
            .min = 1 << 6,
            .max = 1 << 24,
            .types = kKafka},
};

constexpr std::array kOutlet{
    Setting{.section = "outlet",
            .key = "topic",
            .type = kText,
            .fallback = "",
            .doc = "Where events are written to.",
            .land = kLandOutlet<&KafkaOutletOptions::topic>,
            .types = kKafka,
            .required = "topic = \"TOPIC\""},
    Setting{.section = "outlet",
            .key = "mode",
            .type = kChoice,
            .fallback = "binary",
            .doc = "The content mode of the records.",
            .land = &LandMode<&Config::outlets, &OutletConfig::kafka,
                              &KafkaOutletOptions::mode>,
            .choices = "binary|structured",
            .types = kKafka},
    Setting{.section = "outlet",
            .key = "key_from",
            .type = kChoice,
            .fallback = "partitionkey",
            .doc = "The attribute that a record's key, and so its partition, "
                   "is made of; an event without it has no key.",
            .land = kLandOutlet<&KafkaOutletOptions::key_from>,
            .choices = "partitionkey|subject|none",
            .types = kKafka},
    Setting{.section = "outlet",
            .key = "linger",
            .type = kDuration,
            .fallback = "5ms",
            .doc = "How long a record waits for others to be sent with.",
            .land = kLandOutlet<&KafkaOutletOptions::linger>,
            .max = 900'000,
            .types = kKafka},
    Setting{.section = "outlet",
            .key = "compression",
            .type = kChoice,
            .fallback = "none",
            .doc = "Of what is sent together.",
            .land = kLandOutlet<&KafkaOutletOptions::compression>,
            .choices = "none|gzip|snappy|lz4|zstd",
            .types = kKafka},
    Setting{.section = "outlet",
            .key = "timeout",
            .type = kDuration,
            .fallback = "20s",
            .doc = "From the send to the broker's word.",
            .land = kLandOutlet<&KafkaOutletOptions::timeout>,
            .min = 1,
            .max = kOneDay,
            .types = kKafka},
};

constexpr auto kInletConnection =
    ConnectionRows<&Config::inlets, &InletConfig::kafka,
                   &KafkaInletOptions::connection>("inlet");
constexpr auto kOutletConnection =
    ConnectionRows<&Config::outlets, &OutletConfig::kafka,
                   &KafkaOutletOptions::connection>("outlet");

}  // namespace

std::span<const Setting> KafkaSettings() {
  static constexpr auto kAll =
      Together(kInletConnection, kInlet, kOutletConnection, kOutlet);
  return kAll;
}

}  // namespace cirro::internal
