#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/sqlite/sqlite.h"
#include "support/event_fixtures.h"
#include "support/load_module.h"
#include "support/temp_dir.h"

// The module "sqlite", as a program loads it, and a file for it.
namespace cirro::test {

inline constexpr std::chrono::seconds kLettersPatience{20};

inline const SqliteApi& LettersApi() { return LoadModule<SqliteApi>(); }

/// What became of each letter. Its numbers are the senders' own.
class LetterOutcomes final : public SendListener {
 public:
  void OnSent(std::uint64_t send, Result<void> result,
              std::chrono::milliseconds) noexcept override {
    const std::lock_guard lock(mutex_);
    results_.emplace(send, std::move(result));
    changed_.notify_all();
  }
  Result<void> Of(std::uint64_t send) {
    std::unique_lock lock(mutex_);
    const bool came = changed_.wait_for(lock, kLettersPatience, [&] {
      return results_.find(send) != results_.end();
    });
    if (!came) return Error{ErrorCode::kInternal, "it never said"};
    return results_.at(send);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, Result<void>> results_;
};

inline void Sql(const std::string& path, const char* statement) {
  sqlite3* database = nullptr;
  sqlite3_open(path.c_str(), &database);
  EXPECT_EQ(sqlite3_exec(database, statement, nullptr, nullptr, nullptr), 0);
  sqlite3_close(database);
}

inline Event Numbered(int number, std::size_t data_bytes = 0) {
  EventBuilder builder(MinEvent());
  builder.id(std::to_string(number));
  if (data_bytes > 0) builder.data(Text(std::string(data_bytes, 'd')));
  return MustBuild(builder);
}

inline DeadLetter Letter(int number, std::size_t data_bytes = 0) {
  return {.content = Numbered(number, data_bytes),
          .facts = {.reason = DeadReason::kRejected,
                    .function = "bill",
                    .inlet = "orders",
                    .position = "orders/0@" + std::to_string(number),
                    .attempts = 1}};
}

/// A test with a file that is not there yet.
class LettersFile : public ::testing::Test {
 protected:
  void SetUp() override { options_.path = dir_ / "letters.db"; }

  Result<void> Open() {
    auto made = LettersApi().make_store(options_);
    if (!made) return made.error();
    store_ = *std::move(made);
    return store_->Start();
  }
  void MustOpen() {
    const auto opened = Open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  std::string WhyNotOpened() {
    const auto opened = Open();
    if (opened) return "(opened)";
    EXPECT_EQ(opened.error().code, ErrorCode::kInvalidConfig);
    return opened.error().message;
  }
  Result<void> Bury(DeadLetter letter) {
    const std::uint64_t send = ++sends_;
    store_->Bury(std::move(letter), SendCompletion(outcomes_, send));
    return outcomes_.Of(send);
  }
  ErrorCode WhyNotKept(DeadLetter letter) {
    const auto kept = Bury(std::move(letter));
    return kept ? ErrorCode::kInternal : kept.error().code;
  }
  std::unique_ptr<LetterBox> Box() {
    auto box = LettersApi().open_box(options_);
    if (!box) {
      ADD_FAILURE() << box.error().message;
      std::abort();
    }
    return *std::move(box);
  }
  std::vector<KeptLetter> All(const LetterFilter& filter = {}) {
    std::vector<KeptLetter> all;
    const auto walked = Box()->Walk(filter, [&](const KeptLetter& kept) {
      all.push_back(kept);
      return Result<bool>(true);
    });
    EXPECT_TRUE(walked) << walked.error().message;
    return all;
  }
  std::vector<std::string> Positions(const LetterFilter& filter = {}) {
    std::vector<std::string> positions;
    for (const KeptLetter& kept : All(filter)) {
      positions.push_back(kept.letter.facts.position);
    }
    return positions;
  }

  TempDir dir_;
  SqliteStoreOptions options_;
  LetterOutcomes outcomes_;
  std::uint64_t sends_ = 0;
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace cirro::test
