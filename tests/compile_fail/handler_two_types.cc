// An event has one data.
#include "cirro/dispatch/make_handler.h"
#include "cirro/json.h"

std::unique_ptr<cirro::Handler> Make() {
#ifdef CIRRO_MUST_NOT_COMPILE
  return cirro::MakeHandler([](int, double) {});
#else
  return cirro::MakeHandler([](int) {});
#endif
}
