#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace cirro {

/// How to reach NATS. A connection that breaks is made again for ever.
struct NatsConnection {
  /// `nats://host:port` or `tls://...`, any number of one cluster. User and
  /// password in one are used, and never shown.
  std::vector<std::string> servers{"nats://127.0.0.1:4222"};
  std::string client_name{};  ///< In the server's lists; empty: the part's.

  // At most one of the four ways to be known.
  std::string user{};
  std::string password{};
  std::string token{};
  std::string credentials_file{};  ///< A JWT and its seed, `nsc`'s .creds.
  std::string nkey{};              ///< The public key, "U...", and
  std::string nkey_seed_file{};    ///< the file with its seed, "SU...".

  bool tls = false;  ///< Also where the server only offers it.
  std::string ca_file{};
  std::string certificate_file{};  ///< Of this client, with its key.
  std::string key_file{};
  bool verify = true;           ///< The server's certificate and name.
  std::string expected_host{};  ///< In its certificate; empty: the URL's.

  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds reconnect_wait{500};  ///< Between two attempts.
  /// A server that does not answer two of these is gone.
  std::chrono::milliseconds ping_interval{10'000};
};

}  // namespace cirro
