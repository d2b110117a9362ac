// A secret does not get onto a stream by accident.
#include <sstream>

#include "cirro/runtime/secret.h"

std::string Show(const cirro::Secret& secret) {
  std::ostringstream out;
#ifdef CIRRO_MUST_NOT_COMPILE
  out << secret;
#else
  out << secret.Reveal();
#endif
  return out.str();
}
