#include "cirro/module/module.h"

#include "cirro/nats/nats.h"
#include "core_inlet.h"
#include "jetstream_inlet.h"
#include "nats_letter_box.h"
#include "nats_letter_return.h"
#include "nats_replay.h"
#include "outlet.h"

namespace cirro::internal::nats {
namespace {

constexpr NatsApi kApi{&JetStreamInlet::Make, &CoreNatsInlet::Make,
                       &NatsOutlet::Make,     &OpenNatsBox,
                       &OpenNatsReturn,       &OpenNatsReplay};

}  // namespace
}  // namespace cirro::internal::nats

CIRRO_MODULE(nats, cirro::internal::nats::kApi)
