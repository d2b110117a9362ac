// The module "sqlite": letters into a real file, and faults of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/sqlite/sqlite.h"
#include "support/event_fixtures.h"
#include "support/letters_file.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::kLettersPatience;
using test::Letter;
using test::LettersApi;
using test::LettersFile;
using test::Sql;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Another process that has the file's lock.
class Lock {
 public:
  explicit Lock(const std::string& path) {
    sqlite3_open(path.c_str(), &database_);
    sqlite3_exec(database_, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr);
  }
  ~Lock() { sqlite3_close(database_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  sqlite3* database_ = nullptr;
};

TEST_F(LettersFile, GivesBackAnEventAsItCame) {
  MustOpen();
  const Event event = test::FullEvent();
  const Original original{.bytes = std::string("{\"raw\":\0}", 9),
                          .headers = {{"x", "1"}, {"x", "\xFF\n"}, {"", ""}},
                          .function = "only",
                          .dead_letter = true};
  const DeadLetter letter{
      .content = event,
      .original = std::make_shared<const Original>(original),
      .key = std::string("k\0y", 3),
      .facts = {.reason = DeadReason::kCrashed,
                .function = "bill the order",
                .inlet = "orders",
                .position = "orders/3@1234",
                .attempts = 7,
                .first_error = "first",
                .last_error = "last",
                .time = *ParseTimestamp("2026-03-04T05:06:07.123456789Z")}};

  ASSERT_TRUE(Bury(letter));

  const auto all = All();
  ASSERT_EQ(all.size(), 1U);
  const DeadLetter& kept = all[0].letter;
  EXPECT_EQ(std::get<Event>(kept.content), event);
  EXPECT_EQ(std::get<Event>(kept.content).data_kind(), event.data_kind());
  EXPECT_EQ(kept.facts, letter.facts);
  EXPECT_EQ(kept.key, letter.key);
  ASSERT_NE(kept.original, nullptr);
  EXPECT_EQ(kept.original->bytes, original.bytes);
  EXPECT_EQ(kept.original->headers, original.headers);
  EXPECT_EQ(kept.original->function, original.function);
  EXPECT_TRUE(kept.original->dead_letter);
}

TEST_F(LettersFile, TellsNoDataAndNoBytesFromEmptyOnes) {
  MustOpen();
  const Error why{ErrorCode::kTooLarge, "9 bytes"};
  ASSERT_TRUE(Bury({.content = test::MinEvent()}));
  ASSERT_TRUE(Bury({.content = test::MustBuild(
                        EventBuilder(test::MinEvent()).data(Text("")))}));
  ASSERT_TRUE(Bury({.content = Malformed{"", {}, why, false}}));
  ASSERT_TRUE(Bury({.content = Malformed{"", {{"h", ""}}, why, true},
                    .original = std::make_shared<const Original>()}));

  const auto all = All();

  ASSERT_EQ(all.size(), 4U);
  EXPECT_FALSE(std::get<Event>(all[0].letter.content).has_data());
  EXPECT_TRUE(std::get<Event>(all[1].letter.content).has_data());
  EXPECT_EQ(all[1].letter.original, nullptr);
  const auto& none = std::get<Malformed>(all[2].letter.content);
  const auto& empty = std::get<Malformed>(all[3].letter.content);
  EXPECT_FALSE(none.has_bytes);
  EXPECT_TRUE(empty.has_bytes);
  EXPECT_EQ(empty.error, why);
  EXPECT_EQ(empty.headers, (MessageHeaders{{"h", ""}}));
  ASSERT_NE(all[3].letter.original, nullptr);
  EXPECT_FALSE(all[3].letter.original->bytes);
}

TEST_F(LettersFile, IsForItsOwnerFromTheFirstByteWhateverTheUmask) {
  for (const mode_t mask : {mode_t{0}, mode_t{0777}}) {
    const mode_t before = umask(mask);
    options_.path = dir_ / ("masked" + std::to_string(mask));
    MustOpen();
    umask(before);

    struct stat found {};
    ASSERT_EQ(stat(options_.path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
    EXPECT_TRUE(Bury(Letter(1)));
  }
}

TEST_F(LettersFile, IsRefusedWhereOthersMayUseIt) {
  MustOpen();
  store_.reset();
  ASSERT_EQ(chmod(options_.path.c_str(), 0640), 0);

  EXPECT_THAT(WhyNotOpened(), HasSubstr("chmod 600"));
}

TEST_F(LettersFile, IsRefusedWhereItCannotBeOne) {
  options_.path = dir_ / "no/such/folder";
  EXPECT_THAT(WhyNotOpened(), HasSubstr("`path`"));
  options_.path = dir_.path().string();
  EXPECT_THAT(WhyNotOpened(), HasSubstr("plain file"));
  ASSERT_EQ(symlink("/etc/passwd", (dir_ / "link").c_str()), 0);
  options_.path = dir_ / "link";
  EXPECT_THAT(WhyNotOpened(), HasSubstr("plain file"));
  options_.path = "";
  EXPECT_THAT(WhyNotOpened(), HasSubstr("`path`"));
}

TEST_F(LettersFile, IsRefusedWhereItIsNoneOfDeadLetters) {
  std::ofstream(options_.path) << std::string(5000, 'x');
  ASSERT_EQ(chmod(options_.path.c_str(), 0600), 0);
  EXPECT_THAT(WhyNotOpened(), HasSubstr("no SQLite file"));

  options_.path = dir_ / "other.db";
  Sql(options_.path, "CREATE TABLE t(a)");
  ASSERT_EQ(chmod(options_.path.c_str(), 0600), 0);
  EXPECT_THAT(WhyNotOpened(), HasSubstr("somebody else's"));
}

TEST_F(LettersFile, IsRefusedWhereALaterCirroWroteIt) {
  MustOpen();
  store_.reset();
  Sql(options_.path, "PRAGMA user_version = 2");

  EXPECT_THAT(WhyNotOpened(), HasSubstr("version is 2"));
}

TEST_F(LettersFile, IsRefusedWhereTheContainerWouldTakeItAway) {
  const std::string mount = std::filesystem::canonical(dir_.path()).string();
  const std::string root = "20 1 0:5 / / rw - overlay overlay rw\n";
  const auto mounts = [&](const std::string& kind) {
    return root + "21 20 8:1 / " + mount + " rw shared:1 - " + kind +
           " /dev/x rw\n";
  };
  options_.k_service = "orders";
  options_.mounts = root;
  EXPECT_THAT(WhyNotOpened(), HasSubstr("`ephemeral`"));
  options_.mounts = mounts("tmpfs");
  EXPECT_THAT(WhyNotOpened(), HasSubstr("`ephemeral`"));
  options_.mounts = mounts("ext4");
  MustOpen();
  options_.mounts = root;
  options_.ephemeral = true;
  MustOpen();
  options_.ephemeral = false;
  options_.k_service = "";
  MustOpen();
}

TEST_F(LettersFile, WaitsForALockAndSaysWhoseTimeRanOut) {
  MustOpen();
  ASSERT_TRUE(Bury(Letter(1)));
  options_.busy_timeout = milliseconds(30);
  MustOpen();
  {
    const Lock lock(options_.path);
    const auto refused = Bury(Letter(2));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("`busy_timeout`"));
  }

  EXPECT_TRUE(Bury(Letter(3)));
  EXPECT_THAT(Positions(), ElementsAre("orders/0@1", "orders/0@3"));
}

TEST_F(LettersFile, ConfirmsAfterALockIsGone) {
  MustOpen();
  ASSERT_TRUE(Bury(Letter(1)));
  const std::uint64_t send = ++sends_;
  {
    const Lock lock(options_.path);
    store_->Bury(Letter(2), SendCompletion(outcomes_, send));
  }

  EXPECT_TRUE(outcomes_.Of(send));
}

TEST_F(LettersFile, GoesOnWhenAFullDiskHasRoomAgain) {
  MustOpen();
  ASSERT_TRUE(Bury(Letter(1)));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit full = before;
  full.rlim_cur = 100'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);

  const ErrorCode why = WhyNotKept(Letter(2, 200'000));
  const bool small = Bury(Letter(3)).has_value();
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);

  // This limit shows as an I/O error of the commit, not as a full disk.
  EXPECT_EQ(why, ErrorCode::kUnknownOutcome);
  EXPECT_TRUE(small);
  EXPECT_TRUE(Bury(Letter(4, 200'000)));
  EXPECT_THAT(Positions(),
              ElementsAre("orders/0@1", "orders/0@3", "orders/0@4"));
}

TEST_F(LettersFile, GoesOnInANewFileWhenItsOwnWasRemoved) {
  MustOpen();
  ASSERT_TRUE(Bury(Letter(1)));
  ASSERT_EQ(unlink(options_.path.c_str()), 0);

  EXPECT_TRUE(Bury(Letter(2)));
  EXPECT_THAT(Positions(), ElementsAre("orders/0@2"));
}

TEST_F(LettersFile, SaysWhatIsBrokenAndGoesOnWhenItIsMovedAway) {
  MustOpen();
  ASSERT_TRUE(Bury(Letter(1)));
  const std::string broken = dir_ / "broken";
  std::ofstream(broken) << std::string(50'000, 'x');
  ASSERT_EQ(chmod(broken.c_str(), 0600), 0);
  ASSERT_EQ(rename(broken.c_str(), options_.path.c_str()), 0);

  const auto refused = Bury(Letter(2));
  ASSERT_EQ(unlink(options_.path.c_str()), 0);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("move it away"));
  EXPECT_TRUE(Bury(Letter(3)));
}

TEST_F(LettersFile, IsBoundedAndForgetsWhatWasRedrivenFirst) {
  options_.max_bytes = 200'000;
  MustOpen();
  int kept = 0;
  while (Bury(Letter(kept, 10'000))) ++kept;
  EXPECT_GT(kept, 8);
  EXPECT_LT(kept, 20);
  const auto refused = Bury(Letter(1000, 10'000));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(refused.error().message, HasSubstr("`max_bytes`"));

  ASSERT_TRUE(Box()->MarkRedriven(All()[2].id));

  EXPECT_TRUE(Bury(Letter(1000, 10'000)));
  EXPECT_EQ(All({.redriven = true}).size(), static_cast<std::size_t>(kept));
  EXPECT_EQ(WhyNotKept(Letter(1, 10'000)), ErrorCode::kOverloaded);
  struct stat found {};
  ASSERT_EQ(stat(options_.path.c_str(), &found), 0);
  EXPECT_LE(found.st_size, 200'000);
}

TEST_F(LettersFile, RefusesWhatCanNeverBeKept) {
  options_.max_bytes = 100'000;
  MustOpen();

  EXPECT_EQ(WhyNotKept(Letter(1, 60'000)), ErrorCode::kTooLarge);
  EXPECT_TRUE(Bury(Letter(2)));
}

TEST_F(LettersFile, RefusesMoreThanMayWait) {
  options_.max_waiting = 2;
  MustOpen();
  ASSERT_TRUE(Bury(Letter(1)));
  const Lock lock(options_.path);
  for (std::uint64_t send = 101; send <= 103; ++send) {
    store_->Bury(Letter(2), SendCompletion(outcomes_, send));
  }

  const auto third = outcomes_.Of(103);

  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::kOverloaded);
  EXPECT_THAT(third.error().message, HasSubstr("`max_waiting`"));
}

TEST_F(LettersFile, EndsInTimeWhileTheFileIsLocked) {
  options_.busy_timeout = std::chrono::hours(1);
  MustOpen();
  ASSERT_TRUE(Bury(Letter(1)));
  const Lock lock(options_.path);
  store_->Bury(Letter(2), SendCompletion(outcomes_, 100));

  store_->Stop(milliseconds(0));
  store_->Stop(milliseconds(0));

  ASSERT_FALSE(outcomes_.Of(100));
  EXPECT_EQ(outcomes_.Of(100).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(WhyNotKept(Letter(3)), ErrorCode::kUnavailable);
}

TEST_F(LettersFile, WritesWhatWaitsBeforeItEnds) {
  MustOpen();
  for (std::uint64_t i = 1; i <= 500; ++i) {
    store_->Bury(Letter(static_cast<int>(i)),
                 SendCompletion(outcomes_, 1000 + i));
  }

  store_->Stop(kLettersPatience);

  for (std::uint64_t i = 1; i <= 500; ++i) ASSERT_TRUE(outcomes_.Of(1000 + i));
  EXPECT_EQ(All().size(), 500U);
}

// In the child: buries for ever and writes each confirmed number to the pipe.
[[noreturn]] void BuryUntilKilled(const SqliteStoreOptions& options, int first,
                                  int pipe) {
  struct Telling final : SendListener {
    explicit Telling(int end) : to(end) {}
    void OnSent(std::uint64_t send, Result<void> result,
                milliseconds) noexcept override {
      const auto number = static_cast<std::uint32_t>(send);
      if (result && write(to, &number, 4) != 4) _exit(1);
    }
    int to;
  } telling(pipe);
  auto store = *LettersApi().make_store(options);
  if (!store->Start()) _exit(1);
  for (int number = first;; ++number) {
    store->Bury(Letter(number, static_cast<std::size_t>(number % 7) * 1000),
                SendCompletion(telling, static_cast<std::uint64_t>(number)));
  }
}

TEST_F(LettersFile, HasEverythingThatWasConfirmedWhenItsProcessIsKilled) {
  std::set<std::string> confirmed;
  constexpr int kKills = 12;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const int first = (kill_number + 1) * 10'000'000;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) BuryUntilKilled(options_, first, ends[1]);
    close(ends[1]);

    // After another number of letters each time, so at another moment.
    std::uint32_t number = 0;
    for (int read_now = 0; read_now < 1 + kill_number * 37; ++read_now) {
      ASSERT_EQ(read(ends[0], &number, 4), 4);
      confirmed.insert("orders/0@" + std::to_string(number));
    }
    kill(child, SIGKILL);
    while (read(ends[0], &number, 4) == 4) {
      confirmed.insert("orders/0@" + std::to_string(number));
    }
    close(ends[0]);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
  }

  const auto positions = Positions();

  const std::set<std::string> kept(positions.begin(), positions.end());
  EXPECT_EQ(kept.size(), positions.size());
  for (const std::string& one : confirmed) ASSERT_TRUE(kept.count(one)) << one;
  MustOpen();
  EXPECT_TRUE(Bury(Letter(1)));
}

}  // namespace
}  // namespace cirro
