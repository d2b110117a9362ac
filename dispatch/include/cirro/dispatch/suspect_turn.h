#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include "cirro/cloudevents/export.h"
#include "cirro/dispatch/clock.h"

namespace cirro {

/// The right to run a suspect: a message over which the process may have died
/// before, and which is charged with its death until it ended. One in the whole
/// process has it at a time. An inlet that ran its suspects beside those of
/// another, or of another partition, would charge them with each other's.
///
/// Any thread, with no lock held that `wake` takes.
class CIRRO_EXPORT SuspectTurn {
 public:
  /// Names one turn; never the same again. 0: none.
  using Ticket = std::uint64_t;

  /// Others wait no longer for one suspect: a function may hang, and nothing
  /// need ever die of that.
  static constexpr std::chrono::seconds kLongest{30};
  /// Nor for whose turn it is, and who does not come.
  static constexpr std::chrono::seconds kComing{1};

  /// `wake` says that a Take that was refused may succeed now. It is called
  /// from any thread, and must neither throw nor call anything of this.
  explicit SuspectTurn(std::function<void()> wake);
  SuspectTurn(const SuspectTurn&) = delete;
  SuspectTurn& operator=(const SuspectTurn&) = delete;
  /// Gives back what it has. `wake` is not called afterwards.
  ~SuspectTurn();

  /// Before a suspect is charged, and run. 0: another one runs, of this owner
  /// or of another, or it is another owner's turn; those who were refused come
  /// in their order.
  [[nodiscard]] Ticket Take(TimePoint now);
  /// When it ended and is charged with nothing, in writing. Of a turn that is
  /// over: nothing.
  void Give(Ticket ticket) noexcept;

 private:
  const std::function<void()> wake_;
};

}  // namespace cirro
