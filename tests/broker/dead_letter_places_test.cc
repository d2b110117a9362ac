// Every place for dead letters is away, for each pair of a source and a place:
// nothing is acknowledged, a log line and a metric say so, and it goes on when
// the place is back. A whole App on real servers.

#include <cirro/cirro.h>
#include <cirro/runtime/command.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nats/nats.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "cirro/memory/memory.h"
#include "support/kafka_tool.h"
#include "support/live_executor.h"
#include "support/nats_peer.h"
#include "support/nats_server.h"
#include "support/noting_observer.h"
#include "support/raw_http.h"
#include "support/raw_http_server.h"
#include "support/real_time.h"
#include "support/temp_dir.h"
#include "support/wire.h"

namespace cirro {
namespace {

using test::KafkaTool;
using test::Wire;
using ::testing::HasSubstr;

using Flags = std::vector<std::string>;
constexpr const char* kType = "com.example.test";

std::uint16_t PortOf(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

bool Await(const std::function<bool()>& holds) {
  return test::Eventually(holds, std::chrono::seconds(60));
}

// --- Where events come from --------------------------------------------------

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// The inlet `in`, in code or by settings.
  virtual void AddTo(App& app, Flags& settings) = 0;
  /// One event.
  virtual void Publish() = 0;
  /// Events that it was not told to forget.
  virtual std::uint64_t Pending() = 0;
};

template <MemoryMode mode>
class MemorySource final : public Source {
 public:
  void AddTo(App& app, Flags& /*settings*/) override {
    app.AddInlet(*MakeMemoryInlet(
        broker_,
        {.name = "in", .topics = {"asked"}, .group = "g", .mode = mode}, clock_,
        observer_));
  }
  void Publish() override {
    const auto event =
        EventBuilder().id("0").source("/test").type(kType).Build();
    ASSERT_TRUE(broker_.Produce("asked", {.content = *event}));
  }
  std::uint64_t Pending() override { return broker_.Pending("g"); }

 private:
  const test::RealClock clock_{};
  test::NotingObserver observer_;
  MemoryBroker broker_{clock_};
};

class KafkaSource final : public Source {
 public:
  void AddTo(App& /*app*/, Flags& settings) override {
    settings.insert(
        settings.end(),
        {"inlet.in.type=kafka", "inlet.in.brokers=" + test::KafkaUrl(),
         "inlet.in.topics=" + topic_, "inlet.in.group=" + topic_,
         "inlet.in.commit_every=50ms"});
  }
  void Publish() override { tool_.WriteEvents(topic_, 1); }
  std::uint64_t Pending() override {
    return tool_.Committed(topic_, topic_).offset == 1 ? 0 : 1;
  }

 private:
  KafkaTool tool_{test::KafkaUrl()};
  const std::string topic_ = tool_.MakeTopic();
};

class JetStreamSource final : public Source {
 public:
  JetStreamSource() { peer_.MakeStream("asked", "asked"); }
  void AddTo(App& /*app*/, Flags& settings) override {
    settings.insert(settings.end(),
                    {"inlet.in.type=nats", "inlet.in.servers=" + server_.url(),
                     "inlet.in.stream=asked", "inlet.in.durable=d"});
  }
  void Publish() override {
    peer_.Publish("asked", "{}",
                  {{"ce-specversion", "1.0"},
                   {"ce-id", "0"},
                   {"ce-source", "/test"},
                   {"ce-type", kType},
                   {"content-type", "application/json"}});
  }
  std::uint64_t Pending() override {
    const auto consumer = peer_.ConsumerOf("asked", "d");
    return 1 - consumer.ack_floor;
  }

 private:
  test::NatsServer server_;
  test::NatsPeer peer_{server_.url()};
};

// --- Where dead letters go ---------------------------------------------------

/// Away until it is told to come.
class Place {
 public:
  Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual ~Place() = default;

  /// The outlet or file `dead`.
  virtual void AddTo(App& app, Flags& settings) = 0;
  /// It was there when the process began, and goes.
  virtual void Go() {}
  virtual void Come() = 0;
  virtual std::uint64_t Letters() = 0;
};

class MemoryPlace final : public Place {
 public:
  void AddTo(App& app, Flags& /*settings*/) override {
    broker_.Refuse("dead", ErrorCode::kUnavailable);
    app.AddOutlet(
        *MakeMemoryOutlet(broker_, {.name = "dead", .topic = "dead"}));
  }
  void Come() override { broker_.Refuse("dead", std::nullopt); }
  std::uint64_t Letters() override { return broker_.Read("dead").size(); }

 private:
  const test::RealClock clock_{};
  MemoryBroker broker_{clock_};
};

class KafkaPlace final : public Place {
 public:
  void AddTo(App& /*app*/, Flags& settings) override {
    wire_.Cut();
    settings.insert(
        settings.end(),
        {"outlet.dead.type=kafka",
         "outlet.dead.brokers=127.0.0.1:" + std::to_string(wire_.port()),
         "outlet.dead.topic=" + topic_, "outlet.dead.timeout=500ms",
         "outlet.dead.librdkafka.reconnect.backoff.max.ms=200"});
  }
  void Come() override { wire_.Mend(); }
  std::uint64_t Letters() override { return tool_.Read(topic_).size(); }

 private:
  KafkaTool tool_{test::KafkaUrl()};
  const std::string topic_ = tool_.MakeTopic();
  Wire wire_{PortOf(test::KafkaUrl()), Wire::Protocol::kKafka};
};

class StreamPlace final : public Place {
 public:
  StreamPlace() { peer_.MakeStream("dead", "dead"); }
  void AddTo(App& /*app*/, Flags& settings) override {
    wire_.Cut();
    settings.insert(
        settings.end(),
        {"outlet.dead.type=nats",
         "outlet.dead.servers=nats://127.0.0.1:" + std::to_string(wire_.port()),
         "outlet.dead.subject=dead", "outlet.dead.timeout=500ms",
         "outlet.dead.reconnect_wait=20ms"});
  }
  void Come() override { wire_.Mend(); }
  std::uint64_t Letters() override { return peer_.MessagesIn("dead"); }

 private:
  test::NatsServer server_;
  test::NatsPeer peer_{server_.url()};
  Wire wire_{PortOf(server_.url()), Wire::Protocol::kAny};
};

class FilePlace final : public Place {
 public:
  void AddTo(App& /*app*/, Flags& settings) override {
    std::filesystem::create_directory(folder_);
    settings.push_back("dead_letter.dead.path=" +
                       (folder_ / "dead.db").string());
  }
  // As a volume that is taken away.
  void Go() override { std::filesystem::rename(folder_, elsewhere_); }
  void Come() override { std::filesystem::rename(elsewhere_, folder_); }
  std::uint64_t Letters() override {
    const auto box = OpenLetterBox(
        "dead", std::vector<std::string>{"--set=dead_letter.dead.path=" +
                                         (folder_ / "dead.db").string()});
    if (!box) return 0;
    std::uint64_t count = 0;
    static_cast<void>((*box)->Walk({}, [&](const auto&) {
      ++count;
      return Result<bool>(true);
    }));
    return count;
  }

 private:
  const test::TempDir base_;
  const std::filesystem::path folder_ = base_.path() / "volume";
  const std::filesystem::path elsewhere_ = base_.path() / "elsewhere";
};

class HttpPlace final : public Place {
 public:
  void AddTo(App& /*app*/, Flags& settings) override {
    settings.push_back("outlet.dead.url=" + server_.url());
  }
  void Come() override { here_ = true; }
  std::uint64_t Letters() override { return taken_; }

 private:
  std::atomic<bool> here_ = false;
  std::atomic<std::uint64_t> taken_ = 0;
  test::RawHttpServer server_{[this](const std::string& /*request*/) {
    if (!here_) return test::Status("503 Service Unavailable");
    ++taken_;
    return test::Status("202 Accepted");
  }};
};

// --- Each with each ----------------------------------------------------------

template <typename Made, typename As>
std::unique_ptr<As> Make() {
  return std::make_unique<Made>();
}
struct SourceParam {
  const char* name;
  std::unique_ptr<Source> (*make)();
};
struct PlaceParam {
  const char* name;
  std::unique_ptr<Place> (*make)();
};

class DeadLetterPlaces
    : public ::testing::TestWithParam<std::tuple<SourceParam, PlaceParam>> {
 protected:
  void SetUp() override {
    if (test::KafkaUrl().empty()) {
      GTEST_SKIP() << "CIRRO_TEST_KAFKA_URL names no broker";
    }
    source_ = std::get<0>(GetParam()).make();
    place_ = std::get<1>(GetParam()).make();
    app_ = std::make_unique<App>();
    app_->On(kType, [](const Event&) { return Reject("never"); });
  }
  void TearDown() override { app_.reset(); }  // Before what it uses.

  void Start() {
    Flags settings = {"dispatch.dead_letter=dead", "dispatch.retry_base=20ms",
                      "dispatch.retry_cap=100ms", "metrics.public=true"};
    source_->AddTo(*app_, settings);
    place_->AddTo(*app_, settings);
    Flags flags = {"--host=127.0.0.1", "--port=0"};
    for (const std::string& one : settings) flags.push_back("--set=" + one);
    const auto started = app_->Start(flags);
    ASSERT_TRUE(started) << started.error().message;
  }
  // The sum of a family of one function, whatever its other labels.
  std::uint64_t Count(const std::string& family) {
    const std::string page =
        test::RawHttpClient(app_->port())
            .Exchange("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .body;
    std::uint64_t sum = 0;
    for (std::size_t at = page.find('\n' + family + "{inlet=\"in\"");
         at != std::string::npos; at = page.find('\n' + family + "{", at + 1)) {
      sum += std::stoull(page.substr(page.find("} ", at) + 2));
    }
    return sum;
  }

  std::unique_ptr<Source> source_;
  std::unique_ptr<Place> place_;
  std::unique_ptr<App> app_;
};

TEST_P(DeadLetterPlaces, StallTheSourceUntilOneIsBack) {
  testing::internal::CaptureStderr();
  Start();
  place_->Go();
  source_->Publish();

  // Twice: it was asked again, with backoff.
  const bool stalled =
      Await([&] { return Count("cirro_dead_letter_stalls_total") >= 2; });
  const std::uint64_t pending = source_->Pending();
  const std::uint64_t buried = Count("cirro_dead_letters_total");
  place_->Come();
  const bool gone = Await([&] { return source_->Pending() == 0; });
  const std::uint64_t buried_then = Count("cirro_dead_letters_total");
  const bool stopped{app_->Stop()};
  const std::string log = testing::internal::GetCapturedStderr();

  EXPECT_TRUE(stalled) << log;
  EXPECT_EQ(pending, 1U);
  EXPECT_EQ(buried, 0U);
  EXPECT_TRUE(gone) << log;
  EXPECT_EQ(buried_then, 1U);
  // What timed out here may have arrived there, too.
  EXPECT_GE(place_->Letters(), 1U);
  EXPECT_TRUE(stopped);
  EXPECT_THAT(log, HasSubstr("its source waits until one does"));
}

INSTANTIATE_TEST_SUITE_P(
    Each, DeadLetterPlaces,
    testing::Combine(
        testing::Values(
            SourceParam{"Memory",
                        &Make<MemorySource<MemoryMode::kPartitioned>, Source>},
            SourceParam{"SharedMemory",
                        &Make<MemorySource<MemoryMode::kShared>, Source>},
            SourceParam{"Kafka", &Make<KafkaSource, Source>},
            SourceParam{"JetStream", &Make<JetStreamSource, Source>}),
        testing::Values(PlaceParam{"Memory", &Make<MemoryPlace, Place>},
                        PlaceParam{"Topic", &Make<KafkaPlace, Place>},
                        PlaceParam{"Stream", &Make<StreamPlace, Place>},
                        PlaceParam{"File", &Make<FilePlace, Place>},
                        PlaceParam{"Http", &Make<HttpPlace, Place>})),
    [](const auto& test) {
      return std::string("From") + std::get<0>(test.param).name + "To" +
             std::get<1>(test.param).name;
    });

}  // namespace
}  // namespace cirro
