// From before an event is written to Kafka until it is read: by the inlet with
// an inline function behind the whole dispatcher, and by a raw consumer of
// librdkafka, at the same rate. In turns, each round on a new topic. What the
// first takes longer is what it adds.
//
//   bench_kafka_latency BROKERS MESSAGES ROUNDS RATE

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "cirro/kafka/kafka.h"
#include "kafka_bench.h"
#include "latencies.h"

namespace cirro::bench {
namespace {

constexpr const char* kWhat = "Kafka latency";

void Feed(const std::string& brokers, const std::string& topic, int messages,
          int rate, const Latencies& latencies) {
  rd_kafka_t* const producer =
      MakeClient(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                     {"linger.ms", "2"},
                                     {"socket.nagle.disable", "true"}});
  Pace(
      messages, rate,
      [&](int number, const std::string& data) {
        const auto code = rd_kafka_producev(
            producer, RD_KAFKA_V_TOPIC(topic.c_str()),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_VALUE(const_cast<char*>(data.data()), data.size()),
            RD_KAFKA_V_HEADERS(MakeHeaders(IdOf(number))), RD_KAFKA_V_END);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) Fail(rd_kafka_err2str(code));
        rd_kafka_poll(producer, 0);
      },
      [&] {
        rd_kafka_flush(producer, 10'000);
        latencies.AwaitFirst();
      });
  rd_kafka_flush(producer, 10'000);
  rd_kafka_destroy(producer);
}

void RunRaw(const std::string& brokers, const std::string& topic, int messages,
            int rate) {
  rd_kafka_t* const client =
      MakeClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                     {"group.id", topic},
                                     {"auto.offset.reset", "earliest"},
                                     {"fetch.wait.max.ms", "100"},
                                     {"socket.nagle.disable", "true"}});
  rd_kafka_poll_set_consumer(client);
  rd_kafka_topic_partition_list_t* const topics =
      rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, topic.c_str(),
                                    RD_KAFKA_PARTITION_UA);
  rd_kafka_subscribe(client, topics);
  rd_kafka_topic_partition_list_destroy(topics);
  Latencies latencies;
  std::jthread feeder([&] { Feed(brokers, topic, messages, rate, latencies); });
  for (int done = 0; done < messages;) {
    rd_kafka_message_t* const message = rd_kafka_consumer_poll(client, 100);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (Touch(*message) == 0) Fail("nothing was read");
      latencies.Note(
          {static_cast<const char*>(message->payload), message->len});
      ++done;
    }
    rd_kafka_message_destroy(message);
  }
  latencies.Print(kWhat, "raw");
  rd_kafka_consumer_close(client);
  rd_kafka_destroy(client);
}

void RunCirro(const KafkaApi& api, const std::string& brokers,
              const std::string& topic, int messages, int rate) {
  Consumption consumption;
  KafkaInletOptions options;
  options.connection.brokers = brokers;
  options.topics = {topic};
  options.group = topic;
  auto inlet =
      api.make_inlet(options, consumption.clock(), consumption.observer());
  if (!inlet) Fail(inlet.error().message);
  Latencies latencies;
  Stopwatch watch;
  std::jthread feeder;
  consumption.Run(
      **inlet, messages, watch,
      [&](const Event& event) { latencies.Note(event.data()); },
      [&] {
        feeder = std::jthread(
            [&] { Feed(brokers, topic, messages, rate, latencies); });
      });
  latencies.Print(kWhat, "cirro");
}

int Main(const std::string& brokers, int messages, int rounds, int rate) {
  const auto& api = ModuleOf<KafkaApi>(CIRRO_KAFKA_MODULE);
  test::KafkaTool tool(brokers);
  for (int i = 0; i < rounds; ++i) {
    RunRaw(brokers, tool.MakeTopic(1), messages, rate);
    RunCirro(api, brokers, tool.MakeTopic(1), messages, rate);
  }
  return 0;
}

}  // namespace
}  // namespace cirro::bench

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: %s BROKERS MESSAGES ROUNDS RATE\n", argv[0]);
    return 2;
  }
  return cirro::bench::Main(argv[1], std::atoi(argv[2]), std::atoi(argv[3]),
                            std::atoi(argv[4]));
}
