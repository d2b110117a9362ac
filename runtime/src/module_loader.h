#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/module/module.h"

namespace cirro::internal {

/// The folder of modules that belongs to this libcirro, after those of
/// `module_path` (`CIRRO_MODULE_PATH`: folders, with `:` between).
[[nodiscard]] std::vector<std::string> ModuleFolders(
    std::string_view module_path);

/// Loads modules from ModuleFolders(module_path): never twice, and for good,
/// because code of theirs may run until the process ends.
class ModuleLoader {
 public:
  /// Looks at nothing yet: most functions need no module.
  explicit ModuleLoader(std::string_view module_path)
      : module_path_(module_path) {}

  /// The api of module `name`. Fails with kInvalidConfig: a bad name, no such
  /// file, something it needs is missing, it was built for another libcirro,
  /// or it is of another kind.
  template <typename Api>
  [[nodiscard]] Result<const Api*> Load(std::string_view name) const {
    const auto loaded = LoadKind(name, Api::kKind);
    if (!loaded) return loaded.error();
    return static_cast<const Api*>((*loaded)->api);
  }

 private:
  [[nodiscard]] Result<const ModuleDescriptor*> LoadKind(
      std::string_view name, std::string_view kind) const;

  std::string module_path_;
};

/// Whether a module that says `descriptor` may be used as `name`, of `kind`.
/// Touches nothing of it that a wrong tag makes unsafe.
[[nodiscard]] Result<void> CheckModule(const ModuleDescriptor* descriptor,
                                       std::string_view name,
                                       std::string_view kind,
                                       std::string_view file);

}  // namespace cirro::internal
