#include "cirro/runtime/command.h"

#include <memory>
#include <string>
#include <string_view>

#include "broker_table.h"
#include "command_config.h"
#include "config.h"
#include "environment.h"
#include "flags.h"
#include "metrics.h"
#include "module_loader.h"

namespace cirro {
namespace {

internal::ModuleLoader Loader() {
  return internal::ModuleLoader(
      internal::Find(internal::ReadEnvironment(), "CIRRO_MODULE_PATH"));
}

template <typename Api>
Result<const Api*> Load(std::string_view name) {
  return Loader().Load<Api>(name);
}

}  // namespace

Result<internal::Config> internal::ConfigOf(
    std::span<const std::string> flags) {
  const auto parsed = ParseFlags(flags);
  if (!parsed) return parsed.error();
  ConfigSources sources;
  sources.environment = ReadEnvironment();
  sources.defaults = parsed->defaults;
  sources.flags = parsed->settings;
  return LoadConfig(sources);
}

Result<std::string> DescribeConfiguration(std::span<const std::string> flags) {
  const auto config = internal::ConfigOf(flags);
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

}  // namespace cirro
