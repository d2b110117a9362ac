#include "setting_names.h"

#include <algorithm>
#include <cstddef>

namespace cirro::internal {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Where the key of a kTable stands in "section.NAME.table.any.key", or npos.
std::size_t FindTable(std::string_view setting, std::string_view mark,
                      std::string_view& key) {
  const std::size_t first = setting.find('.');
  const Section* const section = FindSection(setting.substr(0, first));
  if (first == std::string_view::npos || section == nullptr) {
    return std::string_view::npos;
  }
  for (const Setting* const row : SettingsOf(*section)) {
    if (row->type != SettingType::kTable) continue;
    std::string inner(mark);
    inner.append(row->key).append(mark);
    const std::size_t at = setting.find(inner, first + 1);
    if (at == std::string_view::npos) continue;
    key = row->key;
    return at + mark.size();
  }
  return std::string_view::npos;
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
  setting.replace(first, 2, ".");
  std::string_view key;
  if (const std::size_t at = FindTable(setting, "__", key);
      at != std::string::npos) {
    // Names of a library's settings have dots, which no variable may have.
    const std::size_t entry = at + key.size() + 2;
    std::replace(setting.begin() + static_cast<std::ptrdiff_t>(entry),
                 setting.end(), '_', '.');
    setting.replace(entry - 2, 2, ".");
    return setting.replace(at - 2, 2, ".");
  }
  const std::size_t last = setting.rfind("__");
  return last == std::string::npos ? setting : setting.replace(last, 2, ".");
}

Path Split(std::string_view setting) {
  const std::size_t first = setting.find('.');
  if (first == std::string_view::npos) return {setting, {}, {}};
  std::string_view key;
  if (const std::size_t at = FindTable(setting, ".", key);
      at != std::string_view::npos && at > first + 1) {
    return {setting.substr(0, first), setting.substr(first + 1, at - first - 2),
            key, setting.substr(at + key.size() + 1)};
  }
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

const Setting* FindSetting(std::string_view section, std::string_view key,
                           std::string_view type) {
  const Section* const among = FindSection(section);
  if (among == nullptr) return nullptr;
  for (const Setting* const setting : SettingsOf(*among)) {
    if (setting->key == key && IsOfType(*setting, type)) return setting;
  }
  return nullptr;
}

}  // namespace cirro::internal
