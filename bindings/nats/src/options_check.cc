#include "options_check.h"

#include <chrono>
#include <string>
#include <string_view>

namespace cirro::internal::nats {
namespace {

using std::chrono::milliseconds;

Error Wrong(const std::string& option, const std::string& why) {
  return {ErrorCode::kInvalidConfig, option + ": " + why};
}

// Of a stream or a consumer: part of the subjects of the server's API.
Result<void> CheckName(const std::string& option, std::string_view name) {
  if (name.empty()) return Wrong(option, "must be given");
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F ||
        std::string_view(".*>/\\").find(c) != std::string_view::npos) {
      return Wrong(option, "'" + std::string(name) +
                               "' has a character that no such name may have "
                               "(space, '.', '*', '>', '/', '\\')");
    }
  }
  return {};
}

Result<void> CheckSubject(const std::string& option, std::string_view subject,
                          bool wildcards) {
  if (subject.empty()) return Wrong(option, "must be given");
  const Error wrong =
      Wrong(option, "'" + std::string(subject) + "' is no subject" +
                        (wildcards ? "" : " to publish to"));
  std::string_view rest = subject;
  for (;;) {
    const std::size_t dot = rest.find('.');
    const std::string_view token = rest.substr(0, dot);
    const bool last = dot == std::string_view::npos;
    if (token.empty()) return wrong;
    for (const char c : token) {
      if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F) return wrong;
    }
    const bool wild = token == "*" || token == ">";
    if (wild && (!wildcards || (token == ">" && !last))) return wrong;
    if (last) return {};
    rest.remove_prefix(dot + 1);
  }
}

template <typename Number>
Result<void> Positive(const std::string& option, Number number) {
  if (number > Number{}) return {};
  return Wrong(option, "must be more than 0");
}

Result<void> First(std::initializer_list<Result<void>> results) {
  for (const auto& result : results) {
    if (!result) return result;
  }
  return {};
}

}  // namespace

Result<void> Check(const NatsConnection& connection) {
  if (connection.servers.empty()) {
    return Wrong("connection.servers", "must name one");
  }
  for (const std::string& url : connection.servers) {
    if (url.empty()) return Wrong("connection.servers", "has an empty one");
  }
  const int ways = static_cast<int>(!connection.user.empty()) +
                   static_cast<int>(!connection.token.empty()) +
                   static_cast<int>(!connection.credentials_file.empty()) +
                   static_cast<int>(!connection.nkey.empty());
  if (ways > 1) {
    return Wrong("connection",
                 "only one of user, token, credentials_file and nkey may be "
                 "given");
  }
  if (connection.nkey.empty() != connection.nkey_seed_file.empty()) {
    return Wrong("connection.nkey", "and nkey_seed_file go together");
  }
  if (connection.certificate_file.empty() != connection.key_file.empty()) {
    return Wrong("connection.certificate_file", "and key_file go together");
  }
  const bool names_tls =
      !connection.ca_file.empty() || !connection.certificate_file.empty() ||
      !connection.expected_host.empty() || !connection.verify;
  if (names_tls && !connection.tls) {
    return Wrong("connection.tls",
                 "must be on where ca_certificates_file, certificate_file, "
                 "expected_host or verify is given");
  }
  return First(
      {Positive("connection.connect_timeout", connection.connect_timeout),
       Positive("connection.reconnect_wait", connection.reconnect_wait),
       Positive("connection.ping_interval", connection.ping_interval)});
}

Result<void> Check(const JetStreamInletOptions& options) {
  if (auto checked =
          First({Check(options.connection), CheckName("stream", options.stream),
                 CheckName("durable", options.durable),
                 CheckName("crash_stream", options.crash_stream),
                 options.filter.empty()
                     ? Result<void>()
                     : CheckSubject("filter", options.filter, true),
                 Positive("batch", options.batch),
                 Positive("max_in_flight", options.max_in_flight),
                 Positive("max_bytes", options.max_bytes),
                 Positive("max_ack_pending", options.max_ack_pending),
                 Positive("max_crashes", options.max_crashes),
                 Positive("heartbeat", options.heartbeat)});
      !checked) {
    return checked;
  }
  if (options.ack_wait < milliseconds(100)) {
    return Wrong("ack_wait", "must be at least 100 ms");
  }
  if (options.expires < 2 * options.heartbeat) {
    return Wrong("heartbeat", "must be at most half of expires");
  }
  if (options.replicas < 0 || options.replicas > 5) {
    return Wrong("replicas", "must be 0 (as the stream) to 5");
  }
  if (!options.domain.empty() && !options.api_prefix.empty()) {
    return Wrong("domain", "only one of domain and api_prefix may be given");
  }
  if (options.deliver == JetStreamInletOptions::Deliver::kByStartSequence &&
      options.start_sequence == 0) {
    return Wrong("start_sequence", "must be more than 0");
  }
  return {};
}

Result<void> Check(const CoreNatsInletOptions& options) {
  return First({Check(options.connection),
                CheckSubject("subject", options.subject, true),
                options.queue.empty()
                    ? Result<void>()
                    : CheckSubject("queue", options.queue, false),
                Positive("max_in_flight", options.max_in_flight),
                Positive("max_bytes", options.max_bytes)});
}

Result<void> Check(const NatsOutletOptions& options) {
  if (options.mode != ContentMode::kBinary &&
      options.mode != ContentMode::kStructured) {
    return Wrong("mode", "must be binary or structured");
  }
  if (!options.jetstream && !options.expected_stream.empty()) {
    return Wrong("expected_stream", "needs jetstream");
  }
  return First({Check(options.connection),
                CheckSubject("subject", options.subject, false),
                Positive("max_in_flight", options.max_in_flight),
                Positive("timeout", options.timeout),
                Positive("duplicate_window", options.duplicate_window)});
}

}  // namespace cirro::internal::nats
