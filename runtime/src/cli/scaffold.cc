#include "scaffold.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "say.h"

namespace cirro::cli {
namespace {

namespace fs = std::filesystem;

struct File {
  std::string_view path;
  std::string_view text;  // @NAME@ is the project's name.
};

constexpr std::array kFiles{
    File{"CMakeLists.txt", R"(cmake_minimum_required(VERSION 3.24)
project(@NAME@ LANGUAGES CXX)

find_package(Cirro REQUIRED)

# The function, apart from main: the test links it too.
add_library(@NAME@_function STATIC function.cc)
target_link_libraries(@NAME@_function PUBLIC Cirro::cirro)

add_executable(@NAME@ main.cc)
target_link_libraries(@NAME@ PRIVATE @NAME@_function)

include(CTest)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
  add_executable(@NAME@_test function_test.cc)
  target_link_libraries(@NAME@_test PRIVATE @NAME@_function GTest::gtest_main)
  add_test(NAME @NAME@_test COMMAND @NAME@_test)
endif()
)"},
    File{"function.h", R"(#pragma once

#include <cirro/cirro.h>
#include <cirro/json.h>

#include <string>

/// The data of com.example.hello.
struct Person {
  std::string name;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Person, name)

/// Greets a person; an empty name is rejected.
cirro::Outcome Greet(const Person& person);
)"},
    File{"function.cc", R"(#include "function.h"

cirro::Outcome Greet(const Person& person) {
  if (person.name.empty()) return cirro::Reject("name must not be empty");
  return cirro::Reply({.type = "com.example.greeting",
                       .source = "/@NAME@",
                       .data = cirro::Text("Hello, " + person.name + "!")});
}
)"},
    File{"main.cc", R"(#include "function.h"

int main(int argc, char** argv) {
  cirro::App app;
  app.On({.name = "@NAME@", .type = "com.example.hello"}, Greet);
  return app.Run(argc, argv);
}
)"},
    File{"function_test.cc", R"(#include "function.h"

#include <gtest/gtest.h>

#include <variant>

TEST(Greet, AnswersWithTheName) {
  const cirro::Outcome outcome = Greet({.name = "Ada"});

  ASSERT_EQ(outcome.kind(), cirro::Outcome::Kind::kReply);
  const auto& reply = std::get<cirro::EventDraft>(outcome.replies().at(0));
  EXPECT_EQ(reply.type, "com.example.greeting");
  EXPECT_EQ(reply.data.bytes, "Hello, Ada!");
}

TEST(Greet, RejectsAnEmptyName) {
  EXPECT_EQ(Greet({.name = ""}).kind(), cirro::Outcome::Kind::kReject);
}
)"},
    File{"cirro.toml",
         R"(# Settings of @NAME@; `cirro config --print` shows all of them.
# The environment and flags win over this file.

[http]
port = 8080
)"},
    File{".gitignore", "build/\n"},
    File{"README.md", R"(# @NAME@

A CloudEvents function.

    cirro run                     # build it and serve it on 127.0.0.1:8080
    cirro send http://127.0.0.1:8080 --type com.example.hello --data '{"name":"Ada"}'

    cmake -B build && cmake --build build && ctest --test-dir build

The function is in `function.cc`, its registration in `main.cc`, its settings
in `cirro.toml`.
)"}};

bool IsName(std::string_view name) {
  return !name.empty() && 'a' <= name[0] && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') ||
                  c == '_' || c == '-';
         });
}

// Source: cmake-policies(7), CMP0037; the last two are those of CPack.
constexpr std::array<std::string_view, 10> kTargetsOfCMake{
    "all",        "clean",         "edit_cache", "help",    "install",
    "preinstall", "rebuild_cache", "test",       "package", "package_source"};

// Why there can be no project of this name; empty: there can.
std::string_view WrongInName(std::string_view name) {
  if (!IsName(name)) return "it must be [a-z][a-z0-9_-]*";
  if (std::find(kTargetsOfCMake.begin(), kTargetsOfCMake.end(), name) !=
      kTargetsOfCMake.end()) {
    return "CMake has a target of this name";
  }
  if (name.ends_with("_test") || name.ends_with("_tests")) {
    return "`cirro run` would take its program for a test";
  }
  return {};
}

std::string Filled(std::string_view text, const std::string& name) {
  constexpr std::string_view kPlace = "@NAME@";
  std::string filled(text);
  for (std::size_t at = filled.find(kPlace); at != std::string::npos;
       at = filled.find(kPlace, at + name.size())) {
    filled.replace(at, kPlace.size(), name);
  }
  return filled;
}

}  // namespace

int New(const std::string& name, const std::string& folder) {
  if (const std::string_view why = WrongInName(name); !why.empty()) {
    return Fail(kWrongUse,
                "'" + name + "' is no name for a project: " + std::string(why));
  }
  const fs::path root = folder.empty() ? fs::path(name) : fs::path(folder);
  std::error_code error;
  if (fs::exists(root, error) && !fs::is_empty(root, error)) {
    return Fail(kCannotCreate,
                root.string() + " is there already, and not empty");
  }
  fs::create_directories(root, error);
  for (const File& file : kFiles) {
    std::ofstream stream(root / file.path, std::ios::binary);
    stream << Filled(file.text, name);
    stream.close();
    if (!stream) {
      return Fail(kCannotCreate, "cannot write " + (root / file.path).string());
    }
  }
  std::printf(
      "%s: a function that answers com.example.hello. Now:\n\n"
      "  cd %s && cirro run\n",
      root.c_str(), root.c_str());
  return kOk;
}

}  // namespace cirro::cli
