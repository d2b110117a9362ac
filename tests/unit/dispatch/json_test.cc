#include "cirro/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "support/handler_calls.h"

// nlohmann knows no optional before 3.12; authors write this.
template <typename T>
struct nlohmann::adl_serializer<std::optional<T>> {
  static void from_json(const json& data, std::optional<T>& value) {
    if (!data.is_null()) value = data.get<T>();
  }
};

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

// What ReadJson says of data that is no such T; nothing where it is one.
template <typename T>
std::string RefusalOf(const char* json) {
  const auto read = ReadJson<T>(EventWith(JsonText(json)));
  if (read) return "";
  EXPECT_EQ(read.error().code, ErrorCode::kRejected) << json;
  return read.error().message;
}

TEST(ReadJson, ReadsEachNumberThatIsSuchANumber) {
  const auto read = [](auto number, const char* json) {
    const auto value = ReadJson<decltype(number)>(EventWith(JsonText(json)));
    ASSERT_TRUE(value) << json << ": " << value.error().message;
    EXPECT_EQ(*value, number) << json;
  };

  read(std::numeric_limits<int>::max(), "2147483647");
  read(std::numeric_limits<int>::min(), "-2147483648");
  read(std::numeric_limits<std::int64_t>::min(), "-9223372036854775808");
  read(std::numeric_limits<std::uint64_t>::max(), "18446744073709551615");
  read(std::int8_t{-128}, "-128");
  read(1000, "1e3");
  read(5, "5.0");
  read(0U, "-0.0");
  read(0.5F, "0.5");
  read(3.0, "3");
  read(true, "true");
}

TEST(ReadJson, RejectsANumberThatIsNoSuchNumber) {
  for (const char* json :
       {"2147483648", "99999999999", "-2147483649", "5.5", "-0.5", "1e300",
        "-1e300", "true", "false", "\"5\"", "null"}) {
    EXPECT_NE(RefusalOf<int>(json), "") << json;
  }
  for (const char* json : {"300", "128", "-129"}) {
    EXPECT_NE(RefusalOf<std::int8_t>(json), "") << json;
  }
  for (const char* json : {"-1", "4294967296"}) {
    EXPECT_NE(RefusalOf<unsigned>(json), "") << json;
  }
  for (const char* json : {"9223372036854775808", "9223372036854775808.0",
                           "-9223372036854777856.0"}) {
    EXPECT_NE(RefusalOf<std::int64_t>(json), "") << json;
  }
  for (const char* json : {"18446744073709551616", "-1", "-1.0"}) {
    EXPECT_NE(RefusalOf<std::uint64_t>(json), "") << json;
  }
  for (const char* json : {"1e39", "-1e39", "true"}) {
    EXPECT_NE(RefusalOf<float>(json), "") << json;
  }
  EXPECT_NE(RefusalOf<double>("true"), "");
  EXPECT_NE(RefusalOf<bool>("1"), "");
}

TEST(ReadJson, SaysTheNumberAndItsRange) {
  EXPECT_EQ(RefusalOf<int>("99999999999"),
            "the data does not fit: 99999999999 is no whole number from "
            "-2147483648 to 2147483647");
  EXPECT_EQ(RefusalOf<std::uint8_t>("5.5"),
            "the data does not fit: 5.5 is no whole number from 0 to 255");
  EXPECT_EQ(RefusalOf<float>("1e39"),
            "the data does not fit: 1e+39 is out of a float's range");
  EXPECT_EQ(RefusalOf<float>("true"),
            "the data does not fit: true is no number");
}

TEST(ReadJson, LooksAtTheNumbersInContainers) {
  using Numbers = std::vector<int>;

  EXPECT_EQ(RefusalOf<Numbers>("[]"), "");
  EXPECT_EQ(RefusalOf<Numbers>("[1,2147483647]"), "");
  EXPECT_THAT(RefusalOf<Numbers>("[1,5.5]"), HasSubstr("5.5 is no whole"));
  EXPECT_NE(RefusalOf<std::vector<Numbers>>("[[1],[2,true]]"), "");
  EXPECT_EQ(RefusalOf<std::vector<Numbers>>("[[1],[2,3]]"), "");
  EXPECT_NE((RefusalOf<std::array<int, 2>>("[1,2147483648]")), "");
  EXPECT_EQ((RefusalOf<std::map<std::string, int>>(R"({"a":1})")), "");
  EXPECT_NE((RefusalOf<std::map<std::string, int>>(R"({"a":1.5})")), "");
  EXPECT_NE(
      (RefusalOf<std::unordered_map<std::string, unsigned>>(R"({"a":-1})")),
      "");
  EXPECT_EQ(RefusalOf<std::optional<int>>("null"), "");
  EXPECT_EQ(RefusalOf<std::optional<int>>("5"), "");
  EXPECT_NE(RefusalOf<std::optional<int>>("5.5"), "");
  EXPECT_NE(RefusalOf<std::set<int>>("[1,5.5]"), "");
  EXPECT_NE(RefusalOf<std::deque<int>>("[1,true]"), "");
}

// What a signature check refuses.
using View = std::string_view;
static_assert(internal::IsView<std::set<View>>::value);
static_assert(internal::IsView<std::list<std::optional<View>>>::value);
static_assert(internal::IsView<std::map<View, int>>::value);
static_assert(internal::IsView<std::unordered_map<int, View>>::value);
static_assert(internal::IsView<std::pair<int, View>>::value);
static_assert(internal::IsView<std::vector<std::tuple<View>>>::value);
static_assert(!internal::IsView<std::map<std::string, std::string>>::value);
static_assert(!internal::IsView<nlohmann::json>::value);

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
