// A Completion is a duty that moves.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](const Event&, const Completion&) {});
#else
  return MakeHandler([](const Event&, Completion) {});
#endif
}
