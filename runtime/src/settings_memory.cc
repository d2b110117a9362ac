#include <array>
#include <vector>

#include "settings_landing.h"

// `[memory]`, and `type = "memory"` of inlets and outlets.
namespace cirro::internal {
namespace {

using enum SettingType;

constexpr std::string_view kMemory = "memory";

template <auto kField>
constexpr auto kLandBroker = &Land<&Config::memory, kField>;
template <auto kField>
constexpr auto kLandInlet =
    &Land<&Config::inlets, &InletConfig::memory, kField>;

void LandStart(Config& config, std::string_view name,
               const SettingValue& value) {
  SectionOf(config.inlets, name).memory.from_beginning =
      std::get<std::int64_t>(value) == 0;
}

void LandKeyFrom(Config& config, std::string_view name,
                 const SettingValue& value) {
  constexpr std::array kAttributes{"partitionkey", "subject", ""};
  SectionOf(config.outlets, name).memory.key_from =
      kAttributes.at(static_cast<std::size_t>(std::get<std::int64_t>(value)));
}

constexpr std::array kBroker{
    Setting{.section = "memory",
            .key = "partitions",
            .type = kInteger,
            .fallback = "4",
            .doc = "Of each topic.",
            .land = kLandBroker<&MemoryBrokerOptions::partitions>,
            .min = 1,
            .max = 1'024},
    Setting{.section = "memory",
            .key = "max_records",
            .type = kInteger,
            .fallback = "65536",
            .doc = "Of each partition. When it is full, what every group has "
                   "settled is forgotten first; if there is nothing, what is "
                   "sent is refused as overloaded.",
            .land = kLandBroker<&MemoryBrokerOptions::max_records>,
            .min = 1,
            .max = kMaxCount},
    Setting{.section = "memory",
            .key = "max_bytes",
            .type = kByteSize,
            .fallback = "64MiB",
            .doc = "The same bound in bytes, of all topics together.",
            .land = kLandBroker<&MemoryBrokerOptions::max_bytes>,
            .min = 1 << 16,
            .max = kMaxBytes},
    Setting{.section = "memory",
            .key = "max_record_bytes",
            .type = kByteSize,
            .fallback = "1MiB",
            .doc = "Of one record; a larger one is refused as too large.",
            .land = kLandBroker<&MemoryBrokerOptions::max_record_bytes>,
            .min = 1 << 10,
            .max = kMaxBytes},
    Setting{.section = "memory",
            .key = "rebalance_timeout",
            .type = kDuration,
            .fallback = "10s",
            .doc = "How long a rebalance waits for a member that has to give "
                   "partitions up.",
            .land = kLandBroker<&MemoryBrokerOptions::rebalance_timeout>,
            .min = 1,
            .max = kOneDay},
};

constexpr std::array kInlet{
    Setting{.section = "inlet",
            .key = "topics",
            .type = kList,
            .fallback = "",
            .doc = "What is read.",
            .land = kLandInlet<&MemoryInletOptions::topics>,
            .types = kMemory,
            .required = "topics = [\"TOPIC\"]"},
    Setting{.section = "inlet",
            .key = "group",
            .type = kText,
            .fallback = "",
            .doc = "The consumer group: inlets that name one share its "
                   "messages.",
            .land = kLandInlet<&MemoryInletOptions::group>,
            .computed = "the section's NAME",
            .types = kMemory},
    Setting{.section = "inlet",
            .key = "mode",
            .type = kChoice,
            .fallback = "partitioned",
            .doc = "Members own partitions, whose messages come in order, and "
                   "commit offsets, as with Kafka; or they share single "
                   "messages, as with JetStream. The same for a whole group.",
            .land = kLandInlet<&MemoryInletOptions::mode>,
            .choices = "partitioned|shared",
            .types = kMemory},
    Setting{.section = "inlet",
            .key = "start",
            .type = kChoice,
            .fallback = "beginning",
            .doc = "Where a group begins that has committed nothing.",
            .land = &LandStart,
            .choices = "beginning|end",
            .types = kMemory},
    Setting{.section = "inlet",
            .key = "batch",
            .type = kInteger,
            .fallback = "256",
            .doc = "Messages that are handed over at once at most.",
            .land = kLandInlet<&MemoryInletOptions::max_batch>,
            .min = 1,
            .max = 100'000,
            .types = kMemory},
    Setting{.section = "inlet",
            .key = "max_span",
            .type = kInteger,
            .fallback = "16384",
            .doc = "With `partitioned`: offsets of one partition between the "
                   "oldest that is not settled and the newest delivered. At it "
                   "the partition waits for the oldest.",
            .land = kLandInlet<&MemoryInletOptions::longest_span>,
            .min = 1,
            .max = 16'384,
            .types = kMemory},
    Setting{.section = "inlet",
            .key = "revoke_patience",
            .type = kDuration,
            .fallback = "5s",
            .doc = "With `partitioned`: how long a partition that is taken "
                   "away waits for what runs of it.",
            .land = kLandInlet<&MemoryInletOptions::revoke_patience>,
            .max = kOneDay,
            .types = kMemory},
    Setting{.section = "inlet",
            .key = "ack_wait",
            .type = kDuration,
            .fallback = "30s",
            .doc = "With `shared`: what is silent for so long is given to "
                   "another; what is open is never silent.",
            .land = kLandInlet<&MemoryInletOptions::ack_wait>,
            .min = 1,
            .max = kOneDay,
            .types = kMemory},
};

constexpr std::array kOutlet{
    Setting{.section = "outlet",
            .key = "topic",
            .type = kText,
            .fallback = "",
            .doc = "Where events are written to.",
            .land = &Land<&Config::outlets, &OutletConfig::memory,
                          &MemoryOutletOptions::topic>,
            .types = kMemory,
            .required = "topic = \"TOPIC\""},
    Setting{.section = "outlet",
            .key = "key_from",
            .type = kChoice,
            .fallback = "partitionkey",
            .doc = "The attribute that a record's key, and so its partition, "
                   "is made of; an event without it has no key.",
            .land = &LandKeyFrom,
            .choices = "partitionkey|subject|none",
            .types = kMemory},
};

}  // namespace

std::span<const Setting> MemorySettings() {
  static constexpr auto kAll = Together(kBroker, kInlet, kOutlet);
  return kAll;
}

}  // namespace cirro::internal
