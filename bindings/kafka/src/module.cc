#include "cirro/module/module.h"
#include "cirro/kafka/kafka.h"
#include "kafka_inlet.h"
#include "kafka_letter_box.h"
#include "kafka_letter_return.h"
#include "kafka_outlet.h"
#include "kafka_replay.h"

namespace cirro::internal::kafka {
namespace {

constexpr KafkaApi kApi{&MakeKafkaInlet, &KafkaOutlet::Make, &OpenKafkaBox,
                        &OpenKafkaReturn, &OpenKafkaReplay};

}  // namespace
}  // namespace cirro::internal::kafka

CIRRO_MODULE(kafka, cirro::internal::kafka::kApi)
