// What a reliable consumer must survive, against a real broker. Each test is a
// story that another project lived through.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/child_process.h"
#include "support/kafka_inlet_rig.h"
#include "support/real_time.h"
#include "support/temp_dir.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::ChildProcess;
using test::Eventually;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Not;
using ::testing::SizeIs;

class KafkaStories : public test::KafkaInletTest {
 protected:
  // A process that does what comes; its work is in file().
  std::unique_ptr<ChildProcess> StartProcess(const std::string& topics,
                                             const std::string& instance = {}) {
    std::vector<std::string> arguments = {
        CIRRO_BINARY_DIR "/tests/bin/kafka_member", test::KafkaUrl(), topics,
        group_, file()};
    if (!instance.empty()) arguments.push_back(instance);
    return std::make_unique<ChildProcess>(ChildProcess::Start{
        .arguments = std::move(arguments), .environment = {}});
  }
  // Starts such a process anew each time it dies, until all `events` are done
  // or it died ten times. How often it died.
  int Deaths(std::size_t events, const std::string& topics,
             const std::string& instance = {}) {
    for (int deaths = 0; deaths < 10; ++deaths) {
      const auto process = StartProcess(topics, instance);
      EXPECT_TRUE(process->WaitFor("ready"));
      bool dead = false;
      EXPECT_TRUE(Eventually(
          [&] {
            dead = !process->Runs();
            return dead || Done().size() == events;
          },
          milliseconds(60'000)));
      if (!dead) {
        process->Signal(SIGTERM);
        EXPECT_EQ(process->Wait(), 0);
        return deaths;
      }
      EXPECT_EQ(process->Wait(), -SIGKILL);
    }
    return 10;
  }
  std::string file() { return directory_ / "done"; }
  std::vector<std::string> Lines() {
    std::vector<std::string> lines;
    std::ifstream in(file());
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
  }
  std::set<std::string> Done() {
    const auto lines = Lines();
    return {lines.begin(), lines.end()};
  }

 private:
  test::TempDir directory_;
};

// Killed at any point, each event is done at least once.
TEST_F(KafkaStories, Story2NoRecordIsLostOnAnUncleanKill) {
  const std::string topic = tool().MakeTopic(3);
  constexpr int kEvents = 3'000;
  constexpr int kKills = 5;
  for (int i = 0; i < kEvents; ++i) {
    tool().WriteEvent(topic, std::to_string(i), i % 3);
  }
  tool().Flush();
  std::mt19937 random(7);
  for (int kills = 0; kills < kKills; ++kills) {
    const auto process = StartProcess(topic);
    ASSERT_TRUE(process->WaitFor("ready"));
    const std::size_t more = Lines().size() + random() % 200;
    Eventually([&] { return Lines().size() >= more; }, milliseconds(10'000));
    process->Signal(SIGKILL);
    process->Wait();
  }

  const auto process = StartProcess(topic);

  EXPECT_TRUE(Eventually([&] { return Done().size() == kEvents; },
                         milliseconds(60'000)));
  process->Signal(SIGTERM);
  EXPECT_EQ(process->Wait(), 0);
}

// Members come and go under load: nothing is lost, and what a member that left
// had committed is not done again.
TEST_F(KafkaStories, Story3ARebalanceStormLosesNothing) {
  for (const KafkaAssignor assignor :
       {KafkaAssignor::kRange, KafkaAssignor::kCooperativeSticky}) {
    SCOPED_TRACE(static_cast<int>(assignor));
    const std::string topic = tool().MakeTopic(6);
    KafkaInletOptions options = Options(topic);
    options.group = test::KafkaTool::Fresh("storm");
    options.assignor = assignor;
    options.connection.librdkafka.emplace_back("heartbeat.interval.ms", "200");
    std::map<std::string, int> came;
    const auto add = [&](const Member& member) {
      for (const auto& id : const_cast<Member&>(member).sink.came()) ++came[id];
    };
    int written = 0;
    std::vector<std::unique_ptr<Member>> members;
    std::mt19937 random(11);
    for (int change = 0; change < 20; ++change) {
      for (int i = 0; i < 100; ++i, ++written) {
        tool().WriteEvent(topic, std::to_string(written), written % 6);
      }
      tool().Flush();
      if (members.size() < 2 || (members.size() < 4 && random() % 2 == 0)) {
        members.push_back(Start(options));
        members.back()->sink.SettleAll();
        Eventually([&] {
          return LinkOf(*members.back()->inlet) == LinkState::Kind::kConnected;
        });
      } else {
        const auto at = members.begin() +
                        static_cast<std::ptrdiff_t>(random() % members.size());
        // A join that waits for a member whose session has to end first holds
        // its commits back.
        EXPECT_TRUE((*at)->Stop(milliseconds(20'000)));
        add(**at);
        members.erase(at);
      }
    }

    EXPECT_TRUE(Eventually(
        [&] {
          std::int64_t sum = 0;
          for (int i = 0; i < 6; ++i) {
            sum += std::max<std::int64_t>(
                0, tool().Committed(options.group, topic, i).offset);
          }
          return sum == written;
        },
        milliseconds(90'000)));
    for (const auto& member : members) {
      EXPECT_TRUE(member->Stop(milliseconds(20'000)));
      EXPECT_THAT(member->notes.failures(), IsEmpty());
      add(*member);
    }
    EXPECT_THAT(came, SizeIs(static_cast<std::size_t>(written)));
    int again = 0;
    for (const auto& [id, times] : came) again += times - 1;
    // Everything was done in good order, so nothing came twice.
    EXPECT_EQ(again, 0);
  }
}

// One member after the other is stopped and started anew under load: each of
// the others has a rebalance for the one that goes and one for the one that
// comes, and nothing comes twice.
TEST_F(KafkaStories, Story5ARollingRestartRepeatsNothing) {
  const std::string topic = tool().MakeTopic(6);
  KafkaInletOptions options = Options(topic);
  options.connection.librdkafka.emplace_back("heartbeat.interval.ms", "200");
  std::vector<std::unique_ptr<Member>> members;
  std::vector<std::string> came;
  const auto start = [&] {
    auto member = Start(options);
    member->sink.SettleAll();
    return member;
  };
  const auto share = [](Member& member) {
    const std::string last = member.notes.Last("assigned");
    return std::count(last.begin(), last.end(), '/');
  };
  const auto revokes = [](Member& member) {
    return member.notes.Count("revoked:") + member.notes.Count("lost:");
  };
  // Each has its part of the six again.
  const auto await_shares = [&](std::ptrdiff_t each) {
    return Eventually([&] {
      return std::all_of(
          members.begin(), members.end(), [&](const auto& member) {
            return share(*member) == each &&
                   LinkOf(*member->inlet) == LinkState::Kind::kConnected;
          });
    });
  };
  for (int i = 0; i < 3; ++i) members.push_back(start());
  ASSERT_TRUE(await_shares(2));
  int written = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 600; ++i, ++written) {
      tool().WriteEvent(topic, std::to_string(written), written % 6);
    }
    tool().Flush();
    const auto leaving = std::move(members.front());
    members.erase(members.begin());
    const auto before = revokes(*leaving);
    std::vector<std::size_t> others;
    for (const auto& member : members) others.push_back(revokes(*member));

    EXPECT_TRUE(leaving->Stop());
    ASSERT_TRUE(await_shares(3));

    EXPECT_LE(revokes(*leaving), before + 1);
    for (std::size_t i = 0; i < members.size(); ++i) {
      EXPECT_EQ(revokes(*members[i]), others[i] + 1);
    }
    const auto ids = leaving->sink.came();
    came.insert(came.end(), ids.begin(), ids.end());
    members.push_back(start());
    ASSERT_TRUE(await_shares(2));
    for (std::size_t i = 0; i + 1 < members.size(); ++i) {
      EXPECT_EQ(revokes(*members[i]), others[i] + 2);
    }
  }

  EXPECT_TRUE(Eventually(
      [&] {
        std::size_t sum = came.size();
        for (const auto& member : members) sum += member->sink.came().size();
        return sum >= static_cast<std::size_t>(written);
      },
      milliseconds(60'000)));
  for (const auto& member : members) {
    EXPECT_TRUE(member->Stop());
    const auto ids = member->sink.came();
    came.insert(came.end(), ids.begin(), ids.end());
  }
  EXPECT_THAT(came, SizeIs(static_cast<std::size_t>(written)));
  EXPECT_THAT(std::set<std::string>(came.begin(), came.end()),
              SizeIs(static_cast<std::size_t>(written)));
}

// A member that did not poll in time, because a function blocked its thread,
// while a rebalance went on: another has its partition, and what it settles
// late moves the commit neither back nor on.
TEST_F(KafkaStories, Story6AMemberThatWasPutOutCommitsNothingMore) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 10);
  const KafkaInletOptions steady = Options(topic);
  KafkaInletOptions options = steady;
  options.session_timeout = milliseconds(1'000);
  options.max_poll_interval = milliseconds(1'000);
  options.connection.librdkafka.emplace_back("heartbeat.interval.ms", "200");
  std::atomic<bool> blocks{false};
  std::promise<void> goes_on;
  const auto gate = goes_on.get_future().share();
  const auto zombie = Start(options, [&](Member& member) {
    member.sink.SettleBy([&](const Delivery&) {
      blocks = true;
      gate.wait();
      return Settlement{.kind = Settlement::Kind::kAck};
    });
    member.sink.SettleAll();
  });
  ASSERT_TRUE(Eventually([&] { return blocks.load(); }));

  const auto other = Start(steady);
  other->sink.SettleAll();
  ASSERT_TRUE(AwaitCommitted(topic, 10));
  goes_on.set_value();

  EXPECT_TRUE(Eventually([&] { return zombie->notes.Count("lost:") == 1; }));
  EXPECT_GE(tool().Committed(group_, topic).offset, 10);
  tool().WriteEvents(topic, 10, 0, 10);
  EXPECT_TRUE(AwaitCommitted(topic, 20));
  auto came = other->sink.came();
  const auto late = zombie->sink.came();
  EXPECT_THAT(late, SizeIs(Ge(10U)));
  came.insert(came.end(), late.begin() + 10, late.end());
  // Nothing of before again, nothing of after passed over.
  EXPECT_THAT(came, SizeIs(20));
  EXPECT_THAT(std::set<std::string>(came.begin(), came.end()), SizeIs(20));
}

// A revoke in the middle of what several partitions have open: each one's own
// prefix is committed.
TEST_F(KafkaStories, Story7ARevokeCommitsEachPartition) {
  const std::string topic = tool().MakeTopic(2);
  for (int i = 0; i < 20; ++i) {
    tool().WriteEvent(topic, std::to_string(i), i % 2);
  }
  tool().Flush();
  KafkaInletOptions options = Options(topic);
  options.commit_every = milliseconds(600'000);
  options.revoke_patience = milliseconds(500);
  options.connection.librdkafka.emplace_back("heartbeat.interval.ms", "200");
  const auto first = Start(options);
  ASSERT_TRUE(first->sink.Await(20));
  for (const char* const id : {"0", "2", "1", "3", "5", "7"}) {
    first->sink.Ack(id);
  }

  const auto second = Start(options);

  EXPECT_TRUE(AwaitCommitted(topic, 2, 0));
  EXPECT_TRUE(AwaitCommitted(topic, 4, 1));
  EXPECT_TRUE(Eventually(
      [&] { return LinkOf(*second->inlet) == LinkState::Kind::kConnected; }));
  // The other's open ones come to it, or again to the first: 14 in all.
  EXPECT_TRUE(Eventually([&] {
    return first->sink.came().size() + second->sink.came().size() >= 34;
  }));
}

// Who waits for what runs no longer than the group waits for its members is
// not put out of it, however long `revoke_patience` is: what is done by then
// is committed, and not done again.
TEST_F(KafkaStories, ARevokeThatWaitsIsDoneBeforeTheGroupsPatienceEnds) {
  const std::string topic = tool().MakeTopic(2);
  for (int i = 0; i < 4; ++i) {
    tool().WriteEvent(topic, std::to_string(i), i % 2);
  }
  tool().Flush();
  KafkaInletOptions options = Options(topic);
  options.commit_every = milliseconds(600'000);  // Only the revoke commits.
  options.max_poll_interval = milliseconds(6'000);
  options.revoke_patience = std::chrono::minutes(10);
  options.connection.librdkafka.emplace_back("heartbeat.interval.ms", "200");
  const auto first = Start(options);
  ASSERT_TRUE(first->sink.Await(4));
  first->sink.Ack("0");
  first->sink.Ack("1");  // The other two never end.

  const auto second = Start(options);

  ASSERT_TRUE(Eventually(
      [&] { return LinkOf(*second->inlet) == LinkState::Kind::kConnected; }));
  EXPECT_EQ(first->notes.Count("revoked:"), 1U);
  EXPECT_EQ(first->notes.Count("lost:"), 0U);
  EXPECT_THAT(first->notes.warnings(), IsEmpty());
  EXPECT_EQ(tool().Committed(group_, topic, 0).offset, 1);
  EXPECT_EQ(tool().Committed(group_, topic, 1).offset, 1);
}

// What was settled before the end is committed before the end.
TEST_F(KafkaStories, Story10AStopUnderLoadCommitsWhatIsSettled) {
  const std::string topic = tool().MakeTopic();
  KafkaInletOptions options = Options(topic);
  options.commit_every = milliseconds(600'000);  // Only the end commits.
  std::vector<std::string> came;
  int written = 0;
  for (int round = 0; round < 10; ++round) {
    const auto member = Start(options);
    member->sink.SettleAll();
    for (int i = 0; i < 200; ++i, ++written) {
      tool().WriteEvent(topic, std::to_string(written));
    }
    tool().Flush();
    ASSERT_TRUE(member->sink.Await(1));

    ASSERT_TRUE(member->Stop());

    const auto ids = member->sink.came();
    came.insert(came.end(), ids.begin(), ids.end());
    EXPECT_EQ(tool().Committed(group_, topic).offset,
              static_cast<std::int64_t>(came.size()));
  }
  EXPECT_THAT(std::set<std::string>(came.begin(), came.end()),
              SizeIs(came.size()));
}

// A record that is no event stops nobody.
TEST_F(KafkaStories, Story12OneBadRecordInManyBlocksNothing) {
  const std::string topic = tool().MakeTopic();
  for (int i = 0; i < 2'000; ++i) {
    if (i == 777) tool().Write(topic, {.value = "{not an event"});
    tool().WriteEvent(topic, std::to_string(i));
  }
  tool().Flush();
  const auto member = Start(Options(topic));
  member->sink.SettleAll();

  ASSERT_TRUE(member->sink.Await(2'001));

  EXPECT_TRUE(AwaitCommitted(topic, 2'001));
  EXPECT_EQ(member->sink.came()[777], "(malformed)");
}

// A record that kills the process is given up after some deaths, although no
// process lived to count; its neighbours are run.
TEST_F(KafkaStories, Story13ARecordThatKillsTheProcessIsGivenUp) {
  const std::string topic = tool().MakeTopic();
  constexpr int kEvents = 40;
  for (int i = 0; i < kEvents; ++i) {
    tool().WriteEvent(topic, std::to_string(i), 0, {},
                      i == 20 ? "poison" : "good");
  }
  tool().Flush();

  EXPECT_THAT(Deaths(kEvents, topic), AllOf(Ge(3), Le(6)));

  EXPECT_THAT(Done(), SizeIs(kEvents));
  EXPECT_THAT(Done(), Contains("crashed 20"));
  EXPECT_THAT(Done(), Contains("19"));
  EXPECT_THAT(Done(), Contains("21"));
}

// What runs at that moment in other partitions has not killed it.
TEST_F(KafkaStories, Story13ARecordOfAnotherPartitionIsNotBlamed) {
  const std::string topic = tool().MakeTopic(3);
  tool().WriteEvent(topic, "0", 0, {}, "late");
  tool().WriteEvent(topic, "1", 1, {}, "late.poison");
  tool().WriteEvent(topic, "2", 2, {}, "late");
  tool().Flush();

  EXPECT_THAT(Deaths(3, topic, "member"), AllOf(Ge(3), Le(6)));

  EXPECT_THAT(Done(), ElementsAre("0", "2", "crashed 1"));
}

// Nor has what runs for other inlets.
TEST_F(KafkaStories, Story13ARecordOfAnotherInletIsNotBlamed) {
  const std::string poisoned = tool().MakeTopic();
  const std::string other = tool().MakeTopic();
  tool().WriteEvent(poisoned, "0", 0, {}, "late.poison");
  tool().WriteEvent(other, "1", 0, {}, "late");
  tool().Flush();

  EXPECT_THAT(Deaths(2, poisoned + "," + other, "member"), AllOf(Ge(3), Le(6)));

  EXPECT_THAT(Done(), ElementsAre("1", "crashed 0"));
}

// Two members with one instance id: the older one is told, once and for all.
TEST_F(KafkaStories, ASecondMemberWithOneInstanceIdFencesTheFirst) {
  const std::string topic = tool().MakeTopic();
  tool().WriteEvents(topic, 1);
  KafkaInletOptions options = Options(topic);
  options.instance_id = "one";
  const auto first = Start(options);
  ASSERT_TRUE(first->sink.Await(1));

  const auto second = Start(options);

  EXPECT_TRUE(Eventually([&] { return !first->notes.failures().empty(); }));
  EXPECT_EQ(LinkOf(*first->inlet), LinkState::Kind::kFailed);
  EXPECT_THAT(first->notes.failures(),
              Contains(::testing::HasSubstr("`instance_id`")));
  EXPECT_TRUE(second->sink.Await(1));
}

// A member with an instance id that comes again within the session has its
// partitions without a rebalance of the others.
TEST_F(KafkaStories, AStaticMemberThatComesAgainDisturbsNobody) {
  const std::string topic = tool().MakeTopic(2);
  KafkaInletOptions options = Options(topic);
  options.connection.librdkafka.emplace_back("heartbeat.interval.ms", "200");
  options.instance_id = "stays";
  const auto other = Start(options);
  options.instance_id = "restarts";
  auto member = Start(options);
  const auto assignments = [](Member& each) {
    return each.notes.Count("assigned: ");
  };
  ASSERT_TRUE(Eventually([&] {  // Each has one of the two.
    const std::string last = other->notes.Last("assigned: ");
    return assignments(*member) == 1 &&
           std::count(last.begin(), last.end(), '/') == 1;
  }));
  const auto before = assignments(*other);

  ASSERT_TRUE(member->Stop());
  member = Start(options);
  ASSERT_TRUE(Eventually([&] { return assignments(*member) == 1; }));

  EXPECT_EQ(assignments(*other), before);
}

}  // namespace
}  // namespace cirro
