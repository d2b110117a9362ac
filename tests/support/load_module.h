#pragma once

#include <dlfcn.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "cirro/module/module.h"

namespace cirro::test {

/// What a module of this build offers, as a program loads it. `Api` names it
/// (`Api::kKind`). It stays loaded.
template <typename Api>
const Api& LoadModule() {
  static const Api* const api = [] {
    const std::string name(Api::kKind);
    void* const module =
        dlopen((CIRRO_BINARY_DIR "/lib/cirro/modules/" + name + ".so").c_str(),
               RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) throw std::runtime_error(dlerror());
    auto* const entry = reinterpret_cast<ModuleEntry*>(
        dlsym(module, ("cirro_module_" + name).c_str()));
    const ModuleDescriptor* const descriptor = entry();
    if (descriptor->abi != std::string_view(CIRRO_ABI_TAG) ||
        descriptor->kind != std::string_view(Api::kKind)) {
      throw std::runtime_error(name + ": not the module of this build");
    }
    return static_cast<const Api*>(descriptor->api);
  }();
  return *api;
}

}  // namespace cirro::test
