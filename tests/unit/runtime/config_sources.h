#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/src/config.h"
#include "runtime/src/environment.h"
#include "support/temp_dir.h"

namespace cirro::internal {

inline std::string Write(const test::TempDir& dir, const std::string& name,
                         const std::string& text) {
  const std::string path = dir / name;
  std::ofstream(path) << text;
  return path;
}

// Without a file, unless a test says so: the working directory is anybody's.
inline ConfigSources NoFile() {
  ConfigSources sources;
  sources.file = "";
  return sources;
}

inline Result<Config> FromFile(const std::string& text) {
  const test::TempDir dir;
  ConfigSources sources;
  sources.file = Write(dir, "cirro.toml", text);
  return LoadConfig(sources);
}

inline Result<Config> FromEnvironment(Environment environment) {
  ConfigSources sources = NoFile();
  sources.environment = std::move(environment);
  return LoadConfig(sources);
}

inline std::string OriginOf(const Config& config, std::string_view section,
                            std::string_view key) {
  for (const EffectiveSetting& setting : config.effective) {
    if (setting.section == section && setting.key == key) return setting.origin;
  }
  return "(not set)";
}

inline std::string Message(const Result<Config>& config) {
  return config ? "(no error)" : config.error().message;
}

}  // namespace cirro::internal
