#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "contract/contract_fixture.h"

// What an inlet and its place for dead letters do together.
namespace cirro::test {

TEST_P(InletContract, KeepsARejectedEventAsItCame) {
  const std::string dead = broker->NewTopic(1);
  Process process(*broker, Wish());
  process.AddOutlet("dead", dead);
  process.options.dead_letter = {"dead"};
  process.On({.type = kType}, [](const Event&) { return Reject("no such"); });
  Publish(1);

  process.Start();
  ASSERT_TRUE(AwaitPending(0));

  const auto kept = broker->Read(dead);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].id, "0");
  EXPECT_EQ(kept[0].bytes, "{\"id\": \"0\"}");
  EXPECT_EQ(HeaderOf(kept[0], "cirro-dlq-reason"), "rejected");
  EXPECT_EQ(HeaderOf(kept[0], "cirro-dlq-attempts"), "1");
  EXPECT_THAT(HeaderOf(kept[0], "cirro-dlq-last-error"),
              testing::HasSubstr("no such"));
  EXPECT_NE(HeaderOf(kept[0], "cirro-dlq-position"), "");
}

TEST_P(InletContract, KeepsAnExhaustedEvent) {
  const std::string dead = broker->NewTopic(1);
  Process process(*broker, Wish());
  process.AddOutlet("dead", dead);
  process.options.dead_letter = {"dead"};
  process.On({.type = kType}, [](const Event&) { return Retry("never"); });
  Publish(1);

  process.Start();
  ASSERT_TRUE(AwaitPending(0));

  const auto kept = broker->Read(dead);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(HeaderOf(kept[0], "cirro-dlq-reason"), "exhausted");
  EXPECT_EQ(HeaderOf(kept[0], "cirro-dlq-attempts"), "3");
}

TEST_P(InletContract, KeepsWhatIsNoEventByteForByte) {
  const std::string dead = broker->NewTopic(1);
  const std::string bytes("{\"id\": \0\xFF", 9);
  Diary done;
  Process process(*broker, Wish());
  process.AddOutlet("dead", dead);
  process.options.dead_letter = {"dead"};
  process.On({.type = kType},
             [&](const Event& event) { done.Add(event.id()); });
  broker->PublishRaw(
      topic, bytes,
      {{"content-type", "application/cloudevents+json"}, {"x-mine", "kept"}});
  Publish(1);

  process.Start();
  ASSERT_TRUE(done.Await(1));
  ASSERT_TRUE(AwaitPending(0));

  const auto kept = broker->Read(dead);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].bytes, bytes);
  EXPECT_EQ(HeaderOf(kept[0], "x-mine"), "kept");
  EXPECT_EQ(HeaderOf(kept[0], "cirro-dlq-reason"), "malformed");
}

TEST_P(InletContract, KeepsWhatNoFunctionTakes) {
  const std::string dead = broker->NewTopic(1);
  Process process(*broker, Wish());
  process.AddOutlet("dead", dead);
  process.options.dead_letter = {"dead"};
  process.On({.type = "com.example.other"}, [](const Event&) {});
  Publish(1);

  process.Start();
  ASSERT_TRUE(AwaitPending(0));

  const auto kept = broker->Read(dead);
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(HeaderOf(kept[0], "cirro-dlq-reason"), "unmatched");
}

TEST_P(InletContract, Story11AcknowledgesNothingWhileNoPlaceTakesIt) {
  CIRRO_CONTRACT_NEEDS(Ability::kMakeUnreachable);
  const std::string dead = broker->NewTopic(1);
  Process process(*broker, Wish());
  process.AddOutlet("dead", dead);
  process.options.dead_letter = {"dead"};
  process.On({.type = kType}, [](const Event&) { return Reject("never"); });
  broker->Refuse(dead);
  Publish(1);
  process.Start();
  ASSERT_TRUE(process.observer.stalls.Await(1));
  EXPECT_EQ(broker->Pending(topic, group), 1U);

  broker->Accept(dead);

  EXPECT_TRUE(AwaitPending(0));
  EXPECT_EQ(broker->Read(dead).size(), 1U);
}

}  // namespace cirro::test
