#include "setting_hints.h"

#include <cstddef>

#include "setting_names.h"
#include "settings.h"

namespace cirro::internal {
namespace {

// In the spelling of where the mistake was made.
std::string Hint(const std::string& what, const Assignment& given,
                 const std::string& meant) {
  if (meant.empty()) return MistakeAt(what, given);
  const bool environment = given.origin.starts_with("environment ");
  return MistakeAt(
      what, given,
      "; did you mean " + (environment ? EnvironmentName(meant) : meant) + "?");
}

std::string NamesOf(std::span<const std::string> functions) {
  constexpr std::size_t kMost = 10;
  std::string names;
  for (std::size_t i = 0; i < functions.size(); ++i) {
    if (i == kMost) return names + ", ...";
    names.append(names.empty() ? "" : ", ").append(functions[i]);
  }
  return names.empty() ? "none" : names;
}

// "kafka or nats" of "kafka|nats".
std::string TypesOf(const Setting& setting) {
  std::string types(setting.types);
  for (std::size_t bar = 0; (bar = types.find('|')) != std::string::npos;) {
    types.replace(bar, 1, " or ");
  }
  return types;
}

}  // namespace

std::string MistakeAt(std::string_view what, const Assignment& given,
                      std::string_view more) {
  std::string line(what);
  return line.append(" (").append(given.origin).append(")").append(more);
}

std::string UnknownSetting(const Assignment& given, std::string_view type) {
  const Path path = Split(given.setting);
  const std::string_view key = path.key.empty() ? path.section : path.key;
  std::string what = "unknown setting " + given.setting;
  const auto whole = [&](const Setting& setting) {
    const bool named = FindSection(setting.section)->named;
    return Join(setting.section,
                !named              ? std::string_view()
                : path.name.empty() ? std::string_view("NAME")
                                    : path.name,
                setting.key);
  };
  // In a section that there is, its key is wrong; else the right key may
  // stand in no section, or in the wrong one; else look at the whole.
  Nearest in_section(key);
  Nearest anywhere(given.setting);
  std::string elsewhere;
  for (const Setting* const setting : Settings()) {
    if (setting->section == path.section && IsOfType(*setting, type)) {
      in_section.Offer(std::string(setting->key));
    }
    if (setting->key == key && elsewhere.empty()) elsewhere = whole(*setting);
    anywhere.Offer(whole(*setting));
  }
  const Setting* const other = FindSetting(path.section, key);
  if (other != nullptr && other->type == SettingType::kTable &&
      IsOfType(*other, type)) {
    return Hint(given.setting + " is a table of settings, not one", given,
                given.setting + ".KEY");
  }
  const bool of_other_type =
      !type.empty() && other != nullptr && !IsOfType(*other, type);
  if (of_other_type) {
    what = given.setting + " is a setting of type " + TypesOf(*other) +
           ", and " + Join(path.section, path.name, "type") + " is " +
           std::string(type);
  }
  if (!in_section.candidate().empty()) {
    return Hint(what, given,
                whole(*FindSetting(path.section, in_section.candidate())));
  }
  if (of_other_type) return Hint(what, given, {});
  if (!elsewhere.empty() || FindSection(path.section) != nullptr) {
    return Hint(what, given, elsewhere);
  }
  return Hint(what, given, anywhere.candidate());
}

std::string UnknownSection(const Assignment& given, std::string_view name) {
  Nearest nearest(given.setting);
  for (const Section& section : Sections()) {
    std::string candidate(section.name);
    if (section.named) {
      candidate.append(".").append(name.empty() ? "NAME" : name);
    }
    nearest.Offer(candidate);
  }
  std::string meant = nearest.candidate();
  // All of what was written is there, and too much or too little beside it.
  const Path path = Split(given.setting);
  if (const Section* const section = FindSection(path.section)) {
    meant = section->name;
    if (section->named) meant += ".NAME";
  }
  return MistakeAt("unknown section [" + given.setting + "]", given,
                   meant.empty() ? meant : "; did you mean [" + meant + "]?");
}

std::string UnknownFunction(const Assignment& given, std::string_view name,
                            std::span<const std::string> functions) {
  Nearest nearest(name);
  for (const std::string& function : functions) nearest.Offer(function);
  const std::string& meant = nearest.candidate();
  std::string what = "no function is called " + std::string(name);
  if (meant.empty()) what += "; there are: " + NamesOf(functions);
  const Path path = Split(given.setting);
  if (path.name.empty()) {  // A section without keys.
    return MistakeAt(
        what, given,
        meant.empty() ? meant : "; did you mean [function." + meant + "]?");
  }
  return Hint(what, given,
              meant.empty() ? meant : Join("function", meant, path.key));
}

}  // namespace cirro::internal
