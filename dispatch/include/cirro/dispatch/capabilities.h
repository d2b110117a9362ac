#pragma once

#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/inlet.h"

// What a source may be able to do beyond delivering and settling.
//
// A binding derives its inlet from the interface of each that its broker truly
// has, and from no other; the dispatcher asks once, when it is made, and does
// what is missing itself or says that it is missing.
namespace cirro {

/// Settlement::delay of a kNak is kept by the source: the message comes again
/// after it, not before. Without it the dispatcher holds the delivery, and the
/// room that it takes, until it is to be tried again.
class CIRRO_EXPORT DelayedRedelivery {
 public:
  DelayedRedelivery() = default;
  DelayedRedelivery(const DelayedRedelivery&) = delete;
  DelayedRedelivery& operator=(const DelayedRedelivery&) = delete;
  virtual ~DelayedRedelivery();
};

/// The capability of `inlet`, or null where its source has none. Not for a hot
/// path.
template <typename Capability>
[[nodiscard]] Capability* CapabilityOf(Inlet& inlet) noexcept {
  return dynamic_cast<Capability*>(&inlet);
}

}  // namespace cirro
