#include "event_flags.h"

#include <string>

namespace cirro::cli {
namespace {

// CLI::Range takes what is no number: it is neither less nor more.
std::string CheckSeconds(const std::string& text) {
  double seconds = 0;
  const bool good = CLI::detail::lexical_cast(text, seconds) &&
                    seconds >= 0.001 && seconds <= 86'400;
  return good ? "" : "'" + text + "' must be seconds, 0.001 to 86400";
}

}  // namespace

void AddTimeout(CLI::App& command, double& seconds) {
  command.add_option("--timeout", seconds, "Seconds until an answer")
      ->check(&CheckSeconds, "FLOAT in [0.001 - 86400]")
      ->capture_default_str();
}

void AddLimit(CLI::App& command, std::uint64_t& limit) {
  command.add_option("--limit,-n", limit, "How many at most")
      ->check(CLI::PositiveNumber);
}

}  // namespace cirro::cli
