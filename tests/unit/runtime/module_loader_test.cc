#include "runtime/src/module_loader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cirro/http_client/http_client.h"
#include "unit/runtime/modules/greeter.h"

namespace {

constexpr cirro::test::GreeterApi kCompiledIn{[] { return 7; }};

}  // namespace

// As a binding of CIRRO_STATIC_BINDINGS is: in what was loaded at the start.
CIRRO_MODULE(compiled_in, kCompiledIn)

namespace cirro::internal {
namespace {

using test::GreeterApi;
using test::OtherApi;
using ::testing::HasSubstr;

const ModuleLoader& Loader() {
  static const ModuleLoader loader("/nowhere:" CIRRO_TEST_MODULES);
  return loader;
}

template <typename Api = GreeterApi>
std::string Refusal(std::string_view name) {
  const auto loaded = Loader().Load<Api>(name);
  if (loaded) return "(loaded)";
  EXPECT_EQ(loaded.error().code, ErrorCode::kInvalidConfig);
  return loaded.error().message;
}

TEST(ModuleLoader, GivesTheApiOfAModuleOfThisBuild) {
  const auto first = Loader().Load<GreeterApi>("good");
  const auto again = Loader().Load<GreeterApi>("good");

  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ((*first)->answer(), 42);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *first);
}

TEST(ModuleLoader, LoadsTheModulesOfThisTree) {
  const ModuleLoader loader(CIRRO_MODULES);

  const auto loaded = loader.Load<HttpClientApi>("http_client");

  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_NE((*loaded)->make_outlet, nullptr);
}

TEST(ModuleLoader, FindsWhatIsCompiledInBeforeAnyFile) {
  const ModuleLoader loader("/nowhere");

  const auto loaded = loader.Load<GreeterApi>("compiled_in");

  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ((*loaded)->answer(), 7);
}

TEST(ModuleLoader, AMissingFileNamesEveryPlaceItWasLookedFor) {
  const std::string refusal = Refusal("absent_one");

  EXPECT_THAT(refusal, HasSubstr("module absent_one is not installed: no "
                                 "/nowhere/absent_one.so, "));
  EXPECT_THAT(refusal, HasSubstr("CIRRO_MODULE_PATH"));
}

TEST(ModuleLoader, ANameIsNeverAPath) {
  for (const char* name : {"", "../good", "good.so", "Good", "a/b", "a b"}) {
    EXPECT_THAT(Refusal(name), HasSubstr("cannot name a module")) << name;
  }
}

TEST(ModuleLoader, AnotherBuildIsRefusedWithBothTags) {
  EXPECT_THAT(Refusal("wrong_tag"), HasSubstr("cirro0.0.1 gcc3.2"));
  EXPECT_THAT(Refusal("wrong_tag"), HasSubstr(CIRRO_ABI_TAG));
}

TEST(ModuleLoader, AnotherLayoutIsRefusedUnread) {
  EXPECT_THAT(Refusal("wrong_layout"), HasSubstr("another version of Cirro"));
}

TEST(ModuleLoader, AModuleUnderAnotherFileNameIsRefused) {
  EXPECT_THAT(Refusal("wrong_name"), HasSubstr("calls itself module somebody"));
}

TEST(ModuleLoader, AModuleOfAnotherKindIsRefused) {
  EXPECT_THAT(Refusal<OtherApi>("good"),
              HasSubstr("module good is a greeter, where a other is needed"));
}

TEST(ModuleLoader, ALibraryThatIsNoModuleIsRefused) {
  EXPECT_THAT(Refusal("no_entry"), HasSubstr("has no cirro_module_no_entry"));
}

TEST(ModuleLoader, AMissingDependencyIsNamed) {
  const std::string refusal = Refusal("needs_absent");

  EXPECT_THAT(refusal, HasSubstr("module needs_absent cannot be loaded"));
  EXPECT_THAT(refusal, HasSubstr("cirro_test_absent"));
}

TEST(ModuleFolders, OfThePathComeBeforeTheLibrarysOwn) {
  const auto folders = ModuleFolders("/a::/b");

  ASSERT_EQ(folders.size(), 3U);
  EXPECT_EQ(folders[0], "/a");
  EXPECT_EQ(folders[1], "/b");
  EXPECT_THAT(folders[2], ::testing::EndsWith("/cirro/modules"));
}

}  // namespace
}  // namespace cirro::internal
