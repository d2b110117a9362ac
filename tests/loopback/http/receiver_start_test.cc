// The receiver over real sockets: how it starts.

#include "cirro/http/receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "support/running_receiver.h"

namespace cirro::test {
namespace {

using ::testing::HasSubstr;

// Starting.

TEST(HttpReceiver, RefusesToStartWithAWrongSetting) {
  InlineSink sink;
  for (const HttpOptions& options :
       {HttpOptions{.address = "nowhere"}, HttpOptions{.done_status = 201},
        HttpOptions{.reject_status = 500}, HttpOptions{.reactor_threads = 0},
        HttpOptions{.max_buffered_bytes = 2'000'000}}) {
    HttpReceiver receiver(options);

    const Result<void> started = receiver.Start(sink);

    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, ErrorCode::kInvalidConfig);
  }
}

TEST(HttpReceiver, SaysThatAPortIsTaken) {
  InlineSink sink;
  RunningReceiver first(sink);
  HttpReceiver second({.address = "127.0.0.1", .port = first->port()});

  const Result<void> started = second.Start(sink);

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(started.error().message, HasSubstr("http.port"));
}

TEST(HttpReceiver, AdoptsAListeningSocket) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(fd, 16), 0);
  InlineSink sink;
  HttpReceiver receiver({.listen_fd = fd});

  ASSERT_TRUE(receiver.Start(sink));

  EXPECT_EQ(RawHttpClient(receiver.port()).Exchange(PostEvent("1")).status,
            202);
}

TEST(HttpReceiver, AdoptsNothingThatDoesNotListen) {
  InlineSink sink;
  HttpReceiver receiver({.listen_fd = 0});

  const Result<void> started = receiver.Start(sink);

  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, ErrorCode::kInvalidConfig);
}

TEST(HttpReceiver, SpreadsConnectionsOverItsThreads) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  InlineSink sink([&](const Delivery&) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
    return Done();
  });
  RunningReceiver receiver(sink, {.reactor_threads = 3});

  std::vector<RawHttpClient> clients;
  for (int i = 0; i < 6; ++i) clients.push_back(receiver.Connect());
  for (RawHttpClient& client : clients) {
    EXPECT_EQ(client.Exchange(PostEvent("1")).status, 202);
  }

  EXPECT_EQ(threads.size(), 3u);
}

}  // namespace
}  // namespace cirro::test
