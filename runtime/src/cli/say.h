#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "exit_codes.h"

namespace cirro::cli {

/// Says on stderr what went wrong, and returns `code`.
inline int Fail(ExitCode code, std::string_view why) {
  const std::string line = "cirro: " + std::string(why) + "\n";
  std::fputs(line.c_str(), stderr);
  return code;
}

}  // namespace cirro::cli
