#include "cirro/dispatch/letter_box.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "support/event_fixtures.h"

namespace cirro {
namespace {

using ::testing::ElementsAre;

TEST(SplitPosition, TellsTheStreamFromTheNumberInIt) {
  struct Case {
    std::string_view position;
    std::string_view stream;
    std::int64_t number;
  };
  for (const Case& one :
       {Case{"orders/3@1234", "orders/3", 1234}, Case{"a@b@7", "a@b", 7},
        Case{"@0", "", 0}, Case{"orders", "orders", -1},
        Case{"orders@", "orders@", -1}, Case{"a@-1", "a@-1", -1},
        Case{"a@1x", "a@1x", -1},
        Case{"a@9223372036854775808", "a@9223372036854775808", -1},
        Case{"", "", -1}}) {
    const LetterPosition position = SplitPosition(one.position);

    EXPECT_EQ(position.stream, one.stream) << one.position;
    EXPECT_EQ(position.number, one.number) << one.position;
  }
}

TEST(CameBefore, GoesByStreamAndNumberBeforeTime) {
  const DeadLetterFacts ninth{.position = "t/0@9", .time = Timestamp{20}};
  const DeadLetterFacts tenth{.position = "t/0@10", .time = Timestamp{10}};

  EXPECT_TRUE(CameBefore(ninth, tenth));
  EXPECT_FALSE(CameBefore(tenth, ninth));
}

TEST(CameBefore, GoesByTimeWhereNoNumberTells) {
  const DeadLetterFacts early{.position = "z", .time = Timestamp{10}};
  const DeadLetterFacts late{.position = "a", .time = Timestamp{11}};

  EXPECT_TRUE(CameBefore(early, late));
  EXPECT_FALSE(CameBefore(late, early));
  EXPECT_FALSE(CameBefore(early, early));
}

TEST(Fits, TakesTheBeginOfASpanAndNotItsEnd) {
  const KeptLetter kept{.letter = {.content = test::MinEvent(),
                                   .facts = {.time = Timestamp{100}}}};

  EXPECT_TRUE(Fits({.since = Timestamp{100}, .until = Timestamp{101}}, kept));
  EXPECT_FALSE(Fits({.until = Timestamp{100}}, kept));
  EXPECT_FALSE(Fits({.since = Timestamp{101}}, kept));
}

// A place that forgets letter by letter, as LetterBox itself would have it.
class PlainBox final : public LetterBox {
 public:
  std::set<std::string, std::less<>> letters{};
  std::string broken{};  // A letter that cannot be removed.

  Result<void> Walk(const LetterFilter&, const Visit&) override { return {}; }
  Result<std::optional<KeptLetter>> Find(std::string_view) override {
    return std::optional<KeptLetter>();
  }
  Result<void> MarkRedriven(std::string_view) override { return {}; }
  Result<bool> Remove(std::string_view id) override {
    if (id == broken) return Error{ErrorCode::kUnavailable, "away"};
    const auto letter = letters.find(id);
    if (letter == letters.end()) return false;
    letters.erase(letter);
    return true;
  }
};

TEST(LetterBox, RemovesAllOneByOneWhereThePlaceKnowsNoBetter) {
  PlainBox box;
  box.letters = {"a", "b", "c"};
  const std::vector<std::string> ids{"c", "a", "nowhere"};

  const auto removed = box.RemoveAll(ids);

  ASSERT_TRUE(removed);
  EXPECT_EQ(*removed, 2U);
  EXPECT_THAT(box.letters, ElementsAre("b"));
}

TEST(LetterBox, EndsAtTheFirstThatCannotBeRemoved) {
  PlainBox box;
  box.letters = {"a", "b", "c"};
  box.broken = "b";
  const std::vector<std::string> ids{"a", "b", "c"};

  const auto removed = box.RemoveAll(ids);

  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(box.letters, ElementsAre("b", "c"));
}

}  // namespace
}  // namespace cirro
