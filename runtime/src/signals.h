#pragma once

namespace cirro::internal {

/// Waits for the process to be told to end. One at a time.
///
/// The first SIGTERM or SIGINT, or Wake, ends Wait; a second signal ends the
/// process at once. A handler and an event descriptor, not a blocked signal:
/// what functions start must not inherit a mask.
class StopSignal {
 public:
  /// Installs the handlers; SIGPIPE is ignored from now on.
  StopSignal();
  /// Puts back what was there.
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// Ends Wait without a signal. Any thread.
  void Wake() const noexcept;
  /// The signal's number, or 0 after Wake.
  [[nodiscard]] int Wait() const noexcept;

 private:
  const int event_;
};

}  // namespace cirro::internal
