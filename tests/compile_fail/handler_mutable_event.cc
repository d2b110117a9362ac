// Events are immutable.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](Event&) {});
#else
  return MakeHandler([](const Event&) {});
#endif
}
