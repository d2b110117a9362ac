#include "cirro/cloudevents/timestamp.h"

#include <array>
#include <limits>

#include "text.h"

namespace cirro {
namespace {

constexpr std::int64_t kSecondsADay = 86'400;

constexpr bool IsLeapYear(std::int64_t year) noexcept {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int DaysInMonth(std::int64_t year, int month) noexcept {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
  return kDays[static_cast<std::size_t>(month - 1)] +
         (month == 2 && IsLeapYear(year) ? 1 : 0);
}

// Days since 1970-01-01 in the proleptic Gregorian calendar. Years begin in
// March, so that the leap day is the last of its year; an era is 400 years.
constexpr std::int64_t DaysFromCivil(std::int64_t year, int month,
                                     int day) noexcept {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year =
      (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

struct Civil {
  std::int64_t year;
  int month;
  int day;
};

constexpr Civil CivilFromDays(std::int64_t days) noexcept {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 -
       day_of_era / 146'096) /
      365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3
                                                        : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1)};
}

static_assert(DaysFromCivil(1970, 1, 1) == 0);
static_assert(DaysFromCivil(0, 1, 1) == -719'528);
static_assert(CivilFromDays(-719'528).year == 0);

constexpr std::int64_t FloorDivide(std::int64_t a, std::int64_t b) noexcept {
  return a / b - (a % b < 0 ? 1 : 0);
}

constexpr bool IsDigit(char c) noexcept { return c >= '0' && c <= '9'; }

// Takes the text apart from the front. `problem` is null while all is well.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : text_(text) {}

  int Number(std::size_t digits) noexcept {
    if (text_.size() < digits) return Fail("it is too short");
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (!IsDigit(text_[i])) return Fail("a digit is expected");
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(digits);
    return value;
  }

  bool Take(char c) noexcept {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  void Expect(char c, const char* otherwise) noexcept {
    if (!Take(c)) Fail(otherwise);
  }

  // "time-secfrac = "." 1*DIGIT"; digits past the ninth are below our grain.
  std::uint32_t Fraction() noexcept {
    std::uint32_t value = 0;
    std::size_t digits = 0;
    for (; digits < text_.size() && IsDigit(text_[digits]); ++digits) {
      if (digits < 9) {
        value = value * 10 + static_cast<std::uint32_t>(text_[digits] - '0');
      }
    }
    if (digits == 0) Fail("a fraction has at least one digit");
    text_.remove_prefix(digits);
    for (; digits < 9; ++digits) value *= 10;
    return value;
  }

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  [[nodiscard]] const char* problem() const noexcept { return problem_; }

  int Fail(const char* problem) noexcept {
    if (problem_ == nullptr) problem_ = problem;
    return 0;
  }

 private:
  std::string_view text_;
  const char* problem_ = nullptr;
};

// What is wrong with the text, or null and the value in `out`.
const char* Read(std::string_view text, Timestamp& out) noexcept {
  Reader reader(text);
  const int year = reader.Number(4);
  reader.Expect('-', "the date is YYYY-MM-DD");
  const int month = reader.Number(2);
  reader.Expect('-', "the date is YYYY-MM-DD");
  const int day = reader.Number(2);
  if (!reader.Take('T')) reader.Expect('t', "T separates date and time");
  const int hour = reader.Number(2);
  reader.Expect(':', "the time is hh:mm:ss");
  const int minute = reader.Number(2);
  reader.Expect(':', "the time is hh:mm:ss");
  const int second = reader.Number(2);
  const std::uint32_t nanoseconds = reader.Take('.') ? reader.Fraction() : 0;
  int offset = 0;
  if (!reader.Take('Z') && !reader.Take('z')) {
    const bool west = reader.Take('-');
    if (!west) reader.Expect('+', "the offset is Z or +hh:mm or -hh:mm");
    const int hours = reader.Number(2);
    reader.Expect(':', "the offset is Z or +hh:mm or -hh:mm");
    const int minutes = reader.Number(2);
    if (hours > 23 || minutes > 59) reader.Fail("the offset is out of range");
    offset = (west ? -1 : 1) * (hours * 60 + minutes);
  }
  if (reader.problem() != nullptr) return reader.problem();
  if (!reader.empty()) return "something follows the offset";
  if (month < 1 || month > 12) return "the month is out of range";
  if (day < 1 || day > DaysInMonth(year, month)) return "no such day";
  if (hour > 23 || minute > 59 || second > 60) return "no such time of day";

  const std::int64_t seconds = DaysFromCivil(year, month, day) * kSecondsADay +
                               hour * 3'600 + minute * 60 + second -
                               std::int64_t{offset} * 60;
  if (second == 60) {
    // "Leap seconds [...] are introduced at the end of a month in UTC": then
    // the second after it is the first of a month. RFC 3339 section 5.7.
    const std::int64_t days = FloorDivide(seconds, kSecondsADay);
    if (seconds != days * kSecondsADay || CivilFromDays(days).day != 1) {
      return "a leap second is at 23:59:60 UTC of a month's last day";
    }
  }
  out = {seconds, nanoseconds, static_cast<std::int16_t>(offset)};
  return nullptr;
}

void AppendNumber(std::string& out, std::int64_t value, int digits) {
  const std::string text = std::to_string(value);
  for (int i = static_cast<int>(text.size()); i < digits; ++i) out += '0';
  out += text;
}

}  // namespace

std::optional<Timestamp> internal::ReadTimestamp(
    std::string_view text) noexcept {
  Timestamp value;
  if (Read(text, value) != nullptr) return std::nullopt;
  return value;
}

Result<Timestamp> ParseTimestamp(std::string_view text) {
  Timestamp value;
  const char* const problem = Read(text, value);
  if (problem == nullptr) return value;
  return Error{ErrorCode::kInvalidEvent,
               "rule 11: a timestamp MUST adhere to RFC 3339, and " +
                   internal::Excerpt(text) + " does not: " + problem,
               {11}};
}

bool IsTimestamp(std::string_view text) noexcept {
  Timestamp value;
  return Read(text, value) == nullptr;
}

std::string FormatTimestamp(const Timestamp& value) {
  const std::int64_t local =
      value.seconds + std::int64_t{value.offset_minutes} * 60;
  const std::int64_t days = FloorDivide(local, kSecondsADay);
  const std::int64_t of_day = local - days * kSecondsADay;
  const Civil date = CivilFromDays(days);
  std::string out;
  AppendNumber(out, date.year, 4);
  out += '-';
  AppendNumber(out, date.month, 2);
  out += '-';
  AppendNumber(out, date.day, 2);
  out += 'T';
  AppendNumber(out, of_day / 3'600, 2);
  out += ':';
  AppendNumber(out, of_day / 60 % 60, 2);
  out += ':';
  AppendNumber(out, of_day % 60, 2);
  if (value.nanoseconds != 0) {
    out += '.';
    AppendNumber(out, value.nanoseconds, 9);
    out.erase(out.find_last_not_of('0') + 1);
  }
  if (value.offset_minutes == 0) return out += 'Z';
  const int offset = value.offset_minutes;
  const int size = offset < 0 ? -offset : offset;
  out += offset < 0 ? '-' : '+';
  AppendNumber(out, size / 60, 2);
  out += ':';
  AppendNumber(out, size % 60, 2);
  return out;
}

Timestamp ToTimestamp(
    std::chrono::sys_time<std::chrono::nanoseconds> value) noexcept {
  const auto second = std::chrono::floor<std::chrono::seconds>(value);
  return {second.time_since_epoch().count(),
          static_cast<std::uint32_t>((value - second).count()), 0};
}

std::chrono::sys_time<std::chrono::nanoseconds> ToSysTime(
    const Timestamp& value) noexcept {
  using Time = std::chrono::sys_time<std::chrono::nanoseconds>;
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  if (value.seconds >= kMost / kPerSecond) return Time::max();
  if (value.seconds <= -(kMost / kPerSecond)) return Time::min();
  return Time(
      std::chrono::nanoseconds(value.seconds * kPerSecond + value.nanoseconds));
}

}  // namespace cirro
