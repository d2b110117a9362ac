#pragma once

#include <span>
#include <string>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "config.h"

namespace cirro::internal {

/// What the command line of a function asks for.
struct Flags {
  bool help = false;
  bool version = false;
  bool print_config = false;
  std::vector<Assignment> settings{};  // `config` is the file's path.
  std::vector<Assignment> defaults{};  // The weakest layer, not the strongest.
};

/// Reads `--port 80`, `--port=80`, `--set section.key=value` and so on, by
/// hand: so few flags need no library. Fails with kInvalidConfig, naming the
/// nearest flag.
[[nodiscard]] Result<Flags> ParseFlags(std::span<const std::string> arguments);

/// What `--help` prints.
[[nodiscard]] std::string FlagsHelp(std::string_view program);

}  // namespace cirro::internal
