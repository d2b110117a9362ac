// Many threads call a handler at once.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([n = 0](const Event&) mutable { ++n; });
#else
  return MakeHandler([n = 0](const Event&) { (void)n; });
#endif
}
