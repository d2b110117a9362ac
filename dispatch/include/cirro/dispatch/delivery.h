#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/cloudevents/error.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/message.h"
#include "cirro/dispatch/settlement.h"

namespace cirro {

namespace internal {
struct DeliveryAccess;  // Defined by tests alone.
}  // namespace internal

struct InletInfo;

/// What came from a source, and the duty to settle it, once.
///
/// Move-only. Destroyed unsettled, it is given back (kNak), so a lost delivery
/// comes again; it never vanishes. One thread at a time.
class CIRRO_EXPORT Delivery {
 public:
  /// What an inlet knows of the message beside its content.
  struct Facts {
    std::string key{};  ///< The source's own ordering key; empty: none.
    TraceContext trace{};
    /// Null of most. Shared with its dead letter, and never changed.
    std::shared_ptr<const Original> original{};
    int attempt = 1;       ///< As far as the source can tell.
    bool crashed = false;  ///< The process died over it: it is not run again.
    TimePoint deadline = TimePoint::max();  ///< When the peer gives up.
    /// How many reply events the source's protocol can carry back.
    std::uint32_t reply_capacity = 0;
  };

  /// REQUIRES: `inlet` and `settler` outlive the delivery.
  Delivery(Event event, const InletInfo& inlet, Settler& settler,
           DeliveryToken token);
  Delivery(Malformed malformed, const InletInfo& inlet, Settler& settler,
           DeliveryToken token);
  Delivery(Delivery&& other) noexcept;
  Delivery& operator=(Delivery&& other) noexcept;
  ~Delivery();

  /// The event, or null when what came is malformed.
  [[nodiscard]] const Event* event() const noexcept;
  [[nodiscard]] const Malformed* malformed() const noexcept;
  [[nodiscard]] const InletInfo& inlet() const noexcept { return *inlet_; }
  [[nodiscard]] bool settled() const noexcept { return !duty_; }
  [[nodiscard]] DeliveryToken token() const noexcept { return token_; }
  /// Settler::PositionOf. REQUIRES: its inlet lives.
  [[nodiscard]] std::string position() const;
  /// Bytes that the message, its key and its trace take.
  [[nodiscard]] std::size_t memory_size() const noexcept;

  /// May be filled in by the inlet before it hands the delivery over.
  Facts facts{};

  /// REQUIRES: not settled.
  void Settle(Settlement settlement) noexcept;

  /// A copy without the duty: a settled one.
  [[nodiscard]] Delivery Content() const;
  /// A copy that has the duty; *this keeps its content and is settled. For an
  /// event that is still in use when its delivery ends (a hung function).
  [[nodiscard]] Delivery TakeDuty();

 private:
  friend struct internal::DeliveryAccess;
  Delivery(const Delivery& other, bool with_duty);
  void GiveBack() noexcept;

  // Most are events, and small: what is malformed is kept elsewhere.
  std::variant<Event, std::shared_ptr<const Malformed>> content_;
  const InletInfo* inlet_;
  Settler* settler_;
  DeliveryToken token_;
  bool duty_ = true;
};

}  // namespace cirro
