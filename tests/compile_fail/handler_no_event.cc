// A handler takes what it handles.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](Context&) {});
#else
  return MakeHandler([](const Event&, Context&) {});
#endif
}
