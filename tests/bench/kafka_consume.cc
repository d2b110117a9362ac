// Kafka consume -> function -> commit: the inlet with an inline function behind
// the whole dispatcher, against a raw loop of librdkafka that reads the same
// seven headers, touches the payload and commits. In turns, on one topic of
// 100-byte events in binary mode, with the same settings of the queue; each
// round has a group of its own.
//
//   bench_kafka_consume BROKERS MESSAGES ROUNDS [QUEUE_MESSAGES QUEUE_MIB]
//
// SIDE=raw or SIDE=cirro in the environment measures that side alone.

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cirro/kafka/kafka.h"
#include "kafka_bench.h"

namespace cirro::bench {
namespace {

constexpr const char* kWhat = "Kafka consume";
constexpr std::size_t kBatch = 256;

struct Queue {
  std::uint32_t messages = 100'000;
  std::size_t mebibytes = 16;
};

void RunRaw(const std::string& brokers, const std::string& topic, int messages,
            const Queue& queue) {
  rd_kafka_t* const client = MakeClient(
      RD_KAFKA_CONSUMER,
      {{"bootstrap.servers", brokers},
       {"group.id", test::KafkaTool::Fresh("raw")},
       {"auto.offset.reset", "earliest"},
       {"auto.commit.interval.ms", "1000"},
       {"fetch.wait.max.ms", "100"},
       {"queued.min.messages", std::to_string(queue.messages)},
       {"queued.max.messages.kbytes", std::to_string(queue.mebibytes * 1024)}});
  rd_kafka_poll_set_consumer(client);
  rd_kafka_topic_partition_list_t* const topics =
      rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, topic.c_str(),
                                    RD_KAFKA_PARTITION_UA);
  rd_kafka_subscribe(client, topics);
  rd_kafka_topic_partition_list_destroy(topics);
  rd_kafka_queue_t* const records = rd_kafka_queue_get_consumer(client);

  Stopwatch watch;
  std::array<rd_kafka_message_t*, kBatch> batch{};
  std::size_t read = 0;
  for (int done = 0; done < messages;) {
    const ssize_t got =
        rd_kafka_consume_batch_queue(records, 100, batch.data(), batch.size());
    if (done == 0 && got > 0) watch.Begin();
    for (ssize_t i = 0; i < got; ++i) {
      rd_kafka_message_t* const message = batch[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        read += Touch(*message);
        ++done;
      }
      rd_kafka_message_destroy(message);
    }
  }
  rd_kafka_queue_destroy(records);
  rd_kafka_consumer_close(client);
  watch.Print(kWhat, "raw", messages);
  if (read == 0) Fail("nothing was read");
  rd_kafka_destroy(client);
}

void RunCirro(const KafkaApi& api, const std::string& brokers,
              const std::string& topic, int messages, const Queue& queue) {
  Consumption consumption;
  KafkaInletOptions options;
  options.connection.brokers = brokers;
  options.topics = {topic};
  options.group = test::KafkaTool::Fresh("cirro");
  options.queue_messages = queue.messages;
  options.queue_bytes = queue.mebibytes << 20;
  auto inlet =
      api.make_inlet(options, consumption.clock(), consumption.observer());
  if (!inlet) Fail(inlet.error().message);
  Stopwatch watch;
  consumption.Run(**inlet, messages, watch);
  watch.Print(kWhat, "cirro", messages);
}

int Main(const std::string& brokers, int messages, int rounds,
         const Queue& queue) {
  const auto& api = ModuleOf<KafkaApi>(CIRRO_KAFKA_MODULE);
  const char* const chosen = std::getenv("SIDE");
  const std::string_view side = chosen == nullptr ? "" : chosen;
  const std::string topic = MakeFilledTopic(brokers, messages);
  for (int i = 0; i < rounds; ++i) {
    if (side != "cirro") RunRaw(brokers, topic, messages, queue);
    if (side != "raw") RunCirro(api, brokers, topic, messages, queue);
  }
  return 0;
}

}  // namespace
}  // namespace cirro::bench

int main(int argc, char** argv) {
  if (argc != 4 && argc != 6) {
    std::fprintf(stderr,
                 "usage: %s BROKERS MESSAGES ROUNDS [QUEUE_MESSAGES "
                 "QUEUE_MIB]\n",
                 argv[0]);
    return 2;
  }
  cirro::bench::Queue queue;
  if (argc == 6) {
    queue.messages = static_cast<std::uint32_t>(std::atoi(argv[4]));
    queue.mebibytes = static_cast<std::size_t>(std::atoi(argv[5]));
  }
  return cirro::bench::Main(argv[1], std::atoi(argv[2]), std::atoi(argv[3]),
                            queue);
}
