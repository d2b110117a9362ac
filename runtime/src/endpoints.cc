#include "endpoints.h"

#include <algorithm>
#include <utility>

#include "cirro/kafka/kafka.h"
#include "cirro/nats/nats.h"
#include "setting_names.h"
#include "setting_rules.h"
#include "small_file.h"

namespace cirro::internal {
namespace {

using std::chrono::milliseconds;

// The setting of an option that a binding calls otherwise.
std::string_view SettingOf(std::string_view option) {
  constexpr std::string_view kConnection = "connection.";
  if (option.starts_with(kConnection)) {
    option.remove_prefix(kConnection.size());
  }
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kNames{
      {{"ca", "ca_certificates"},
       {"ca_file", "ca_certificates_file"},
       {"connection", "servers"},
       {"max_bytes", "max_in_flight_bytes"},
       {"deliver", "start"},
       {"start_sequence", "start"},
       {"exactly_once.transactional_id", "transactional_id"},
       {"exactly_once.transaction_timeout", "transaction_timeout"},
       {"exactly_once.interval", "transaction_interval"}}};
  for (const auto& [from, to] : kNames) {
    if (option == from) return to;
  }
  return option;
}

}  // namespace

Endpoints::Endpoints(const Config& config, std::string_view module_path,
                     const Clock& clock, Observer& observer)
    : config_(config),
      loader_(module_path),
      clock_(clock),
      observer_(observer) {}

Result<void> Endpoints::Make() {
  Named<OutletConfig> outlets = config_.outlets;
  if (!config_.knative.sink.empty()) {
    OutletConfig& sink = outlets[std::string(kSinkName)];
    sink.type = OutletType::kHttp;
    sink.http.name = kSinkName;
    sink.http.url = config_.knative.sink;
    sink.http.ca_certificates = config_.knative.ca_certificates;
    if (sink.max_in_flight == 0) {
      sink.max_in_flight = static_cast<std::uint32_t>(sink.http.max_in_flight);
    }
  }
  for (auto& [name, outlet] : outlets) {
    if (auto made = MakeOutlet(name, std::move(outlet)); !made) return made;
  }
  for (const auto& [name, place] : config_.dead_letters) {
    if (auto made = MakeStore(name, place); !made) return made;
  }
  for (const auto& [name, inlet] : config_.inlets) {
    if (auto made = MakeInlet(name, inlet); !made) return made;
  }
  return {};
}

template <typename Made, typename List>
Result<void> Endpoints::Keep(const std::string& section, Made made,
                             List& list) {
  if (!made) return Wrong(section, made.error(), false);
  list.push_back(*std::move(made));
  return {};
}

Result<void> Endpoints::MakeOutlet(const std::string& name,
                                   OutletConfig outlet) {
  const std::string section = "outlet." + name;
  switch (outlet.type) {
    case OutletType::kHttp: {
      const auto api = loader_.Load<HttpClientApi>("http_client");
      if (!api) return Wrong(section, api.error(), true);
      if (!outlet.authorization.empty()) {
        outlet.http.headers.emplace_back("Authorization",
                                         outlet.authorization.Reveal());
      }
      outlet.http.max_in_flight = outlet.max_in_flight;
      return Keep(section, (*api)->make_outlet(std::move(outlet.http)),
                  outlets_);
    }
    case OutletType::kKafka: {
      const auto api = loader_.Load<KafkaApi>("kafka");
      if (!api) return Wrong(section, api.error(), true);
      outlet.kafka.max_in_flight = outlet.max_in_flight;
      return Keep(
          section,
          (*api)->make_outlet(std::move(outlet.kafka), clock_, observer_),
          outlets_);
    }
    case OutletType::kNats: {
      const auto api = loader_.Load<NatsApi>("nats");
      if (!api) return Wrong(section, api.error(), true);
      outlet.nats.max_in_flight = outlet.max_in_flight;
      return Keep(
          section,
          (*api)->make_outlet(std::move(outlet.nats), clock_, observer_),
          outlets_);
    }
    case OutletType::kMemory:
      return Keep(section, MakeMemoryOutlet(Memory(), std::move(outlet.memory)),
                  outlets_);
  }
  return {};
}

Result<void> Endpoints::MakeStore(const std::string& name,
                                  const DeadLetterConfig& place) {
  const std::string section = "dead_letter." + name;
  const auto api = loader_.Load<SqliteApi>("sqlite");
  if (!api) return Wrong(section, api.error(), true);
  SqliteStoreOptions options;
  options.name = name;
  options.path = place.path;
  options.ephemeral = place.ephemeral;
  options.max_bytes = place.max_bytes;
  options.k_service = config_.knative.service;
  // What cannot be read names no mount: then a container's file is refused.
  if (auto mounts = ReadSmallFile("/proc/self/mountinfo")) {
    options.mounts = *std::move(mounts);
  }
  return Keep(section, (*api)->make_store(std::move(options)), stores_);
}

Result<void> Endpoints::MakeInlet(const std::string& name,
                                  const InletConfig& inlet) {
  const std::string section = "inlet." + name;
  switch (inlet.type) {
    case InletType::kKafka: {
      const auto api = loader_.Load<KafkaApi>("kafka");
      if (!api) return Wrong(section, api.error(), true);
      KafkaInletOptions options = inlet.kafka;
      options.max_in_flight = inlet.max_in_flight;
      options.max_bytes = inlet.max_in_flight_bytes;
      return Keep(section,
                  (*api)->make_inlet(std::move(options), clock_, observer_),
                  inlets_);
    }
    case InletType::kNats: {
      const auto api = loader_.Load<NatsApi>("nats");
      if (!api) return Wrong(section, api.error(), true);
      if (!inlet.jetstream) {
        CoreNatsInletOptions options = inlet.nats_core;
        options.connection = inlet.nats;
        options.max_in_flight = inlet.max_in_flight;
        options.max_bytes = inlet.max_in_flight_bytes;
        return Keep(
            section,
            (*api)->make_core_inlet(std::move(options), clock_, observer_),
            inlets_);
      }
      JetStreamInletOptions options = inlet.nats_jetstream;
      options.connection = inlet.nats;
      options.max_in_flight = inlet.max_in_flight;
      options.max_bytes = inlet.max_in_flight_bytes;
      return Keep(
          section,
          (*api)->make_jetstream_inlet(std::move(options), clock_, observer_),
          inlets_);
    }
    case InletType::kMemory: {
      MemoryInletOptions options = inlet.memory;
      options.max_in_flight = inlet.max_in_flight;
      return Keep(
          section,
          MakeMemoryInlet(Memory(), std::move(options), clock_, observer_),
          inlets_);
    }
  }
  return {};
}

MemoryBroker& Endpoints::Memory() {
  if (memory_ == nullptr) {
    memory_ = std::make_unique<MemoryBroker>(clock_, config_.memory);
  }
  return *memory_;
}

// The APIs promise that an error begins with the option.
Error Endpoints::Wrong(const std::string& section, const Error& error,
                       bool of_module) const {
  if (of_module) {
    const EffectiveSetting* const type =
        FindEffective(config_, section, "type");
    return type == nullptr ? error
                           : Error{error.code, MistakeOf(*type, error.message)};
  }
  const std::string_view what = error.message;
  std::string_view option = what.substr(0, what.find(": "));
  const std::size_t begin = option.size();
  if (option.starts_with('`')) {  // "`path` of dead letters 'x': why"
    option.remove_prefix(1);
    option = option.substr(0, option.find('`'));
  }
  const bool sink = section == "outlet." + std::string(kSinkName) &&
                    option == "url" && !config_.knative.sink.empty();
  const EffectiveSetting* const setting =
      sink ? FindEffective(config_, "knative", "sink")
           : FindEffective(config_, section, SettingOf(option));
  if (begin == what.size()) {
    return {error.code, section + ": " + error.message};
  }
  if (setting == nullptr) {
    // Nobody has set it: where its section stands, it is to be added.
    const EffectiveSetting* const type =
        FindEffective(config_, section, "type");
    const bool known = FindSetting(section.substr(0, section.find('.')),
                                   SettingOf(option)) != nullptr;
    return {error.code, section + (known ? "." : ": ") +
                            (known ? std::string(SettingOf(option)) +
                                         std::string(what.substr(begin))
                                   : error.message) +
                            (type == nullptr ? "" : " (" + type->origin + ")")};
  }
  return {error.code, MistakeOf(*setting, what.substr(begin + 2))};
}

std::vector<DeadLetterPlace*> Endpoints::places() const {
  std::vector<DeadLetterPlace*> places;
  for (const auto& outlet : outlets_) {
    // A binding's outlet says by its bases what it is.
    auto* const place = dynamic_cast<DeadLetterPlace*>(outlet.get());
    if (place != nullptr) places.push_back(place);
  }
  for (const auto& store : stores_) places.push_back(store.get());
  return places;
}

std::vector<std::pair<std::string, std::uint64_t>> Endpoints::InMemory() const {
  std::vector<std::pair<std::string, std::uint64_t>> left;
  for (const auto& [name, inlet] : config_.inlets) {
    if (memory_ == nullptr || inlet.type != InletType::kMemory) continue;
    const std::string& group = inlet.memory.group;
    const std::uint64_t count = memory_->Pending(group.empty() ? name : group);
    if (count > 0) left.emplace_back(name, count);
  }
  return left;
}

Result<void> Endpoints::StartOutlets() {
  for (const auto& outlet : outlets_) {
    if (auto started = outlet->Start(); !started) {
      return Wrong("outlet." + std::string(outlet->name()), started.error(),
                   false);
    }
  }
  for (const auto& store : stores_) {
    if (auto started = store->Start(); !started) {
      return Wrong("dead_letter." + std::string(store->place_name()),
                   started.error(), false);
    }
  }
  return {};
}

void Endpoints::StopOutlets(TimePoint until) noexcept {
  const auto left = [until] {
    return std::max(milliseconds(0),
                    std::chrono::duration_cast<milliseconds>(
                        until - std::chrono::steady_clock::now()));
  };
  for (const auto& outlet : outlets_) outlet->Stop(left());
  for (const auto& store : stores_) store->Stop(left());
}

}  // namespace cirro::internal
