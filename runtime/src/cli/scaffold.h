#pragma once

#include <string>

namespace cirro::cli {

/// `cirro new`: writes a project called `name` into `folder` (empty: a folder
/// of that name here). Returns the exit code; what is there is not overwritten.
int New(const std::string& name, const std::string& folder);

}  // namespace cirro::cli
