#pragma once

#include <chrono>
#include <functional>

#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/clock.h"

namespace cirro {

/// The right to run a suspect: a message over which the process may have died
/// before, and which is counted as its death until it ended. One in the whole
/// process has it at a time. An inlet that ran its suspects beside those of
/// another, or of another partition, would count deaths that these died of.
///
/// Any thread, with no lock held that `wake` takes.
class CIRRO_EXPORT SuspectTurn {
 public:
  /// Others wait no longer for one suspect: a function may hang, and nothing
  /// need ever die of that.
  static constexpr std::chrono::seconds kLongest{30};

  /// `wake` says that Take, which was false, may be true now. It is called from
  /// any thread, and must neither throw nor call anything of this.
  explicit SuspectTurn(std::function<void()> wake);
  SuspectTurn(const SuspectTurn&) = delete;
  SuspectTurn& operator=(const SuspectTurn&) = delete;
  /// Gives it back. `wake` is not called afterwards.
  ~SuspectTurn();

  /// Before a suspect is counted, and run. False: another one runs, of this
  /// owner or of another, or it is another owner's turn first.
  [[nodiscard]] bool Take(TimePoint now);
  /// When it ended and no longer counts. Without the turn: nothing.
  void Give() noexcept;

 private:
  const std::function<void()> wake_;
  bool others_first_ = false;  // Under the lock of them all.
};

}  // namespace cirro
