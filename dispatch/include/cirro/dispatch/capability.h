#pragma once

#include "cirro/cloudevents/export.h"

// What a source or a place may be able to do beyond delivering, settling and
// confirming.
//
// A binding derives its inlet or outlet from the interface of each that its
// broker truly has, and from no other; each is asked for once, and what is
// missing is done by the dispatcher or said to be missing. docs/brokers.md has
// the table, which is made from the code.
namespace cirro {

/// The root of all capabilities; an interface without a verb is a promise.
class CIRRO_EXPORT Capability {
 public:
  Capability() = default;
  Capability(const Capability&) = delete;
  Capability& operator=(const Capability&) = delete;
  virtual ~Capability();
};

/// The capability of `part`, an Inlet or Outlet, or null where it has none. Not
/// for a hot path.
template <typename Wanted, typename Part>
[[nodiscard]] Wanted* CapabilityOf(Part& part) noexcept {
  return dynamic_cast<Wanted*>(&part);
}

}  // namespace cirro
