// The module "sqlite": what operators do with a real file of letters.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/sqlite/sqlite.h"
#include "support/event_fixtures.h"
#include "support/letters_file.h"

namespace cirro {
namespace {

using test::Letter;
using test::LettersApi;
using test::LettersFile;
using test::Sql;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(LettersFile, IsWalkedInTheOriginalOrder) {
  MustOpen();
  const auto at = [](std::string position, const char* time,
                     std::string inlet = "a") {
    DeadLetter letter = Letter(0);
    letter.facts.inlet = std::move(inlet);
    letter.facts.position = std::move(position);
    letter.facts.time = *ParseTimestamp(time);
    return letter;
  };
  for (DeadLetter& letter :
       std::vector<DeadLetter>{at("t/1@5", "2026-01-01T00:00:09Z"),
                               at("t/0@10", "2026-01-01T00:00:01Z"),
                               at("t/0@9", "2026-01-01T00:00:02Z"),
                               at("late", "2026-01-01T00:00:04.5Z", "http"),
                               at("early", "2026-01-01T00:00:04Z", "http")}) {
    ASSERT_TRUE(Bury(std::move(letter)));
  }

  EXPECT_THAT(Positions(),
              ElementsAre("t/0@9", "t/0@10", "t/1@5", "early", "late"));
  const auto all = All();
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_TRUE(CameBefore(all[i - 1].letter.facts, all[i].letter.facts));
  }
}

TEST_F(LettersFile, IsFilteredByEachPart) {
  MustOpen();
  DeadLetter other{
      .content = test::MustBuild(EventBuilder().id("x").source("/o").type("o")),
      .facts = {.reason = DeadReason::kExhausted,
                .function = "other",
                .inlet = "other",
                .position = "other/0@1",
                .time = *ParseTimestamp("2026-01-02T00:00:00Z")}};
  const Malformed bad{"b", {}, {ErrorCode::kInvalidEvent, "no"}, true};
  ASSERT_TRUE(Bury(Letter(1)));
  ASSERT_TRUE(Bury(other));
  ASSERT_TRUE(Bury(
      {.content = bad,
       .facts = {.reason = DeadReason::kMalformed, .position = "orders/0@2"}}));
  const auto noon = *ParseTimestamp("2026-01-01T12:00:00Z");

  const std::vector<LetterFilter> of_other = {
      {.reason = DeadReason::kExhausted},
      {.function = "other"},
      {.inlet = "other"},
      {.position = "other/0@1"},
      {.position = "other/0"},
      {.type = "o"},
      {.source = "/o"},
      {.event_id = "x"},
      {.since = noon}};
  for (const LetterFilter& filter : of_other) {
    EXPECT_THAT(Positions(filter), ElementsAre("other/0@1"));
  }
  EXPECT_THAT(Positions({.until = noon}), ElementsAre());
  EXPECT_THAT(Positions({.position = "orders/0"}),
              ElementsAre("orders/0@2", "orders/0@1"));
}

TEST_F(LettersFile, RemembersWhatWasRedrivenAndForgetsWhatIsRemoved) {
  MustOpen();
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(Bury(Letter(i)));
  const auto all = All();

  ASSERT_TRUE(Box()->MarkRedriven(all[0].id));
  ASSERT_TRUE(*Box()->Remove(all[1].id));

  EXPECT_FALSE(*Box()->Remove(all[1].id));
  EXPECT_FALSE(*Box()->Remove("no number"));
  EXPECT_THAT(Positions(), ElementsAre("orders/0@3"));
  EXPECT_THAT(Positions({.redriven = true}),
              ElementsAre("orders/0@1", "orders/0@3"));
  EXPECT_TRUE((*Box()->Find(all[0].id))->redriven);
  EXPECT_FALSE(*Box()->Find(all[1].id));
}

TEST_F(LettersFile, IsWalkedAsItWasAtTheBeginWhileLettersComeAndGo) {
  MustOpen();
  for (int i = 1; i <= 3; ++i) ASSERT_TRUE(Bury(Letter(i)));
  const auto box = Box();
  std::vector<std::string> met;

  const auto walked = box->Walk({}, [&](const KeptLetter& kept) {
    met.push_back(kept.letter.facts.position);
    // It died again; no lock of the walk is in the way.
    EXPECT_TRUE(Bury(kept.letter));
    EXPECT_TRUE(box->MarkRedriven(kept.id));
    return Result<bool>(true);
  });

  EXPECT_TRUE(walked);
  EXPECT_THAT(met, ElementsAre("orders/0@1", "orders/0@2", "orders/0@3"));
  EXPECT_EQ(All().size(), 3U);
}

TEST_F(LettersFile, PassesOverWhatCannotBeReadAndSaysSo) {
  MustOpen();
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(Bury(Letter(i)));
  Sql(options_.path,
      "UPDATE letters SET attributes = x'0207000000' "
      "WHERE id IN (2, 3)");
  std::vector<std::string> met;

  const auto walked = Box()->Walk({}, [&](const KeptLetter& kept) {
    met.push_back(kept.id);
    return Result<bool>(true);
  });

  EXPECT_THAT(met, ElementsAre("1", "4"));
  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().code, ErrorCode::kInvalidEvent);
  EXPECT_THAT(walked.error().message,
              AllOf(HasSubstr("dead letter 2 cannot be read"),
                    HasSubstr("passed over, and so were 3")));
}

TEST_F(LettersFile, IsNotMadeByWhoOnlyLooks) {
  EXPECT_FALSE(LettersApi().open_box(options_));
  EXPECT_FALSE(std::filesystem::exists(options_.path));
}

}  // namespace
}  // namespace cirro
