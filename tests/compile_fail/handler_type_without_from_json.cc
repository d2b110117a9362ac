// nlohmann::json must know how to make the type.
#include "cirro/dispatch/make_handler.h"
#include "cirro/json.h"

struct Order {
  int total = 0;
};
#ifndef CIRRO_MUST_NOT_COMPILE
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, total)
#endif

std::unique_ptr<cirro::Handler> Make() {
  return cirro::MakeHandler([](const Order&) {});
}
