// Processes that really die: of a message, and of SIGKILL.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/jetstream_rig.h"
#include "support/real_time.h"
#include "support/temp_dir.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ChildProcess;
using test::Done;
using test::Eventually;
using test::InlineSink;
using test::JetStreamRig;
using test::RunningInlet;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kChildUrl = "CIRRO_TEST_CRASH_URL";
constexpr const char* kChildFile = "CIRRO_TEST_CRASH_FILE";

JetStreamInletOptions ChildOptions(const std::string& url) {
  JetStreamInletOptions options;
  options.connection.servers = {url};
  options.connection.reconnect_wait = milliseconds(20);
  options.stream = "ORDERS";
  options.durable = "worker";
  options.ack_wait = milliseconds(400);
  options.heartbeat = milliseconds(500);
  options.max_crashes = 3;
  return options;
}

void Say(const std::string& text) {
  const std::string line = text + "\n";
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(8);
}

// Says what it runs, holds everything until the poison, and dies of that.
class MortalSink final : public Sink {
 public:
  void Deliver(std::span<Delivery> batch) noexcept override {
    for (Delivery& delivery : batch) {
      const std::string id(delivery.event()->id());
      if (delivery.facts.crashed) {
        Say("crashed " + id);
        delivery.Settle({.kind = Settlement::Kind::kTerm});
        continue;
      }
      if (id == "poison") {
        Say("dies of " + id);
        std::_Exit(7);
      }
      // Its neighbours are in flight when it dies, until they are suspects.
      if (delivery.facts.attempt <= 2) {
        held_.push_back(std::move(delivery));
        continue;
      }
      Say("done " + id);
      delivery.Settle({.kind = Settlement::Kind::kAck});
    }
  }

 private:
  std::vector<Delivery> held_;
};

// Poison is given up after some deaths, although no process lived to count.
TEST(JetStreamCrash,
     Story13PoisonThatKillsTheProcessIsCountedAndNoNeighbourIs) {
  JetStreamRig rig;
  for (int i = 0; i < 20; ++i) {
    rig.peer.PublishEvent("orders.new", "before" + std::to_string(i));
  }
  rig.peer.PublishEvent("orders.new", "poison");
  for (int i = 0; i < 20; ++i) {
    rig.peer.PublishEvent("orders.new", "after" + std::to_string(i));
  }

  std::string all;
  int deaths = 0;
  for (int life = 0; life < 10; ++life) {
    ChildProcess child(
        {.arguments = {"/proc/self/exe",
                       "--gtest_filter=JetStreamCrash.DISABLED_Child",
                       "--gtest_also_run_disabled_tests"},
         .environment = {std::string(kChildUrl) + "=" + rig.server.url()}});
    if (child.WaitFor("crashed poison")) {
      EXPECT_TRUE(rig.AllSettled());
      child.Signal(SIGKILL);
      child.Wait();
      all += child.written();
      break;
    }
    EXPECT_EQ(child.Wait(), 7) << child.written();
    ++deaths;
    all += child.written();
  }

  // Twice unsuspected, and three times as the suspect; one more or less where
  // the machine stood still for as long as the server waits.
  EXPECT_GE(deaths, 4);
  EXPECT_LE(deaths, 6);
  EXPECT_THAT(all, HasSubstr("crashed poison"));
  EXPECT_THAT(all, Not(HasSubstr("crashed before")));
  EXPECT_THAT(all, Not(HasSubstr("crashed after")));
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(all, HasSubstr("done before" + std::to_string(i) + "\n"));
    EXPECT_THAT(all, HasSubstr("done after" + std::to_string(i) + "\n"));
  }
  // What ended is forgotten.
  EXPECT_TRUE(
      Eventually([&] { return rig.peer.MessagesIn("CIRRO_CRASHES") == 0; }));
}

// The poison dies a moment after it began, and its neighbour needs longer.
class LateSink final : public Sink {
 public:
  void Deliver(std::span<Delivery> batch) noexcept override {
    for (Delivery& delivery : batch) {
      const std::string id(delivery.event()->id());
      if (delivery.facts.crashed) {
        Say("crashed " + id);
        delivery.Settle({.kind = Settlement::Kind::kTerm});
        continue;
      }
      std::thread([id, held = std::move(delivery)]() mutable {
        std::this_thread::sleep_for(kMoment);
        if (id == "poison") std::_Exit(7);
        std::this_thread::sleep_for(2 * kMoment);
        Say("done " + id);
        held.Settle({.kind = Settlement::Kind::kAck});
      }).detach();
    }
  }

 private:
  static constexpr milliseconds kMoment{100};
};

// What runs at that moment for other inlets has not killed the process.
TEST(JetStreamCrash, Story13AMessageOfAnotherInletIsNotBlamed) {
  JetStreamRig rig;
  rig.peer.PublishEvent("orders.poison", "poison");
  rig.peer.PublishEvent("orders.late", "late");

  std::string all;
  for (int life = 0; life < 12; ++life) {
    ChildProcess child(
        {.arguments = {"/proc/self/exe",
                       "--gtest_filter=JetStreamCrash.DISABLED_ChildOfTwo",
                       "--gtest_also_run_disabled_tests"},
         .environment = {std::string(kChildUrl) + "=" + rig.server.url()}});
    const bool over = child.WaitFor("crashed poison");
    if (over && all.find("done late") == std::string::npos) {
      EXPECT_TRUE(child.WaitFor("late\n"));
    }
    if (over) child.Signal(SIGKILL);
    EXPECT_EQ(child.Wait(), over ? -SIGKILL : 7) << child.written();
    all += child.written();
    if (over) break;
  }

  EXPECT_THAT(all, HasSubstr("crashed poison"));
  EXPECT_THAT(all, HasSubstr("done late"));
  EXPECT_THAT(all, Not(HasSubstr("crashed late")));
}

std::vector<std::string> LinesOf(const std::string& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Killed at any point, each message has its effect at least once.
TEST(JetStreamCrash, Story2NoMessageIsLostOnAnUncleanKill) {
  constexpr int kMessages = 1'500;
  constexpr int kKills = 5;
  JetStreamRig rig;
  rig.Publish(kMessages);
  const test::TempDir folder;
  const std::string file = folder / "done";
  const auto start = [&] {
    return std::make_unique<ChildProcess>(ChildProcess::Start{
        .arguments = {"/proc/self/exe",
                      "--gtest_filter=JetStreamCrash.DISABLED_Worker",
                      "--gtest_also_run_disabled_tests"},
        .environment = {std::string(kChildUrl) + "=" + rig.server.url(),
                        std::string(kChildFile) + "=" + file}});
  };
  std::mt19937 random(7);
  for (int kill = 0; kill < kKills; ++kill) {
    const auto process = start();
    const std::size_t before = LinesOf(file).size();
    const std::size_t more = 1 + random() % 200;
    ASSERT_TRUE(
        Eventually([&] { return LinesOf(file).size() >= before + more; }));
    ASSERT_TRUE(process->Runs());
    process->Signal(SIGKILL);
    EXPECT_EQ(process->Wait(), -SIGKILL);
  }
  // The kills met it at work.
  EXPECT_FALSE(rig.peer.ConsumerOf("ORDERS", "worker").ack_floor == kMessages);

  const auto process = start();

  EXPECT_TRUE(rig.AllSettled());
  const auto done = LinesOf(file);
  EXPECT_EQ(std::set<std::string>(done.begin(), done.end()).size(), kMessages);
}

// Not a test: the process of the one above that is killed. Each message's
// effect is a line of a file.
TEST(JetStreamCrash, DISABLED_Worker) {
  const char* const url = std::getenv(kChildUrl);
  const char* const file = std::getenv(kChildFile);
  if (file == nullptr) GTEST_SKIP() << "runs as a child alone";
  const int out = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const InlineSink::Function work = [out](const Delivery& delivery) {
    const std::string line = std::string(delivery.event()->id()) + "\n";
    if (write(out, line.data(), line.size()) < 0) std::_Exit(8);
    return Done();
  };
  test::RealClock clock;
  test::NotesObserver notes;
  JetStreamInletOptions options = ChildOptions(url);
  options.max_crashes = 100;
  auto inlet = test::Nats().make_jetstream_inlet(options, clock, notes);
  ASSERT_TRUE(inlet);
  const RunningInlet<InlineSink> running(*std::move(inlet), work);
  // Until it is killed.
  static_cast<void>(Eventually([] { return false; }, seconds(60)));
}

// Not a test: the process of the one with poison that dies.
TEST(JetStreamCrash, DISABLED_Child) {
  const char* const url = std::getenv(kChildUrl);
  if (url == nullptr) GTEST_SKIP() << "runs as a child alone";
  test::RealClock clock;
  test::NotesObserver notes;
  MortalSink sink;
  auto inlet =
      test::Nats().make_jetstream_inlet(ChildOptions(url), clock, notes);
  ASSERT_TRUE(inlet);
  ASSERT_TRUE((*inlet)->Start(sink));
  // Until it dies, or is killed.
  static_cast<void>(Eventually([] { return false; }, seconds(60)));
}

// Not a test: the process of the one with two inlets.
TEST(JetStreamCrash, DISABLED_ChildOfTwo) {
  const char* const url = std::getenv(kChildUrl);
  if (url == nullptr) GTEST_SKIP() << "runs as a child alone";
  test::RealClock clock;
  test::NotesObserver notes;
  LateSink sink;
  std::vector<std::unique_ptr<Inlet>> inlets;
  for (const char* const name : {"poison", "late"}) {
    JetStreamInletOptions options = ChildOptions(url);
    options.durable = name;
    options.filter = std::string("orders.") + name;
    options.ack_wait = seconds(1);
    auto inlet = test::Nats().make_jetstream_inlet(options, clock, notes);
    ASSERT_TRUE(inlet);
    ASSERT_TRUE((*inlet)->Start(sink));
    inlets.push_back(*std::move(inlet));
  }
  // Until it dies, or is killed.
  static_cast<void>(Eventually([] { return false; }, seconds(60)));
}

}  // namespace
}  // namespace cirro
