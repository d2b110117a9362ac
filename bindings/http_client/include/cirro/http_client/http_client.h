#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/http/codec.h"

namespace cirro {

/// Where and how an HTTP outlet sends.
struct HttpOutletOptions {
  std::string name = "http";  ///< Outlet::name.
  /// http or https. User and password in it are sent as Basic authorization;
  /// they and the query never appear in a message.
  std::string url{};
  ContentMode mode = ContentMode::kBinary;
  /// In mode kBatch: events of one request at most. What waits is sent
  /// together; nothing waits to be joined by more.
  std::size_t batch_max = 100;

  std::chrono::milliseconds connect_timeout{5'000};
  /// From Send to the answer, waiting for a connection included.
  std::chrono::milliseconds timeout{20'000};
  std::size_t max_connections = 32;
  /// Events that are waiting or on their way; more are refused (kOverloaded).
  std::size_t max_in_flight = 1'024;

  /// Certificates in PEM that are trusted beside the system's own.
  std::string ca_certificates{};
  /// `http://host:port`; empty: none. The environment is not read.
  std::string proxy{};
  /// More header fields of each request, Authorization say.
  std::vector<std::pair<std::string, std::string>> headers{};
};

/// One POST, for tools that want to see the answer.
struct HttpPost {
  std::string url{};           ///< As HttpOutletOptions::url.
  std::string header_lines{};  ///< Each ended by CR LF.
  std::string body{};
  std::chrono::milliseconds timeout{20'000};  ///< For all of it.
};

/// What was answered, whatever its status; no redirect is followed.
struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body{};  ///< 16 MiB at most.
};

/// What the module "http_client" offers: an Outlet on libcurl, which is a
/// DeadLetterPlace, too: a letter is sent as DeadLetterEvent.
///
/// It confirms by a 2xx answer and nothing else, follows no redirect, keeps
/// connections, and gives events to its own thread. Events sent before Start
/// wait for it. How a send fails:
///
///   kUnavailable     no connection, no TLS, no time left: nothing was sent;
///                    or the peer answered 5xx
///   kTimedOut        sent, and not answered in time; or 408, 504
///   kUnknownOutcome  sent, and the connection broke before an answer
///   kOverloaded      425, 429, 503, 409 (Retry-After is honoured on each);
///                    or max_in_flight
///   kUnroutable      404, 410
///   kTooLarge        413
///   kRefused         every other answer: 3xx, 4xx
struct HttpClientApi {
  static constexpr const char* kKind = "http_client";

  /// Fails with kInvalidConfig, naming the option.
  Result<std::unique_ptr<Outlet>> (*make_outlet)(HttpOutletOptions options);
  /// Sends and waits. Fails with kInvalidConfig (the URL), kUnavailable
  /// (nothing was sent), kTimedOut, kUnknownOutcome or kTooLarge (the answer).
  Result<HttpAnswer> (*post)(const HttpPost& request);
};

}  // namespace cirro
