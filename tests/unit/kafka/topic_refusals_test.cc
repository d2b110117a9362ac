#include "bindings/kafka/src/topic_refusals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace cirro::internal::kafka {
namespace {

constexpr TimePoint kNow{std::chrono::hours(1)};
const Error kWhy{ErrorCode::kRefused, "no"};

RecordDigest Record(std::size_t number) {
  return {.name = 2 * number, .content = 2 * number + 1};
}

// A topic whose broker refuses each batch that holds the record `poison`.
class Topic {
 public:
  Topic(std::size_t records, std::size_t poison)
      : records_(records), poison_(poison) {}

  // False: it was undone.
  bool Transact() {
    std::vector<std::size_t> batch;
    const auto send = [&] {
      ++batches_;
      const bool refused =
          std::find(batch.begin(), batch.end(), poison_) != batch.end();
      for (const std::size_t each : batch) {
        if (refused) refusals_.Refused(Record(each), kWhy);
      }
      batch.clear();
      return !refused;
    };
    bool good = true;
    for (std::size_t i = 0; i < records_ && good; ++i) {
      if (!refusals_.Check(Record(i), kNow)) continue;
      if (refusals_.IsFullFor(Record(i))) {
        good = send();
        refusals_.BeginGroup();
      }
      refusals_.Wrote(Record(i));
      batch.push_back(i);
    }
    good = good && send();
    refusals_.End(kNow);
    return good;
  }

  TopicRefusals& refusals() { return refusals_; }
  std::size_t batches() const { return batches_; }

 private:
  const std::size_t records_;
  const std::size_t poison_;
  TopicRefusals refusals_;
  std::size_t batches_ = 0;
};

TEST(TopicRefusals, OneOfThousandsIsFoundInAFewTransactions) {
  Topic topic(10'000, 6'789);
  int undone = 0;
  while (!topic.Transact() && undone < 100) ++undone;

  EXPECT_LE(undone, 5);
  EXPECT_LE(topic.batches(), 100U);
  EXPECT_EQ(topic.refusals().Check(Record(6'789), kNow).error(), kWhy);
  EXPECT_TRUE(topic.refusals().Check(Record(6'788), kNow));
  EXPECT_TRUE(topic.refusals().Check(Record(6'790), kNow));
}

TEST(TopicRefusals, OneThatIsAloneIsFoundAtOnce) {
  Topic topic(1, 0);

  EXPECT_FALSE(topic.Transact());

  EXPECT_FALSE(topic.refusals().Check(Record(0), kNow));
}

TEST(TopicRefusals, ItIsKnownByItsNameAndByItsContent) {
  Topic topic(1, 0);
  topic.Transact();

  EXPECT_FALSE(topic.refusals().Check({.name = 0, .content = 77}, kNow));
  EXPECT_FALSE(topic.refusals().Check({.name = 77, .content = 1}, kNow));
  EXPECT_TRUE(topic.refusals().Check({.name = 77, .content = 78}, kNow));
}

TEST(TopicRefusals, WhatIsKnownIsForgottenAfterAWhile) {
  Topic topic(1, 0);
  topic.Transact();
  const TimePoint end = kNow + TopicRefusals::kRecordKnown;

  EXPECT_FALSE(topic.refusals().Check(Record(0), end - Duration(1)));
  EXPECT_TRUE(topic.refusals().Check(Record(0), end));
  EXPECT_FALSE(topic.refusals().any(end));
}

TEST(TopicRefusals, ATopicThatTakesNothingIsKnownForLess) {
  TopicRefusals refusals;
  EXPECT_FALSE(refusals.any(kNow));

  refusals.RefusedAll(kWhy, kNow);

  const TimePoint end = kNow + TopicRefusals::kTopicKnown;
  EXPECT_FALSE(refusals.Check(Record(1), end - Duration(1)));
  EXPECT_TRUE(refusals.Check(Record(1), end));
}

TEST(TopicRefusals, OfManyOnlyTheLatestAreKept) {
  TopicRefusals refusals;
  for (std::size_t i = 0; i <= TopicRefusals::kMostRecords; ++i) {
    refusals.Refused(Record(i), kWhy);
    refusals.End(kNow);
  }

  EXPECT_TRUE(refusals.Check(Record(0), kNow));
  EXPECT_FALSE(refusals.Check(Record(1), kNow));
  EXPECT_FALSE(refusals.Check(Record(TopicRefusals::kMostRecords), kNow));
}

// Views what it is given.
KafkaDraft Draft(std::string_view id, std::string_view value) {
  KafkaDraft draft;
  draft.value = value;
  draft.headers = {{"ce_id", id}, {"ce_source", "/s"}, {"ce_type", "t"}};
  return draft;
}

TEST(TopicRefusals, DigestsTellRecordsApart) {
  const KafkaDraft draft = Draft("1", "a");
  const RecordDigest one = DigestOf(draft, "k");
  const KafkaDraft same_name = Draft("1", "b");
  const KafkaDraft same_content = Draft("2", "a");

  EXPECT_EQ(DigestOf(same_name, "k").name, one.name);
  EXPECT_NE(DigestOf(same_name, "k").content, one.content);
  EXPECT_NE(DigestOf(same_content, "k").name, one.name);
  EXPECT_EQ(DigestOf(same_content, "k").content, one.content);
  EXPECT_NE(DigestOf(draft, "").content, one.content);
}

}  // namespace
}  // namespace cirro::internal::kafka
