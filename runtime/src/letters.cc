// Where the letters of a configuration are, and where they came from.

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/kafka/kafka.h"
#include "cirro/nats/nats.h"
#include "cirro/runtime/command.h"
#include "command_config.h"
#include "teller.h"

namespace cirro {
namespace {

using internal::CommandLoader;
using internal::Config;
using internal::EndsWithItsProcess;
using internal::InletType;
using internal::InSection;
using internal::OutletType;
using internal::Teller;

// A box, with the observer that it needs.
class ToldBox final : public LetterBox {
 public:
  explicit ToldBox(std::unique_ptr<Teller> teller,
                   std::unique_ptr<LetterBox> box)
      : teller_(std::move(teller)), box_(std::move(box)) {}

  Result<void> Walk(const LetterFilter& filter, const Visit& visit) override {
    return box_->Walk(filter, visit);
  }
  Result<std::optional<KeptLetter>> Find(std::string_view id) override {
    return box_->Find(id);
  }
  Result<void> MarkRedriven(std::string_view id) override {
    return box_->MarkRedriven(id);
  }
  Result<bool> Remove(std::string_view id) override { return box_->Remove(id); }
  Result<std::uint64_t> RemoveAll(std::span<const std::string> ids) override {
    return box_->RemoveAll(ids);
  }

 private:
  const std::unique_ptr<Teller> teller_;
  const std::unique_ptr<LetterBox> box_;
};

Result<std::unique_ptr<LetterBox>> OpenOutlet(
    const std::string& name, const internal::OutletConfig& outlet) {
  auto teller = std::make_unique<Teller>();
  const auto told = [&](Result<std::unique_ptr<LetterBox>> box)
      -> Result<std::unique_ptr<LetterBox>> {
    if (!box) return InSection("outlet." + name, box.error());
    return std::unique_ptr<LetterBox>(
        std::make_unique<ToldBox>(std::move(teller), *std::move(box)));
  };
  switch (outlet.type) {
    case OutletType::kHttp:
      break;
    case OutletType::kMemory:
      return InSection("outlet." + name, EndsWithItsProcess());
    case OutletType::kKafka: {
      const auto api = CommandLoader().Load<KafkaApi>("kafka");
      if (!api) return api.error();
      KafkaOutletOptions options = outlet.kafka;
      options.max_in_flight = outlet.max_in_flight;
      return told((*api)->open_box(options, *teller));
    }
    case OutletType::kNats: {
      const auto api = CommandLoader().Load<NatsApi>("nats");
      if (!api) return api.error();
      NatsOutletOptions options = outlet.nats;
      options.max_in_flight = outlet.max_in_flight;
      return told((*api)->open_box(options, teller->clock(), *teller));
    }
  }
  return Error{ErrorCode::kUnsupported,
               "[outlet." + name +
                   "] cannot list its letters: a topic, a stream and "
                   "[dead_letter.NAME] can"};
}

Result<std::unique_ptr<LetterBox>> OpenStore(
    const std::string& name, const internal::DeadLetterConfig& store) {
  const auto sqlite = LoadSqlite();
  if (!sqlite) return sqlite.error();
  return (*sqlite)->open_box({.name = name, .path = store.path});
}

// Whatever may hold letters that can be listed, by name.
std::set<std::string> PlacesOf(const Config& config) {
  std::set<std::string> places;
  for (const auto& [name, store] : config.dead_letters) places.insert(name);
  for (const auto& [name, outlet] : config.outlets) {
    if (outlet.type != OutletType::kHttp &&
        outlet.type != OutletType::kMemory) {
      places.insert(name);
    }
  }
  return places;
}

// Which one of `places` need not be named; empty: it is to be.
std::string OnlyPlace(const Config& config,
                      const std::set<std::string>& places) {
  std::set<std::string> used;
  const auto add = [&](const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (places.contains(name)) used.insert(name);
    }
  };
  add(config.dispatcher.dead_letter);
  for (const auto& [name, function] : config.functions) {
    if (function.dead_letter) add(*function.dead_letter);
  }
  if (used.size() == 1) return *used.begin();
  if (config.dead_letters.size() != 1) return {};
  return config.dead_letters.begin()->first;
}

// To each inlet of the configuration, by its own module.
class Returns final : public LetterReturn {
 public:
  explicit Returns(Config config) : config_(std::move(config)) {}

  Result<void> Return(const DeadLetter& letter) override {
    const std::string& name = letter.facts.inlet;
    const auto inlet = config_.inlets.find(name);
    if (inlet == config_.inlets.end()) {
      return Error{ErrorCode::kInvalidConfig,
                   "it came through '" + name + "', and there is no [inlet." +
                       name +
                       "] to send it back to: --to URL sends it by HTTP"};
    }
    std::unique_ptr<LetterReturn>& to = returns_[name];
    if (to == nullptr) {
      auto made = Make(inlet->second);
      if (!made) return InSection("inlet." + name, made.error());
      to = *std::move(made);
    }
    auto sent = to->Return(letter);
    if (!sent) return InSection("inlet." + name, sent.error());
    return {};
  }

 private:
  Result<std::unique_ptr<LetterReturn>> Make(
      const internal::InletConfig& inlet) {
    switch (inlet.type) {
      case InletType::kKafka: {
        const auto api = CommandLoader().Load<KafkaApi>("kafka");
        if (!api) return api.error();
        KafkaInletOptions options = inlet.kafka;
        options.max_in_flight = inlet.max_in_flight;
        options.max_bytes = inlet.max_in_flight_bytes;
        return (*api)->open_return(options, teller_.clock(), teller_);
      }
      case InletType::kMemory:
        return EndsWithItsProcess();
      case InletType::kNats: {
        if (!inlet.jetstream) break;
        const auto api = CommandLoader().Load<NatsApi>("nats");
        if (!api) return api.error();
        JetStreamInletOptions options = inlet.nats_jetstream;
        options.connection = inlet.nats;
        options.max_in_flight = inlet.max_in_flight;
        options.max_bytes = inlet.max_in_flight_bytes;
        return (*api)->open_return(options, teller_.clock(), teller_);
      }
    }
    return Error{ErrorCode::kInvalidConfig,
                 "jetstream: core NATS keeps nothing, so what is sent back may "
                 "reach nobody: --to URL sends it by HTTP"};
  }

  const Config config_;
  Teller teller_;
  std::map<std::string, std::unique_ptr<LetterReturn>> returns_;
};

}  // namespace

Result<std::unique_ptr<LetterBox>> OpenLetterBox(
    std::string_view place, std::span<const std::string> flags) {
  const auto config = internal::ConfigOf(flags);
  if (!config) return config.error();
  const std::set<std::string> places = PlacesOf(*config);
  const std::string name =
      place.empty() ? OnlyPlace(*config, places) : std::string(place);
  if (const auto store = config->dead_letters.find(name);
      store != config->dead_letters.end()) {
    return OpenStore(name, store->second);
  }
  if (const auto outlet = config->outlets.find(name);
      outlet != config->outlets.end()) {
    return OpenOutlet(name, outlet->second);
  }
  std::string names;
  for (const std::string& one : places) {
    names += (names.empty() ? "" : ", ") + one;
  }
  if (!name.empty()) {
    return Error{ErrorCode::kInvalidConfig,
                 "there is no [dead_letter." + name + "] or [outlet." + name +
                     "]" + (names.empty() ? "" : ", but " + names)};
  }
  return Error{ErrorCode::kInvalidConfig,
               names.empty() ? "there is no [dead_letter.NAME]"
                             : "which place? There are " + names};
}

Result<std::unique_ptr<LetterReturn>> OpenLetterReturn(
    std::span<const std::string> flags) {
  auto config = internal::ConfigOf(flags);
  if (!config) return config.error();
  return std::unique_ptr<LetterReturn>(
      std::make_unique<Returns>(*std::move(config)));
}

}  // namespace cirro
