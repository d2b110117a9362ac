// A batch is a span.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](std::vector<Event>) {});
#else
  return MakeHandler([](std::span<const Event>) {});
#endif
}
