#pragma once

#include <string>
#include <vector>

namespace cirro::cli {

/// `cirro listen`, as it was typed.
struct ListenOptions {
  std::string url;
  std::string group;                  ///< Of Kafka; empty: one of its own.
  std::string from;                   ///< As `start` of an inlet; empty: end.
  std::vector<std::string> settings;  ///< "key=value" of the inlet.
  int count = 0;                      ///< 0: until a signal.
};

/// Prints each event as JSON, a line each, as it comes. Returns the exit code.
int Listen(const ListenOptions& options);

}  // namespace cirro::cli
