#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/kafka/inlet_options.h"
#include "cirro/kafka/outlet_options.h"

namespace cirro::internal::kafka {

/// Properties of librdkafka in the order they are to be set; a later one wins.
using Properties = std::vector<std::pair<std::string, std::string>>;

/// The consumer of an inlet. Fails with kInvalidConfig, naming the option.
[[nodiscard]] Result<Properties> ConsumerProperties(
    const KafkaInletOptions& options);

/// The producer of an outlet. Fails with kInvalidConfig, naming the option.
[[nodiscard]] Result<Properties> ProducerProperties(
    const KafkaOutletOptions& options);

/// The transactional producer of an inlet that is exactly once.
/// REQUIRES: ConsumerProperties(options); `id` is not empty.
[[nodiscard]] Result<Properties> TransactionProperties(
    const KafkaInletOptions& options, std::string_view id);

/// The one that is set, else that of the group's member on `host`.
[[nodiscard]] std::string TransactionalIdOf(const KafkaInletOptions& options,
                                            std::string_view host);

/// Whether the value of a property must not be shown.
[[nodiscard]] bool IsSecretProperty(std::string_view name) noexcept;

/// "option: why".
[[nodiscard]] Error InvalidOption(std::string_view option,
                                  std::string_view why);

}  // namespace cirro::internal::kafka
