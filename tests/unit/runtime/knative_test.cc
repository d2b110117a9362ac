// What Knative sets on the events that go to its sink.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cirro/dispatch/delivery.h"
#include "runtime/src/knative.h"

namespace cirro::internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Overrides, AreExtensionsOfEveryJsonType) {
  const auto overrides =
      ParseOverrides(R"({"extensions":{"a":"x","b":true,"c":7}})");

  ASSERT_TRUE(overrides) << overrides.error().message;
  EXPECT_EQ(*overrides, (std::vector<Extension>{
                            {"a", "x"}, {"b", true}, {"c", std::int32_t{7}}}));
  EXPECT_TRUE(ParseOverrides("")->empty());
  EXPECT_TRUE(ParseOverrides("{}")->empty());
}

TEST(Overrides, ThatAreNoneAreErrorsThatNameTheSetting) {
  for (const char* json :
       {"[]", "{", R"({"extension":{}})", R"({"extensions":[]})"}) {
    const auto overrides = ParseOverrides(json);
    ASSERT_FALSE(overrides) << json;
    EXPECT_EQ(overrides.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(overrides.error().message, Not(::testing::IsEmpty()));
  }
}

TEST(Overrides, ThatNoEventCanCarryAreErrorsThatNameKeyAndRule) {
  const std::string name_rule = "a name consists of a-z and 0-9";
  const std::string core_rule = "no core attribute can be overridden";
  const std::string type_rule =
      "must be a string, a boolean or a whole number of 32 bits";
  const std::vector<std::array<std::string, 3>> cases = {
      {"A b", R"("x")", name_rule},
      {"", R"("x")", name_rule},
      {"data_base64", R"("x")", name_rule},
      {"trace-id", R"("x")", name_rule},
      {"data", R"("x")", core_rule},
      {"id", R"("x")", core_rule},
      {"source", R"("/x")", core_rule},
      {"type", R"("x")", core_rule},
      {"specversion", R"("1.0")", core_rule},
      {"subject", R"("x")", core_rule},
      {"time", R"("2020-01-01T00:00:00Z")", core_rule},
      {"dataschema", R"("urn:x:y")", core_rule},
      {"datacontenttype", R"("text/plain")", core_rule},
      {"a", R"("x\ny")", "control characters"},
      {"a", R"("\u0085")", "control characters"},
      {"a", R"("\uFFFF")", "noncharacters"},
      {"a", "1.5", type_rule},
      {"a", "1e3", type_rule},
      {"a", "2147483648", type_rule},
      {"a", "-2147483649", type_rule},
      {"a", "18446744073709551615", type_rule},
      {"a", "null", type_rule},
      {"a", R"({"b":"c"})", type_rule},
      {"a", R"(["x"])", type_rule}};
  for (const auto& [name, value, rule] : cases) {
    std::string json = R"({"extensions":{")";
    json += name;
    json += "\":";
    json += value;
    json += "}}";

    const auto overrides = ParseOverrides(json);

    ASSERT_FALSE(overrides) << json;
    EXPECT_EQ(overrides.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(overrides.error().message,
                AllOf(HasSubstr("extension \"" + name + "\""), HasSubstr(rule)))
        << json;
  }
}

TEST(Overrides, ReachTheBoundsOfAnInteger) {
  const auto overrides = ParseOverrides(
      R"({"extensions":{"a":-2147483648,"b":2147483647,"c":""}})");

  ASSERT_TRUE(overrides) << overrides.error().message;
  EXPECT_EQ(overrides->at(0).text, "-2147483648");
  EXPECT_EQ(overrides->at(1).text, "2147483647");
}

}  // namespace
}  // namespace cirro::internal
