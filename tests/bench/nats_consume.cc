// JetStream fetch -> function -> ack: the inlet with an inline function behind
// the whole dispatcher, against a raw loop of libnats that fetches, reads the
// same seven headers, touches the payload and acknowledges. In turns, on one
// stream of 100-byte events in memory; each round has a consumer of its own.
//
//   bench_nats_consume URL MESSAGES ROUNDS

#include <dlfcn.h>
#include <nats/nats.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/make_handler.h"
#include "cirro/module/module.h"
#include "cirro/nats/nats.h"

namespace cirro::bench {
namespace {

constexpr const char* kStream = "BENCH";
constexpr const char* kSubject = "bench.events";
constexpr int kBatch = 256;
constexpr const char* kHeaders[] = {
    "ce-specversion", "ce-id",      "ce-source",         "ce-type",
    "ce-time",        "ce-subject", "ce-datacontenttype"};

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "bench_nats_consume: %s\n", what);
  std::exit(1);
}
void Must(natsStatus status) {
  if (status != NATS_OK) Fail(natsStatus_GetText(status));
}

double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Round {
  double per_second;
  double processor_us;
};

template <typename Run>
Round Measure(int messages, Run run) {
  const double processor = ProcessorSeconds();
  const auto begin = std::chrono::steady_clock::now();
  run();
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  return {messages / took, (ProcessorSeconds() - processor) * 1e6 / messages};
}

void Fill(jsCtx* js, int messages) {
  js_DeleteStream(js, kStream, nullptr, nullptr);
  const char* subjects[] = {kSubject};
  jsStreamConfig config;
  Must(jsStreamConfig_Init(&config));
  config.Name = kStream;
  config.Subjects = subjects;
  config.SubjectsLen = 1;
  config.Storage = js_MemoryStorage;
  Must(js_AddStream(nullptr, js, &config, nullptr, nullptr));
  const std::string payload = R"({"id":1009,"total":129.95,"note":")" +
                              std::string(100 - 36, 'x') + "\"}";
  for (int i = 0; i < messages; ++i) {
    natsMsg* message = nullptr;
    Must(natsMsg_Create(&message, kSubject, nullptr, payload.data(),
                        static_cast<int>(payload.size())));
    const std::string id = "b7c2f0de-" + std::to_string(i);
    const char* const values[] = {"1.0",
                                  id.c_str(),
                                  "/shops/berlin/4",
                                  "com.example.order.placed",
                                  "2024-05-06T07:08:09.123Z",
                                  "orders/1009",
                                  "application/json"};
    for (std::size_t header = 0; header < std::size(kHeaders); ++header) {
      Must(natsMsgHeader_Add(message, kHeaders[header], values[header]));
    }
    Must(js_PublishMsgAsync(js, &message, nullptr));
  }
  Must(js_PublishAsyncComplete(js, nullptr));
}

// A batch at a time, as libnats's own examples have it.
Round RunRaw(natsConnection* connection, jsCtx* js, int messages,
             const std::string& durable) {
  natsSubscription* subscription = nullptr;
  Must(js_PullSubscribe(&subscription, js, kSubject, durable.c_str(), nullptr,
                        nullptr, nullptr));
  std::size_t read = 0;
  const Round round = Measure(messages, [&] {
    for (int done = 0; done < messages;) {
      natsMsgList list{};
      jsErrCode code{};
      const natsStatus status =
          natsSubscription_Fetch(&list, subscription, kBatch, 5'000, &code);
      if (status != NATS_OK) Must(status);
      for (int i = 0; i < list.Count; ++i) {
        for (const char* const header : kHeaders) {
          const char* value = nullptr;
          Must(natsMsgHeader_Get(list.Msgs[i], header, &value));
          read += static_cast<unsigned char>(value[0]);
        }
        const char* const data = natsMsg_GetData(list.Msgs[i]);
        for (int at = 0; at < natsMsg_GetDataLength(list.Msgs[i]); at += 64) {
          read += static_cast<unsigned char>(data[at]);
        }
        Must(natsMsg_Ack(list.Msgs[i], nullptr));
      }
      done += list.Count;
      natsMsgList_Destroy(&list);
    }
    Must(natsConnection_Flush(connection));
  });
  if (read == 0) Fail("nothing was read");
  natsSubscription_Destroy(subscription);
  return round;
}

class SteadyClock final : public Clock {
 public:
  [[nodiscard]] TimePoint Now() const noexcept override {
    return std::chrono::steady_clock::now();
  }
  [[nodiscard]] Timestamp WallTime() const noexcept override { return {}; }
};
class NoExecutor final : public Executor {
 public:
  void Post(std::span<const Task>) noexcept override { std::abort(); }
  bool ReplaceHung(const Task&) noexcept override { return false; }
};
class NoTimers final : public TimerQueue {
 public:
  void Arm(TimePoint, const Task&) noexcept override {}
};
class Quiet final : public Observer {
 public:
  void Received(const Delivery&) noexcept override {}
  void Started(std::string_view, const Delivery&, int) noexcept override {}
  void Finished(std::string_view, const Delivery&, Outcome::Kind, const Error*,
                Duration) noexcept override {}
  void Settled(const Delivery&, const Settlement&, Duration) noexcept override {
  }
  void Hung(std::string_view, const Delivery&) noexcept override {}
  void Logged(LogLevel, std::string_view, const Event*, const TraceContext&,
              std::string_view) noexcept override {}
};

Round RunCirro(const NatsApi& api, const std::string& url, int messages,
               const std::string& durable) {
  SteadyClock clock;
  NoExecutor executor;
  NoTimers timers;
  Quiet observer;
  JetStreamInletOptions options;
  options.connection.servers = {url};
  options.stream = kStream;
  options.durable = durable;
  options.batch = kBatch;
  auto inlet = api.make_jetstream_inlet(options, clock, observer);
  if (!inlet) Fail(inlet.error().message.c_str());

  std::atomic<int> done{0};
  std::atomic<std::size_t> read{0};
  FunctionSpec spec{.type = "com.example.order.placed"};
  spec.inline_call = true;
  spec.order_by.kind = OrderBy::Kind::kNone;
  Registry registry;
  const auto added = registry.Add(
      {spec, MakeHandler([&](const Event& event) {
         std::size_t sum = 0;
         for (std::size_t i = 0; i < event.attribute_count(); ++i) {
           sum += static_cast<unsigned char>(event.attribute_at(i).text[0]);
         }
         for (std::size_t at = 0; at < event.data().size(); at += 64) {
           sum += static_cast<unsigned char>(event.data()[at]);
         }
         read.fetch_add(sum, std::memory_order_relaxed);
         if (done.fetch_add(1) + 1 == messages) done.notify_all();
       })});
  if (!added) Fail(added.error().message.c_str());
  auto dispatcher = Dispatcher::Make(std::move(registry), {},
                                     {.clock = clock,
                                      .executor = executor,
                                      .timers = timers,
                                      .inlets = {inlet->get()}});
  if (!dispatcher) Fail(dispatcher.error().message.c_str());
  const Round round = Measure(messages, [&] {
    if (auto started = (*inlet)->Start(**dispatcher); !started) {
      Fail(started.error().message.c_str());
    }
    for (int seen = 0; (seen = done.load()) < messages;) done.wait(seen);
    // Until the server has the last acknowledgement.
    if (auto stopped = (*inlet)->Stop(std::chrono::seconds(5)); !stopped) {
      Fail(stopped.error().message.c_str());
    }
  });
  return round;
}

const NatsApi& LoadModule(const char* path) {
  void* const module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr) Fail(dlerror());
  auto* const entry =
      reinterpret_cast<ModuleEntry*>(dlsym(module, "cirro_module_nats"));
  if (entry == nullptr || entry()->abi != std::string_view(CIRRO_ABI_TAG)) {
    Fail("not the module of this build");
  }
  return *static_cast<const NatsApi*>(entry()->api);
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int Main(const std::string& url, int messages, int rounds) {
  const NatsApi& api = LoadModule(CIRRO_NATS_MODULE);
  natsConnection* connection = nullptr;
  jsCtx* js = nullptr;
  Must(natsConnection_ConnectTo(&connection, url.c_str()));
  Must(natsConnection_JetStream(&js, connection, nullptr));
  Fill(js, messages);
  std::vector<double> raw_rate, cirro_rate, ratio, raw_us, cirro_us;
  for (int i = 0; i < rounds; ++i) {
    const std::string number = std::to_string(i);
    const Round raw = RunRaw(connection, js, messages, "raw" + number);
    const Round cirro = RunCirro(api, url, messages, "cirro" + number);
    raw_rate.push_back(raw.per_second);
    raw_us.push_back(raw.processor_us);
    cirro_rate.push_back(cirro.per_second);
    cirro_us.push_back(cirro.processor_us);
    ratio.push_back(cirro.per_second / raw.per_second);
    js_DeleteConsumer(js, kStream, ("raw" + number).c_str(), nullptr, nullptr);
    js_DeleteConsumer(js, kStream, ("cirro" + number).c_str(), nullptr,
                      nullptr);
  }
  std::printf(
      "{\"raw_per_second\":%.0f,\"cirro_per_second\":%.0f,\"ratio\":%.3f,"
      "\"raw_processor_us\":%.2f,\"cirro_processor_us\":%.2f}\n",
      Median(raw_rate), Median(cirro_rate), Median(ratio), Median(raw_us),
      Median(cirro_us));
  jsCtx_Destroy(js);
  natsConnection_Destroy(connection);
  return 0;
}

}  // namespace
}  // namespace cirro::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s URL MESSAGES ROUNDS\n", argv[0]);
    return 2;
  }
  return cirro::bench::Main(argv[1], std::atoi(argv[2]), std::atoi(argv[3]));
}
