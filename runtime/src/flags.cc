#include "flags.h"

#include <array>
#include <string_view>

#include "settings.h"
#include "units.h"

namespace cirro::internal {
namespace {

struct PlainFlag {
  std::string_view name;
  std::string_view value;  // Empty: it takes none.
  std::string_view doc;
};

// Those that are no setting of their own.
constexpr std::array kPlainFlags{
    PlainFlag{"--config", "FILE", "Read this file instead of cirro.toml."},
    PlainFlag{"--set", "SECTION.KEY=VALUE", "Give any setting a value."},
    PlainFlag{"--default", "SECTION.KEY=VALUE",
              "Give it a value that any other place wins over."},
    PlainFlag{"--print-config", "", "Show every setting and its origin."},
    PlainFlag{"--version", "", "Show the version."},
    PlainFlag{"--help", "", "Show this text."},
};

const Setting* SettingOfFlag(std::string_view flag) {
  // The name that the C++ functions framework gave it.
  if (flag == "--address") flag = "--host";
  for (const Setting* const setting : Settings()) {
    if (!setting->flag.empty() && setting->flag == flag) return setting;
  }
  return nullptr;
}

const PlainFlag* FindPlain(std::string_view flag) {
  if (flag == "-h") flag = "--help";
  for (const PlainFlag& plain : kPlainFlags) {
    if (plain.name == flag) return &plain;
  }
  return nullptr;
}

Error Wrong(std::string message) {
  return Error{ErrorCode::kInvalidConfig, std::move(message)};
}

Error Unknown(const std::string& flag) {
  std::string_view nearest;
  std::size_t best = 4;
  const auto offer = [&](std::string_view name) {
    const std::size_t distance = TypingDistance(flag, name);
    if (name.empty() || distance >= best) return;
    best = distance;
    nearest = name;
  };
  for (const PlainFlag& plain : kPlainFlags) offer(plain.name);
  for (const Setting* const setting : Settings()) offer(setting->flag);
  return Wrong("unknown flag " + flag +
               (nearest.empty()
                    ? std::string("; --help lists them")
                    : "; did you mean " + std::string(nearest) + "?"));
}

}  // namespace

Result<Flags> ParseFlags(std::span<const std::string> arguments) {
  Flags flags;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const std::size_t equals =
        argument.starts_with("--") ? argument.find('=') : std::string::npos;
    const std::string name = argument.substr(0, equals);
    const Setting* const setting = SettingOfFlag(name);
    const PlainFlag* const plain = FindPlain(name);
    if (setting == nullptr && plain == nullptr) return Unknown(name);

    const bool takes_value = setting != nullptr || !plain->value.empty();
    std::string value;
    if (equals != std::string::npos) {
      if (!takes_value) return Wrong(name + " takes no value");
      value = argument.substr(equals + 1);
    } else if (takes_value) {
      if (++i == arguments.size()) return Wrong(name + " needs a value");
      value = arguments[i];
    }

    const std::string origin = "flag " + name;
    if (setting != nullptr) {
      flags.settings.push_back(
          {std::string(setting->section) + "." + std::string(setting->key),
           value, origin});
    } else if (plain->name == "--config") {
      flags.settings.push_back({"config", value, origin});
    } else if (plain->name == "--set" || plain->name == "--default") {
      const std::size_t sign = value.find('=');
      if (sign == std::string::npos) {
        return Wrong(std::string(name).append(" ").append(value).append(
            ": must be SECTION.KEY=VALUE"));
      }
      (plain->name == "--set" ? flags.settings : flags.defaults)
          .push_back({value.substr(0, sign), value.substr(sign + 1), origin});
    } else if (plain->name == "--print-config") {
      flags.print_config = true;
    } else if (plain->name == "--version") {
      flags.version = true;
    } else {
      flags.help = true;
    }
  }
  return flags;
}

std::string FlagsHelp(std::string_view program) {
  std::string text = "usage: " + std::string(program) +
                     " [FLAGS]\n\nServes CloudEvents functions until SIGTERM, "
                     "then drains.\n\n";
  const auto line = [&text](std::string flag, std::string_view doc) {
    flag.resize(std::max<std::size_t>(flag.size() + 2, 28), ' ');
    text += "  " + flag + std::string(doc) + "\n";
  };
  for (const Setting* const setting : Settings()) {
    if (setting->flag.empty()) continue;
    line(std::string(setting->flag) +
             (setting->type == SettingType::kInteger ? " N" : " TEXT"),
         setting->doc);
  }
  for (const PlainFlag& plain : kPlainFlags) {
    line(std::string(plain.name) + (plain.value.empty() ? "" : " ") +
             std::string(plain.value),
         plain.doc);
  }
  text +=
      "\nEvery setting may also stand in cirro.toml, or in the environment as "
      "CIRRO__SECTION__KEY;\n--print-config names them all.\n";
  return text;
}

}  // namespace cirro::internal
