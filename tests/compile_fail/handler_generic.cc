// A generic callable takes an event, or an event and its context.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](auto, auto, auto) {});
#else
  return MakeHandler([](auto, auto&) {});
#endif
}
