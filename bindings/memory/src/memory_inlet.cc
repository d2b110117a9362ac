#include <string>
#include <utility>

#include "broker_core.h"
#include "cirro/memory/memory.h"
#include "partitioned_inlet.h"
#include "shared_inlet.h"

namespace cirro {
namespace {

Result<void> Check(const MemoryInletOptions& options) {
  const auto wrong = [](std::string why) {
    return Error{ErrorCode::kInvalidConfig, std::move(why)};
  };
  using std::chrono::milliseconds;
  if (options.topics.empty()) return wrong("topics: must name at least one");
  if (options.max_in_flight == 0) return wrong("max_in_flight: must not be 0");
  if (options.max_batch == 0) return wrong("max_batch: must not be 0");
  if (options.longest_span == 0 ||
      options.longest_span > Watermark::kLongestSpan) {
    return wrong("longest_span: must be 1 to 16384, not " +
                 std::to_string(options.longest_span));
  }
  if (options.ack_wait <= milliseconds(0)) {
    return wrong("ack_wait: must be more than 0");
  }
  if (options.revoke_patience < milliseconds(0)) {
    return wrong("revoke_patience: must not be negative");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<MemoryInlet>> MakeMemoryInlet(MemoryBroker& broker,
                                                     MemoryInletOptions options,
                                                     const Clock& clock,
                                                     Observer& observer) {
  if (auto checked = Check(options); !checked) return checked.error();
  if (options.group.empty()) options.group = options.name;
  internal::memory::BrokerCore& core = MemoryAccess::Core(broker);
  if (options.mode == MemoryMode::kShared) {
    return std::unique_ptr<MemoryInlet>(
        std::make_unique<internal::memory::SharedInlet>(
            core, std::move(options), clock, observer));
  }
  return std::unique_ptr<MemoryInlet>(
      std::make_unique<internal::memory::PartitionedInlet>(
          core, std::move(options), clock, observer));
}

}  // namespace cirro
