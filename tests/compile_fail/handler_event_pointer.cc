// An event is no pointer.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](const Event*) {});
#else
  return MakeHandler([](Event) {});
#endif
}
