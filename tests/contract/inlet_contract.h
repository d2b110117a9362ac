#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/link.h"
#include "contract/contract_fixture.h"
#include "contract/dead_letter_contract.h"

// What every inlet does, whatever its broker. A broker's own file includes this
// and instantiates InletContract with how the broker is made.
namespace cirro::test {

TEST_P(InletContract, GivesEachEventToItsFunctionOnce) {
  Diary done;
  Process process(*broker, Wish());
  process.On({.type = kType},
             [&](const Event& event) { done.Add(event.id()); });
  Publish(100);

  process.Start();
  ASSERT_TRUE(done.Await(100));
  ASSERT_TRUE(AwaitPending(0));

  const auto counts = done.counts();
  EXPECT_EQ(counts.size(), 100U);
  for (const auto& [id, count] : counts) EXPECT_EQ(count, 1) << id;
}

TEST_P(InletContract, KeepsTheOrderOfAKey) {
  CIRRO_CONTRACT_NEEDS(Ability::kKeyedPublish);
  Diary done;
  Process process(*broker, Wish());
  process.On({.type = kType},
             [&](const Event& event) { done.Add(event.id()); });
  for (int i = 0; i < 30; ++i) {
    for (const char* key : {"a", "b", "c", "d"}) {
      broker->Publish(topic, EventOf(std::string(key) + std::to_string(i)),
                      key);
    }
  }

  process.Start();
  ASSERT_TRUE(done.Await(120));

  std::map<char, int> next;
  for (const std::string& id : done.all()) {
    EXPECT_EQ(std::stoi(id.substr(1)), next[id[0]]++) << id;
  }
}

TEST_P(InletContract, AcknowledgesAfterSuccessAlone) {
  Publish(1);
  Diary begun;
  {
    Gate gate;
    Process dies(*broker, Wish());
    dies.On({.type = kType}, [&](const Event& event) {
      begun.Add(event.id());
      gate.Pass();
      return Retry("the process is dead");
    });
    dies.Start();
    ASSERT_TRUE(begun.Await(1));
    EXPECT_EQ(broker->Pending(topic, group), 1U);
    gate.Open();
    dies.Kill();
  }

  Diary done;
  {
    Process process(*broker, Wish());
    process.On({.type = kType},
               [&](const Event& event) { done.Add(event.id()); });
    process.Start();
    ASSERT_TRUE(done.Await(1));
    ASSERT_TRUE(AwaitPending(0));
    process.Kill();
  }
  Publish(1, 1);
  Process last(*broker, Wish());
  last.On({.type = kType}, [&](const Event& event) { done.Add(event.id()); });
  last.Start();
  ASSERT_TRUE(done.Await(2));

  EXPECT_THAT(done.all(), testing::ElementsAre("0", "1"));
}

TEST_P(InletContract, TriesAFailedEventAgainWithItsAttemptsCounted) {
  Diary done;
  Process process(*broker, Wish());
  process.options.retry.attempts = 10;
  process.On({.type = kType}, [&](const Event& event) -> Outcome {
    done.Add(event.id());
    return done.all().size() < 3 ? Retry("not yet") : Done();
  });
  Publish(1);

  process.Start();
  ASSERT_TRUE(done.Await(3));
  ASSERT_TRUE(AwaitPending(0));

  EXPECT_THAT(process.observer.started.all(),
              testing::ElementsAre("0#1", "0#2", "0#3"));
}

TEST_P(InletContract, Story1PassesNoCommitOverAFailedEvent) {
  CIRRO_CONTRACT_NEEDS(Ability::kPassesWhatIsOpen);
  Diary done;
  Process process(*broker, Wish());
  process.options.retry.attempts = 1'000'000;
  process.On({.type = kType}, [&](const Event& event) -> Outcome {
    if (event.id() == "0") return Retry("always");
    done.Add(event.id());
    return Done();
  });
  Publish(10);
  process.Start();
  ASSERT_TRUE(done.Await(9));
  process.Kill();

  Diary again;
  Process next(*broker, Wish());
  next.On({.type = kType}, [&](const Event& event) { again.Add(event.id()); });
  next.Start();

  ASSERT_TRUE(AwaitPending(0));
  EXPECT_THAT(again.all(), testing::Contains("0"));
}

TEST_P(InletContract, SettlesAnInputAfterItsReplyIsConfirmed) {
  CIRRO_CONTRACT_NEEDS(Ability::kMakeUnreachable);
  const std::string replies = broker->NewTopic(1);
  Process process(*broker, Wish());
  process.AddOutlet("replies", replies);
  process.options.reply_to = "replies";
  process.options.retry.attempts = 1'000'000;
  process.On({.type = kType}, [](const Event& event) {
    return Reply(EventOf("reply-" + std::string(event.id()), "com.example.r"));
  });
  broker->Refuse(replies);
  Publish(1);
  process.Start();
  ASSERT_TRUE(process.observer.started.Await(2));
  EXPECT_EQ(broker->Pending(topic, group), 1U);

  broker->Accept(replies);

  ASSERT_TRUE(AwaitPending(0));
  const auto kept = broker->Read(replies);
  ASSERT_FALSE(kept.empty());
  EXPECT_EQ(kept[0].id, "reply-0");
}

TEST_P(InletContract, TakesNoMoreThanItMayWhileAFunctionStalls) {
  constexpr std::uint32_t kMost = 32;
  Gate gate;
  Diary begun;
  Diary done;
  Process process(*broker, Wish(kMost));
  process.On({.type = kType}, [&](const Event& event) {
    begun.Add(event.id());
    gate.Pass();
    done.Add(event.id());
  });
  Publish(500);
  process.Start();
  ASSERT_TRUE(begun.Await(1));

  EXPECT_LE(process.dispatcher().counts().in_flight, kMost);
  gate.Open();

  ASSERT_TRUE(done.Await(500));
  ASSERT_TRUE(AwaitPending(0));
  EXPECT_EQ(done.counts().size(), 500U);
}

TEST_P(InletContract, Story10GivesBackWhatDidNotRunAndSettlesWhatFinished) {
  CIRRO_CONTRACT_NEEDS(Ability::kPassesWhatIsOpen);
  Gate gate;
  Diary begun;
  Diary first;
  {
    Process process(*broker, Wish());
    process.On({.type = kType, .concurrency = 1}, [&](const Event& event) {
      begun.Add(event.id());
      gate.Pass();
      first.Add(event.id());
    });
    Publish(20);
    process.Start();
    ASSERT_TRUE(begun.Await(1));
    ASSERT_TRUE(AwaitThat(
        [&] { return process.dispatcher().counts().in_flight == 20; }));
    std::jthread drain([&] { process.Drain(); });
    ASSERT_TRUE(AwaitThat(
        [&] { return process.dispatcher().counts().in_flight <= 1; }));
    gate.Open();
    drain.join();
  }
  const std::size_t finished = first.all().size();
  EXPECT_EQ(finished, 1U);

  Diary second;
  Process next(*broker, Wish());
  next.On({.type = kType}, [&](const Event& event) { second.Add(event.id()); });
  next.Start();

  ASSERT_TRUE(second.Await(20 - finished));
  ASSERT_TRUE(AwaitPending(0));
  EXPECT_EQ(second.counts().size(), 20 - finished);
  EXPECT_FALSE(second.counts().contains(first.all().front()));
}

TEST_P(InletContract, GivesToWhoJoinsWhatDidNotRun) {
  CIRRO_CONTRACT_NEEDS(Ability::kMovesPartitions);
  Gate gate;
  Diary begun;
  Diary done;
  Process old(*broker, Wish());
  old.On({.type = kType, .concurrency = 1}, [&](const Event& event) {
    begun.Add(event.id());
    gate.Pass();
    done.Add(event.id());
  });
  Publish(40);
  old.Start();
  ASSERT_TRUE(begun.Await(1));
  ASSERT_TRUE(
      AwaitThat([&] { return old.dispatcher().counts().in_flight == 40; }));

  Diary elsewhere;
  Process joins(*broker, Wish());
  joins.On({.type = kType}, [&](const Event& event) {
    elsewhere.Add(event.id());
    done.Add(event.id());
  });
  joins.Start();
  // All of them that move, though what runs has not ended.
  EXPECT_TRUE(
      AwaitThat([&] { return old.dispatcher().counts().in_flight < 40; }));
  gate.Open();

  ASSERT_TRUE(done.Await(40));
  ASSERT_TRUE(AwaitPending(0));
  EXPECT_EQ(done.all().size(), 40U);
  EXPECT_EQ(done.counts().size(), 40U);
  EXPECT_FALSE(elsewhere.all().empty());
}

TEST_P(InletContract, Story2GivesToAnotherMemberWhatADeadOneHad) {
  Gate gate;
  Diary begun;
  Process dies(*broker, Wish());
  dies.On({.type = kType}, [&](const Event& event) {
    begun.Add(event.id());
    gate.Pass();
    return Retry("the process is dead");
  });
  Publish(20);
  dies.Start();
  ASSERT_TRUE(begun.Await(1));
  Diary done;
  Process lives(*broker, Wish());
  lives.On({.type = kType}, [&](const Event& event) { done.Add(event.id()); });
  lives.Start();

  gate.Open();
  dies.Kill();

  ASSERT_TRUE(AwaitPending(0));
  EXPECT_EQ(done.counts().size(), 20U);
}

TEST_P(InletContract, LetsOtherKeysPassASlowOne) {
  CIRRO_CONTRACT_NEEDS(Ability::kPassesWhatIsOpen);
  CIRRO_CONTRACT_NEEDS(Ability::kKeyedPublish);
  Gate gate;
  Diary done;
  Process process(*broker, Wish());
  process.On({.type = kType}, [&](const Event& event) {
    if (event.id() == "slow") gate.Pass();
    done.Add(event.id());
  });
  broker->Publish(topic, EventOf("slow"), "slow");
  broker->Publish(topic, EventOf("behind"), "slow");
  Publish(40);

  process.Start();

  ASSERT_TRUE(done.Await(40));
  EXPECT_FALSE(done.counts().contains("slow"));
  EXPECT_FALSE(done.counts().contains("behind"));
  gate.Open();
  ASSERT_TRUE(done.Await(42));
  EXPECT_EQ(done.all().back(), "behind");
  EXPECT_TRUE(AwaitPending(0));
}

TEST_P(InletContract, SparesWhatWasDoneAboveTheCommit) {
  CIRRO_CONTRACT_NEEDS(Ability::kPassesWhatIsOpen);
  CIRRO_CONTRACT_NEEDS(Ability::kSparesWhatIsDone);
  Gate gate;
  Diary done;
  {
    Process dies(*broker, Wish());
    dies.On({.type = kType}, [&](const Event& event) -> Outcome {
      if (event.id() == "0") {
        gate.Pass();
        return Retry("the process is dead");
      }
      done.Add(event.id());
      return Done();
    });
    Publish(20);
    dies.Start();
    ASSERT_TRUE(done.Await(19));
    ASSERT_TRUE(AwaitPending(1));
    gate.Open();
    dies.Kill();
  }

  Diary again;
  Process next(*broker, Wish());
  next.On({.type = kType}, [&](const Event& event) { again.Add(event.id()); });
  next.Start();
  ASSERT_TRUE(AwaitPending(0));

  EXPECT_TRUE(again.counts().contains("0"));
  for (int i = 1; i < 20; ++i) {
    EXPECT_FALSE(again.counts().contains(std::to_string(i))) << i;
  }
}

TEST_P(InletContract, DoesAnEventOnceThatComesTwice) {
  Diary done;
  Process process(*broker, Wish());
  process.dedup = true;
  process.On({.type = kType, .dedup = true},
             [&](const Event& event) { done.Add(event.id()); });
  Publish(5);
  Publish(5);

  process.Start();
  ASSERT_TRUE(AwaitPending(0));

  EXPECT_EQ(done.all().size(), 5U);
  EXPECT_EQ(done.counts().size(), 5U);
}

TEST_P(InletContract, BeginsAnewWhereItIsTold) {
  CIRRO_CONTRACT_NEEDS(Ability::kSeek);
  Diary done;
  Process process(*broker, Wish());
  process.On({.type = kType},
             [&](const Event& event) { done.Add(event.id()); });
  Publish(10);
  process.Start();
  ASSERT_TRUE(done.Await(10));
  ASSERT_TRUE(AwaitPending(0));

  auto* const seekable = CapabilityOf<Seekable>(process.inlet());
  ASSERT_NE(seekable, nullptr);
  const auto sought =
      seekable->Seek({.kind = SeekPoint::Kind::kBeginning}, kPatience);

  ASSERT_TRUE(sought) << sought.error().message;
  ASSERT_TRUE(done.Await(20));
  ASSERT_TRUE(AwaitPending(0));
  for (const auto& [id, count] : done.counts()) EXPECT_EQ(count, 2) << id;
}

TEST_P(InletContract, ReportsNoLagWhenAllIsSettled) {
  Diary done;
  Process process(*broker, Wish());
  process.On({.type = kType},
             [&](const Event& event) { done.Add(event.id()); });
  Publish(10);
  process.Start();
  ASSERT_TRUE(done.Await(10));

  auto* const reporter = CapabilityOf<LagReporter>(process.inlet());
  ASSERT_NE(reporter, nullptr);

  EXPECT_TRUE(AwaitThat([&] {
    const auto lag = reporter->Lag();
    std::uint64_t sum = 0;
    for (const PartitionLag& one : lag) sum += one.messages;
    return !lag.empty() && sum == 0;
  }));
}

}  // namespace cirro::test
