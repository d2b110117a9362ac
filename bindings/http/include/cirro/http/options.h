#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/http/codec.h"

namespace cirro {

/// The content mode of a reply in an HTTP answer.
enum class HttpReplyMode : std::uint8_t {
  kAsRequest,  ///< As the request came.
  kBinary,
  kStructured,
};

/// What a draining receiver has just come to, in this order.
enum class HttpDrainStep : std::uint8_t {
  kNotReady = 1,      ///< Readiness is to say 503 from here on.
  kLastRequests,      ///< Requests are still served, connections closed after.
  kListenerClosed,    ///< All that had arrived was read; nothing new comes in.
  kRequestsAnswered,  ///< What was read is answered, or the grace time is over.
  kClosed,            ///< Every connection is closed.
};

/// The step in a few words, for a log line.
[[nodiscard]] CIRRO_EXPORT std::string_view ToString(
    HttpDrainStep step) noexcept;

/// What is posted to `path` comes by `info`, so that a sink can tell it apart.
struct HttpPath {
  std::string path;
  const InletInfo* info;  ///< Outlives the receiver.
};

/// How the HTTP receiver listens, what it bounds and how it answers. A value;
/// Start refuses what makes no sense with kInvalidConfig.
struct HttpOptions {
  std::string name = "http";  ///< Of the inlet, in logs and metrics.

  std::string address = "0.0.0.0";  ///< IPv4 or IPv6, in digits.
  std::uint16_t port = 8080;        ///< 0: any free one, see port().
  /// A listening socket to adopt instead (LISTEN_FDS); -1: none.
  int listen_fd = -1;
  /// A second port for the side routes alone; 0: any free one.
  std::optional<std::uint16_t> admin_port{};
  std::uint32_t reactor_threads = 1;  ///< 1 to 255.

  std::uint32_t max_connections = 10'000;  ///< More are answered 503.
  std::size_t line_limit = 8'192;          ///< Request line; over it 414.
  std::size_t header_limit = 65'536;       ///< Whole header; over it 431.
  std::size_t max_headers = 256;           ///< Fields; over it 431.
  std::size_t body_limit = 1'048'576;      ///< Over it 413.
  /// Of one connection: requests read and not yet answered, and bytes of
  /// answers not yet sent. At either bound it is not read.
  std::size_t max_pipelined = 32;
  std::size_t max_unsent_bytes = 262'144;
  /// Of all connections: bytes of requests that are here in part, and as many
  /// of answers not yet sent. Over the first a request that would need more is
  /// answered 503, over the second every event, and one whose replies would
  /// need more; replies that alone are over it never fit: reject_status. At
  /// least twice the largest request, which may be taken while nothing else is
  /// there.
  std::size_t max_buffered_bytes = 268'435'456;

  /// From a request's first byte to its header's end; then 408.
  std::chrono::milliseconds header_timeout{10'000};
  /// While a body comes, each such span must bring body_min_bytes, else 408.
  std::chrono::milliseconds body_timeout{10'000};
  std::size_t body_min_bytes = 1'024;
  /// Without any progress in sending, the connection is given up.
  std::chrono::milliseconds write_timeout{30'000};
  /// Between requests; then the connection is closed.
  std::chrono::milliseconds idle_timeout{75'000};
  /// How long a closed connection waits for the peer's end, so that the last
  /// answer is not lost in a reset.
  std::chrono::milliseconds linger{1'000};
  /// From a request to the end of its deliveries: their Facts::deadline.
  std::chrono::milliseconds deadline{25'000};

  int done_status = 202;    ///< Done without a reply: 200, 202 or 204.
  int reject_status = 422;  ///< kRejected; 400 for Event Grid.
  /// Whether a request may name the one function that its event is for
  /// (kRedriveHeader), of those whose filters take it; else it is answered 403.
  /// Only where those who can reach the port may do that.
  bool redrive = false;
  std::vector<HttpPath> paths{};  ///< Those that are not as every other.
  HttpReplyMode reply_mode = HttpReplyMode::kAsRequest;
  /// How long a draining receiver still takes connections and requests.
  std::chrono::milliseconds drain_delay{0};
  /// Called on the thread in BeginDrain or Stop; does not throw.
  std::function<void(HttpDrainStep)> on_drain_step{};
  /// Called for each event that was forgiven something, on reactor threads,
  /// several at once; does not throw.
  std::function<void(Leniency, const Event&)> on_forgiven{};

  DecodeOptions decode{};
};

}  // namespace cirro
