#include <algorithm>
#include <string>

#include "config.h"
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
      "is called `none`.\n";
  for (const Section& section : Sections()) {
    text += "\n## [" + std::string(section.name) +
            (section.named ? ".NAME]" : "]") + "\n\n" +
            std::string(section.doc) +
            "\n\n| key | value | default | meaning |\n|---|---|---|---|\n";
    for (const Setting& setting : Settings()) {
      if (setting.section != section.name) continue;
      text += "| `" + std::string(setting.key) + "` | " +
              DescribeRule(setting) + " | ";
      if (!setting.fallback.empty()) {
        text += "`" + ShowValue(setting, setting.fallback) + "`";
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
  return text;
}

}  // namespace cirro::internal
