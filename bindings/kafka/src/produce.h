#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cirro/cloudevents/event.h"
#include "cirro/kafka/codec.h"
#include "cirro/kafka/outlet_options.h"
#include "handles.h"

namespace cirro::internal::kafka {

/// What every record on its way to a topic has as its opaque, or begins with.
struct Wanted {
  std::int32_t partition = -1;  ///< -1: as the key has it.
};

/// The topic, with a partitioner that honours Wanted and otherwise does as
/// Java's clients do: murmur2 of the key, any partition without one. A wanted
/// partition that the topic does not have is passed over.
[[nodiscard]] Topic MakeTopic(rd_kafka_t* handle, const std::string& name);

/// Queues a copy of the draft. `wanted` comes back with the delivery report; it
/// does not where this fails.
[[nodiscard]] rd_kafka_resp_err_t Produce(rd_kafka_t* handle,
                                          rd_kafka_topic_t* topic,
                                          const KafkaDraft& draft,
                                          std::string_view key, Wanted* wanted);

/// Empty: the event's record has no key.
[[nodiscard]] std::string_view KeyOf(const Event& event,
                                     KafkaKeyFrom from) noexcept;

/// The partition in a position of a Kafka inlet, "orders/3@1234"; else -1.
[[nodiscard]] std::int32_t PartitionIn(std::string_view position) noexcept;

}  // namespace cirro::internal::kafka
