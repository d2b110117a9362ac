#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace cirro::bench {

/// How long events were on their way that Stamp made and Note was told of.
class Latencies {
 public:
  static std::string Stamp() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    std::string text = std::to_string(std::chrono::nanoseconds(now).count());
    return "{\"at\":" + text + ",\"note\":\"" +
           std::string(100 - 18 - text.size(), 'x') + "\"}";
  }
  /// One thread. The first quarter is not counted.
  void Note(std::string_view data) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const long long sent = std::strtoll(data.data() + 6, nullptr, 10);
    took_.push_back(std::chrono::nanoseconds(now).count() - sent);
    if (!seen_.exchange(true)) seen_.notify_all();
  }
  /// Another thread: until the first was noted.
  void AwaitFirst() const { seen_.wait(false); }
  void Print(const char* what, const char* side) {
    took_.erase(took_.begin(),
                took_.begin() + static_cast<std::ptrdiff_t>(took_.size() / 4));
    std::sort(took_.begin(), took_.end());
    const auto at = [this](double part) {
      const auto last = static_cast<double>(took_.size() - 1);
      return static_cast<double>(took_[static_cast<std::size_t>(part * last)]) /
             1e3;
    };
    std::printf(
        "{\"what\":\"%s\",\"side\":\"%s\",\"p50_us\":%.1f,"
        "\"p99_us\":%.1f}\n",
        what, side, at(0.5), at(0.99));
    std::fflush(stdout);
  }

 private:
  std::vector<long long> took_;
  std::atomic<bool> seen_{false};
};

/// Calls `send` with a stamped payload, `messages` times at `rate` a second;
/// `warm` comes after the first, for which a group forms and a topic is found.
template <typename Send, typename Warm>
void Pace(int messages, int rate, Send send, Warm warm) {
  send(0, Latencies::Stamp());
  warm();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 1; i < messages; ++i) {
    std::this_thread::sleep_until(
        begin + std::chrono::nanoseconds(1'000'000'000LL * i / rate));
    send(i, Latencies::Stamp());
  }
}

}  // namespace cirro::bench
