#include "cirro/module/module.h"
#include "greeter.h"

namespace cirro::test {

int Answer() { return 42; }
constexpr GreeterApi kApi{&Answer};

}  // namespace cirro::test

// By each file name under which this source is built.
CIRRO_MODULE(good, cirro::test::kApi)
CIRRO_MODULE(needs_absent, cirro::test::kApi)
