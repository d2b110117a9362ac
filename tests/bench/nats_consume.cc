// JetStream fetch -> function -> ack: the inlet with an inline function behind
// the whole dispatcher, against a raw loop of libnats that fetches, reads the
// same seven headers, touches the payload and acknowledges. In turns, on one
// stream of 100-byte events in memory; each round has a consumer of its own.
//
//   bench_nats_consume URL MESSAGES ROUNDS
//
// SIDE=raw or SIDE=cirro in the environment measures that side alone.

#include <nats/nats.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "cirro/nats/nats.h"
#include "nats_bench.h"

namespace cirro::bench {
namespace {

constexpr const char* kWhat = "JetStream fetch";
constexpr int kBatch = 256;

// A batch at a time, as libnats's own examples have it.
void RunRaw(natsConnection* connection, jsCtx* js, int messages,
            const std::string& durable) {
  natsSubscription* subscription = nullptr;
  Must(js_PullSubscribe(&subscription, js, kSubject, durable.c_str(), nullptr,
                        nullptr, nullptr));
  std::size_t read = 0;
  Stopwatch watch;
  watch.Begin();
  for (int done = 0; done < messages;) {
    natsMsgList list{};
    jsErrCode code{};
    Must(natsSubscription_Fetch(&list, subscription, kBatch, 5'000, &code));
    for (int i = 0; i < list.Count; ++i) {
      natsMsg* const message = list.Msgs[i];
      read += Touch(message);
      Must(natsMsg_Ack(message, nullptr));
    }
    done += list.Count;
    natsMsgList_Destroy(&list);
  }
  Must(natsConnection_Flush(connection));
  watch.Print(kWhat, "raw", messages);
  if (read == 0) Fail("nothing was read");
  natsSubscription_Destroy(subscription);
}

void RunCirro(const NatsApi& api, const std::string& url, int messages,
              const std::string& durable) {
  Consumption consumption;
  JetStreamInletOptions options;
  options.connection.servers = {url};
  options.stream = kStream;
  options.durable = durable;
  options.batch = kBatch;
  auto inlet = api.make_jetstream_inlet(options, consumption.clock(),
                                        consumption.observer());
  if (!inlet) Fail(inlet.error().message);
  Stopwatch watch;
  consumption.Run(**inlet, messages, watch);
  watch.Print(kWhat, "cirro", messages);
}

int Main(const std::string& url, int messages, int rounds) {
  const auto& api = ModuleOf<NatsApi>(CIRRO_NATS_MODULE);
  const char* const chosen = std::getenv("SIDE");
  const std::string_view side = chosen == nullptr ? "" : chosen;
  natsConnection* connection = nullptr;
  jsCtx* js = nullptr;
  Must(natsConnection_ConnectTo(&connection, url.c_str()));
  Must(natsConnection_JetStream(&js, connection, nullptr));
  MakeStream(js);
  Fill(js, messages);
  for (int i = 0; i < rounds; ++i) {
    const std::string number = std::to_string(i);
    const std::string raw = "raw" + number;
    const std::string cirro = "cirro" + number;
    if (side != "cirro") RunRaw(connection, js, messages, raw);
    if (side != "raw") RunCirro(api, url, messages, cirro);
    js_DeleteConsumer(js, kStream, raw.c_str(), nullptr, nullptr);
    js_DeleteConsumer(js, kStream, cirro.c_str(), nullptr, nullptr);
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
