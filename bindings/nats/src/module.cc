#include "cirro/module/module.h"

#include "cirro/nats/nats.h"
#include "core_inlet.h"
#include "jetstream_inlet.h"
#include "outlet.h"

namespace cirro::internal {
namespace {

constexpr NatsApi kApi{&JetStreamInlet::Make, &CoreNatsInlet::Make,
                       &NatsOutlet::Make};

}  // namespace
}  // namespace cirro::internal

CIRRO_MODULE(nats, cirro::internal::kApi)
