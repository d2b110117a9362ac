// One event a call.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](const Event&, const Event&) {});
#else
  return MakeHandler([](const Event&) {});
#endif
}
