// What the inlets of a configuration read, once more.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "cirro/kafka/kafka.h"
#include "cirro/nats/nats.h"
#include "cirro/runtime/command.h"
#include "command_config.h"
#include "teller.h"

namespace cirro {
namespace {

using internal::CommandLoader;
using internal::EndsWithItsProcess;
using internal::InletConfig;
using internal::InletType;
using internal::InSection;
using internal::Teller;

// A replay, with the observer that it needs.
class ToldReplay final : public Replay {
 public:
  ToldReplay(std::string section, std::unique_ptr<Teller> teller,
             std::unique_ptr<Replay> replay)
      : section_(std::move(section)),
        teller_(std::move(teller)),
        replay_(std::move(replay)) {}

  Result<void> Walk(const Visit& visit) override {
    auto walked = replay_->Walk(visit);
    if (!walked) return InSection(section_, walked.error());
    return walked;
  }
  [[nodiscard]] ReplayRange left() const override { return replay_->left(); }
  [[nodiscard]] bool ended() const override { return replay_->ended(); }

 private:
  const std::string section_;
  const std::unique_ptr<Teller> teller_;
  const std::unique_ptr<Replay> replay_;
};

Result<std::unique_ptr<Replay>> OpenOf(const InletConfig& inlet,
                                       ReplayRange range, Teller& teller) {
  switch (inlet.type) {
    case InletType::kKafka: {
      const auto api = CommandLoader().Load<KafkaApi>("kafka");
      if (!api) return api.error();
      KafkaInletOptions options = inlet.kafka;
      options.max_in_flight = inlet.max_in_flight;
      options.max_bytes = inlet.max_in_flight_bytes;
      return (*api)->open_replay(options, std::move(range), teller);
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
      return (*api)->open_replay(options, std::move(range), teller.clock(),
                                 teller);
    }
  }
  return Error{ErrorCode::kInvalidConfig,
               "jetstream: core NATS keeps nothing that could be replayed"};
}

}  // namespace

Result<std::unique_ptr<Replay>> OpenReplay(std::string_view inlet,
                                           ReplayRange range,
                                           std::span<const std::string> flags) {
  const auto config = internal::ConfigOf(flags);
  if (!config) return config.error();
  std::string names;
  const bool only = inlet.empty() && config->inlets.size() == 1;
  for (const auto& [name, options] : config->inlets) {
    names += (names.empty() ? "" : ", ") + name;
    if (!only && name != inlet) continue;
    const std::string section = "inlet." + name;
    auto teller = std::make_unique<Teller>();
    auto replay = OpenOf(options, std::move(range), *teller);
    if (!replay) return InSection(section, replay.error());
    return std::unique_ptr<Replay>(std::make_unique<ToldReplay>(
        section, std::move(teller), *std::move(replay)));
  }
  if (!inlet.empty()) {
    return Error{ErrorCode::kInvalidConfig,
                 "there is no [inlet." + std::string(inlet) + "]" +
                     (names.empty() ? "" : ", but " + names)};
  }
  return Error{ErrorCode::kInvalidConfig,
               names.empty() ? "there is no [inlet.NAME]"
                             : "which inlet? There are " + names};
}

}  // namespace cirro
