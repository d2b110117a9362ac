#include "cirro/dispatch/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/registry.h"
#include "support/dispatch_rig.h"

namespace cirro {
namespace {

using test::TypedEvent;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Function AFunction(FunctionSpec spec) {
  return {std::move(spec), MakeHandler([](const Event&) {})};
}

class RouterTest : public ::testing::Test {
 protected:
  void Add(std::string type, Filter filter = {}) {
    functions_.push_back(
        AFunction({.type = std::move(type), .filter = std::move(filter)}));
  }
  std::vector<std::uint32_t> Match(const Event& event) {
    const Router router(functions_);
    const auto found = router.Match(event, room_);
    return {found.begin(), found.end()};
  }

  std::vector<Function> functions_;
  Matches room_;
};

TEST_F(RouterTest, FindsAnExactType) {
  Add("a");
  Add("b");
  Add("a");

  EXPECT_THAT(Match(TypedEvent("a")), ElementsAre(0, 2));
  EXPECT_THAT(Match(TypedEvent("b")), ElementsAre(1));
  EXPECT_THAT(Match(TypedEvent("ab")), IsEmpty());
}

TEST_F(RouterTest, FindsEachOfTenThousandTypes) {
  for (int i = 0; i < 10'000; ++i) Add("com.example." + std::to_string(i));
  const Router router(functions_);

  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const Event event = TypedEvent("com.example." + std::to_string(i));
    ASSERT_THAT(router.Match(event, room_), ElementsAre(i));
  }
  EXPECT_THAT(router.Match(TypedEvent("com.example.10000"), room_), IsEmpty());
}

TEST_F(RouterTest, MergesPatternsAndExactTypesInTheirOrder) {
  Add("*");
  Add("com.example.a");
  Add("com.*");
  Add("*.b");

  EXPECT_THAT(Match(TypedEvent("com.example.a")), ElementsAre(0, 1, 2));
  EXPECT_THAT(Match(TypedEvent("org.b")), ElementsAre(0, 3));
}

TEST_F(RouterTest, HoldsMoreMatchesThanItsSmallRoom) {
  for (int i = 0; i < 40; ++i) Add("t*");

  EXPECT_EQ(Match(TypedEvent("t")).size(), 40U);
  EXPECT_EQ(Match(TypedEvent("t")).back(), 39U);
}

TEST_F(RouterTest, TakesAnyTypeWhereOnlyAFilterIsGiven) {
  Add("", {.exact = {{"subject", "x"}}});

  EXPECT_THAT(Match(TypedEvent("a", "1", "x")), ElementsAre(0));
  EXPECT_THAT(Match(TypedEvent("a", "1", "y")), IsEmpty());
}

TEST(MatchesPattern, TakesAStarForAnyRun) {
  const std::vector<std::pair<const char*, const char*>> match = {
      {"*", ""},       {"*", "abc"},     {"a*", "a"},        {"*c", "abc"},
      {"a*c", "ac"},   {"a*c", "abcbc"}, {"a*b*c", "aXbYc"}, {"**", "x"},
      {"a**c", "abc"}, {"abc", "abc"},   {"*b*", "abc"}};
  const std::vector<std::pair<const char*, const char*>> differ = {
      {"a*", "ba"}, {"*c", "cb"},     {"a*c", "ab"}, {"abc", "abcd"},
      {"", "x"},    {"a*b*c", "acb"}, {"a*a", "a"},  {"ab", "a"}};

  for (const auto& [pattern, text] : match) {
    EXPECT_TRUE(MatchesPattern(pattern, text)) << pattern << " " << text;
  }
  for (const auto& [pattern, text] : differ) {
    EXPECT_FALSE(MatchesPattern(pattern, text)) << pattern << " " << text;
  }
}

class MatchesFilterTest : public ::testing::Test {
 protected:
  const Event event_ = *EventBuilder()
                            .id("1")
                            .source("/shop/7")
                            .type("order")
                            .subject("s")
                            .extension({"region", "north-1"})
                            .Build();
};

TEST_F(MatchesFilterTest, ComparesAnyAttribute) {
  EXPECT_TRUE(MatchesFilter({.exact = {{"region", "north-1"}}}, event_));
  EXPECT_FALSE(MatchesFilter({.exact = {{"region", "north"}}}, event_));
  EXPECT_TRUE(MatchesFilter({.prefix = {{"source", "/shop"}}}, event_));
  EXPECT_FALSE(MatchesFilter({.prefix = {{"source", "shop"}}}, event_));
  EXPECT_TRUE(MatchesFilter({.suffix = {{"region", "-1"}}}, event_));
  EXPECT_FALSE(MatchesFilter({.suffix = {{"absent", ""}}}, event_));
}

TEST_F(MatchesFilterTest, CombinesFilters) {
  const Filter yes{.exact = {{"type", "order"}}};
  const Filter no{.exact = {{"type", "other"}}};

  EXPECT_TRUE(MatchesFilter({}, event_));
  EXPECT_TRUE(MatchesFilter({.all = {yes, yes}}, event_));
  EXPECT_FALSE(MatchesFilter({.all = {yes, no}}, event_));
  EXPECT_TRUE(MatchesFilter({.any = {no, yes}}, event_));
  EXPECT_FALSE(MatchesFilter({.any = {no, no}}, event_));
  EXPECT_TRUE(MatchesFilter({.none = {no}}, event_));
  EXPECT_FALSE(MatchesFilter({.none = {no, yes}}, event_));
  EXPECT_TRUE(MatchesFilter({.any = {{.none = {no}}}}, event_));
}

TEST(RegistryTest, DerivesTheNameFromTheType) {
  Registry registry;

  ASSERT_TRUE(registry.Add(AFunction({.type = "com.example.Order"})));

  EXPECT_EQ(registry.functions()[0].spec.name, "com.example.Order");
  EXPECT_EQ(ConfigKey("com.example.Order"), "com_example_order");
  EXPECT_NE(registry.Find("com_example_order"), nullptr);
  EXPECT_NE(registry.Find("com.example.Order"), nullptr);
  EXPECT_EQ(registry.Find("other"), nullptr);
}

TEST(RegistryTest, RefusesASharedKey) {
  Registry registry;
  ASSERT_TRUE(registry.Add(AFunction({.name = "My Order", .type = "a"})));

  const auto added = registry.Add(AFunction({.name = "my-order", .type = "b"}));

  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::kConflict);
  EXPECT_THAT(added.error().message, HasSubstr("my_order"));
  EXPECT_EQ(registry.functions().size(), 1U);
}

TEST(RegistryTest, RefusesWhatCannotWork) {
  const auto code_of = [](Function function) {
    Registry registry;
    return registry.Add(std::move(function)).error().code;
  };

  for (const FunctionSpec& spec :
       {FunctionSpec{}, FunctionSpec{.type = "*"}, FunctionSpec{.name = "f"},
        FunctionSpec{.type = "t", .timeout = std::chrono::milliseconds(0)},
        FunctionSpec{.type = "t", .batch_max = 0},
        FunctionSpec{.type = "t",
        .order_by = {OrderBy::Kind::kJsonPointer, "a/b"}}}) {
    EXPECT_EQ(code_of(AFunction(spec)), ErrorCode::kInvalidConfig);
  }
  EXPECT_EQ(code_of({FunctionSpec{.type = "t"}, nullptr}),
            ErrorCode::kInvalidConfig);
}

TEST(RegistryTest, NamesThePointerThatIsNone) {
  Registry registry;

  for (const char* const pointer : {"a/b", "", "/~2"}) {
    const auto added = registry.Add(AFunction(
        {.type = "t", .order_by = {OrderBy::Kind::kJsonPointer, pointer}}));
    ASSERT_FALSE(added);
    EXPECT_THAT(added.error().message,
                HasSubstr("`order_by.pointer` '" + std::string(pointer) + "'"));
  }
}

TEST(RegistryTest, RefusesAFilterOnWhatIsNoAttribute) {
  const auto added = [](Filter filter) {
    Registry registry;
    return registry.Add(AFunction({.type = "t", .filter = std::move(filter)}));
  };
  const Filter wrong{.exact = {{"Subject", "v"}}};
  const Filter right{.exact = {{"subject", "v"}, {"myext2", ""}},
                     .prefix = {{"specversion", "1"}},
                     .suffix = {{"datacontenttype", "json"}}};

  for (const Filter& filter :
       {wrong, Filter{.prefix = {{"my-ext", "v"}}},
        Filter{.suffix = {{"", "v"}}}, Filter{.exact = {{"data", "v"}}},
        Filter{.all = {right, wrong}}, Filter{.any = {wrong}},
        Filter{.none = {{.any = {right, {.all = {wrong}}}}}}}) {
    const auto refused = added(filter);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidConfig);
  }
  EXPECT_THAT(added(wrong).error().message,
              AllOf(HasSubstr("`filter`"), HasSubstr("'Subject'"),
                    HasSubstr("a-z and 0-9")));
  EXPECT_TRUE(added({.all = {right}, .any = {right}, .none = {right}}));
}

TEST(RegistryTest, KeepsOneFunction) {
  Registry registry;
  ASSERT_TRUE(registry.Add(AFunction({.type = "a"})));
  ASSERT_TRUE(registry.Add(AFunction({.type = "b"})));

  EXPECT_THAT(registry.KeepOnly("c").error().message, HasSubstr("a, b"));
  ASSERT_TRUE(registry.KeepOnly("b"));
  ASSERT_EQ(registry.functions().size(), 1U);
  EXPECT_EQ(registry.functions()[0].spec.type, "b");
  EXPECT_NE(registry.Find("b"), nullptr);
}

}  // namespace
}  // namespace cirro
