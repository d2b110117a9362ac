#include "cirro/runtime/command.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "broker_table.h"
#include "config.h"
#include "environment.h"
#include "flags.h"
#include "metrics.h"
#include "module_loader.h"

namespace cirro {
namespace {

internal::ModuleLoader Loader() {
  return internal::ModuleLoader(internal::ModuleFolders(
      internal::Find(internal::ReadEnvironment(), "CIRRO_MODULE_PATH")));
}

template <typename Api>
Result<const Api*> Load(std::string_view name) {
  return Loader().Load<Api>(name);
}

Result<internal::Config> ConfigOf(std::span<const std::string> flags) {
  const auto parsed = internal::ParseFlags(flags);
  if (!parsed) return parsed.error();
  internal::ConfigSources sources;
  sources.environment = internal::ReadEnvironment();
  sources.defaults = parsed->defaults;
  sources.flags = parsed->settings;
  return LoadConfig(sources);
}

// The place that is meant, and its name.
Result<std::pair<std::string, internal::DeadLetterConfig>> PlaceOf(
    const internal::Config& config, std::string_view place) {
  std::string names;
  for (const auto& [name, options] : config.dead_letters) {
    const bool only = place.empty() && config.dead_letters.size() == 1;
    if (name == place || only) return std::pair(name, options);
    names += (names.empty() ? "" : ", ") + name;
  }
  for (const auto& [name, outlet] : config.outlets) {
    if (name != place) continue;
    return Error{ErrorCode::kUnsupported,
                 "[outlet." + name +
                     "] cannot list its letters; [dead_letter.NAME] can"};
  }
  if (place.empty()) {
    return Error{ErrorCode::kInvalidConfig,
                 names.empty() ? "there is no [dead_letter.NAME]"
                               : "which place? There are " + names};
  }
  return Error{ErrorCode::kInvalidConfig,
               "there is no [dead_letter." + std::string(place) + "]" +
                   (names.empty() ? "" : ", but " + names)};
}

}  // namespace

Result<std::string> DescribeConfiguration(std::span<const std::string> flags) {
  const auto config = ConfigOf(flags);
  if (!config) return config.error();
  return PrintConfig(*config);
}

std::string ConfigurationPage() { return internal::ConfigurationMarkdown(); }
std::string MetricsPage() { return internal::MetricsMarkdown(); }
Result<std::string> BrokersPage() {
  return internal::BrokersMarkdown(Loader());
}

Result<const HttpClientApi*> LoadHttpClient() {
  return Load<HttpClientApi>("http_client");
}

Result<const SqliteApi*> LoadSqlite() { return Load<SqliteApi>("sqlite"); }

Result<std::unique_ptr<LetterBox>> OpenLetterBox(
    std::string_view place, std::span<const std::string> flags) {
  const auto config = ConfigOf(flags);
  if (!config) return config.error();
  const auto found = PlaceOf(*config, place);
  if (!found) return found.error();
  const auto sqlite = LoadSqlite();
  if (!sqlite) return sqlite.error();
  return (*sqlite)->open_box(
      {.name = found->first, .path = found->second.path});
}

}  // namespace cirro
