#include "broker_table.h"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/capability.h"
#include "cirro/dispatch/consumer_groups.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/link.h"
#include "cirro/dispatch/observer.h"
#include "cirro/http_client/http_client.h"
#include "cirro/kafka/kafka.h"
#include "cirro/memory/memory.h"
#include "cirro/nats/nats.h"
#include "timer_thread.h"

namespace cirro::internal {
namespace {

class Nobody final : public Observer {
 public:
  void Received(const Delivery& /*delivery*/) noexcept override {}
  void Started(std::string_view /*function*/, const Delivery& /*delivery*/,
               int /*attempt*/) noexcept override {}
  void Finished(std::string_view /*function*/, const Delivery& /*delivery*/,
                Outcome::Kind /*outcome*/, const Error* /*error*/,
                Duration /*took*/) noexcept override {}
  void Settled(const Delivery& /*delivery*/, const Settlement& /*settlement*/,
               Duration /*since_received*/) noexcept override {}
  void Hung(std::string_view /*function*/,
            const Delivery& /*delivery*/) noexcept override {}
  void Logged(LogLevel /*level*/, std::string_view /*function*/,
              const Event* /*event*/, const TraceContext& /*trace*/,
              std::string_view /*message*/) noexcept override {}
};

template <typename Part>
struct Named {
  std::string_view name;
  std::unique_ptr<Part> part;
};

template <typename Part>
struct Row {
  std::string_view capability;
  bool (*has)(Part& part);
};

template <typename Wanted, typename Part>
bool Has(Part& part) {
  return CapabilityOf<Wanted>(part) != nullptr;
}

constexpr Row<Inlet> kInletRows[] = {
    {"ConsumerGroups", &Has<ConsumerGroups>},
    {"SharedDurable", &Has<SharedDurable>},
    {"PartitionOrdered", &Has<PartitionOrdered>},
    {"OrderedDelivery", &Has<OrderedDelivery>},
    {"Batched", &Has<Batched>},
    {"DelayedRedelivery", &Has<DelayedRedelivery>},
    {"InProgress", &Has<InProgress>},
    {"KeepsAttempts", &Has<KeepsAttempts>},
    {"Seekable", &Has<Seekable>},
    {"Transactional", &Has<Transactional>},
    {"LagReporter", &Has<LagReporter>},
    {"Linked", &Has<Linked>},
};

constexpr Row<Outlet> kOutletRows[] = {
    {"DeadLetterPlace", &Has<DeadLetterPlace>},
    {"Deduper", &Has<Deduper>},
    {"Linked", &Has<Linked>},
};

template <typename Part, std::size_t kRows>
void AddTable(std::string_view title, const std::vector<Named<Part>>& parts,
              const Row<Part> (&rows)[kRows], std::string& page) {
  std::string line = "|---|";
  page.append("| ").append(title).append(" |");
  for (const Named<Part>& part : parts) {
    page.append(" ").append(part.name).append(" |");
    line += "---|";
  }
  page.append("\n").append(line).append("\n");
  for (const Row<Part>& row : rows) {
    page.append("| `").append(row.capability).append("` |");
    for (const Named<Part>& part : parts) {
      page += row.has(*part.part) ? " yes |" : " |";
    }
    page += "\n";
  }
}

template <typename Part, typename Made>
Result<void> Add(std::string_view name, Made made,
                 std::vector<Named<Part>>& parts) {
  if (!made) {
    return Error{made.error().code,
                 std::string(name) + ": " + made.error().message};
  }
  parts.push_back({name, *std::move(made)});
  return {};
}

KafkaInletOptions KafkaInlet(bool exactly_once) {
  KafkaInletOptions options;
  options.connection.brokers = "127.0.0.1:9092";
  options.topics = {"topic"};
  options.group = "group";
  options.exactly_once.enabled = exactly_once;
  return options;
}

Result<void> AddInlets(const ModuleLoader& loader, MemoryBroker& memory,
                       const Clock& clock, Observer& observer,
                       std::vector<Named<Inlet>>& inlets) {
  for (const auto& [name, mode] :
       {std::pair("memory, partitioned", MemoryMode::kPartitioned),
        std::pair("memory, shared", MemoryMode::kShared)}) {
    auto added =
        Add(name,
            MakeMemoryInlet(memory,
                            {.topics = {"topic"}, .group = name, .mode = mode},
                            clock, observer),
            inlets);
    if (!added) return added;
  }
  const auto kafka = loader.Load<KafkaApi>("kafka");
  if (!kafka) return kafka.error();
  for (const bool exactly_once : {false, true}) {
    auto added =
        Add(exactly_once ? "Kafka, exactly once" : "Kafka",
            (*kafka)->make_inlet(KafkaInlet(exactly_once), clock, observer),
            inlets);
    if (!added) return added;
  }
  const auto nats = loader.Load<NatsApi>("nats");
  if (!nats) return nats.error();
  for (const bool in_order : {false, true}) {
    JetStreamInletOptions jetstream;
    jetstream.stream = "STREAM";
    jetstream.durable = "durable";
    if (in_order) jetstream.max_ack_pending = 1;
    auto added =
        Add(in_order ? "JetStream, `max_ack_pending = 1`" : "JetStream",
            (*nats)->make_jetstream_inlet(jetstream, clock, observer), inlets);
    if (!added) return added;
  }
  CoreNatsInletOptions core;
  core.subject = "subject";
  return Add("core NATS", (*nats)->make_core_inlet(core, clock, observer),
             inlets);
}

Result<void> AddOutlets(const ModuleLoader& loader, MemoryBroker& memory,
                        const Clock& clock, Observer& observer,
                        std::vector<Named<Outlet>>& outlets) {
  const auto http = loader.Load<HttpClientApi>("http_client");
  if (!http) return http.error();
  auto added =
      Add("HTTP", (*http)->make_outlet({.url = "http://127.0.0.1/"}), outlets);
  if (!added) return added;
  added = Add("memory", MakeMemoryOutlet(memory, {.topic = "topic"}), outlets);
  if (!added) return added;
  const auto kafka = loader.Load<KafkaApi>("kafka");
  if (!kafka) return kafka.error();
  KafkaOutletOptions topic;
  topic.connection.brokers = "127.0.0.1:9092";
  topic.topic = "topic";
  added = Add("Kafka", (*kafka)->make_outlet(topic, clock, observer), outlets);
  if (!added) return added;
  const auto nats = loader.Load<NatsApi>("nats");
  if (!nats) return nats.error();
  for (const bool jetstream : {true, false}) {
    NatsOutletOptions subject;
    subject.subject = "subject";
    subject.jetstream = jetstream;
    subject.message_ids = jetstream;
    added = Add(jetstream ? "JetStream" : "core NATS",
                (*nats)->make_outlet(subject, clock, observer), outlets);
    if (!added) return added;
  }
  return {};
}

}  // namespace

Result<std::string> BrokersMarkdown(const ModuleLoader& loader) {
  const SystemClock clock;
  Nobody nobody;
  MemoryBroker memory(clock);
  std::vector<Named<Inlet>> inlets;
  if (auto added = AddInlets(loader, memory, clock, nobody, inlets); !added) {
    return added.error();
  }
  std::vector<Named<Outlet>> outlets;
  if (auto added = AddOutlets(loader, memory, clock, nobody, outlets); !added) {
    return added.error();
  }
  std::string page;
  AddTable<Inlet>("inlets", inlets, kInletRows, page);
  page += "\n";
  AddTable<Outlet>("outlets", outlets, kOutletRows, page);
  return page;
}

}  // namespace cirro::internal
