#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace cirro {

enum class KafkaSecurity : std::uint8_t {
  kPlaintext,
  kTls,
  kSaslPlaintext,
  kSaslTls,
};

enum class KafkaSasl : std::uint8_t {
  kPlain,
  kScramSha256,
  kScramSha512,
};

/// Which cluster, and as whom. A certificate is its PEM text, or the name of a
/// file that holds it; not both.
struct KafkaConnection {
  std::string brokers{};  ///< `host:port`, several with commas between them.
  std::string client_id = "cirro";
  KafkaSecurity security = KafkaSecurity::kPlaintext;

  /// Of kSaslPlaintext and kSaslTls.
  KafkaSasl sasl = KafkaSasl::kPlain;
  std::string username{};
  std::string password{};

  /// Of kTls and kSaslTls. Without `ca` the system's own are trusted.
  std::string ca{};
  std::string ca_file{};
  std::string certificate{};
  std::string certificate_file{};
  std::string key{};
  std::string key_file{};
  std::string key_password{};
  bool verify = true;  ///< The broker's certificate, and that it is its host's.

  /// Properties of librdkafka, as it names them, that no option here sets. One
  /// that an option sets, or that the guarantees rest on, is refused.
  std::vector<std::pair<std::string, std::string>> librdkafka{};
};

}  // namespace cirro
