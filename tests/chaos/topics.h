#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace cirro::chaos {

/// A message as the tool sees it.
struct Record {
  std::string_view payload;
  std::int64_t written_ms = 0;  ///< By the broker's clock.
};

/// False: enough.
using Visit = std::function<bool(const Record&)>;

/// A broker that is killed meanwhile: what fails is tried again, with what
/// the broker itself offers against loss and repetition. One thread. What
/// cannot be had is a std::runtime_error. Each broker's program has its own.
class Topics {
 public:
  static std::unique_ptr<Topics> Connect(const std::string& address);
  virtual ~Topics() = default;

  virtual void Make(const std::string& name, int partitions) = 0;
  /// Events "KEY SEQUENCE": `count` of `keys` keys in turn. Returns when the
  /// broker has confirmed each.
  virtual void Produce(const std::string& topic, std::int64_t count,
                       std::int64_t keys) = 0;
  /// Everything there is now, as a reader of committed records sees it; in
  /// the order of each key.
  virtual void Read(const std::string& topic, const Visit& visit) = 0;
  /// The same, and what comes, until `visit` has enough.
  virtual void Follow(const std::string& topic, const Visit& visit) = 0;

 protected:
  Topics() = default;
  Topics(const Topics&) = default;
  Topics& operator=(const Topics&) = default;
};

}  // namespace cirro::chaos
