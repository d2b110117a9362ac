// A span of what is no event: the numbers would be gone before the call.
#include "cirro/dispatch/make_handler.h"
#include "cirro/json.h"

std::unique_ptr<cirro::Handler> Make() {
#ifdef CIRRO_MUST_NOT_COMPILE
  return cirro::MakeHandler([](std::span<const int>) {});
#else
  return cirro::MakeHandler([](const std::vector<int>&) {});
#endif
}
