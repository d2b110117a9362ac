#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

// Flags that several commands have. With main.cc and dlq_command, all that
// knows CLI11.
namespace cirro::cli {

/// `--timeout`, in seconds.
void AddTimeout(CLI::App& command, double& seconds);

/// `--limit`, `-n`: at least one; 0, which stands for none, is what it is where
/// the flag is not given.
void AddLimit(CLI::App& command, std::uint64_t& limit);

}  // namespace cirro::cli
