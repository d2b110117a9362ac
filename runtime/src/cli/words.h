#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cirro::cli {

/// A flag as it may be typed.
struct FlagWords {
  std::vector<std::string> names;  ///< "--type", "-t".
  bool takes_value = false;
  /// What may stand behind it, with blanks between; "FILE": a path.
  std::string values{};
};

/// A command of `cirro`, as far as suggestions and completion need to know it.
struct CommandWords {
  std::string name;
  std::vector<FlagWords> flags{};
  /// Of the arguments that are no flags: as FlagWords::values.
  std::string values{};
  /// Leaves what it does not know to somebody else.
  bool passes_on = false;
};

/// What is wrong with the words of a command line, with the nearest right one;
/// empty when nothing is. `arguments` come without the program's name.
[[nodiscard]] std::string Misspelt(const std::vector<CommandWords>& commands,
                                   const std::vector<std::string>& arguments);

/// A script for bash that completes the commands.
[[nodiscard]] std::string BashCompletion(
    const std::vector<CommandWords>& commands);

}  // namespace cirro::cli
