#include "cirro/dispatch/capabilities.h"

namespace cirro {

// Here, so that there is one type information of each for all modules.
DelayedRedelivery::~DelayedRedelivery() = default;

}  // namespace cirro
