#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/dead_letter.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/memory/memory.h"
#include "cirro/sqlite/sqlite.h"
#include "config.h"
#include "module_loader.h"

namespace cirro::internal {

/// The outlet that `K_SINK` stands for.
inline constexpr std::string_view kSinkName = "k_sink";

/// The inlets beside HTTP, the outlets, and the places for dead letters: those
/// of the code, and those that the configuration names, each made by its
/// module, which is loaded for the first that needs it. One thread.
class Endpoints {
 public:
  /// REQUIRES: all of them outlive *this.
  Endpoints(const Config& config, std::string_view module_path,
            const Clock& clock, Observer& observer);

  void Add(std::unique_ptr<Inlet> inlet) {
    inlets_.push_back(std::move(inlet));
  }
  void Add(std::unique_ptr<Outlet> outlet) {
    outlets_.push_back(std::move(outlet));
  }

  /// Fails with kInvalidConfig, naming the setting.
  Result<void> Make();

  /// What an inlet's Start failed with, told of the setting.
  [[nodiscard]] Error WrongInlet(const Inlet& inlet, const Error& error) const {
    return Wrong("inlet." + inlet.info().name, error, false);
  }

  [[nodiscard]] std::span<const std::unique_ptr<Inlet>> inlets() const {
    return inlets_;
  }
  [[nodiscard]] std::span<const std::unique_ptr<Outlet>> outlets() const {
    return outlets_;
  }
  /// Every outlet that keeps dead letters, then the files.
  [[nodiscard]] std::vector<DeadLetterPlace*> places() const;

  /// Messages that no inlet of the broker in memory has settled, by inlet: they
  /// end with the process.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> InMemory()
      const;

  /// Outlets and files are there before anything is delivered, and after.
  Result<void> StartOutlets();
  void StopOutlets(TimePoint until) noexcept;

 private:
  Result<void> MakeOutlet(const std::string& name, OutletConfig outlet);
  Result<void> MakeStore(const std::string& name,
                         const DeadLetterConfig& place);
  Result<void> MakeInlet(const std::string& name, const InletConfig& inlet);
  [[nodiscard]] MemoryBroker& Memory();
  // What a part says of its options, told of the setting.
  [[nodiscard]] Error Wrong(const std::string& section, const Error& error,
                            bool of_module) const;
  template <typename Made, typename List>
  Result<void> Keep(const std::string& section, Made made, List& list);

  const Config& config_;
  const ModuleLoader loader_;
  const Clock& clock_;
  Observer& observer_;
  std::unique_ptr<MemoryBroker> memory_;  // Made for the first that needs it.
  std::vector<std::unique_ptr<Outlet>> outlets_;
  std::vector<std::unique_ptr<SqliteStore>> stores_;
  std::vector<std::unique_ptr<Inlet>> inlets_;
};

}  // namespace cirro::internal
