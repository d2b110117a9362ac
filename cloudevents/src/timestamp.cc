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

struct Fields {
  int year;
  int month;
  int day;
  int hour;
  int minute;
  int second;
  std::uint32_t nanoseconds;
  int offset;  // In minutes.
};

constexpr int kNoDigits = 128;  // A bit that no number of two digits has.

// The number at `at`, or something with kNoDigits in it.
constexpr int TwoDigits(const char* at) noexcept {
  const int tens = at[0] - '0';
  const int ones = at[1] - '0';
  const bool good =
      static_cast<unsigned>(tens) < 10 && static_cast<unsigned>(ones) < 10;
  return good ? tens * 10 + ones : kNoDigits;
}

// "time-secfrac = "." 1*DIGIT"; digits past the ninth are below our grain.
// Takes them from the front and returns false if there is none.
bool TakeFraction(std::string_view& text, std::uint32_t& out) noexcept {
  std::size_t digits = 0;
  out = 0;
  for (; digits < text.size() && IsDigit(text[digits]); ++digits) {
    if (digits < 9) {
      out = out * 10 + static_cast<std::uint32_t>(text[digits] - '0');
    }
  }
  text.remove_prefix(digits);
  for (std::size_t i = digits; i < 9; ++i) out *= 10;
  return digits != 0;
}

// "time-offset = "Z" / time-numoffset", the whole of `text`, in minutes.
const char* ReadOffset(std::string_view text, int& out) noexcept {
  if (text == "Z" || text == "z") {
    out = 0;
    return nullptr;
  }
  if (text.size() < 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') {
    return "the offset is Z or +hh:mm or -hh:mm";
  }
  if (text.size() > 6) return "something follows the offset";
  const int hours = TwoDigits(text.data() + 1);
  const int minutes = TwoDigits(text.data() + 4);
  if (((hours | minutes) & kNoDigits) != 0) return "a digit is expected";
  if (hours > 23 || minutes > 59) return "the offset is out of range";
  out = (text[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
  return nullptr;
}

// What is wrong with the text's form, or null and its `fields`.
const char* Read(std::string_view text, Fields& fields) noexcept {
  constexpr std::size_t kUpToSeconds = 19;
  if (text.size() <= kUpToSeconds) return "it is too short";
  const char* const at = text.data();
  if (at[4] != '-' || at[7] != '-') return "the date is YYYY-MM-DD";
  if (at[10] != 'T' && at[10] != 't') return "T separates date and time";
  if (at[13] != ':' || at[16] != ':') return "the time is hh:mm:ss";
  const int century = TwoDigits(at);
  const int year = TwoDigits(at + 2);
  fields.year = century * 100 + year;
  fields.month = TwoDigits(at + 5);
  fields.day = TwoDigits(at + 8);
  fields.hour = TwoDigits(at + 11);
  fields.minute = TwoDigits(at + 14);
  fields.second = TwoDigits(at + 17);
  if (((century | year | fields.month | fields.day | fields.hour |
        fields.minute | fields.second) &
       kNoDigits) != 0) {
    return "a digit is expected";
  }
  text.remove_prefix(kUpToSeconds);
  fields.nanoseconds = 0;
  if (text.front() == '.') {
    text.remove_prefix(1);
    if (!TakeFraction(text, fields.nanoseconds)) {
      return "a fraction has at least one digit";
    }
  }
  return ReadOffset(text, fields.offset);
}

std::int64_t SecondsOf(const Fields& fields) noexcept {
  const std::int64_t minutes =
      std::int64_t{fields.hour} * 60 + fields.minute - fields.offset;
  return DaysFromCivil(fields.year, fields.month, fields.day) * kSecondsADay +
         minutes * 60 + fields.second;
}

// What is wrong with the values, or null.
const char* Check(const Fields& fields) noexcept {
  if (fields.month < 1 || fields.month > 12) return "the month is out of range";
  if (fields.day < 1 || fields.day > DaysInMonth(fields.year, fields.month)) {
    return "no such day";
  }
  if (fields.hour > 23 || fields.minute > 59 || fields.second > 60) {
    return "no such time of day";
  }
  if (fields.second == 60) {
    // "Leap seconds [...] are introduced at the end of a month in UTC": then
    // the second after it is the first of a month. RFC 3339 section 5.7.
    const std::int64_t seconds = SecondsOf(fields);
    const std::int64_t days = FloorDivide(seconds, kSecondsADay);
    if (seconds != days * kSecondsADay || CivilFromDays(days).day != 1) {
      return "a leap second is at 23:59:60 UTC of a month's last day";
    }
  }
  return nullptr;
}

const char* Read(std::string_view text, Timestamp& out) noexcept {
  Fields fields;
  if (const char* const wrong = Read(text, fields)) return wrong;
  if (const char* const wrong = Check(fields)) return wrong;
  out = {SecondsOf(fields), fields.nanoseconds,
         static_cast<std::int16_t>(fields.offset)};
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
  Fields fields;
  return Read(text, fields) == nullptr && Check(fields) == nullptr;
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
