#pragma once

namespace cirro::cli {

/// The first SIGINT or SIGTERM from now on ends what runs in good order, the
/// second at once. Before what is to end so is begun; again is nothing.
void EndOnSignals();
/// Whether one came.
[[nodiscard]] bool IsInterrupted() noexcept;
/// The exit code, where `code` is that of all which was done until then.
[[nodiscard]] int ExitOfInterrupted(int code) noexcept;

}  // namespace cirro::cli
