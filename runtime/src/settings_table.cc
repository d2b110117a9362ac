#include <array>
#include <cstddef>
#include <numeric>
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

// Of the rows, which lie where the compiler put them: they are not copied at
// each start, nor are all of them walked to find one.
struct Table {
  std::vector<const Setting*> rows;
  std::array<std::size_t, kSections.size() + 1> begins{};
};

template <typename Row>
void ForEachRow(Row row) {
  const std::array parts{
      HttpSettings(),  ProcessSettings(), DispatchSettings(),
      InletSettings(), OutletSettings(),  DeadLetterSettings(),
      KafkaSettings(), NatsSettings(),    MemorySettings()};
  std::size_t order = 0;
  for (const auto part : parts) {
    for (const Setting& setting : part) {
      // Mostly that of the row before.
      if (kSections.at(order).name != setting.section) {
        order = 0;
        while (kSections.at(order).name != setting.section) ++order;
      }
      row(order, setting);
    }
  }
}

Table MakeTable() {
  Table table;
  ForEachRow([&](std::size_t order, const Setting& /*setting*/) {
    ++table.begins.at(order + 1);
  });
  std::partial_sum(table.begins.begin(), table.begins.end(),
                   table.begins.begin());
  table.rows.resize(table.begins.back());
  auto ends = table.begins;
  ForEachRow([&](std::size_t order, const Setting& setting) {
    table.rows[ends.at(order)++] = &setting;
  });
  return table;
}

const Table& TheTable() {
  static const Table kTable = MakeTable();
  return kTable;
}

}  // namespace

std::span<const Section> Sections() { return kSections; }

std::span<const Setting* const> Settings() { return TheTable().rows; }

std::span<const Setting* const> SettingsOf(const Section& section) {
  const Table& table = TheTable();
  const auto order = static_cast<std::size_t>(&section - kSections.data());
  const std::size_t begin = table.begins.at(order);
  return Settings().subspan(begin, table.begins.at(order + 1) - begin);
}

}  // namespace cirro::internal
