#include "config.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <tuple>

#include "container_limits.h"
#include "setting_names.h"
#include "setting_rules.h"
#include "settings.h"
#include "small_file.h"

namespace cirro::internal {
namespace {

constexpr std::string_view kDefaultFile = "cirro.toml";

bool IsName(std::string_view name) {
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return ('a' <= c && c <= 'z') || ('0' <= c && c <= '9') || c == '_';
  });
}

// Where a name is not known to be free, it counts as there: settings that are
// ignored may be the ones that keep others out. A link to nowhere is there.
bool IsThere(const std::string& path) {
  struct stat status {};
  return lstat(path.c_str(), &status) == 0 ||
         (errno != ENOENT && errno != ENOTDIR);
}

// Collects layers, then lands the winners.
class Loader {
 public:
  explicit Loader(const ConfigSources& sources) : sources_(sources) {}

  Result<Config> Load() {
    AddDefaults();
    for (const Assignment& given : sources_.defaults) Add(given);
    layer_ = Layer::kCode;
    for (const Assignment& given : sources_.code) Add(given);
    layer_ = Layer::kFile;
    AddFile();
    layer_ = Layer::kEnvironment;
    AddEnvironment();
    layer_ = Layer::kFlag;
    for (const Assignment& given : sources_.flags) {
      if (given.setting != "config") Add(given);
    }
    layer_ = Layer::kDefault;
    CompleteNamedSections();
    if (!errors_.empty()) return Error{ErrorCode::kInvalidConfig, errors_};
    Config config = Land();
    errors_ = CheckTogether(config, sources_.functions.has_value());
    if (!errors_.empty()) return Error{ErrorCode::kInvalidConfig, errors_};
    return config;
  }

 private:
  // Settings are ordered as in the table, NAMEs alphabetically.
  using Key = std::tuple<std::size_t, std::string, std::size_t>;
  struct Value {
    std::string text;
    SettingValue parsed;
    std::string origin;
    Layer layer;
  };

  static std::size_t OrderOfSection(std::string_view section) {
    return static_cast<std::size_t>(FindSection(section) - Sections().data());
  }
  static Key KeyOf(const Setting& setting, std::string_view name) {
    return {OrderOfSection(setting.section), std::string(name),
            static_cast<std::size_t>(&setting - Settings().data())};
  }

  void Fail(std::string_view what, std::string_view origin,
            std::string_view more = {}) {
    if (!errors_.empty()) errors_ += '\n';
    errors_.append(what).append(" (").append(origin).append(")").append(more);
  }

  void Add(const Assignment& given) {
    const auto [section_name, name, key] = Split(given.setting);
    const Section* const section = FindSection(section_name);
    const Setting* setting = FindSetting(section_name, key);
    const bool from_file =
        setting == nullptr && key.ends_with("_file") &&
        (setting = FindSetting(section_name, key.substr(0, key.size() - 5))) !=
            nullptr &&
        (setting->type == SettingType::kSecret ||
         setting->type == SettingType::kPem);
    if (section == nullptr || setting == nullptr ||
        (setting->key != key && !from_file) || section->named == name.empty()) {
      FailUnknown(given);
      return;
    }
    if (section->named && !TakesName(*section, name, given)) return;
    if (!IsGivenOneWay(*setting, name, given, from_file)) return;
    if (!from_file) {
      Set(*setting, name, given.value, given.origin);
      return;
    }
    auto contents = ReadSmallFile(given.value);
    if (!contents) {
      Fail(given.setting + " = \"" + given.value +
               "\": " + contents.error().message,
           given.origin);
      return;
    }
    while (contents->ends_with('\n') || contents->ends_with('\r')) {
      contents->pop_back();
    }
    Set(*setting, name, *std::move(contents), given.origin);
  }

  // A secret may stand in its place or in a file; not in both of one layer,
  // where neither is later.
  bool IsGivenOneWay(const Setting& setting, std::string_view name,
                     const Assignment& given, bool from_file) {
    if (setting.type != SettingType::kSecret &&
        setting.type != SettingType::kPem) {
      return true;
    }
    // The lines of a file are one layer, the flags, and the environment but for
    // the names that platforms set.
    const std::string layer =
        given.origin == "environment " + std::string(setting.platform)
            ? given.origin
            : given.origin.substr(0, given.origin.find_first_of(" :"));
    const auto [it, first] =
        ways_.try_emplace(KeyOf(setting, name), layer, from_file);
    if (!first && it->second.first == layer && it->second.second != from_file) {
      const std::string whole = Join(setting.section, name, setting.key);
      Fail(whole + " and " + whole + "_file are both given; keep one",
           given.origin);
      return false;
    }
    it->second = {layer, from_file};
    return true;
  }

  // Whether `name` may stand behind `section`; fails if not.
  bool TakesName(const Section& section, std::string_view name,
                 const Assignment& given) {
    if (!IsName(name)) {
      Fail(given.setting + ": NAME is a letter a-z, then a-z, 0-9 and _",
           given.origin);
      return false;
    }
    if (section.name == "outlet" && name == "none") {
      Fail(given.setting +
               ": no outlet may be called none: `reply_to = \"none\"` "
               "discards replies",
           given.origin);
      return false;
    }
    if (section.name == "function" && sources_.functions &&
        std::find(sources_.functions->begin(), sources_.functions->end(),
                  name) == sources_.functions->end()) {
      FailUnknownFunction(given, name);
      return false;
    }
    return true;
  }

  // `[name]` or `[name.NAME]` with nothing in it.
  void AddEmptySection(const Assignment& given) {
    const std::string_view whole = given.setting;
    const std::size_t dot = std::min(whole.find('.'), whole.size());
    const std::string_view name = whole.substr(std::min(dot + 1, whole.size()));
    const Section* const section = FindSection(whole.substr(0, dot));
    if (section == nullptr || section->named == name.empty()) {
      FailUnknownSection(given, name);
      return;
    }
    if (!section->named || !TakesName(*section, name, given)) return;
    empty_.emplace(std::pair(OrderOfSection(section->name), name),
                   given.origin);
  }

  void FailUnknownSection(const Assignment& given, std::string_view name) {
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
    Fail("unknown section [" + given.setting + "]", given.origin,
         meant.empty() ? meant : "; did you mean [" + meant + "]?");
  }

  void Set(const Setting& setting, std::string_view name, std::string text,
           std::string origin) {
    auto parsed = ParseValue(setting, text);
    if (!parsed) {
      Fail(Join(setting.section, name, setting.key) + " = " +
               ShowValue(setting, text) + ": " + parsed.error().message,
           origin);
      return;
    }
    values_.insert_or_assign(
        KeyOf(setting, name),
        Value{std::move(text), *std::move(parsed), std::move(origin), layer_});
  }

  void FailUnknown(const Assignment& given) {
    const Path path = Split(given.setting);
    const std::string_view key = path.key.empty() ? path.section : path.key;
    const std::string what = "unknown setting " + given.setting;
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
    for (const Setting& setting : Settings()) {
      if (setting.section == path.section) {
        in_section.Offer(std::string(setting.key));
      }
      if (setting.key == key && elsewhere.empty()) elsewhere = whole(setting);
      anywhere.Offer(whole(setting));
    }
    if (!in_section.candidate().empty()) {
      Hint(what, given,
           whole(*FindSetting(path.section, in_section.candidate())));
    } else if (!elsewhere.empty() || FindSection(path.section) != nullptr) {
      Hint(what, given, elsewhere);
    } else {
      Hint(what, given, anywhere.candidate());
    }
  }

  void FailUnknownFunction(const Assignment& given, std::string_view name) {
    Nearest nearest(name);
    for (const std::string& function : *sources_.functions) {
      nearest.Offer(function);
    }
    const std::string& meant = nearest.candidate();
    std::string what = "no function is called " + std::string(name);
    if (meant.empty()) what += "; there are: " + NamesOfFunctions();
    const Path path = Split(given.setting);
    if (path.name.empty()) {  // A section without keys.
      Fail(what, given.origin,
           meant.empty() ? meant : "; did you mean [function." + meant + "]?");
      return;
    }
    Hint(what, given,
         meant.empty() ? meant : Join("function", meant, path.key));
  }

  [[nodiscard]] std::string NamesOfFunctions() const {
    constexpr std::size_t kMost = 10;
    std::string names;
    for (std::size_t i = 0; i < sources_.functions->size(); ++i) {
      if (i == kMost) return names + ", ...";
      names.append(names.empty() ? "" : ", ").append((*sources_.functions)[i]);
    }
    return names.empty() ? "none" : names;
  }

  void Hint(const std::string& what, const Assignment& given,
            const std::string& meant) {
    if (meant.empty()) {
      Fail(what, given.origin);
      return;
    }
    const bool environment = given.origin.starts_with("environment ");
    Fail(what, given.origin,
         "; did you mean " + (environment ? EnvironmentName(meant) : meant) +
             "?");
  }

  void AddDefaults() {
    const ContainerLimits limits = ReadContainerLimits();
    const auto cpus = static_cast<std::int64_t>(std::ceil(limits.cpus));
    cpus_ = static_cast<std::uint32_t>(std::max<std::int64_t>(cpus, 1));
    for (const Setting& setting : Settings()) {
      if (setting.fallback.empty()) continue;
      if (FindSection(setting.section)->named) continue;
      Set(setting, {}, std::string(setting.fallback), "default");
    }
    const std::string from = "default, from " + limits.cpus_from;
    Add({"http.threads", std::to_string(std::clamp<std::int64_t>(cpus, 1, 16)),
         from});
    Add({"dispatch.workers",
         std::to_string(std::clamp<std::int64_t>(4 * cpus, 16, 10'000)), from});
    constexpr std::int64_t kMiB = 1 << 20;
    const auto part = [&](std::int64_t divisor, std::int64_t least) {
      const std::int64_t memory = limits.memory_bytes.value_or(2048 * kMiB);
      const auto size =
          std::clamp(memory / divisor / kMiB, least, std::int64_t{256});
      return std::to_string(size) + "MiB";
    };
    const std::string whence =
        limits.memory_bytes ? "default, from memory.max" : "default";
    Add({"dispatch.max_in_flight_bytes", part(4, 1), whence});
    Add({"http.max_buffered_bytes", part(8, 4), whence});
  }

  void AddFile() {
    std::string path(kDefaultFile);
    bool required = false;
    if (sources_.file) {
      path = *sources_.file;
      required = !path.empty();  // Named empty: no file.
      if (!required) return;
    }
    for (const auto& [name, value] : sources_.environment) {
      if (name == "CIRRO__CONFIG" && !value.empty() && !sources_.file) {
        path = value;
        required = true;
      }
    }
    for (const Assignment& flag : sources_.flags) {
      if (flag.setting != "config") continue;
      path = flag.value;
      required = true;
    }
    if (!required && !IsThere(path)) return;
    const auto file = ReadConfigFile(path);
    if (!file) {
      if (!errors_.empty()) errors_ += '\n';
      errors_ += file.error().message;
      return;
    }
    for (const Assignment& given : file->settings) Add(given);
    for (const Assignment& given : file->empty_sections) AddEmptySection(given);
  }

  void AddEnvironment() {
    for (const auto& [name, value] : sources_.environment) {
      if (value.empty()) continue;
      for (const Setting& setting : Settings()) {
        if (setting.platform.empty() || setting.platform != name) continue;
        Set(setting, {}, value, "environment " + name);
      }
    }
    // After the platform's names: who writes CIRRO__ means it.
    for (const auto& [name, value] : sources_.environment) {
      if (!name.starts_with(kOwnPrefix) || name == "CIRRO__CONFIG") continue;
      Add({SettingOfEnvironment(name), value, "environment " + name});
    }
  }

  // Whoever names an outlet gets its defaults.
  void CompleteNamedSections() {
    SectionNames names = empty_;
    for (const auto& [key, value] : values_) {
      const auto& [section, name, index] = key;
      if (!name.empty()) names.emplace(std::pair(section, name), value.origin);
    }
    for (const auto& [place, origin] : names) {
      const auto& [section, name] = place;
      for (const Setting& setting : Settings()) {
        if (OrderOfSection(setting.section) != section ||
            setting.fallback.empty() ||
            values_.contains(KeyOf(setting, name))) {
          continue;
        }
        Set(setting, name, std::string(setting.fallback), "default");
      }
      const Setting* const url = FindSetting("outlet", "url");
      if (Sections()[section].name == "outlet" &&
          !values_.contains(KeyOf(*url, name))) {
        Fail("outlet." + name + ".url is not set: where do its events go?",
             origin, "; add url = \"http://HOST/\"");
      }
    }
  }

  Config Land() {
    Config config;
    config.cpus = cpus_;
    for (const auto& [key, value] : values_) {
      const Setting& setting = Settings()[std::get<2>(key)];
      const std::string& name = std::get<1>(key);
      setting.land(config, name, value.parsed);
      std::string section(setting.section);
      if (!name.empty()) section += "." + name;
      config.effective.push_back({section, std::string(setting.key),
                                  ShowValue(setting, value.text), value.origin,
                                  value.layer});
    }
    return config;
  }

  // Sections with a NAME, and where each stands first.
  using SectionNames =
      std::map<std::pair<std::size_t, std::string>, std::string>;

  const ConfigSources& sources_;
  Layer layer_ = Layer::kDefault;  // That is being added.
  std::map<Key, Value> values_;
  SectionNames empty_;
  std::map<Key, std::pair<std::string, bool>> ways_;  // Layer, from a file.
  std::uint32_t cpus_ = 1;
  std::string errors_;
};

}  // namespace

Result<Config> LoadConfig(const ConfigSources& sources) {
  return Loader(sources).Load();
}

}  // namespace cirro::internal
