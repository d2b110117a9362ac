// The judge of the kill test: what it is there to find, it finds.

#include "chaos/judge.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace cirro::chaos {
namespace {

// A judge that knows events 0..2 of two keys.
Judge WithInputs() {
  Judge judge(100);
  for (const char* key : {"0", "1"}) {
    for (const char* number : {" 0", " 1", " 2"}) {
      judge.Input(std::string(key) + number);
    }
  }
  return judge;
}

void Results(Judge& judge, std::initializer_list<const char*> names) {
  for (const char* name : names) judge.Result(name, 0);
}

TEST(Judge, FindsNothingWhereNothingIsWrong) {
  Judge judge = WithInputs();

  Results(judge, {"0 0", "1 0", "1 1", "0 1", "0 2", "1 2"});

  const Verdict verdict = judge.Rule();
  EXPECT_EQ(verdict.inputs, 6);
  EXPECT_EQ(verdict.results, 6);
  EXPECT_EQ(verdict.lost, 0);
  EXPECT_EQ(verdict.strangers, 0);
  EXPECT_EQ(verdict.disordered, 0);
  EXPECT_EQ(verdict.duplicates(), 0);
}

TEST(Judge, CountsInputsOnce) {
  Judge judge = WithInputs();

  EXPECT_TRUE(judge.Input("0 0"));

  EXPECT_EQ(judge.Rule().inputs, 6);
}

TEST(Judge, FindsWhatIsLostAndBelievesNoDuplicateInItsPlace) {
  Judge judge = WithInputs();

  Results(judge, {"0 0", "1 0", "1 1", "0 1", "0 2", "0 2"});

  EXPECT_EQ(judge.Rule().lost, 1);
  EXPECT_EQ(judge.Rule().duplicates(), 1);
  EXPECT_EQ(judge.Rule().examples,
            (std::vector<std::string>{"repeated 0 2", "lost 1 2"}));
}

TEST(Judge, FindsAFirstResultBehindALaterOne) {
  Judge judge = WithInputs();

  Results(judge, {"0 1", "0 0", "0 2"});

  EXPECT_EQ(judge.Rule().disordered, 1);
}

TEST(Judge, HoldsNoRepetitionForDisorder) {
  Judge judge = WithInputs();

  Results(judge, {"0 0", "0 1", "0 2", "0 1", "0 2"});

  EXPECT_EQ(judge.Rule().disordered, 0);
  EXPECT_EQ(judge.Rule().duplicates(), 2);
}

TEST(Judge, SaysWhichResultIsTheFirst) {
  Judge judge(100);

  EXPECT_TRUE(judge.Result("3 7", 0));
  EXPECT_FALSE(judge.Result("3 7", 0));
}

TEST(Judge, FindsResultsOfNothing) {
  Judge judge = WithInputs();

  Results(judge, {"0 9", "7 0", "", "x", "1", "1 ", "1 1x", "-1 0"});

  EXPECT_EQ(judge.Rule().strangers, 8);
  EXPECT_EQ(judge.Rule().lost, 6);
  EXPECT_EQ(judge.Rule().duplicates(), 0);
}

TEST(Judge, TakesNoInputThatIsNone) {
  Judge judge(100);

  EXPECT_FALSE(judge.Input("one two"));
  EXPECT_FALSE(judge.Input("1 99999999999"));
}

TEST(Judge, CountsTheMostResultsOfAnyInterval) {
  Judge judge(100);

  for (const int time : {1'000, 1'250, 1'260, 1'340, 1'600}) {
    judge.Result("0 0", time);
  }

  EXPECT_EQ(judge.Rule().most_at_once, 3);
}

}  // namespace
}  // namespace cirro::chaos
