#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/completion.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/outcome.h"

namespace cirro {

/// User code, whatever its signature was: MakeHandler (make_handler.h) wraps a
/// callable. Exactly the method of its form is called, from many threads at
/// once, and may throw: the dispatcher catches it in one place.
class CIRRO_EXPORT Handler {
 public:
  enum class Form : std::uint8_t { kSingle, kBatch, kAsync };

  explicit Handler(Form form, bool replies_several = false) noexcept
      : form_(form), replies_several_(replies_several) {}
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;

  [[nodiscard]] Form form() const noexcept { return form_; }
  /// One event may have several replies: its return type says so.
  [[nodiscard]] bool replies_several() const noexcept {
    return replies_several_;
  }

  virtual Outcome Single(const Event& event, Context& context);
  /// One outcome for each event, in order; any other count is a failure of
  /// all of them.
  virtual std::vector<Outcome> Batch(std::span<const Event> events,
                                     Context& context);
  virtual void Async(const Event& event, Context& context,
                     Completion completion);

 private:
  const Form form_;
  const bool replies_several_;
};

}  // namespace cirro
