// Modules that must be refused, each for its own reason; in one source, for
// each is built into a file of its name.
#include "cirro/module/module.h"
#include "greeter.h"

namespace {

constexpr cirro::test::GreeterApi kApi{nullptr};

constexpr cirro::ModuleDescriptor kOtherBuild{
    cirro::kModuleLayout, "cirro0.0.1 gcc3.2", "wrong_tag", "greeter", &kApi};
constexpr cirro::ModuleDescriptor kOtherLayout{
    cirro::kModuleLayout + 1, nullptr, nullptr, nullptr, nullptr};
constexpr cirro::ModuleDescriptor kOtherName{
    cirro::kModuleLayout, CIRRO_ABI_TAG, "somebody", "greeter", &kApi};

}  // namespace

extern "C" {
CIRRO_EXPORT const cirro::ModuleDescriptor* cirro_module_wrong_tag() noexcept {
  return &kOtherBuild;
}
CIRRO_EXPORT const cirro::ModuleDescriptor*
cirro_module_wrong_layout() noexcept {
  return &kOtherLayout;
}
CIRRO_EXPORT const cirro::ModuleDescriptor* cirro_module_wrong_name() noexcept {
  return &kOtherName;
}
}
