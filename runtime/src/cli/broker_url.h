#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/result.h"

namespace cirro::cli {

/// Whether `url` names a topic or subject of a broker.
[[nodiscard]] bool IsBrokerUrl(std::string_view url) noexcept;

/// The flags that make `section` ("outlet.x", "inlet.x") what the URL says:
///
///   kafka://HOST:PORT[,HOST:PORT..]/TOPIC
///   nats://[USER:PASSWORD@]HOST[:PORT]/SUBJECT  (tls:// likewise)
///
/// Fails with kInvalidConfig.
[[nodiscard]] Result<std::vector<std::string>> FlagsOfBrokerUrl(
    std::string_view section, std::string_view url);

}  // namespace cirro::cli
