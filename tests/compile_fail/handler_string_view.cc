// The text would be gone before the function is called.
#include "cirro/dispatch/make_handler.h"
#include "cirro/json.h"

std::unique_ptr<cirro::Handler> Make() {
#ifdef CIRRO_MUST_NOT_COMPILE
  return cirro::MakeHandler([](std::string_view) {});
#else
  return cirro::MakeHandler([](const std::string&) {});
#endif
}
