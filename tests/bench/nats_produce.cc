// Events to JetStream, each confirmed by the stream: the outlet against a raw
// loop of libnats that publishes the same headers and payload, with as many
// open. In turns, each round to a new stream in memory.
//
//   bench_nats_produce URL MESSAGES ROUNDS

#include <cstdio>
#include <cstdlib>
#include <string>

#include "cirro/nats/nats.h"
#include "nats_bench.h"

namespace cirro::bench {
namespace {

constexpr const char* kWhat = "JetStream publish";
constexpr int kWindow = 1'024;

void RunRaw(natsConnection* connection, int messages) {
  jsOptions options;
  Must(jsOptions_Init(&options));
  options.PublishAsync.MaxPending = kWindow;
  jsCtx* js = nullptr;
  Must(natsConnection_JetStream(&js, connection, &options));
  Stopwatch watch;
  watch.Begin();
  Fill(js, messages);
  natsMsgList failed{};
  const bool all = js_PublishAsyncGetPendingList(&failed, js) == NATS_NOT_FOUND;
  watch.Print(kWhat, "raw", messages);
  if (!all) Fail("events were not stored");
  jsCtx_Destroy(js);
}

void RunCirro(const NatsApi& api, const std::string& url, int messages) {
  const SteadyClock clock;
  Quiet observer;
  NatsOutletOptions options;
  options.connection.servers = {url};
  options.subject = kSubject;
  options.mode = ContentMode::kBinary;
  // A send has ended a moment before its room is free.
  options.max_in_flight = 2 * kWindow;
  options.message_ids = false;  // The raw loop has none.
  auto outlet = api.make_outlet(options, clock, observer);
  if (!outlet) Fail(outlet.error().message);
  Production production;
  Stopwatch watch;
  watch.Begin();
  production.Run(**outlet, messages, kWindow);
  watch.Print(kWhat, "cirro", messages);
  (*outlet)->Stop(std::chrono::seconds(5));
}

int Main(const std::string& url, int messages, int rounds) {
  const auto& api = ModuleOf<NatsApi>(CIRRO_NATS_MODULE);
  natsConnection* connection = nullptr;
  jsCtx* js = nullptr;
  Must(natsConnection_ConnectTo(&connection, url.c_str()));
  Must(natsConnection_JetStream(&js, connection, nullptr));
  for (int i = 0; i < rounds; ++i) {
    MakeStream(js);
    RunRaw(connection, messages);
    MakeStream(js);
    RunCirro(api, url, messages);
  }
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
