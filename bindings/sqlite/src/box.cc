#include "box.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "letter_row.h"
#include "letters_file.h"

namespace cirro::internal::sqlite {
namespace {

// The next letter behind the last one, so that no lock is held while a visit
// takes its time. What need not be read to be passed over is left out here; the
// rest is for Fits.
const std::string kNext =
    "SELECT " + std::string(kLetterColumns) +
    ", stream, number, seconds, nanoseconds FROM letters WHERE "
    "(inlet, stream, number, seconds, nanoseconds, id) > (?,?,?,?,?,?) "
    "AND id <= ?7 AND (?8 OR redriven IS NULL) "
    "AND (?9 = '' OR reason = ?9) AND (?10 = '' OR function = ?10) "
    "AND (?11 = '' OR inlet = ?11) "
    "AND (?12 = '' OR position = ?12 OR stream = ?12) "
    "AND (?13 = '' OR type = ?13) AND (?14 = '' OR source = ?14) "
    "AND (?15 = '' OR event_id = ?15) "
    "ORDER BY inlet, stream, number, seconds, nanoseconds, id LIMIT 1";
constexpr int kStreamColumn = 21;

std::optional<std::int64_t> Number(std::string_view id) noexcept {
  std::int64_t number = 0;
  const char* const end = id.data() + id.size();
  const auto read = std::from_chars(id.data(), end, number);
  if (read.ec != std::errc() || read.ptr != end || number <= 0) return {};
  return number;
}

// Where a walk stands: the order of the last letter.
struct Place {
  std::string inlet{};
  std::string stream{};
  std::int64_t number = INT64_MIN;
  std::int64_t seconds = INT64_MIN;
  std::int64_t nanoseconds = INT64_MIN;
  std::int64_t id = INT64_MIN;
};

class Box final : public LetterBox {
 public:
  Box(SqliteStoreOptions options,
      std::unique_ptr<std::function<bool(int)>> wait, LettersFile file)
      : options_(std::move(options)),
        wait_(std::move(wait)),
        file_(std::move(file)) {}

  Result<void> Walk(const LetterFilter& filter, const Visit& visit) override {
    auto last = Prepare("SELECT coalesce(max(id), 0) FROM letters");
    if (!last) return last.error();
    if (const auto row = last->Step(); !row) return Named(row.error());
    const std::int64_t newest = last->Integer(0);
    last->Reset();
    auto next = Prepare(kNext);
    if (!next) return next.error();
    const std::string_view reason =
        filter.reason ? ToString(*filter.reason) : std::string_view();

    std::vector<Broken> unreadable;
    for (Place place;;) {
      next->Bind(1, place.inlet);
      next->Bind(2, place.stream);
      next->Bind(3, place.number);
      next->Bind(4, place.seconds);
      next->Bind(5, place.nanoseconds);
      next->Bind(6, place.id);
      next->Bind(7, newest);
      next->Bind(8, std::int64_t{filter.redriven});
      int index = 9;
      for (const std::string_view part :
           {reason, std::string_view(filter.function),
            std::string_view(filter.inlet), std::string_view(filter.position),
            std::string_view(filter.type), std::string_view(filter.source),
            std::string_view(filter.event_id)}) {
        next->Bind(index++, part);
      }
      const auto row = next->Step();
      if (!row) return Named(row.error());
      if (!*row) return Unreadable(unreadable);
      auto kept = ReadLetter(*next);
      const Place here{.inlet = std::string(next->Text(4)),
                       .stream = std::string(next->Text(kStreamColumn)),
                       .number = next->Integer(kStreamColumn + 1),
                       .seconds = next->Integer(kStreamColumn + 2),
                       .nanoseconds = next->Integer(kStreamColumn + 3),
                       .id = next->Integer(0)};
      next->Reset();
      place = here;
      if (!kept) {
        unreadable.push_back({here.id, std::move(kept).error()});
        continue;
      }
      if (!Fits(filter, *kept)) continue;
      const auto more = visit(*kept);
      if (!more) return more.error();
      if (!*more) return Unreadable(unreadable);
    }
  }

  Result<std::optional<KeptLetter>> Find(std::string_view id) override {
    const auto number = Number(id);
    if (!number) return std::optional<KeptLetter>();
    auto find = Prepare("SELECT " + std::string(kLetterColumns) +
                        " FROM letters WHERE id = ?");
    if (!find) return find.error();
    find->Bind(1, *number);
    const auto row = find->Step();
    if (!row) return Named(row.error());
    if (!*row) return std::optional<KeptLetter>();
    auto kept = ReadLetter(*find);
    if (!kept) return Named(kept.error());
    return std::optional<KeptLetter>(*std::move(kept));
  }

  Result<void> MarkRedriven(std::string_view id) override {
    const auto changed = Change(
        "UPDATE letters SET redriven = strftime('%Y-%m-%dT%H:%M:%fZ') "
        "WHERE id = ?",
        id);
    if (!changed) return changed.error();
    return {};
  }

  Result<bool> Remove(std::string_view id) override {
    return Change("DELETE FROM letters WHERE id = ?", id);
  }

 private:
  // A letter that is damaged, and how.
  struct Broken {
    std::int64_t id;
    Error error;
  };

  // What a walk says at its end of those that it passed over.
  Result<void> Unreadable(const std::vector<Broken>& passed) const {
    constexpr std::size_t kMostNamed = 100;
    if (passed.empty()) return {};
    Error error = passed.front().error;
    error.message += "; it was passed over";
    for (std::size_t i = 1; i < std::min(passed.size(), kMostNamed); ++i) {
      error.message += i == 1 ? ", and so were " : ", ";
      error.message += std::to_string(passed[i].id);
    }
    if (passed.size() > kMostNamed) {
      error.message +=
          " and " + std::to_string(passed.size() - kMostNamed) + " more";
    }
    return Named(error);
  }

  Error Named(const Error& error) const {
    return {error.code, options_.path + ": " + error.message};
  }

  Result<Statement> Prepare(std::string_view sql) {
    auto statement = Statement::Prepare(file_.database.get(), sql);
    if (!statement) return Named(statement.error());
    return statement;
  }

  // Each change is a transaction, so it is durable when it returns.
  Result<bool> Change(std::string_view sql, std::string_view id) {
    const auto number = Number(id);
    if (!number) return false;
    auto change = Prepare(sql);
    if (!change) return change.error();
    change->Bind(1, *number);
    if (auto run = change->Run(); !run) return Named(run.error());
    return sqlite3_changes(file_.database.get()) > 0;
  }

  const SqliteStoreOptions options_;
  // SQLite has its address.
  const std::unique_ptr<std::function<bool(int)>> wait_;
  LettersFile file_;
};

}  // namespace

Result<std::unique_ptr<LetterBox>> OpenBox(const SqliteStoreOptions& options) {
  struct Patience {
    std::chrono::milliseconds timeout;
    std::chrono::steady_clock::time_point since{};
  };
  auto wait = std::make_unique<std::function<bool(int)>>(
      [patience = Patience{options.busy_timeout}](int tried) mutable {
        const auto now = std::chrono::steady_clock::now();
        if (tried == 0) patience.since = now;
        if (now - patience.since >= patience.timeout) return false;
        // A lock of another process can only be asked for again.
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        return true;
      });
  auto file = OpenLetters(options, Absent::kFail, *wait);
  if (!file) return file.error();
  return std::unique_ptr<LetterBox>(
      std::make_unique<Box>(options, std::move(wait), *std::move(file)));
}

}  // namespace cirro::internal::sqlite
