// A view into what ReadJson parsed would dangle.
#include "cirro/json.h"

auto Read(const cirro::Event& event) {
#ifdef CIRRO_MUST_NOT_COMPILE
  return cirro::ReadJson<std::string_view>(event);
#else
  return cirro::ReadJson<std::string>(event);
#endif
}
