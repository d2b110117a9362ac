#pragma once

#include <poll.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include "support/raw_http.h"

namespace cirro::test {

/// One client thread with many keep-alive connections, each always with a
/// request under way, until its server says close or ends.
class HttpLoad {
 public:
  struct Tally {
    int served = 0;
    int refused = 0;         // 503
    int ended = 0;           // without an answer, by an orderly end
    int reset = 0;           // by anything else
    int broken_promise = 0;  // sent before the drain, and not served
    // While nobody was given an answer: more than a few milliseconds are the
    // machine's.
    std::chrono::steady_clock::duration longest_pause{};
  };

  /// `draining` is set before the drain begins.
  HttpLoad(std::uint16_t port, int connections, std::string request,
           const std::atomic<bool>& draining)
      : draining_(draining), request_(std::move(request)) {
    for (int i = 0; i < connections; ++i) {
      clients_.push_back({RawHttpClient(port)});
    }
  }

  /// Waits until so many requests were served; from any thread.
  void AwaitServed(int count) const {
    for (int seen = served_; seen < count; seen = served_) served_.wait(seen);
  }

  Tally Run() {
    for (Client& client : clients_) SendNext(client);
    auto turn = std::chrono::steady_clock::now();
    while (!clients_.empty()) {
      std::vector<pollfd> polled;
      for (const Client& client : clients_) {
        polled.push_back({client.http.fd(), POLLIN, 0});
      }
      if (poll(polled.data(), polled.size(), 10'000) <= 0) {
        tally_.broken_promise += static_cast<int>(clients_.size());
        break;
      }
      auto client = clients_.begin();
      for (const pollfd& one : polled) {
        const auto next = std::next(client);
        if (one.revents != 0 && !TakeAnswer(*client)) clients_.erase(client);
        client = next;
      }
      const auto now = std::chrono::steady_clock::now();
      tally_.longest_pause =
          std::max(tally_.longest_pause, now - std::exchange(turn, now));
    }
    return tally_;
  }

 private:
  struct Client {
    RawHttpClient http;
    bool sent_before_drain = false;
  };

  void SendNext(Client& client) {
    client.http.Send(request_);
    // Read after the bytes are in the receiver's socket: loopback is direct.
    client.sent_before_drain = !draining_;
  }

  // False when the connection is over.
  bool TakeAnswer(Client& client) {
    const RawResponse response = client.http.Receive();
    if (response.status == 202) {
      ++tally_.served;
      ++served_;
      served_.notify_all();
    } else {
      tally_.broken_promise += client.sent_before_drain;
      if (response.status == 503) {
        ++tally_.refused;
      } else if (client.http.end() == RawHttpClient::End::kEnd) {
        ++tally_.ended;
        return false;
      } else {
        ++tally_.reset;
        return false;
      }
    }
    if (response.Header("connection") == "close") {
      tally_.reset += client.http.WaitForEnd() != RawHttpClient::End::kEnd;
      return false;
    }
    SendNext(client);
    return true;
  }

  const std::atomic<bool>& draining_;
  const std::string request_;
  std::atomic<int> served_ = 0;
  std::list<Client> clients_;
  Tally tally_;
};

}  // namespace cirro::test
