#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cirro::chaos {

/// What was found in the topics.
struct Verdict {
  std::int64_t inputs = 0;        ///< Different events that there were to do.
  std::int64_t results = 0;       ///< Results, repetitions included.
  std::int64_t lost = 0;          ///< Inputs without a result.
  std::int64_t strangers = 0;     ///< Results of nothing.
  std::int64_t disordered = 0;    ///< First results behind a later event's.
  std::int64_t most_at_once = 0;  ///< Results in any one interval.
  /// The first of what was found: "repeated KEY SEQUENCE".
  std::vector<std::string> examples{};

  [[nodiscard]] std::int64_t duplicates() const {
    return results - strangers - (inputs - lost);
  }
};

/// Knows what was read from topics and nothing else. One thread.
class Judge {
 public:
  explicit Judge(std::int64_t interval_ms) : interval_ms_(interval_ms) {}

  /// False: the payload is no "KEY SEQUENCE".
  bool Input(std::string_view payload) {
    const auto name = Parsed(payload);
    if (!name) return false;
    Key& key = KeyOf(name->first);
    if (key.wanted.size() <= name->second) key.wanted.resize(name->second + 1);
    if (!key.wanted[name->second]) ++verdict_.inputs;
    key.wanted[name->second] = true;
    return true;
  }

  /// Whether it is the first result of its event. Results of one key come in
  /// the order in which they were written.
  bool Result(std::string_view payload, std::int64_t written_ms) {
    ++verdict_.results;
    Count(written_ms);
    const auto name = Parsed(payload);
    if (!name) {
      ++verdict_.strangers;
      Note(verdict_, "strange", payload);
      return false;
    }
    Key& key = KeyOf(name->first);
    const std::size_t number = name->second;
    if (key.seen.size() <= number) key.seen.resize(number + 1);
    if (key.seen[number]) {
      Note(verdict_, "repeated", payload);
      return false;
    }
    key.seen[number] = true;
    if (number + 1 < key.next) {
      ++verdict_.disordered;
      Note(verdict_, "disordered", payload);
    }
    key.next = std::max(key.next, number + 1);
    return true;
  }

  [[nodiscard]] Verdict Rule() const {
    Verdict verdict = verdict_;
    verdict.most_at_once = MostAtOnce();
    for (std::size_t each = 0; each < keys_.size(); ++each) {
      const Key& key = keys_[each];
      const auto name = [&](std::size_t i) {
        return std::to_string(each) + ' ' + std::to_string(i);
      };
      for (std::size_t i = 0; i < key.wanted.size(); ++i) {
        if (!key.wanted[i] || Has(key.seen, i)) continue;
        ++verdict.lost;
        Note(verdict, "lost", name(i));
      }
      for (std::size_t i = 0; i < key.seen.size(); ++i) {
        if (!key.seen[i] || Has(key.wanted, i)) continue;
        ++verdict.strangers;
        Note(verdict, "strange", name(i));
      }
    }
    return verdict;
  }

  [[nodiscard]] static std::optional<std::pair<std::size_t, std::size_t>>
  Parsed(std::string_view payload) {
    constexpr std::size_t kMost = 100'000'000;
    std::pair<std::size_t, std::size_t> name;
    const char* const end = payload.data() + payload.size();
    auto read = std::from_chars(payload.data(), end, name.first);
    if (read.ec != std::errc{} || read.ptr == end || *read.ptr != ' ') {
      return std::nullopt;
    }
    read = std::from_chars(read.ptr + 1, end, name.second);
    if (read.ec != std::errc{} || read.ptr != end || name.first > kMost ||
        name.second > kMost) {
      return std::nullopt;
    }
    return name;
  }

 private:
  struct Key {
    std::vector<bool> wanted;
    std::vector<bool> seen;
    std::size_t next = 0;  ///< One more than the largest seen.
  };

  // A few of each kind.
  static void Note(Verdict& verdict, std::string_view what,
                   std::string_view name) {
    constexpr std::ptrdiff_t kExamples = 5;
    const auto same = [&](const std::string& example) {
      return example.compare(0, what.size(), what) == 0;
    };
    if (std::count_if(verdict.examples.begin(), verdict.examples.end(), same) <
        kExamples) {
      verdict.examples.push_back(std::string(what).append(" ").append(name));
    }
  }
  static bool Has(const std::vector<bool>& set, std::size_t i) {
    return i < set.size() && set[i];
  }
  Key& KeyOf(std::size_t number) {
    if (keys_.size() <= number) keys_.resize(number + 1);
    return keys_[number];
  }
  // In counters of a tenth of the interval. Partitions are read one beside the
  // other, so times go back at times.
  void Count(std::int64_t written_ms) {
    ++written_[written_ms / std::max<std::int64_t>(interval_ms_ / 10, 1)];
  }
  [[nodiscard]] std::int64_t MostAtOnce() const {
    std::int64_t most = 0;
    std::int64_t inside = 0;
    auto oldest = written_.begin();
    for (const auto& [tenth, count] : written_) {
      inside += count;
      // Eleven, for an interval may begin within one.
      while (oldest->first + 10 < tenth) inside -= (oldest++)->second;
      most = std::max(most, inside);
    }
    return most;
  }

  const std::int64_t interval_ms_;
  std::map<std::int64_t, std::int64_t> written_;
  std::vector<Key> keys_;
  Verdict verdict_;
};

}  // namespace cirro::chaos
