#pragma once

#include <cstdlib>
#include <filesystem>

namespace cirro::test {

/// The folder of CloudEvents' own and its peers' test data: what the
/// environment's CIRRO_SPEC_DATA names, else what the build was told. It need
/// not be there: tests skip without it.
inline std::filesystem::path ConformanceData() {
  const char* const given = std::getenv("CIRRO_SPEC_DATA");
  return std::filesystem::path(given != nullptr ? given : CIRRO_SPEC_DATA) /
         "conformance";
}

}  // namespace cirro::test
