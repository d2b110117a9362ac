// A vector of its own, of texts that would be gone before the call.
#include "cirro/dispatch/make_handler.h"
#include "cirro/json.h"

std::unique_ptr<cirro::Handler> Make() {
#ifdef CIRRO_MUST_NOT_COMPILE
  return cirro::MakeHandler([](const std::vector<std::string_view>&) {});
#else
  return cirro::MakeHandler([](const std::vector<std::string>&) {});
#endif
}
