#include "setting_names.h"

namespace cirro::internal {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string EnvironmentName(std::string_view setting) {
  std::string name(kOwnPrefix);
  for (const char c : setting) {
    if (c == '.') {
      name += "__";
    } else {
      name += 'a' <= c && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  return name;
}

// A NAME may hold two underscores itself, so only the first and the last pair
// separate.
std::string SettingOfEnvironment(std::string_view name) {
  std::string setting = Lower(name.substr(kOwnPrefix.size()));
  const std::size_t first = setting.find("__");
  if (first == std::string::npos) return setting;
  const std::size_t last = setting.rfind("__");
  if (last != first) setting.replace(last, 2, ".");
  setting.replace(first, 2, ".");
  return setting;
}

Path Split(std::string_view setting) {
  const std::size_t first = setting.find('.');
  if (first == std::string_view::npos) return {setting, {}, {}};
  const std::size_t last = setting.rfind('.');
  return {setting.substr(0, first),
          last == first ? std::string_view()
                        : setting.substr(first + 1, last - first - 1),
          setting.substr(last + 1)};
}

std::string Join(std::string_view section, std::string_view name,
                 std::string_view key) {
  std::string setting(section);
  if (!name.empty()) setting.append(".").append(name);
  return setting.append(".").append(key);
}

const Section* FindSection(std::string_view name) {
  for (const Section& section : Sections()) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

const Setting* FindSetting(std::string_view section, std::string_view key) {
  for (const Setting& setting : Settings()) {
    if (setting.section == section && setting.key == key) return &setting;
  }
  return nullptr;
}

}  // namespace cirro::internal
