// A batch has an outcome for each event.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](std::span<const Event>) { return Done(); });
#else
  return MakeHandler([](std::span<const Event> events) {
    return std::vector<Outcome>(events.size());
  });
#endif
}
