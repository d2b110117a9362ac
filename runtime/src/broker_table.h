#pragma once

#include <string>

#include "cirro/cloudevents/result.h"
#include "module_loader.h"

namespace cirro::internal {

/// The tables of docs/brokers.md: which capabilities each inlet and outlet has,
/// asked of one of each, which is made and never started. Fails where a module
/// cannot be loaded.
[[nodiscard]] Result<std::string> BrokersMarkdown(const ModuleLoader& loader);

}  // namespace cirro::internal
