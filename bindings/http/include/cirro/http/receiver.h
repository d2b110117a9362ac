#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/http/codec.h"
#include "cirro/http/options.h"

namespace cirro {

/// A request that may be one of the runtime's own: GET or HEAD.
struct HttpSideRequest {
  std::string_view path;  ///< Without the query.
  std::string_view query;
  std::span<const HttpHeader> headers;
  bool admin_port = false;  ///< Came in by HttpOptions::admin_port.
};

/// Its answer. Content-Length and Connection are the receiver's.
struct HttpReply {
  int status = 200;
  std::string content_type{};
  std::string header_lines{};  ///< More of them, each with its CR LF.
  std::string body{};
};

/// Serves health, metrics and such beside the events.
class CIRRO_EXPORT HttpSideRoutes {
 public:
  HttpSideRoutes() = default;
  HttpSideRoutes(const HttpSideRoutes&) = delete;
  HttpSideRoutes& operator=(const HttpSideRoutes&) = delete;
  virtual ~HttpSideRoutes() = default;

  /// False: it is none of them. Called on reactor threads, several at once;
  /// does not block.
  virtual bool Handle(const HttpSideRequest& request,
                      HttpReply& reply) noexcept = 0;
};

/// Why a request was answered by the receiver itself.
enum class HttpReject : std::uint8_t {
  kBadRequest,        ///< 400: not HTTP/1.1, or ambiguous.
  kRedrive,           ///< 403: names its function, and `redrive` is off.
  kNotFound,          ///< 404: a path that is never an event's.
  kMethod,            ///< 405
  kTimeout,           ///< 408: too slow.
  kBodyTooLarge,      ///< 413
  kTargetTooLong,     ///< 414
  kUnsupported,       ///< 415: no event.
  kExpectation,       ///< 417
  kHeaderTooLarge,    ///< 431
  kTransferEncoding,  ///< 501
  kConnections,       ///< 503: more than max_connections.
  kBuffers,           ///< 503: over max_buffered_bytes.
  kDraining,          ///< 503: came after the listener was closed.
  kVersion,           ///< 505
};
inline constexpr std::size_t kHttpRejects = 15;
/// In snake case, for the metrics' `reason`.
[[nodiscard]] CIRRO_EXPORT std::string_view ToString(
    HttpReject reason) noexcept;

/// What the receiver has counted since Start.
struct HttpCounters {
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t requests = 0;  ///< Read whole, whatever became of them.
  std::array<std::uint64_t, kHttpRejects> rejected{};  ///< By HttpReject.
  /// Messages that were forgiven something, by the bit of Leniency.
  std::array<std::uint64_t, 4> forgiven{};
};

/// Events by HTTP/1.1: POST to any path, in binary, structured and batch mode.
///
/// Reactor threads of its own read, decode and hand deliveries to the sink;
/// settlements come back from any thread and become answers, pipelined ones in
/// order. docs/http.md has the table of statuses. Any thread may call port()
/// and counters() after Start; the rest as Inlet says.
class CIRRO_EXPORT HttpReceiver final : public Inlet {
 public:
  /// REQUIRES: side_routes, if any, outlives *this.
  explicit HttpReceiver(HttpOptions options,
                        HttpSideRoutes* side_routes = nullptr);
  /// Stops with no grace, and waits for a function that keeps an I/O thread.
  /// REQUIRES: every delivery is settled.
  ~HttpReceiver() override;

  [[nodiscard]] const InletInfo& info() const noexcept override;
  Result<void> Start(Sink& sink) override;
  /// Nothing: the sink refuses what it cannot hold, and the peer is told.
  void SetDemand(bool wanted) noexcept override;
  void BeginDrain(std::chrono::milliseconds patience) noexcept override;
  Result<void> Stop(std::chrono::milliseconds grace) noexcept override;

  /// All I/O threads have ended: always, before Start; else after a Stop, but
  /// for one that a function would not give back within the grace time.
  [[nodiscard]] bool ended() const noexcept;

  /// The address in digits and the ports that are listened on; an adopted
  /// socket has its own. REQUIRES: started. 0: there is none.
  [[nodiscard]] const std::string& address() const noexcept;
  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::uint16_t admin_port() const noexcept;
  [[nodiscard]] HttpCounters counters() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cirro
