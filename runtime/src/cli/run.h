#pragma once

#include <string>
#include <vector>

namespace cirro::cli {

/// `cirro run`, as it was typed.
struct RunOptions {
  std::string target = ".";  ///< A program, or a folder with a CMakeLists.txt.
  std::string program;       ///< Which of a project's programs; empty: the one.
  std::vector<std::string> flags;  ///< For the program.
};

/// Builds the project if it is one, then becomes the program: returns an exit
/// code only where that did not come about.
int Run(const RunOptions& options);

}  // namespace cirro::cli
