#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "cirro/cloudevents/content_mode.h"
#include "cirro/kafka/connection.h"

namespace cirro {

/// What the key of a record is made of. An event without it has no key.
enum class KafkaKeyFrom : std::uint8_t {
  kPartitionKey,  ///< The extension `partitionkey`, which stays.
  kSubject,
  kNone,
};

enum class KafkaCompression : std::uint8_t {
  kNone,
  kGzip,
  kSnappy,
  kLz4,
  kZstd
};

/// Which topic an outlet writes to, and how.
struct KafkaOutletOptions {
  std::string name = "kafka";  ///< Outlet::name.
  KafkaConnection connection{};
  std::string topic{};
  ContentMode mode = ContentMode::kBinary;  ///< Or kStructured.
  KafkaKeyFrom key_from = KafkaKeyFrom::kPartitionKey;
  std::chrono::milliseconds linger{5};
  KafkaCompression compression = KafkaCompression::kNone;
  /// Events that are waiting or on their way; more are refused (kOverloaded).
  std::uint32_t max_in_flight = 10'000;
  /// From Send to the broker's word.
  std::chrono::milliseconds timeout{20'000};
};

}  // namespace cirro
