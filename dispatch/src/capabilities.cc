#include "cirro/dispatch/capabilities.h"

#include "cirro/dispatch/capability.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/link.h"

namespace cirro {

void Sink::Withdraw(const InletInfo& /*inlet*/,
                    std::span<const std::uint64_t> /*of*/) noexcept {}

// Out of line, so that the type has one home: dynamic_cast compares it across
// modules.
Capability::~Capability() = default;
PartitionHooks::~PartitionHooks() = default;
DelayedRedelivery::~DelayedRedelivery() = default;
InProgress::~InProgress() = default;
KeepsAttempts::~KeepsAttempts() = default;
Seekable::~Seekable() = default;
ConsumerGroups::~ConsumerGroups() = default;
SharedDurable::~SharedDurable() = default;
PartitionOrdered::~PartitionOrdered() = default;
OrderedDelivery::~OrderedDelivery() = default;
Batched::~Batched() = default;
Transactional::~Transactional() = default;
Deduper::~Deduper() = default;
LagReporter::~LagReporter() = default;
Linked::~Linked() = default;

}  // namespace cirro
