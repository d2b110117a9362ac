#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cirro::cli {

/// `cirro replay`, as it was typed.
struct ReplayOptions {
  std::string inlet;   ///< `[inlet.NAME]`; empty: the only one there is.
  std::string config;  ///< Instead of cirro.toml.
  std::vector<std::string> settings;  ///< SECTION.KEY=VALUE.
  std::string from;
  std::string until = "end";
  std::optional<std::int32_t> partition;

  // Which of them; empty: any.
  std::string type;  ///< Ends in `*`: all that begin so.
  std::string subject;
  std::string source;
  std::string event_id;
  std::uint64_t limit = 0;  ///< 0: no limit.

  std::string function;
  std::string to;   ///< A receiver's URL.
  double rate = 0;  ///< Events a second; 0: no limit.
  double timeout_seconds = 20;
  bool dry_run = false;
  bool keep_going = false;
};

/// Sends what an inlet's source still has to one function of a receiver, in the
/// source's order, each when the one before was confirmed. Ends at the first
/// that is not taken, and says where to go on.
int ReplayEvents(const ReplayOptions& options);

}  // namespace cirro::cli
