#include "cirro/module/module.h"
#include "cirro/kafka/kafka.h"

#include "kafka_outlet.h"

namespace cirro::internal {
namespace {

constexpr KafkaApi kApi{nullptr, &KafkaOutlet::Make};

}  // namespace
}  // namespace cirro::internal

CIRRO_MODULE(kafka, cirro::internal::kApi)
