#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "cirro/dispatch/dedup.h"

namespace cirro::test {

/// A dedup store that knows no time, and answers at once or when told. One
/// thread at a time.
class ScriptedDedup final : public DedupStore {
 public:
  bool answers_late = false;
  bool down = false;
  int renewed = 0;

  void Claim(const DedupKey& key, std::uint64_t claim,
             DedupListener& listener) noexcept override {
    asked_.push_back({std::string(key.function), std::string(key.source),
                      std::string(key.id), claim, &listener});
    if (!answers_late) Answer();
  }
  void Renew(const DedupKey& key, std::uint64_t claim) noexcept override {
    if (Has(key, claim)) ++renewed;
  }
  void Done(const DedupKey& key, std::uint64_t claim) noexcept override {
    if (Has(key, claim)) claims_[Name(key)] = kDone;
  }
  void Release(const DedupKey& key, std::uint64_t claim) noexcept override {
    if (Has(key, claim)) claims_.erase(Name(key));
  }

  /// Says what there is to say to all that asked.
  void Answer() {
    for (const Asked& asked : std::exchange(asked_, std::vector<Asked>())) {
      const DedupKey key{asked.function, asked.source, asked.id};
      if (down) {
        asked.listener->OnClaimed(key, asked.claim,
                                  Error{ErrorCode::kUnavailable, "it is down"});
        continue;
      }
      const auto at = claims_.try_emplace(Name(key), asked.claim).first;
      asked.listener->OnClaimed(key, asked.claim,
                                at->second == asked.claim
                                    ? DedupAnswer::kClaimed
                                : at->second == kDone ? DedupAnswer::kDone
                                                      : DedupAnswer::kHeld);
    }
  }
  /// Somebody else's claim on "function source id".
  void ClaimElsewhere(const std::string& name) { claims_[name] = kElsewhere; }
  void ReleaseElsewhere(const std::string& name) { claims_.erase(name); }
  [[nodiscard]] std::size_t known() const { return claims_.size(); }
  [[nodiscard]] std::size_t waiting() const { return asked_.size(); }

 private:
  struct Asked {
    std::string function;
    std::string source;
    std::string id;
    std::uint64_t claim;
    DedupListener* listener;
  };
  static constexpr std::uint64_t kDone = 0;
  static constexpr std::uint64_t kElsewhere = ~std::uint64_t{0};

  bool Has(const DedupKey& key, std::uint64_t claim) const {
    const auto at = claims_.find(Name(key));
    return at != claims_.end() && at->second == claim;
  }
  static std::string Name(const DedupKey& key) {
    return std::string(key.function) + " " + std::string(key.source) + " " +
           std::string(key.id);
  }

  std::map<std::string, std::uint64_t> claims_;
  std::vector<Asked> asked_;
};

}  // namespace cirro::test
