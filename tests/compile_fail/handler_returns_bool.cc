// Only outcomes and replies are returned.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](const Event&) { return true; });
#else
  return MakeHandler([](const Event&) { return Done(); });
#endif
}
