#pragma once

#include <string>
#include <string_view>

#include "cirro/cloudevents/result.h"

namespace cirro::internal::http_client {

/// Where requests go, its secrets apart from what may be shown.
struct Target {
  std::string url;  ///< Without user and password.
  std::string user;
  std::string password;
  /// Scheme, host, port and path, `***` for what may be a password: for
  /// messages.
  std::string shown;
};

/// Fails with kInvalidConfig on anything but an absolute http or https URL.
[[nodiscard]] Result<Target> ParseTarget(std::string_view url);

}  // namespace cirro::internal::http_client
