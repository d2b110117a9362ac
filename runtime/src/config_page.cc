#include <algorithm>
#include <string>

#include "config.h"
#include "setting_names.h"
#include "settings.h"

// What people read of the configuration.

namespace cirro::internal {

std::string PrintConfig(const Config& config) {
  std::string text;
  std::string section;
  for (const EffectiveSetting& setting : config.effective) {
    if (setting.section != section) {
      section = setting.section;
      if (!text.empty()) text += '\n';
      text += "[" + section + "]\n";
    }
    std::string line = setting.key + " = " + setting.value;
    line.resize(std::max<std::size_t>(line.size() + 1, 36), ' ');
    text += line + "# " + setting.origin + "\n";
  }
  return text;
}

namespace {

// The settings of `section` that all types have, or those of one `type`.
void AppendTable(std::string& text, const Section& section,
                 std::string_view type) {
  text += "\n| key | value | default | meaning |\n|---|---|---|---|\n";
  for (const Setting* const row : SettingsOf(section)) {
    const Setting& setting = *row;
    if (setting.types.empty() != type.empty() || !IsOfType(setting, type)) {
      continue;
    }
    text += "| `" + std::string(setting.key) + "` | " + DescribeRule(setting) +
            " | ";
    if (!setting.fallback.empty()) {
      text += "`" + ShowValue(setting, setting.fallback) + "`";
    } else if (!setting.required.empty()) {
      text += "required";
    } else {
      text += setting.computed.empty() ? "not set" : setting.computed;
    }
    text += " | " + std::string(setting.doc);
    if (!setting.platform.empty()) {
      text += " Environment: `" + std::string(setting.platform) + "`.";
    }
    if (!setting.flag.empty()) {
      text += " Flag: `" + std::string(setting.flag) + "`.";
    }
    text += " |\n";
  }
}

}  // namespace

std::string ConfigurationMarkdown() {
  std::string text =
      "# Configuration\n\n"
      "<!-- Written by `cirro config --markdown` from the tables in "
      "runtime/src/settings_*.cc. -->\n\n"
      "Every setting has one name, and may be given in four places. The later "
      "place wins:\n\n"
      "1. the program: `app.Set(\"http.port\", \"9000\")`;\n"
      "2. the file `cirro.toml` of the working directory, or `--config FILE`, "
      "or `CIRRO__CONFIG`;\n"
      "3. the environment: names that platforms set (`PORT`, `K_SINK`, ...), "
      "then `CIRRO__SECTION__KEY` or `CIRRO__SECTION__NAME__KEY`;\n"
      "4. flags: `--port 9000`, or `--set section.key=value` for any "
      "setting.\n\n"
      "Whoever starts a program can also give a default that all of these win "
      "over: `--default section.key=value`. `cirro run` does, with "
      "`http.host=127.0.0.1`.\n\n"
      "Other functions frameworks let the program win over flags; here the "
      "program gives defaults, so that one binary can be pointed elsewhere "
      "when it is deployed.\n\n"
      "An unknown key, an unknown `CIRRO__` variable or a bad value ends the "
      "start with the place it stands in, the rule it breaks and the nearest "
      "valid name; so do a section that is not known, even an empty one, and "
      "a file that is there but cannot be read or is larger than 1 MiB. "
      "Variables that begin with `CIRRO_` and one underscore are "
      "not read: Kubernetes makes such names for services. "
      "`cirro config --print` (or `--print-config` of a function) shows each "
      "value and where it came from.\n\n"
      "Durations are written `250ms`, `10s`, `1m30s`, `2h` or `PT10S`; byte "
      "sizes `65536`, `64KiB`, `1MiB`, `5MB`. A secret may stand in a file of "
      "its own: `token_file = \"/run/secrets/token\"` (or "
      "`CIRRO__METRICS__TOKEN_FILE`) reads it, and it is never shown. NAME in "
      "a section is a letter a-z, then letters a-z, digits and `_`; no outlet "
      "is called `none`.\n\n"
      "A list is an array of texts in the file, `topics = [\"a\", \"b\"]`, and "
      "one text with commas elsewhere: `CIRRO__INLET__ORDERS__TOPICS=a,b`. A "
      "section with a `type` has the settings of that type and no others. A "
      "table of a library's own settings is a table in the file, "
      "`[inlet.orders.librdkafka]` with `\"fetch.min.bytes\" = 1`; in the "
      "environment its keys have `_` for each `.`: "
      "`CIRRO__INLET__ORDERS__LIBRDKAFKA__FETCH_MIN_BYTES=1`.\n";
  for (const Section& section : Sections()) {
    text += "\n## [" + std::string(section.name) +
            (section.named ? ".NAME]" : "]") + "\n\n" +
            std::string(section.doc) + "\n";
    AppendTable(text, section, {});
    if (!section.typed) continue;
    std::string_view types = FindSetting(section.name, "type")->choices;
    while (!types.empty()) {
      const std::string_view type = types.substr(0, types.find('|'));
      text += "\nWith `type = \"" + std::string(type) + "\"`:\n";
      AppendTable(text, section, type);
      types.remove_prefix(std::min(types.size(), type.size() + 1));
    }
  }
  return text;
}

}  // namespace cirro::internal
