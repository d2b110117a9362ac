#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/message.h"
#include "cirro/http_client/http_client.h"
#include "exit_codes.h"

// Sends a message that is kept somewhere to a function, by HTTP.
namespace cirro::cli {

/// How a send ended: the exit code, and why it is not 0.
struct Sent {
  int code = kOk;
  std::string why{};
};

/// A message as it came, for one function: any, where that is empty.
struct Outgoing {
  const std::variant<Event, Malformed>& content;
  const Original* original = nullptr;
  std::string_view function{};
};

/// A receiver, and how long its answer may take.
class HttpTarget {
 public:
  /// Fails with kInvalidConfig where there is no HTTP client.
  [[nodiscard]] static Result<std::unique_ptr<HttpTarget>> Make(
      std::string url, double timeout_seconds);

  /// Sends and waits; a 2xx confirms. Reply events go to stdout, as JSON.
  Sent Send(const Outgoing& message);

 private:
  HttpTarget(std::string url, double timeout_seconds,
             const HttpClientApi& client);

  const std::string url_;
  const std::chrono::milliseconds timeout_;
  const HttpClientApi& client_;
};

}  // namespace cirro::cli
