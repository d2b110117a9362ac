#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "settings_landing.h"

namespace cirro::internal {
namespace {

// In the order of the pages, and of the settings.
constexpr std::array kSections{
    Section{"http", false, "The HTTP receiver: where events come in."},
    Section{"admin", false,
            "Health and metrics on a port of their own, so that the public one "
            "serves events alone."},
    Section{"metrics", false, "Who may read `/metrics` on the public port."},
    Section{"log", false, "What is logged, and how it looks."},
    Section{"drain", false, "How the process ends on SIGTERM."},
    Section{"dispatch", false, "The engine between inlets and functions."},
    Section{"readiness", false, "When `/readyz` says that events are taken."},
    Section{"memory", false,
            "The broker in this process, of inlets and outlets with `type = "
            "\"memory\"`: topics are made by their first use, and end with the "
            "process."},
    Section{"knative", false, "What Knative's bindings hand to a container."},
    Section{"function", true,
            "One registered function; NAME is its name in lower case with "
            "every character that is no letter or digit as `_`. What is not "
            "set stays as the code says."},
    Section{"inlet", true,
            "A source of events beside HTTP; what comes in is settled there. "
            "Without any, `http` is the only one.",
            true},
    Section{"outlet", true,
            "A place that events are sent to: `reply_to`, `Context::Publish`, "
            "`dead_letter`.",
            true},
    Section{"dead_letter", true,
            "A place for dead letters that is no outlet. The NAMEs of outlets "
            "and of these are of one kind: no name is both.",
            true},
};

}  // namespace

std::span<const Section> Sections() { return kSections; }

std::span<const Setting> Settings() {
  static const std::vector<Setting> kAll = [] {
    const std::array parts{
        HttpSettings(),  ProcessSettings(), DispatchSettings(),
        InletSettings(), OutletSettings(),  DeadLetterSettings(),
        KafkaSettings(), NatsSettings(),    MemorySettings()};
    std::size_t count = 0;
    for (const auto part : parts) count += part.size();
    std::vector<Setting> all;
    all.reserve(count);
    for (const auto part : parts) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return kAll;
}

}  // namespace cirro::internal
