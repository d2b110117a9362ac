#include "broker_health.h"

#include <algorithm>

#include "cirro/dispatch/capability.h"

namespace cirro::internal {

void BrokerHealth::Watch(const Inlet& inlet) {
  const MutexLock lock(mutex_);
  watched_.push_back({.name = inlet.info().name,
                      .link = CapabilityOf<const Linked>(inlet),
                      .lag = CapabilityOf<const LagReporter>(inlet),
                      .moved = clock_.Now()});
}

std::string BrokerHealth::WhyNotReady() {
  if (heeded_ == BrokerReadiness::kNever) return {};
  const TimePoint now = clock_.Now();
  const MutexLock lock(mutex_);
  for (Watched& inlet : watched_) {
    const std::string trouble = Trouble(inlet, now);
    if (trouble.empty()) continue;
    return "inlet " + std::string(inlet.name) + " " + trouble;
  }
  return {};
}

std::string BrokerHealth::Trouble(Watched& inlet, TimePoint now) const {
  if (inlet.link != nullptr) {
    const LinkState link = inlet.link->link();
    switch (link.kind) {
      case LinkState::Kind::kConnecting:
        return "was never connected";
      case LinkState::Kind::kFailed:
        return "has failed";
      case LinkState::Kind::kDisconnected:
        if (heeded_ == BrokerReadiness::kAlways) return "is disconnected";
        break;
      case LinkState::Kind::kRebalancing:
        if (heeded_ == BrokerReadiness::kAlways &&
            now - link.since > kPatience) {
          return "has been rebalancing for more than a minute";
        }
        break;
      case LinkState::Kind::kConnected:
        break;
    }
  }
  if (heeded_ != BrokerReadiness::kAlways || inlet.lag == nullptr) return {};
  const auto lags = inlet.lag->Lag();
  const bool waiting =
      std::any_of(lags.begin(), lags.end(),
                  [](const PartitionLag& lag) { return lag.messages > 0; });
  const std::uint64_t settled = settled_(inlet.name);
  // An idle topic does its work by waiting.
  if (!waiting || settled != inlet.settled) {
    inlet.settled = settled;
    inlet.moved = now;
  }
  if (now - inlet.moved > kPatience) {
    return "has messages waiting, and none was settled for more than a minute";
  }
  return {};
}

std::vector<BrokerHealth::Lag> BrokerHealth::lags() const {
  std::vector<Lag> lags;
  const MutexLock lock(mutex_);
  for (const Watched& inlet : watched_) {
    if (inlet.lag != nullptr) lags.push_back({inlet.name, inlet.lag->Lag()});
  }
  return lags;
}

std::vector<BrokerHealth::Link> BrokerHealth::links() const {
  std::vector<Link> links;
  const MutexLock lock(mutex_);
  for (const Watched& inlet : watched_) {
    if (inlet.link == nullptr) continue;
    const LinkState::Kind kind = inlet.link->link().kind;
    links.push_back({inlet.name, kind == LinkState::Kind::kConnected ||
                                     kind == LinkState::Kind::kRebalancing});
  }
  return links;
}

}  // namespace cirro::internal
