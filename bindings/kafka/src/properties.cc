#include "properties.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

namespace cirro::internal::kafka {
namespace {

using std::chrono::milliseconds;

struct Owned {
  std::string_view property;
  std::string_view option;  ///< What sets it; empty: nothing may.
};

// What options here set, or the guarantees rest on. `dr_cb` and its like are
// pointers, which no text can be.
constexpr std::array kOwned = {
    Owned{"acks", ""},
    Owned{"allow.auto.create.topics", ""},
    Owned{"auto.commit.enable", "commit_every"},
    Owned{"auto.commit.interval.ms", "commit_every"},
    Owned{"auto.offset.reset", "start"},
    Owned{"bootstrap.servers", "brokers"},
    Owned{"client.id", "client_id"},
    Owned{"compression.codec", "compression"},
    Owned{"compression.type", "compression"},
    Owned{"delivery.timeout.ms", "timeout"},
    Owned{"enable.auto.commit", "commit_every"},
    Owned{"enable.auto.offset.store", "commit_every"},
    Owned{"enable.gapless.guarantee", ""},
    Owned{"enable.idempotence", ""},
    Owned{"enable.partition.eof", ""},
    Owned{"enable.ssl.certificate.verification", "verify"},
    Owned{"group.id", "group"},
    Owned{"group.instance.id", "instance_id"},
    Owned{"group.protocol", "assignor"},
    Owned{"isolation.level", "read_uncommitted"},
    Owned{"linger.ms", "linger"},
    Owned{"log_cb", ""},
    Owned{"max.poll.interval.ms", "max_poll_interval"},
    Owned{"message.timeout.ms", "timeout"},
    Owned{"metadata.broker.list", "brokers"},
    Owned{"opaque", ""},
    Owned{"partition.assignment.strategy", "assignor"},
    Owned{"partitioner", "key_from"},
    Owned{"queue.buffering.max.messages", "max_in_flight"},
    Owned{"queue.buffering.max.ms", "linger"},
    Owned{"queued.max.messages.kbytes", "queue_bytes"},
    Owned{"queued.min.messages", "queue_messages"},
    Owned{"request.required.acks", ""},
    Owned{"sasl.mechanism", "sasl"},
    Owned{"sasl.mechanisms", "sasl"},
    Owned{"sasl.password", "password"},
    Owned{"sasl.username", "username"},
    Owned{"security.protocol", "security"},
    Owned{"session.timeout.ms", "session_timeout"},
    Owned{"ssl.ca.location", "ca_file"},
    Owned{"ssl.ca.pem", "ca"},
    Owned{"ssl.certificate.location", "certificate_file"},
    Owned{"ssl.certificate.pem", "certificate"},
    Owned{"ssl.endpoint.identification.algorithm", "verify"},
    Owned{"ssl.key.location", "key_file"},
    Owned{"ssl.key.password", "key_password"},
    Owned{"ssl.key.pem", "key"},
    Owned{"topic.auto.offset.reset", "start"},
    Owned{"transaction.timeout.ms", "exactly_once.transaction_timeout"},
    Owned{"transactional.id", "exactly_once.transactional_id"},
};

bool IsSasl(KafkaSecurity security) noexcept {
  return security == KafkaSecurity::kSaslPlaintext ||
         security == KafkaSecurity::kSaslTls;
}

std::string_view NameOf(KafkaSecurity security) noexcept {
  switch (security) {
    case KafkaSecurity::kPlaintext:
      return "plaintext";
    case KafkaSecurity::kTls:
      return "ssl";
    case KafkaSecurity::kSaslPlaintext:
      return "sasl_plaintext";
    case KafkaSecurity::kSaslTls:
      return "sasl_ssl";
  }
  return {};
}

std::string_view NameOf(KafkaSasl sasl) noexcept {
  switch (sasl) {
    case KafkaSasl::kPlain:
      return "PLAIN";
    case KafkaSasl::kScramSha256:
      return "SCRAM-SHA-256";
    case KafkaSasl::kScramSha512:
      return "SCRAM-SHA-512";
  }
  return {};
}

std::string_view NameOf(KafkaAssignor assignor) noexcept {
  switch (assignor) {
    case KafkaAssignor::kRange:
      return "range";
    case KafkaAssignor::kRoundRobin:
      return "roundrobin";
    case KafkaAssignor::kCooperativeSticky:
      return "cooperative-sticky";
  }
  return {};
}

std::string_view NameOf(KafkaCompression compression) noexcept {
  switch (compression) {
    case KafkaCompression::kNone:
      return "none";
    case KafkaCompression::kGzip:
      return "gzip";
    case KafkaCompression::kSnappy:
      return "snappy";
    case KafkaCompression::kLz4:
      return "lz4";
    case KafkaCompression::kZstd:
      return "zstd";
  }
  return {};
}

std::string Text(milliseconds time) { return std::to_string(time.count()); }

// `time` within what librdkafka takes.
Result<void> CheckTime(std::string_view option, milliseconds time,
                       milliseconds least, milliseconds most) {
  if (time >= least && time <= most) return {};
  return InvalidOption(option, Text(time) + " ms is not from " + Text(least) +
                                   " ms to " + Text(most) + " ms");
}

// A name of a topic: what the broker would refuse with an error that names no
// setting.
bool IsTopicName(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 249 && name != "." && name != ".." &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
         });
}

// The PEM text or the file of it, if there is either.
Result<void> AddPem(std::string_view option, const std::string& text,
                    const std::string& file, std::string_view property,
                    Properties& out) {
  if (!text.empty() && !file.empty()) {
    return InvalidOption(option, "and " + std::string(option) +
                                     "_file are both given; one is enough");
  }
  if (!text.empty()) out.emplace_back(std::string(property) + ".pem", text);
  if (!file.empty())
    out.emplace_back(std::string(property) + ".location", file);
  return {};
}

// librdkafka takes a port past the last for another.
Result<void> CheckPorts(std::string_view brokers) {
  while (!brokers.empty()) {
    const std::size_t comma = std::min(brokers.find(','), brokers.size());
    const std::string_view broker = brokers.substr(0, comma);
    brokers.remove_prefix(std::min(comma + 1, brokers.size()));
    const std::size_t colon = broker.rfind(':');
    if (colon == std::string_view::npos) continue;
    // An IPv6 address without a port.
    const std::size_t scheme = broker.find("://");
    const std::size_t host = scheme == std::string_view::npos ? 0 : scheme + 3;
    if (broker.find(':', host) < colon && broker[colon - 1] != ']') continue;
    const std::string_view text = broker.substr(colon + 1);
    const bool is_number =
        !text.empty() &&
        text.find_first_not_of("0123456789") == std::string_view::npos;
    unsigned port = 0;
    const auto read =
        std::from_chars(text.data(), text.data() + text.size(), port);
    if (is_number && (read.ec != std::errc() || port == 0 || port > 65'535)) {
      return InvalidOption("brokers", "'" + std::string(broker) +
                                          "' has no port from 1 to 65535");
    }
  }
  return {};
}

Result<Properties> ConnectionProperties(const KafkaConnection& connection) {
  if (connection.brokers.empty()) {
    return InvalidOption("brokers", "must name a broker, as host:port");
  }
  if (auto checked = CheckPorts(connection.brokers); !checked) {
    return checked.error();
  }
  const bool sasl = IsSasl(connection.security);
  if (sasl && (connection.username.empty() || connection.password.empty())) {
    return InvalidOption(connection.username.empty() ? "username" : "password",
                         "is needed where `security` is sasl_*");
  }
  if (!sasl && !connection.username.empty()) {
    return InvalidOption("username",
                         "is of no use unless `security` is sasl_*");
  }

  Properties out = {
      {"bootstrap.servers", connection.brokers},
      {"client.id", connection.client_id},
      {"security.protocol", std::string(NameOf(connection.security))},
      // Off by default in 2.0, and every request would wait for the next.
      {"socket.nagle.disable", "true"},
      {"socket.keepalive.enable", "true"},
      {"log.connection.close", "false"},
      {"reconnect.backoff.max.ms", "2000"},
  };
  if (sasl) {
    out.emplace_back("sasl.mechanism", NameOf(connection.sasl));
    out.emplace_back("sasl.username", connection.username);
    out.emplace_back("sasl.password", connection.password);
  }
  struct Pem {
    std::string_view option;
    const std::string& text;
    const std::string& file;
    std::string_view property;
  };
  const std::array<Pem, 3> pems = {
      Pem{"ca", connection.ca, connection.ca_file, "ssl.ca"},
      Pem{"certificate", connection.certificate, connection.certificate_file,
          "ssl.certificate"},
      Pem{"key", connection.key, connection.key_file, "ssl.key"}};
  for (const Pem& pem : pems) {
    if (auto added = AddPem(pem.option, pem.text, pem.file, pem.property, out);
        !added) {
      return added.error();
    }
  }
  if (!connection.key_password.empty()) {
    out.emplace_back("ssl.key.password", connection.key_password);
  }
  if (!connection.verify) {
    out.emplace_back("enable.ssl.certificate.verification", "false");
    out.emplace_back("ssl.endpoint.identification.algorithm", "none");
  }
  return out;
}

Result<void> AddOwn(const KafkaConnection& connection, Properties& out) {
  for (const auto& property : connection.librdkafka) {
    const std::string& name = property.first;
    const auto* const owned =
        std::find_if(kOwned.begin(), kOwned.end(),
                     [&](const Owned& each) { return each.property == name; });
    if (owned != kOwned.end()) {
      return InvalidOption(
          "librdkafka", owned->option.empty()
                            ? "'" + name + "' is fixed: deliveries rest on it"
                            : "'" + name + "' is set by `" +
                                  std::string(owned->option) + "`");
    }
    out.push_back(property);
  }
  return {};
}

Result<void> CheckInlet(const KafkaInletOptions& options) {
  if (options.topics.empty()) return InvalidOption("topics", "names none");
  for (const std::string& topic : options.topics) {
    if (!topic.starts_with('^') && !IsTopicName(topic)) {
      return InvalidOption("topics", "'" + topic +
                                         "' can be no topic: a-z, A-Z, 0-9, "
                                         "'.', '_' and '-', 249 at most");
    }
  }
  if (options.group.empty()) return InvalidOption("group", "must not be empty");
  if (options.max_span == 0 || options.max_span > 16'384) {
    return InvalidOption("max_span", std::to_string(options.max_span) +
                                         " is not from 1 to 16384");
  }
  if (options.queue_messages == 0) {
    return InvalidOption("queue_messages", "must not be 0");
  }
  if (options.queue_bytes < 1024) {
    return InvalidOption("queue_bytes", "must be 1024 or more");
  }
  if (options.max_crashes == 0) {
    return InvalidOption("max_crashes", "must not be 0");
  }
  struct Time {
    std::string_view option;
    milliseconds time;
    milliseconds least;
    milliseconds most;
  };
  constexpr milliseconds kHour{3'600'000};
  constexpr milliseconds kDay = 24 * kHour;
  const std::array times = {
      Time{"session_timeout", options.session_timeout, milliseconds(1), kHour},
      Time{"max_poll_interval", options.max_poll_interval,
           options.session_timeout, kDay},
      Time{"commit_every", options.commit_every, milliseconds(1), kHour},
      Time{"revoke_patience", options.revoke_patience, milliseconds(0), kDay},
      Time{"lag_every", options.lag_every, milliseconds(1), kHour},
      Time{"exactly_once.transaction_timeout",
           options.exactly_once.transaction_timeout, milliseconds(1000), kHour},
      Time{"exactly_once.interval", options.exactly_once.interval,
           milliseconds(1), options.exactly_once.transaction_timeout / 2}};
  for (const Time& each : times) {
    if (auto checked = CheckTime(each.option, each.time, each.least, each.most);
        !checked) {
      return checked;
    }
  }
  if (options.exactly_once.enabled && options.read_uncommitted) {
    return InvalidOption("read_uncommitted",
                         "cannot be with `exactly_once`: what was undone would "
                         "be answered");
  }
  if (options.exactly_once.max_records == 0) {
    return InvalidOption("exactly_once.max_records", "must not be 0");
  }
  return {};
}

}  // namespace

Error InvalidOption(std::string_view option, std::string_view why) {
  return {ErrorCode::kInvalidConfig,
          std::string(option) + ": " + std::string(why)};
}

bool IsSecretProperty(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 6> kSigns = {
      "password", "secret", "token", "pem", "jaas", "sasl.oauthbearer.config"};
  return std::any_of(kSigns.begin(), kSigns.end(), [&](std::string_view sign) {
    return name.find(sign) != std::string_view::npos;
  });
}

Result<Properties> ConsumerProperties(const KafkaInletOptions& options) {
  if (auto checked = CheckInlet(options); !checked) return checked.error();
  auto out = ConnectionProperties(options.connection);
  if (!out) return out;
  const Properties more = {
      {"group.id", options.group},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      // The end of a partition tells its position beyond the markers of
      // transactions, which no record does.
      {"enable.partition.eof", "true"},
      // Where to begin is decided here, and known before the first record is.
      {"auto.offset.reset", "error"},
      {"isolation.level",
       options.read_uncommitted ? "read_uncommitted" : "read_committed"},
      {"partition.assignment.strategy", std::string(NameOf(options.assignor))},
      {"session.timeout.ms", Text(options.session_timeout)},
      {"heartbeat.interval.ms",
       Text(std::min(milliseconds(3'000), options.session_timeout / 3))},
      {"max.poll.interval.ms", Text(options.max_poll_interval)},
      {"queued.min.messages", std::to_string(options.queue_messages)},
      {"queued.max.messages.kbytes",
       std::to_string(options.queue_bytes / 1024)},
      {"fetch.wait.max.ms", "100"},
      {"fetch.error.backoff.ms", "100"},
      {"allow.auto.create.topics", "false"},
      {"topic.metadata.refresh.interval.ms", "30000"},
  };
  out->insert(out->end(), more.begin(), more.end());
  if (!options.instance_id.empty()) {
    out->emplace_back("group.instance.id", options.instance_id);
  }
  if (auto added = AddOwn(options.connection, *out); !added) {
    return added.error();
  }
  return out;
}

Result<Properties> ProducerProperties(const KafkaOutletOptions& options) {
  auto out = ConnectionProperties(options.connection);
  if (!out) return out;
  if (!IsTopicName(options.topic)) {
    return InvalidOption("topic", "'" + options.topic +
                                      "' can be no topic: a-z, A-Z, 0-9, "
                                      "'.', '_' and '-', 249 at most");
  }
  if (options.mode != ContentMode::kBinary &&
      options.mode != ContentMode::kStructured) {
    return InvalidOption("mode", "must be binary or structured");
  }
  if (options.max_in_flight == 0 || options.max_in_flight > 10'000'000) {
    return InvalidOption("max_in_flight", "must be from 1 to 10000000");
  }
  if (auto checked = CheckTime("timeout", options.timeout, milliseconds(1),
                               milliseconds(3'600'000));
      !checked) {
    return checked.error();
  }
  if (auto checked = CheckTime(
          "linger", options.linger, milliseconds(0),
          std::min(options.timeout - milliseconds(1), milliseconds(900'000)));
      !checked) {
    return checked.error();
  }
  const Properties more = {
      {"enable.idempotence", "true"},
      {"linger.ms", Text(options.linger)},
      {"compression.type", std::string(NameOf(options.compression))},
      {"queue.buffering.max.messages", std::to_string(options.max_in_flight)},
      {"message.timeout.ms", Text(options.timeout)},
      // A topic that is not there is said so before the timeout is.
      {"topic.metadata.propagation.max.ms",
       Text(std::min(options.timeout / 2, milliseconds(5'000)))},
      {"topic.metadata.refresh.interval.ms", "30000"},
  };
  out->insert(out->end(), more.begin(), more.end());
  if (auto added = AddOwn(options.connection, *out); !added) {
    return added.error();
  }
  return out;
}

Result<Properties> TransactionProperties(const KafkaInletOptions& options,
                                         std::string_view id) {
  auto out = ConnectionProperties(options.connection);
  if (!out) return out;
  const Properties more = {
      {"transactional.id", std::string(id)},
      {"transaction.timeout.ms",
       Text(options.exactly_once.transaction_timeout)},
      {"linger.ms", "5"},
      {"delivery.report.only.error", "true"},
      {"queue.buffering.max.messages", "1000000"},
      {"topic.metadata.propagation.max.ms", "5000"},
  };
  out->insert(out->end(), more.begin(), more.end());
  if (auto added = AddOwn(options.connection, *out); !added) {
    return added.error();
  }
  return out;
}

std::string TransactionalIdOf(const KafkaInletOptions& options,
                              std::string_view host) {
  if (!options.exactly_once.transactional_id.empty()) {
    return options.exactly_once.transactional_id;
  }
  return options.group + "-" + std::string(host);
}

}  // namespace cirro::internal::kafka
