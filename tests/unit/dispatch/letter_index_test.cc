#include "cirro/dispatch/letter_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cirro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

KeptLetter Kept(std::string id, std::string position) {
  return {.id = std::move(id),
          .letter = {
              .facts = {.inlet = "orders", .position = std::move(position)}}};
}

// Reads letters again, and remembers which.
struct Reader {
  std::vector<std::string> read{};

  LetterIndex::Read Finds() {
    return [this](std::string_view id) -> Result<std::optional<KeptLetter>> {
      read.emplace_back(id);
      return std::optional(Kept(std::string(id), "read again"));
    };
  }
};

// The ids in the order of the walk, at most `most` of them.
std::vector<std::string> Walked(LetterIndex& index,
                                const LetterIndex::Read& read,
                                std::size_t most = 100) {
  std::vector<std::string> ids;
  const auto walked = index.Walk(read, [&](const KeptLetter& kept) {
    ids.push_back(kept.id);
    return Result<bool>(ids.size() < most);
  });
  EXPECT_TRUE(walked) << walked.error().message;
  return ids;
}

TEST(LetterIndex, WalksInTheOrderOfTheSources) {
  LetterIndex index;
  Reader reader;
  for (const auto& [id, position] :
       {std::pair{"a", "t/1@2"}, std::pair{"b", "t/0@10"},
        std::pair{"c", "t/0@9"}, std::pair{"d", "t/1@1"}}) {
    ASSERT_TRUE(index.Add(Kept(id, position), 1));
  }

  EXPECT_THAT(Walked(index, reader.Finds()), ElementsAre("c", "b", "d", "a"));
  EXPECT_THAT(reader.read, IsEmpty());
}

TEST(LetterIndex, KeepsThoseOfOnePlaceAsTheyWereFound) {
  LetterIndex index;
  Reader reader;
  for (const char* id : {"z", "y", "x"}) {
    ASSERT_TRUE(index.Add(Kept(id, "t/0@1"), 1));
  }

  EXPECT_THAT(Walked(index, reader.Finds()), ElementsAre("z", "y", "x"));
}

TEST(LetterIndex, ReadsAgainWhatIsPastItsBytes) {
  LetterIndex index(10, 100);
  Reader reader;
  ASSERT_TRUE(index.Add(Kept("kept", "t/0@0"), 60));
  ASSERT_TRUE(index.Add(Kept("large", "t/0@1"), 41));
  ASSERT_TRUE(index.Add(Kept("fits", "t/0@2"), 40));

  EXPECT_THAT(Walked(index, reader.Finds()),
              ElementsAre("kept", "large", "fits"));
  EXPECT_THAT(reader.read, ElementsAre("large"));
}

TEST(LetterIndex, PassesOverWhatIsGoneWhenItIsReadAgain) {
  LetterIndex index(10, 0);
  ASSERT_TRUE(index.Add(Kept("a", "t/0@0"), 1));
  ASSERT_TRUE(index.Add(Kept("b", "t/0@1"), 1));

  const auto ids = Walked(
      index, [](std::string_view id) -> Result<std::optional<KeptLetter>> {
        if (id == "a") return std::optional<KeptLetter>();
        return std::optional(Kept(std::string(id), "t/0@1"));
      });

  EXPECT_THAT(ids, ElementsAre("b"));
}

TEST(LetterIndex, EndsWhereALetterCannotBeReadAgain) {
  LetterIndex index(10, 0);
  ASSERT_TRUE(index.Add(Kept("a", "t/0@0"), 1));

  const auto walked = index.Walk(
      [](std::string_view) -> Result<std::optional<KeptLetter>> {
        return Error{ErrorCode::kUnavailable, "away"};
      },
      [](const KeptLetter&) { return Result<bool>(true); });

  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().message, "away");
}

TEST(LetterIndex, EndsWhereTheVisitSaysSo) {
  LetterIndex index;
  Reader reader;
  for (const char* id : {"a", "b", "c"}) {
    ASSERT_TRUE(index.Add(Kept(id, "t/0@1"), 1));
  }

  EXPECT_THAT(Walked(index, reader.Finds(), 2), ElementsAre("a", "b"));
}

TEST(LetterIndex, RefusesMoreThanItMayKnow) {
  LetterIndex index(2);
  ASSERT_TRUE(index.Add(Kept("a", "t/0@0"), 1));
  ASSERT_TRUE(index.Add(Kept("b", "t/0@1"), 1));

  const auto added = index.Add(Kept("c", "t/0@2"), 1);

  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(added.error().message, HasSubstr("--since"));
}

}  // namespace
}  // namespace cirro
