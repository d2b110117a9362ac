#include "cirro/runtime/command.h"

#include <string_view>

#include "config.h"
#include "environment.h"
#include "flags.h"
#include "metrics.h"
#include "module_loader.h"

namespace cirro {
namespace {

template <typename Api>
Result<const Api*> Load(std::string_view name) {
  const internal::ModuleLoader loader(internal::ModuleFolders(
      internal::Find(internal::ReadEnvironment(), "CIRRO_MODULE_PATH")));
  return loader.Load<Api>(name);
}

}  // namespace

Result<std::string> DescribeConfiguration(std::span<const std::string> flags) {
  const auto parsed = internal::ParseFlags(flags);
  if (!parsed) return parsed.error();
  internal::ConfigSources sources;
  sources.environment = internal::ReadEnvironment();
  sources.defaults = parsed->defaults;
  sources.flags = parsed->settings;
  const auto config = LoadConfig(sources);
  if (!config) return config.error();
  return PrintConfig(*config);
}

std::string ConfigurationPage() { return internal::ConfigurationMarkdown(); }
std::string MetricsPage() { return internal::MetricsMarkdown(); }

Result<const HttpClientApi*> LoadHttpClient() {
  return Load<HttpClientApi>("http_client");
}

Result<const SqliteApi*> LoadSqlite() { return Load<SqliteApi>("sqlite"); }

}  // namespace cirro
