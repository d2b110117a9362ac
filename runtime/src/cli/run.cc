#include "run.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>

#include "cirro/cloudevents/result.h"
#include "say.h"

namespace cirro::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Pointers for exec and posix_spawn, which do not change what they point to.
std::vector<char*> Pointers(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The exit status of a program that was waited for; 127 where there is none.
int Call(std::vector<std::string> words) {
  const std::vector<char*> argv = Pointers(words);
  pid_t child = 0;
  if (posix_spawnp(&child, argv[0], nullptr, nullptr, argv.data(), environ) !=
      0) {
    return kNotFound;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return kInternal;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : kFailed;
}

bool HasNinja() {
  const char* const path = std::getenv("PATH");
  std::string_view folders = path == nullptr ? "" : path;
  while (!folders.empty()) {
    const std::string folder(folders.substr(0, folders.find(':')));
    if (access((folder + "/ninja").c_str(), X_OK) == 0) return true;
    folders.remove_prefix(std::min(folders.size(), folder.size() + 1));
  }
  return false;
}

json ReadJsonFile(const fs::path& path) {
  std::ifstream file(path);
  return json::parse(file, nullptr, false);
}

struct Program {
  std::string name;
  fs::path path;
};

// The project's programs, from what CMake itself wrote of its targets.
// Source: cmake-file-api(7), object kind "codemodel".
std::vector<Program> ProgramsOf(const fs::path& build) {
  const fs::path reply = build / ".cmake/api/v1/reply";
  std::vector<Program> programs;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(reply, ignored)) {
    const std::string file = entry.path().filename();
    if (!file.starts_with("target-")) continue;
    const json target = ReadJsonFile(entry.path());
    if (!target.is_object() || target.value("type", "") != "EXECUTABLE" ||
        !target.contains("artifacts")) {
      continue;
    }
    for (const json& artifact : target["artifacts"]) {
      programs.push_back(
          {target.value("name", ""), build / artifact.value("path", "")});
    }
  }
  std::sort(programs.begin(), programs.end(),
            [](const Program& a, const Program& b) { return a.name < b.name; });
  return programs;
}

Error Wrong(std::string why) {
  return {ErrorCode::kInvalidConfig, std::move(why)};
}

bool IsTest(const Program& program) {
  return program.name.ends_with("_test") || program.name.ends_with("_tests");
}

// The program that was asked for; else the only one that is no test.
Result<fs::path> Choose(std::vector<Program> programs,
                        const std::string& wanted) {
  std::string names;
  for (const Program& program : programs) {
    if (program.name == wanted) return program.path;
    names += " " + program.name;
  }
  if (!wanted.empty()) {
    return Wrong("the project has no program " + wanted + "; it has" + names);
  }
  std::erase_if(programs, IsTest);
  if (programs.size() == 1) return programs[0].path;
  if (programs.empty()) return Wrong("the project has no program");
  return Wrong("the project has several programs; choose one by --program:" +
               names);
}

// Configures where it was not yet, builds, finds the program.
Result<fs::path> BuildProject(const fs::path& source,
                              const std::string& wanted) {
  const fs::path build = source / "build";
  std::error_code ignored;
  const fs::path query = build / ".cmake/api/v1/query";
  fs::create_directories(query, ignored);
  std::ofstream(query / "codemodel-v2").close();

  std::vector<std::string> configure{"cmake", "-S", source.string(), "-B",
                                     build.string()};
  if (!fs::exists(build / "CMakeCache.txt")) {
    configure.insert(configure.end(), {"-DCMAKE_BUILD_TYPE=RelWithDebInfo"});
    if (HasNinja()) configure.insert(configure.end(), {"-G", "Ninja"});
  }
  if (const int status = Call(configure); status != 0) {
    return Wrong(status == kNotFound
                     ? "cmake is not installed"
                     : "cmake could not configure " + source.string());
  }
  if (Call({"cmake", "--build", build.string()}) != 0) {
    return Wrong(source.string() + " does not build");
  }
  return Choose(ProgramsOf(build), wanted);
}

}  // namespace

int Run(const RunOptions& options) {
  std::error_code ignored;
  fs::path program = options.target;
  if (fs::is_directory(program, ignored)) {
    if (!fs::exists(program / "CMakeLists.txt")) {
      return Fail(kWrongUse,
                  program.string() + " is a folder without a CMakeLists.txt");
    }
    const auto built = BuildProject(program, options.program);
    if (!built) return Fail(kFailed, built.error().message);
    program = *built;
  } else if (!fs::exists(program, ignored)) {
    return Fail(kNotFound, "there is no " + program.string());
  }

  // Tried out on this machine: nobody else needs to reach it, unless anything
  // says so.
  std::vector<std::string> words{fs::absolute(program).string(),
                                 "--default=http.host=127.0.0.1"};
  words.insert(words.end(), options.flags.begin(), options.flags.end());
  const std::vector<char*> argv = Pointers(words);
  execv(argv[0], argv.data());
  return Fail(errno == ENOENT ? kNotFound : kCannotRun,
              words[0] + ": " + std::strerror(errno));
}

}  // namespace cirro::cli
