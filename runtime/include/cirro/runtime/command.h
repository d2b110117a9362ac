#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/letter_box.h"
#include "cirro/dispatch/replay.h"
#include "cirro/http_client/http_client.h"
#include "cirro/sqlite/sqlite.h"

// What the `cirro` command asks of the runtime.
namespace cirro {

/// Every setting in effect for a process started here with `flags`, and where
/// each comes from. The functions are not known, so `[function.NAME]` of any
/// name goes. Fails with kInvalidConfig, naming every mistake, a line each.
[[nodiscard]] CIRRO_EXPORT Result<std::string> DescribeConfiguration(
    std::span<const std::string> flags);

/// docs/configuration.md and docs/metrics.md, from the tables in code.
[[nodiscard]] CIRRO_EXPORT std::string ConfigurationPage();
[[nodiscard]] CIRRO_EXPORT std::string MetricsPage();
/// The tables of docs/brokers.md, asked of the modules. Fails with
/// kInvalidConfig where one cannot be loaded.
[[nodiscard]] CIRRO_EXPORT Result<std::string> BrokersPage();

/// Sends events through an outlet of the configuration that a process started
/// here with `flags` would have, as `next` makes them, until it makes no more;
/// waits until each was confirmed. Fails with kInvalidConfig, or as the first
/// send that failed; what follows it is not sent.
[[nodiscard]] CIRRO_EXPORT Result<void> SendEvents(
    std::span<const std::string> flags, std::string_view outlet,
    const std::function<std::optional<Event>()>& next);

/// The HTTP client, and files of dead letters; the module is loaded at the
/// first call. Fails with kInvalidConfig when it cannot be.
[[nodiscard]] CIRRO_EXPORT Result<const HttpClientApi*> LoadHttpClient();
[[nodiscard]] CIRRO_EXPORT Result<const SqliteApi*> LoadSqlite();

/// What is kept at `place` (`[dead_letter.NAME]`, or an `[outlet.NAME]` that
/// is a topic or a stream) of a process started here with `flags`; empty: at
/// the only one that a `dead_letter` setting names, or else at the only
/// `[dead_letter.NAME]` that there is. Fails with kInvalidConfig where the
/// configuration is wrong or names no such place, kUnsupported where it is
/// one whose letters cannot be listed, and as the module's open_box.
[[nodiscard]] CIRRO_EXPORT Result<std::unique_ptr<LetterBox>> OpenLetterBox(
    std::string_view place, std::span<const std::string> flags);

/// Sends letters back to the inlets of such a process, by their names. Fails
/// with kInvalidConfig.
[[nodiscard]] CIRRO_EXPORT Result<std::unique_ptr<LetterReturn>>
OpenLetterReturn(std::span<const std::string> flags);

/// What an inlet of such a process reads, once more; empty: its only one. Fails
/// with kInvalidConfig, also where the inlet's source keeps nothing.
[[nodiscard]] CIRRO_EXPORT Result<std::unique_ptr<Replay>> OpenReplay(
    std::string_view inlet, ReplayRange range,
    std::span<const std::string> flags);

}  // namespace cirro
