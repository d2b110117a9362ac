// A batch has no one event.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](std::span<const Event>, const Event&) {});
#else
  return MakeHandler([](std::span<const Event>, Context&) {});
#endif
}
