#pragma once

#include <cstddef>
#include <cstdint>
#include <version>

#include "cirro/cloudevents/export.h"

// The ABI tag: what must be equal on both sides before the first C++ call
// crosses between libcirro and a module. One string literal.
#define CIRRO_TEXT_OF(x) #x
#define CIRRO_TEXT(x) CIRRO_TEXT_OF(x)

#if defined(__clang__)
#define CIRRO_ABI_COMPILER \
  "clang" CIRRO_TEXT(__clang_major__) "." CIRRO_TEXT(__clang_minor__)
#else
#define CIRRO_ABI_COMPILER \
  "gcc" CIRRO_TEXT(__GNUC__) "." CIRRO_TEXT(__GNUC_MINOR__)
#endif

#if defined(_GLIBCXX_RELEASE)
#define CIRRO_ABI_LIBRARY                                   \
  "glibcxx" CIRRO_TEXT(_GLIBCXX_RELEASE) "/abi" CIRRO_TEXT( \
      _GLIBCXX_USE_CXX11_ABI)
#else
#define CIRRO_ABI_LIBRARY "libcxx" CIRRO_TEXT(_LIBCPP_VERSION)
#endif

#if defined(_GLIBCXX_DEBUG)
#define CIRRO_ABI_CHECKS "debug"
#elif defined(_GLIBCXX_ASSERTIONS)
#define CIRRO_ABI_CHECKS "assertions"
#else
#define CIRRO_ABI_CHECKS "plain"
#endif

#if defined(NDEBUG)
#define CIRRO_ABI_ASSERT "ndebug"
#else
#define CIRRO_ABI_ASSERT "assert"
#endif

// g++ says it by a macro, clang by a feature.
#if defined(__has_feature)
#define CIRRO_HAS_FEATURE(x) __has_feature(x)
#else
#define CIRRO_HAS_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || CIRRO_HAS_FEATURE(address_sanitizer)
#define CIRRO_ABI_SANITIZER "asan"
#elif defined(__SANITIZE_THREAD__) || CIRRO_HAS_FEATURE(thread_sanitizer)
#define CIRRO_ABI_SANITIZER "tsan"
#else
#define CIRRO_ABI_SANITIZER "unsanitized"
#endif

#define CIRRO_ABI_TAG                                                \
  "cirro" CIRRO_VERSION " " CIRRO_ABI_COMPILER " " CIRRO_ABI_LIBRARY \
  " " CIRRO_ABI_CHECKS " " CIRRO_ABI_ASSERT " " CIRRO_ABI_SANITIZER

namespace cirro {

/// The layout of ModuleDescriptor itself; it is read before the tag is known.
inline constexpr std::uint32_t kModuleLayout = 1;

/// What a module's one exported C function returns. Plain C up to the point
/// where `abi` proved that C++ may follow; constant for the process's life.
struct ModuleDescriptor {
  std::uint32_t layout;  ///< kModuleLayout.
  const char* abi;       ///< CIRRO_ABI_TAG, as the module was compiled.
  const char* name;      ///< Equal to its file's name, without `.so`.
  /// Which struct of function pointers `api` is: `Api::kKind` of a public
  /// header of the binding ("http_client" is HttpClientApi).
  const char* kind;
  const void* api;
};

extern "C" {
/// The type of that function; its symbol is `cirro_module_` + name.
using ModuleEntry = const ModuleDescriptor*() noexcept;
}

}  // namespace cirro

/// Makes a shared library the module `module_name`. `api` is a constant with
/// static storage whose type names its kind:
///
///   struct HttpClientApi {
///     static constexpr const char* kKind = "http_client";
///     Result<std::unique_ptr<Outlet>> (*make_outlet)(HttpOutletOptions);
///   };
///   constexpr HttpClientApi kApi{&MakeHttpOutlet};
///   CIRRO_MODULE(http_client, kApi)        // at namespace scope, in one .cc
///
/// A macro, because a function cannot name and export another one.
#define CIRRO_MODULE(module_name, api)                                    \
  extern "C" CIRRO_EXPORT const ::cirro::ModuleDescriptor*                \
      cirro_module_##module_name() noexcept;                              \
  extern "C" const ::cirro::ModuleDescriptor*                             \
      cirro_module_##module_name() noexcept {                             \
    static constexpr ::cirro::ModuleDescriptor descriptor{                \
        ::cirro::kModuleLayout, CIRRO_ABI_TAG, #module_name, (api).kKind, \
        &(api)};                                                          \
    return &descriptor;                                                   \
  }
