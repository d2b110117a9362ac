#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cirro/module/module.h"

namespace cirro::bench {

[[noreturn]] inline void Fail(std::string_view why) {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(why.size()), why.data());
  std::exit(1);
}

/// What the module of this build at `path` offers.
template <typename Api>
const Api& ModuleOf(const char* path) {
  void* const module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) Fail(dlerror());
  const std::string symbol = std::string("cirro_module_") + Api::kKind;
  auto* const entry =
      reinterpret_cast<ModuleEntry*>(dlsym(module, symbol.c_str()));
  if (entry == nullptr || entry()->abi != std::string_view(CIRRO_ABI_TAG)) {
    Fail("not the module of this build");
  }
  return *static_cast<const Api*>(entry()->api);
}

}  // namespace cirro::bench
