#include "module_loader.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>

namespace cirro::internal {
namespace {

Error Broken(std::string message) {
  return Error{ErrorCode::kInvalidConfig, std::move(message)};
}

bool IsModuleName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '_';
  });
}

// CMake writes the names, each between blanks; none where all are built.
bool WasLeftOut(std::string_view name) {
  // NOLINTNEXTLINE(readability-redundant-string-init)
  constexpr std::string_view kLeftOut = CIRRO_LEFT_OUT;
  return kLeftOut.find(" " + std::string(name) + " ") != std::string_view::npos;
}

std::string LastError() {
  const char* const error = dlerror();
  return error == nullptr ? "unknown reason" : error;
}

ModuleEntry* EntryOf(void* library, const std::string& symbol) {
  // POSIX wants a function behind dlsym's pointer.
  return reinterpret_cast<ModuleEntry*>(dlsym(library, symbol.c_str()));
}

}  // namespace

std::vector<std::string> ModuleFolders(std::string_view module_path) {
  std::vector<std::string> folders;
  while (!module_path.empty()) {
    const std::size_t colon = module_path.find(':');
    if (colon != 0) folders.emplace_back(module_path.substr(0, colon));
    module_path.remove_prefix(
        colon == std::string_view::npos ? module_path.size() : colon + 1);
  }
  Dl_info self{};
  // Any address inside this library tells where it lies.
  if (dladdr(reinterpret_cast<void*>(&ModuleFolders), &self) != 0 &&
      self.dli_fname != nullptr) {
    const std::string_view file = self.dli_fname;
    const std::size_t slash = file.rfind('/');
    folders.push_back(std::string(slash == std::string_view::npos
                                      ? "."
                                      : file.substr(0, slash)) +
                      "/cirro/modules");
  }
  return folders;
}

Result<void> CheckModule(const ModuleDescriptor* descriptor,
                         std::string_view name, std::string_view kind,
                         std::string_view file) {
  const std::string at(file);
  if (descriptor == nullptr || descriptor->layout != kModuleLayout) {
    return Broken(at + " is a module for another version of Cirro");
  }
  if (std::string_view(descriptor->abi) != CIRRO_ABI_TAG) {
    return Broken(at + " was built for another libcirro: it says \"" +
                  descriptor->abi + "\", this one is \"" CIRRO_ABI_TAG "\"");
  }
  if (descriptor->name != name) {
    return Broken(at + " calls itself module " + descriptor->name + ", not " +
                  std::string(name));
  }
  if (descriptor->kind != kind) {
    return Broken("module " + std::string(name) + " is a " + descriptor->kind +
                  ", where a " + std::string(kind) + " is needed");
  }
  return {};
}

Result<const ModuleDescriptor*> ModuleLoader::LoadKind(
    std::string_view name, std::string_view kind) const {
  if (!IsModuleName(name)) {
    return Broken("\"" + std::string(name) +
                  "\" cannot name a module: letters a-z, digits and _");
  }
  const std::string symbol = "cirro_module_" + std::string(name);
  std::string file = "libcirro";  // Where a static binding is.
  ModuleEntry* entry = EntryOf(RTLD_DEFAULT, symbol);
  if (entry == nullptr) {
    std::string tried;
    bool found = false;
    for (const std::string& folder : ModuleFolders(module_path_)) {
      file = folder + "/" + std::string(name) + ".so";
      found = access(file.c_str(), F_OK) == 0;
      if (found) break;
      tried += (tried.empty() ? "" : ", ") + file;
    }
    if (!found && WasLeftOut(name)) {
      std::string option(name);
      std::transform(option.begin(), option.end(), option.begin(), [](char c) {
        return 'a' <= c && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      });
      return Broken("this build has no " + std::string(name) +
                    ": it was configured with CIRRO_WITH_" + option + "=OFF");
    }
    if (!found) {
      return Broken("module " + std::string(name) + " is not installed: no " +
                    tried + " (CIRRO_MODULE_PATH names more folders)");
    }
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      return Broken("module " + std::string(name) +
                    " cannot be loaded: " + LastError());
    }
    entry = EntryOf(library, symbol);
    if (entry == nullptr) {
      return Broken(file + " is no module " + std::string(name) +
                    ": it has no " + symbol);
    }
  }
  const ModuleDescriptor* const descriptor = entry();
  const auto checked = CheckModule(descriptor, name, kind, file);
  if (!checked) return checked.error();
  return descriptor;
}

}  // namespace cirro::internal
