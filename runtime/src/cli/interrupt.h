#pragma once

namespace cirro::cli {

/// The first SIGINT or SIGTERM ends what runs in good order, the second at
/// once. Before the first is looked for; one thread.
void EndOnSignals();
/// Whether one came.
[[nodiscard]] bool IsInterrupted() noexcept;
/// The exit code, where `code` is that of all which was done until then.
[[nodiscard]] int ExitOfInterrupted(int code) noexcept;

}  // namespace cirro::cli
