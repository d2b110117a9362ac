#include "cirro/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/handler_calls.h"

namespace cirro {
namespace {

using test::EventWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Positive {
  int value = 0;
};
void from_json(const nlohmann::json& data, Positive& positive) {
  positive.value = data.get<int>();
  if (positive.value < 0) throw std::invalid_argument("it is negative");
  if (positive.value == 13) throw std::bad_alloc();
  if (positive.value == 14) throw std::out_of_range("[json.mine]");
}

struct Silence : std::exception {
  const char* what() const noexcept override { return nullptr; }
};
struct Mute {};
void from_json(const nlohmann::json& /*data*/, Mute& /*mute*/) {
  throw Silence();
}

TEST(Json, IsDataOfTheJsonMediaType) {
  const Data data = Json({{"id", "a"}, {"n", 3}});

  EXPECT_EQ(data.bytes, R"({"id":"a","n":3})");
  EXPECT_EQ(data.kind, DataKind::kJson);
  EXPECT_EQ(data.contenttype, "application/json");
}

TEST(Json, SaysWhereAStringIsNotUtf8) {
  EXPECT_THROW((void)Json({{"id", "\xff"}}), nlohmann::json::type_error);
}

TEST(ReadJson, ReadsWhatNlohmannKnows) {
  const auto numbers =
      ReadJson<std::vector<int>>(EventWith(JsonText("[1,2,3]")));

  ASSERT_TRUE(numbers) << numbers.error().message;
  EXPECT_THAT(*numbers, ElementsAre(1, 2, 3));
}

TEST(ReadJson, KeepsWhatAFromJsonSaysOfTheData) {
  const auto positive = ReadJson<Positive>(EventWith(JsonText("-1")));

  ASSERT_FALSE(positive);
  EXPECT_EQ(positive.error().code, ErrorCode::kRejected);
  EXPECT_EQ(positive.error().message, "the data does not fit: it is negative");
}

TEST(ReadJson, KeepsWhatOnlyBeginsLikeNlohmannsOwn) {
  const auto positive = ReadJson<Positive>(EventWith(JsonText("14")));

  ASSERT_FALSE(positive);
  EXPECT_EQ(positive.error().message, "the data does not fit: [json.mine]");
}

TEST(ReadJson, RejectsWhereAFromJsonSaysNothing) {
  const auto mute = ReadJson<Mute>(EventWith(JsonText("1")));

  ASSERT_FALSE(mute);
  EXPECT_EQ(mute.error().message,
            "the data does not fit: its from_json gives no reason");
}

TEST(ReadJson, LetsNoMemoryOutBecauseItIsNotTheDatasFault) {
  EXPECT_THROW((void)ReadJson<Positive>(EventWith(JsonText("13"))),
               std::bad_alloc);
}

TEST(ReadJson, RejectsNumbersThatNoDoubleHolds) {
  const auto value = ReadJson<double>(EventWith(JsonText("1e999")));

  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().code, ErrorCode::kRejected);
}

TEST(ReadJson, RejectsJsonThatOnlyClaimsToBe) {
  Data broken = Text("{", "application/json");
  broken.kind = DataKind::kBinary;
  const auto value = ReadJson<nlohmann::json>(EventWith(broken));

  ASSERT_FALSE(value);
  EXPECT_THAT(value.error().message, HasSubstr("not JSON"));
}

}  // namespace
}  // namespace cirro
