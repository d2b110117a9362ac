#include <cirro/cirro.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/dispatch/mutex.h"
#include "support/raw_http.h"

// The broker in this process, as the settings make it: what is posted to an
// outlet's path comes in again by an inlet, and replies leave by another.
namespace cirro {
namespace {

using test::RawHttpClient;
using test::RawResponse;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What functions saw, for tests that wait for it.
class Seen {
 public:
  void Add(const Event& event) {
    {
      const MutexLock lock(mutex_);
      all_.emplace_back(event.id());
    }
    changed_.notify_all();
  }
  std::vector<std::string> Await(std::size_t count) {
    const MutexLock lock(mutex_);
    changed_.wait_for(mutex_, std::chrono::seconds(30),
                      [this, count]() CIRRO_REQUIRES(mutex_) {
                        return all_.size() >= count;
                      });
    return all_;
  }

 private:
  Mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<std::string> all_ CIRRO_GUARDED_BY(mutex_);
};

class InMemory : public ::testing::Test {
 protected:
  Result<void> TryStart(const std::vector<std::string>& settings) {
    std::vector<std::string> flags = {"--host=127.0.0.1", "--port=0",
                                      "--set=metrics.public=true",
                                      "--set=log.level=error"};
    for (const std::string& setting : settings) {
      flags.push_back("--set=" + setting);
    }
    return app_.Start(flags);
  }
  void Start(const std::vector<std::string>& settings) {
    const auto started = TryStart(settings);
    ASSERT_TRUE(started) << started.error().message;
    client_ = std::make_unique<RawHttpClient>(app_.port());
  }
  RawResponse Post(std::string_view path, std::string_view type,
                   std::string_view id, std::string_view more = {}) {
    std::string request = "POST " + std::string(path) +
                          " HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                          "0\r\nce-source: /test\r\nce-specversion: 1.0\r\n";
    request.append("ce-type: ").append(type).append("\r\n");
    if (!id.empty()) request.append("ce-id: ").append(id).append("\r\n");
    return client_->Exchange(request.append(more).append("\r\n"));
  }
  std::string Metrics() {
    return client_->Exchange("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .body;
  }

  const std::vector<std::string> kTopic = {
      "outlet.events.type=memory", "outlet.events.topic=events",
      "outlet.events.http_path=/events", "inlet.in.type=memory",
      "inlet.in.topics=events"};

  App app_;
  Seen seen_;
  std::unique_ptr<RawHttpClient> client_;
};

TEST_F(InMemory, WhatIsPostedToAPathComesInByItsTopic) {
  app_.On("asked", [this](const Event& event, const Context& context) {
    EXPECT_EQ(context.inlet(), "in");
    seen_.Add(event);
  });
  Start(kTopic);

  const RawResponse answer = Post("/events", "asked", "1");

  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_THAT(seen_.Await(1), ElementsAre("1"));
}

TEST_F(InMemory, OtherPathsAreForFunctionsAsEver) {
  app_.On("asked", [](const Event&) {
    return Reply({.type = "answered", .source = "/s", .data = Text("here")});
  });
  std::vector<std::string> settings = kTopic;
  settings.emplace_back("dispatch.reply_to=none");
  Start(settings);

  const RawResponse answer = Post("/", "asked", "1");

  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "here");
}

TEST_F(InMemory, RepliesGoFromTopicToTopic) {
  app_.On("asked", [](const Event& event) {
    return Reply({.type = "answered",
                  .source = "/s",
                  .id = std::string(event.id()) + "-answered"});
  });
  app_.On("answered", [this](const Event& event) { seen_.Add(event); });
  std::vector<std::string> settings = kTopic;
  for (const char* more :
       {"outlet.answers.type=memory", "outlet.answers.topic=answers",
        "dispatch.reply_to=answers", "inlet.back.type=memory",
        "inlet.back.topics=answers", "inlet.back.mode=shared"}) {
    settings.emplace_back(more);
  }
  Start(settings);

  Post("/events", "asked", "1");

  EXPECT_THAT(seen_.Await(1), ElementsAre("1-answered"));
}

TEST_F(InMemory, KeepsDeadLettersToo) {
  app_.On("asked", [](const Event&) { return Reject("never"); });
  std::vector<std::string> settings = kTopic;
  for (const char* more :
       {"outlet.dead.type=memory", "outlet.dead.topic=dead",
        "dispatch.dead_letter=dead", "readiness.broker=always"}) {
    settings.emplace_back(more);
  }
  Start(settings);

  Post("/events", "asked", "1");

  std::string page;
  for (int i = 0; i < 10'000 && page.find("place=\"dead\"") == page.npos; ++i) {
    page = Metrics();
  }
  EXPECT_THAT(page, HasSubstr("cirro_dead_letters_total{inlet=\"in\",function="
                              "\"asked\",reason=\"rejected\",place=\"dead\"} "
                              "1\n"));
}

TEST_F(InMemory, AFullTopicIsToldToTheSender) {
  app_.On("asked", [](const Event&) {});
  Start({"outlet.events.type=memory", "outlet.events.topic=events",
         "outlet.events.http_path=/events", "memory.partitions=1",
         "memory.max_records=2"});
  EXPECT_EQ(Post("/events", "asked", "1").status, 202);
  EXPECT_EQ(Post("/events", "asked", "2").status, 202);

  EXPECT_EQ(Post("/events", "asked", "3").status, 429);
}

TEST_F(InMemory, WhatIsNoEventIsNotSentOn) {
  app_.On("asked", [](const Event&) {});
  Start(kTopic);

  EXPECT_EQ(Post("/events", "asked", "").status, 400);
}

TEST_F(InMemory, ARedrivenEventIsNotForAnOutlet) {
  app_.On("asked", [](const Event&) {});
  std::vector<std::string> settings = kTopic;
  settings.emplace_back("http.redrive=true");
  Start(settings);

  EXPECT_EQ(
      Post("/events", "asked", "1", "cirro-redrive-function: asked\r\n").status,
      422);
}

TEST_F(InMemory, WhatEndsWithTheProcessIsTold) {
  app_.On("asked", [this](const Event& event) {
    seen_.Add(event);
    return Retry(std::chrono::hours(1), "later");
  });
  std::vector<std::string> settings = kTopic;
  settings.emplace_back("log.level=warning");
  testing::internal::CaptureStderr();
  Start(settings);
  Post("/events", "asked", "1");
  seen_.Await(1);

  const bool stopped{app_.Stop()};

  EXPECT_TRUE(stopped);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("they end with the process"),
                    HasSubstr("\"inlet\":\"in\",\"messages\":1")));
}

TEST_F(InMemory, AGroupOfTheOtherModeNamesTheSetting) {
  app_.On("asked", [](const Event&) {});
  std::vector<std::string> settings = kTopic;
  for (const char* more : {"inlet.x.type=memory", "inlet.x.topics=events",
                           "inlet.x.group=in", "inlet.x.mode=shared"}) {
    settings.emplace_back(more);
  }

  const auto started = TryStart(settings);

  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message,
              HasSubstr("inlet.x.mode = \"shared\": group 'in' consumes in the "
                        "other mode"));
}

}  // namespace
}  // namespace cirro
