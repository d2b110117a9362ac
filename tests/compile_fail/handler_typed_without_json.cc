// Typed data needs the one header that shows nlohmann::json.
#include "cirro/dispatch/make_handler.h"
#ifndef CIRRO_MUST_NOT_COMPILE
#include "cirro/json.h"
#endif

std::unique_ptr<cirro::Handler> Make() {
  return cirro::MakeHandler([](const int&) {});
}
