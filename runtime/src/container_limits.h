#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace cirro::internal {

/// What this process may use.
struct ContainerLimits {
  double cpus = 1;
  std::string cpus_from{};  // "cpu.max", "the processors of this machine".
  std::optional<std::int64_t> memory_bytes{};
};

/// Reads the control group's bounds (version 2, else 1), each level up to the
/// root. `root` stands before /proc and /sys.
[[nodiscard]] ContainerLimits ReadContainerLimits(const std::string& root = {});

}  // namespace cirro::internal
