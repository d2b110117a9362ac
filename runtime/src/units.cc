#include "units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

namespace cirro::internal {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t size;
};

// The order is that of writing: the largest first.
constexpr std::array<Unit, 5> kTimeUnits{{{"d", 86'400'000},
                                          {"h", 3'600'000},
                                          {"m", 60'000},
                                          {"s", 1'000},
                                          {"ms", 1}}};
constexpr std::array<Unit, 9> kSizeUnits{{{"GiB", 1LL << 30},
                                          {"MiB", 1LL << 20},
                                          {"KiB", 1LL << 10},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"kB", 1'000},
                                          {"KB", 1'000},
                                          {"B", 1},
                                          {"", 1}}};

// Far from overflow in every unit, and no sensible setting is larger.
constexpr std::int64_t kLongestDuration = 1000LL * 86'400'000;

bool IsDigit(char c) { return '0' <= c && c <= '9'; }

// A number with at most three fraction digits, in thousandths; takes it off
// the front of `text`.
std::optional<std::int64_t> TakeThousandths(std::string_view& text) {
  std::int64_t value = 0;
  std::size_t at = 0;
  for (; at < text.size() && IsDigit(text[at]); ++at) {
    if (at == 15) return std::nullopt;
    value = value * 10 + (text[at] - '0');
  }
  if (at == 0) return std::nullopt;
  value *= 1000;
  if (at < text.size() && text[at] == '.') {
    std::int64_t place = 100;
    const std::size_t first = ++at;
    for (; at < text.size() && IsDigit(text[at]); ++at, place /= 10) {
      if (place == 0 && text[at] != '0') return std::nullopt;
      value += place * (text[at] - '0');
    }
    if (at == first) return std::nullopt;
  }
  text.remove_prefix(at);
  return value;
}

// Source: ISO 8601 durations, as far as a duration is a number of milliseconds:
// days, hours, minutes, seconds.
std::optional<std::int64_t> ParseIsoDuration(std::string_view text) {
  std::int64_t sum = 0;
  bool time = false;
  std::string_view left = "DTHMS";  // Each at most once, in this order.
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    if (text.front() == 'T') {
      if (time || text.size() == 1) return std::nullopt;
      time = true;
      left = "HMS";
      text.remove_prefix(1);
      continue;
    }
    const auto number = TakeThousandths(text);
    if (!number || text.empty()) return std::nullopt;
    const std::size_t at = left.find(text.front());
    if (at == std::string_view::npos) return std::nullopt;
    if (!time && text.front() != 'D') return std::nullopt;
    const char unit = text.front();
    const std::int64_t size = unit == 'D'   ? 86'400
                              : unit == 'H' ? 3'600
                              : unit == 'M' ? 60
                                            : 1;
    if (*number > kLongestDuration) return std::nullopt;
    sum += *number * size;
    left.remove_prefix(at + 1);
    text.remove_prefix(1);
  }
  return sum;
}

}  // namespace

std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text) {
  std::int64_t sum = 0;
  if (text.empty()) return std::nullopt;
  if (text == "0") return std::chrono::milliseconds(0);
  if (text.front() == 'P') {
    const auto parsed = ParseIsoDuration(text.substr(1));
    if (!parsed || *parsed > kLongestDuration) return std::nullopt;
    return std::chrono::milliseconds(*parsed);
  }
  auto next = kTimeUnits.begin();  // Units come at most once, largest first.
  while (!text.empty()) {
    const auto number = TakeThousandths(text);
    if (!number) return std::nullopt;
    const std::size_t length = std::min(
        text.size(),
        static_cast<std::size_t>(
            std::find_if(text.begin(), text.end(), IsDigit) - text.begin()));
    const auto unit = std::find_if(next, kTimeUnits.end(), [&](const Unit& u) {
      return u.name == text.substr(0, length);
    });
    if (unit == kTimeUnits.end() || *number > kLongestDuration) {
      return std::nullopt;
    }
    if (*number % 1000 * unit->size % 1000 != 0) return std::nullopt;
    sum += *number / 1000 * unit->size + *number % 1000 * unit->size / 1000;
    if (sum > kLongestDuration) return std::nullopt;
    next = std::next(unit);
    text.remove_prefix(length);
  }
  return std::chrono::milliseconds(sum);
}

std::string FormatDuration(std::chrono::milliseconds value) {
  std::int64_t rest = value.count();
  if (rest == 0) return "0s";
  std::string text;
  for (const Unit& unit : kTimeUnits) {
    if (rest < unit.size) continue;
    text += std::to_string(rest / unit.size);
    text += unit.name;
    rest %= unit.size;
  }
  return text;
}

std::optional<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ParseByteSize(std::string_view text) {
  const auto digits = static_cast<std::size_t>(
      std::find_if_not(text.begin(), text.end(), IsDigit) - text.begin());
  const auto number = ParseInteger(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : kSizeUnits) {
    if (text.substr(digits) != unit.name) continue;
    if (*number > std::numeric_limits<std::int64_t>::max() / unit.size) {
      return std::nullopt;
    }
    return *number * unit.size;
  }
  return std::nullopt;
}

std::string FormatByteSize(std::int64_t bytes) {
  for (std::size_t i = 0; i < 3; ++i) {
    const Unit& unit = kSizeUnits.at(i);
    if (bytes != 0 && bytes % unit.size == 0) {
      return std::to_string(bytes / unit.size) + std::string(unit.name);
    }
  }
  return std::to_string(bytes) + "B";
}

bool IsHttpUrl(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    std::string_view host = text.substr(scheme.size());
    host = host.substr(0, host.find_first_of("/?#"));
    host.remove_prefix(host.rfind('@') + 1);  // npos + 1 is 0
    // An IPv6 address has colons, in brackets.
    const std::size_t bracket = host.find(']');
    const std::size_t colon =
        host.find(':', bracket == std::string_view::npos ? 0 : bracket);
    if (colon == 0 || host.empty()) return false;
    if (colon == std::string_view::npos) return true;
    const auto port = ParseInteger(host.substr(colon + 1));
    return port && *port >= 1 && *port <= 65'535;
  }
  return false;
}

std::string RedactUrl(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("?#", begin), url.size());
  // The last one: a password may hold a `/` or an `@` that should have been
  // escaped, and a path that is hidden does no harm.
  const std::size_t at = url.substr(0, end).rfind('@');
  std::string text(url.substr(0, begin));
  // Behind a `?` or `#` an `@` may end a password, too; then what stands before
  // is no host and port.
  const std::string_view host =
      url.substr(begin, std::min(url.find('/', begin), end) - begin);
  const std::size_t colon = std::min(host.find(':'), host.size());
  if (url.find('@', end) != std::string_view::npos &&
      (host.size() == end - begin ||
       host.find_first_not_of("0123456789", colon + 1) !=
           std::string_view::npos)) {
    return text += "***";
  }
  if (at != std::string_view::npos && at >= begin) {
    text += "***";
    text += url.substr(at, end - at);
  } else {
    text += url.substr(begin, end - begin);
  }
  if (end != url.size()) text.append(1, url[end]).append("***");
  return text;
}

// Damerau-Levenshtein, the restricted form: no text is edited twice.
std::size_t TypingDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace cirro::internal
