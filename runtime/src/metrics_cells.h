#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "cirro/cloudevents/error.h"
#include "metrics.h"

// What one thread counts; between metrics.cc, which counts, and
// metrics_page.cc, which reads.
namespace cirro::internal {

inline constexpr std::size_t kOutcomeKinds = 4;  // Of Outcome::Kind.
inline constexpr std::size_t kLogLevels = 4;     // Of LogLevel.
inline constexpr std::size_t kErrorCodes =
    static_cast<std::size_t>(ErrorCode::kInternal) + 1;

// By address: the names of functions and the infos of inlets do not move.
struct CallKey {
  std::string_view function{};
  const InletInfo* inlet = nullptr;

  bool operator==(const CallKey& other) const noexcept {
    return inlet == other.inlet && function.data() == other.function.data() &&
           function.size() == other.function.size();
  }
};
struct CallKeyHash {
  std::size_t operator()(const CallKey& key) const noexcept {
    return std::hash<const void*>()(key.function.data()) * 31 +
           std::hash<const void*>()(key.inlet);
  }
};

struct Metrics::CallCells {
  Count started{};
  Count repeated{};
  Count hung{};
  std::array<Count, kOutcomeKinds> outcomes{};
  std::array<Count, kErrorCodes> errors{};
  Histogram took{};
};

struct Metrics::InletCells {
  Count events{};
  Count malformed{};
  Count done{};
  std::array<Count, kErrorCodes> failed{};
  Histogram took{};
};

struct Metrics::OutletCells {
  Count sent{};
  std::array<Count, kErrorCodes> failed{};
  Histogram took{};
};

// What one thread counts. Only that thread changes the maps, and with the
// mutex held; so it reads them without.
struct Metrics::Block {
  Mutex mutex;
  std::unordered_map<CallKey, std::unique_ptr<CallCells>, CallKeyHash> calls;
  std::unordered_map<const InletInfo*, std::unique_ptr<InletCells>> inlets;
  std::unordered_map<std::string_view, std::unique_ptr<OutletCells>> outlets;
  std::array<Count, kLogLevels> lines{};

  // The last ones asked for: the next question is mostly the same.
  CallKey last_call{};
  CallCells* last_call_cells = nullptr;
  const InletInfo* last_inlet = nullptr;
  InletCells* last_inlet_cells = nullptr;

  OutletCells& Outlet(std::string_view name) {
    if (const auto it = outlets.find(name); it != outlets.end()) {
      return *it->second;
    }
    const MutexLock lock(mutex);
    return *outlets.emplace(name, std::make_unique<OutletCells>())
                .first->second;
  }
  CallCells& Call(std::string_view function, const InletInfo& inlet) {
    const CallKey key{function, &inlet};
    if (key != last_call) {
      auto it = calls.find(key);
      if (it == calls.end()) {
        const MutexLock lock(mutex);
        it = calls.emplace(key, std::make_unique<CallCells>()).first;
      }
      last_call = key;
      last_call_cells = it->second.get();
    }
    return *last_call_cells;
  }
  InletCells& Inlet(const InletInfo& inlet) {
    if (&inlet != last_inlet) {
      auto it = inlets.find(&inlet);
      if (it == inlets.end()) {
        const MutexLock lock(mutex);
        it = inlets.emplace(&inlet, std::make_unique<InletCells>()).first;
      }
      last_inlet = &inlet;
      last_inlet_cells = it->second.get();
    }
    return *last_inlet_cells;
  }
};

struct Metrics::Blocks {
  Mutex mutex;
  std::vector<std::unique_ptr<Block>> all CIRRO_GUARDED_BY(mutex);
  std::vector<Block*> free CIRRO_GUARDED_BY(mutex);  ///< Of no thread now.
};

}  // namespace cirro::internal
