// Events to Kafka, each confirmed by all replicas: the outlet against a raw
// idempotent producer of librdkafka with the same headers, payload and
// settings, and as many open. In turns, each round on a new topic.
//
//   bench_kafka_produce BROKERS MESSAGES ROUNDS

#include <cstdio>
#include <cstdlib>
#include <string>

#include "cirro/kafka/kafka.h"
#include "kafka_bench.h"

namespace cirro::bench {
namespace {

constexpr const char* kWhat = "Kafka produce";
constexpr int kWindow = 10'000;

void OnReport(rd_kafka_t*, const rd_kafka_message_t* message, void* confirmed) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    Fail(rd_kafka_err2str(message->err));
  }
  ++*static_cast<int*>(confirmed);
}

void RunRaw(const std::string& brokers, const std::string& topic,
            int messages) {
  int confirmed = 0;
  rd_kafka_t* const producer =
      MakeClient(RD_KAFKA_PRODUCER,
                 {{"bootstrap.servers", brokers},
                  {"enable.idempotence", "true"},
                  {"linger.ms", "5"},
                  {"queue.buffering.max.messages", std::to_string(kWindow)}},
                 &OnReport, &confirmed);
  Stopwatch watch;
  watch.Begin();
  for (int i = 0; i < messages;) {
    rd_kafka_headers_t* const headers = MakeHeaders(IdOf(i));
    const auto code = rd_kafka_producev(
        producer, RD_KAFKA_V_TOPIC(topic.c_str()),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE(const_cast<char*>(kData.data()), kData.size()),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++i;
      continue;
    }
    rd_kafka_headers_destroy(headers);
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) Fail(rd_kafka_err2str(code));
    rd_kafka_poll(producer, 100);
  }
  while (confirmed < messages) rd_kafka_poll(producer, 100);
  watch.Print(kWhat, "raw", messages);
  rd_kafka_destroy(producer);
}

void RunCirro(const KafkaApi& api, const std::string& brokers,
              const std::string& topic, int messages) {
  const SteadyClock clock;
  Quiet observer;
  KafkaOutletOptions options;
  options.connection.brokers = brokers;
  options.topic = topic;
  // A send has ended a moment before its room is free.
  options.max_in_flight = 2 * kWindow;
  auto outlet = api.make_outlet(options, clock, observer);
  if (!outlet) Fail(outlet.error().message);
  Production production;
  Stopwatch watch;
  watch.Begin();
  production.Run(**outlet, messages, kWindow);
  watch.Print(kWhat, "cirro", messages);
  (*outlet)->Stop(std::chrono::seconds(5));
}

int Main(const std::string& brokers, int messages, int rounds) {
  const auto& api = ModuleOf<KafkaApi>(CIRRO_KAFKA_MODULE);
  test::KafkaTool tool(brokers);
  for (int i = 0; i < rounds; ++i) {
    RunRaw(brokers, tool.MakeTopic(1), messages);
    RunCirro(api, brokers, tool.MakeTopic(1), messages);
  }
  return 0;
}

}  // namespace
}  // namespace cirro::bench

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s BROKERS MESSAGES ROUNDS\n", argv[0]);
    return 2;
  }
  return cirro::bench::Main(argv[1], std::atoi(argv[2]), std::atoi(argv[3]));
}
