#pragma once

#include <memory>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/clock.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/letter_box.h"
#include "cirro/dispatch/observer.h"
#include "cirro/dispatch/outlet.h"
#include "cirro/dispatch/replay.h"
#include "cirro/nats/inlet_options.h"
#include "cirro/nats/outlet_options.h"

namespace cirro {

/// What the module "nats" offers. An inlet or outlet waits for servers that are
/// away. REQUIRES: the clock and the observer outlive what is made.
///
/// How a send fails: kUnroutable (no stream keeps the subject), kTooLarge,
/// kRefused (the stream says no), kOverloaded, kTimedOut, kUnavailable (not
/// connected within the timeout; nothing was sent), kUnknownOutcome.
struct NatsApi {
  static constexpr const char* kKind = "nats";

  /// Each fails with kInvalidConfig, naming the option.
  Result<std::unique_ptr<Inlet>> (*make_jetstream_inlet)(
      JetStreamInletOptions options, const Clock& clock, Observer& observer);
  Result<std::unique_ptr<Inlet>> (*make_core_inlet)(
      CoreNatsInletOptions options, const Clock& clock, Observer& observer);
  Result<std::unique_ptr<Outlet>> (*make_outlet)(NatsOutletOptions options,
                                                 const Clock& clock,
                                                 Observer& observer);

  /// The letters of an outlet's subject in the stream that keeps it, in the
  /// order of their sources; their ids are sequences. One that was redriven is
  /// removed: that is its mark.
  Result<std::unique_ptr<LetterBox>> (*open_box)(
      const NatsOutletOptions& options, const Clock& clock, Observer& observer);
  /// Back to the stream of an inlet, under the subject that the message came
  /// with: of a filter without wildcards, else of the message that is still in
  /// the stream. One that is sent again within the stream's duplicate window is
  /// kept once.
  Result<std::unique_ptr<LetterReturn>> (*open_return)(
      const JetStreamInletOptions& options, const Clock& clock,
      Observer& observer);

  /// What the stream of an inlet still has under its filter. Each message is
  /// asked for by its sequence: there is no consumer, also for a moment.
  Result<std::unique_ptr<Replay>> (*open_replay)(
      const JetStreamInletOptions& options, ReplayRange range,
      const Clock& clock, Observer& observer);
};

}  // namespace cirro
