#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/dead_letter.h"

namespace cirro {

/// How a delivery ends. There are three ways; each inlet maps them to its
/// protocol's own primitives in one place.
struct Settlement {
  enum class Kind : std::uint8_t {
    kAck,   ///< Done: the source may forget it.
    kNak,   ///< Not done: the source is to give it again, after `delay`.
    kTerm,  ///< Never: the source should not give it again. From a broker its
            ///< dead letter is confirmed, or the configuration drops it.
  };
  /// What a source that is Transactional is to send with the settlement; the
  /// indexes are those of Transactional::Join.
  struct Output {
    std::uint32_t outlet;
    Event event;
  };
  struct Letter {
    std::uint32_t place;
    DeadLetter letter;
  };

  Kind kind = Kind::kNak;
  std::chrono::milliseconds delay{0};  ///< Of kNak; 0 where none is known.
  std::optional<Error> error{};        ///< Of kNak and kTerm: why.
  /// Of kAck: answers that the source's own protocol carries back. At most
  /// the delivery's reply_capacity.
  std::vector<Event> replies{};
  std::vector<Output> outputs{};  ///< In the order they were made.
  std::vector<Letter> letters{};
};

/// Names a delivery within its inlet: for HTTP the connection and request, for
/// a broker the partition and offset. Only the inlet reads it; of partitions
/// that are taken away `high` names the assignment, as Sink::Withdraw says.
struct DeliveryToken {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const DeliveryToken&) const = default;
};

/// How one inlet settles. Outlives every Delivery that names it.
class CIRRO_EXPORT Settler {
 public:
  Settler() = default;
  Settler(const Settler&) = delete;
  Settler& operator=(const Settler&) = delete;
  virtual ~Settler() = default;

  /// Called exactly once a delivery, from any thread; never blocks.
  virtual void Settle(DeliveryToken token, Settlement settlement) noexcept = 0;

  /// Where it stands in its source, for humans: "orders/3@1234"; empty where
  /// there is no such place. Any thread; while the delivery is unsettled or in
  /// use, and the inlet lives.
  [[nodiscard]] virtual std::string PositionOf(DeliveryToken token) const;
};

}  // namespace cirro
