// From before an event is published to JetStream until it is read: by the inlet
// with an inline function behind the whole dispatcher, and by a raw loop of
// libnats that fetches, at the same rate. In turns, each round on a new stream
// in memory. What the first takes longer is what it adds.
//
//   bench_nats_latency URL MESSAGES ROUNDS RATE

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "cirro/nats/nats.h"
#include "latencies.h"
#include "nats_bench.h"

namespace cirro::bench {
namespace {

constexpr const char* kWhat = "JetStream latency";
constexpr int kBatch = 256;

void Feed(const std::string& url, int messages, int rate,
          const Latencies& latencies) {
  natsConnection* connection = nullptr;
  jsCtx* js = nullptr;
  Must(natsConnection_ConnectTo(&connection, url.c_str()));
  Must(natsConnection_JetStream(&js, connection, nullptr));
  Pace(
      messages, rate,
      [js](int number, const std::string& data) {
        natsMsg* message = MakeMessage(number, data);
        Must(js_PublishMsgAsync(js, &message, nullptr));
      },
      [&] {
        Must(js_PublishAsyncComplete(js, nullptr));
        latencies.AwaitFirst();
      });
  Must(js_PublishAsyncComplete(js, nullptr));
  jsCtx_Destroy(js);
  natsConnection_Destroy(connection);
}

void RunRaw(jsCtx* js, const std::string& url, int messages, int rate) {
  natsSubscription* subscription = nullptr;
  Must(js_PullSubscribe(&subscription, js, kSubject, "raw", nullptr, nullptr,
                        nullptr));
  Latencies latencies;
  std::jthread feeder([&] { Feed(url, messages, rate, latencies); });
  for (int done = 0; done < messages;) {
    natsMsgList list{};
    jsErrCode code{};
    Must(natsSubscription_Fetch(&list, subscription, kBatch, 5'000, &code));
    for (int i = 0; i < list.Count; ++i) {
      natsMsg* const message = list.Msgs[i];
      if (Touch(message) == 0) Fail("nothing was read");
      latencies.Note(natsMsg_GetData(message));
      Must(natsMsg_Ack(message, nullptr));
    }
    done += list.Count;
    natsMsgList_Destroy(&list);
  }
  latencies.Print(kWhat, "raw");
  natsSubscription_Destroy(subscription);
}

void RunCirro(const NatsApi& api, const std::string& url, int messages,
              int rate) {
  Consumption consumption;
  JetStreamInletOptions options;
  options.connection.servers = {url};
  options.stream = kStream;
  options.durable = "cirro";
  options.batch = kBatch;
  auto inlet = api.make_jetstream_inlet(options, consumption.clock(),
                                        consumption.observer());
  if (!inlet) Fail(inlet.error().message);
  Latencies latencies;
  Stopwatch watch;
  std::jthread feeder;
  consumption.Run(
      **inlet, messages, watch,
      [&](const Event& event) { latencies.Note(event.data()); },
      [&] {
        feeder = std::jthread([&] { Feed(url, messages, rate, latencies); });
      });
  latencies.Print(kWhat, "cirro");
}

int Main(const std::string& url, int messages, int rounds, int rate) {
  const auto& api = ModuleOf<NatsApi>(CIRRO_NATS_MODULE);
  natsConnection* connection = nullptr;
  jsCtx* js = nullptr;
  Must(natsConnection_ConnectTo(&connection, url.c_str()));
  Must(natsConnection_JetStream(&js, connection, nullptr));
  for (int i = 0; i < rounds; ++i) {
    MakeStream(js);
    RunRaw(js, url, messages, rate);
    MakeStream(js);
    RunCirro(api, url, messages, rate);
  }
  jsCtx_Destroy(js);
  natsConnection_Destroy(connection);
  return 0;
}

}  // namespace
}  // namespace cirro::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s URL MESSAGES ROUNDS RATE\n", argv[0]);
    return 2;
  }
  return cirro::bench::Main(argv[1], std::atoi(argv[2]), std::atoi(argv[3]),
                            std::atoi(argv[4]));
}
