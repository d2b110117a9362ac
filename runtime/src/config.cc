#include "config.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <set>
#include <tuple>

#include "container_limits.h"
#include "setting_hints.h"
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
    PlaceDeferred();
    CompleteNamedSections();
    if (!errors_.empty()) return Error{ErrorCode::kInvalidConfig, errors_};
    Config config = Land();
    errors_ = CheckTogether(config, sources_.functions.has_value());
    if (!errors_.empty()) return Error{ErrorCode::kInvalidConfig, errors_};
    return config;
  }

 private:
  // The section and the row in it, with NAMEs in their order between them; the
  // last is the key within a kTable.
  using Key = std::tuple<std::size_t, std::string, std::size_t, std::string>;
  struct Value {
    std::string text;
    SettingValue parsed;
    std::string origin;
    Layer layer;
  };
  // Its section's type is known when all layers are.
  struct Deferred {
    Assignment given;
    Layer layer;
  };

  static std::size_t OrderOf(const Section& section) {
    return static_cast<std::size_t>(&section - Sections().data());
  }
  static Key KeyOf(const Setting& setting, std::string_view name,
                   std::string_view entry = {}) {
    const Section& section = *FindSection(setting.section);
    const auto rows = SettingsOf(section);
    const auto row = std::find(rows.begin(), rows.end(), &setting);
    return {OrderOf(section), std::string(name),
            static_cast<std::size_t>(row - rows.begin()), std::string(entry)};
  }

  void Fail(std::string_view line) {
    if (!errors_.empty()) errors_ += '\n';
    errors_.append(line);
  }
  void Fail(std::string_view what, const Assignment& given,
            std::string_view more = {}) {
    Fail(MistakeAt(what, given, more));
  }

  void Add(const Assignment& given) {
    const Path path = Split(given.setting);
    const Section* const section = FindSection(path.section);
    if (section == nullptr || section->named == path.name.empty()) {
      Fail(UnknownSetting(given));
      return;
    }
    if (section->named && !TakesName(*section, path.name, given)) return;
    if (section->typed && path.key != "type") {
      named_.emplace(std::pair(OrderOf(*section), path.name), given.origin);
      deferred_.push_back({given, layer_});
    } else {
      Place(given, {});
    }
  }

  // Of a section of `type`, which is empty where there is only one.
  void Place(const Assignment& given, std::string_view type) {
    const Path path = Split(given.setting);
    const std::string_view key = path.key;
    const Setting* setting = FindSetting(path.section, key, type);
    const bool from_file =
        setting == nullptr && key.ends_with("_file") &&
        (setting = FindSetting(path.section, key.substr(0, key.size() - 5),
                               type)) != nullptr &&
        (setting->type == SettingType::kSecret ||
         setting->type == SettingType::kPem);
    if (setting == nullptr || (setting->key != key && !from_file) ||
        (setting->type == SettingType::kTable) == path.entry.empty()) {
      Fail(UnknownSetting(given, type));
      return;
    }
    if (given.is_list && setting->type != SettingType::kList) {
      Fail(given.setting + ": must be one value, not a list", given);
      return;
    }
    if (!IsGivenOneWay(*setting, path.name, given, from_file)) return;
    if (!from_file) {
      Set(*setting, path.name, given.value, given.origin, path.entry);
      return;
    }
    auto contents = ReadSmallFile(given.value);
    if (!contents) {
      Fail(given.setting + " = \"" + given.value +
               "\": " + contents.error().message,
           given);
      return;
    }
    while (contents->ends_with('\n') || contents->ends_with('\r')) {
      contents->pop_back();
    }
    Set(*setting, path.name, *std::move(contents), given.origin);
  }

  // What `[section.name]` says of its type, or else is; empty where nobody says
  // one that there is.
  [[nodiscard]] std::string_view TypeOf(std::string_view section,
                                        std::string_view name) const {
    const Setting* const type = FindSetting(section, "type");
    const auto it = values_.find(KeyOf(*type, name));
    return it == values_.end() ? type->fallback
                               : std::string_view(it->second.text);
  }

  void PlaceDeferred() {
    for (const auto& [given, layer] : deferred_) {
      const Path path = Split(given.setting);
      layer_ = layer;
      const std::string_view type = TypeOf(path.section, path.name);
      // Without a type, which is told, only what no type has is a mistake.
      if (!type.empty() || FindSetting(path.section, path.key) == nullptr) {
        Place(given, type);
      }
    }
    layer_ = Layer::kDefault;
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
      Fail(whole + " and " + whole + "_file are both given; keep one", given);
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
           given);
      return false;
    }
    if (section.name == "outlet" && name == "none") {
      Fail(given.setting +
               ": no outlet may be called none: `reply_to = \"none\"` "
               "discards replies",
           given);
      return false;
    }
    if (section.name == "inlet" && name == "http") {
      Fail(given.setting +
               ": no inlet may be called http: metrics and letters call the "
               "receiver of [http] so",
           given);
      return false;
    }
    if (section.name == "function" && sources_.functions &&
        std::find(sources_.functions->begin(), sources_.functions->end(),
                  name) == sources_.functions->end()) {
      Fail(UnknownFunction(given, name, *sources_.functions));
      return false;
    }
    return true;
  }

  // `[name]` or `[name.NAME]` with nothing in it.
  void AddEmptySection(const Assignment& given) {
    const std::string_view whole = given.setting;
    const std::size_t dot = std::min(whole.find('.'), whole.size());
    std::string_view name = whole.substr(std::min(dot + 1, whole.size()));
    const Section* const section = FindSection(whole.substr(0, dot));
    if (section == nullptr || section->named == name.empty()) {
      Fail(UnknownSection(given, name));
      return;
    }
    if (const std::size_t end = name.rfind('.');
        end != std::string_view::npos) {
      const Setting* const table =
          FindSetting(section->name, name.substr(end + 1));
      if (table != nullptr && table->type == SettingType::kTable) {
        name = name.substr(0, end);
      }
    }
    if (!section->named || !TakesName(*section, name, given)) return;
    named_.emplace(std::pair(OrderOf(*section), name), given.origin);
  }

  void Set(const Setting& setting, std::string_view name, std::string text,
           std::string origin, std::string_view entry = {}) {
    auto parsed = ParseValue(setting, text);
    if (!parsed) {
      Fail(Join(setting.section, name, setting.key) + " = " +
               ShowValue(setting, text) + ": " + parsed.error().message,
           {.origin = origin});
      refused_.insert(KeyOf(setting, name));
      return;
    }
    if (!entry.empty()) *parsed = TableEntry{std::string(entry), text};
    values_.insert_or_assign(
        KeyOf(setting, name, entry),
        Value{std::move(text), *std::move(parsed), std::move(origin), layer_});
  }

  void AddDefaults() {
    const ContainerLimits limits = ReadContainerLimits();
    const auto cpus = static_cast<std::int64_t>(std::ceil(limits.cpus));
    cpus_ = static_cast<std::uint32_t>(std::max<std::int64_t>(cpus, 1));
    for (const Section& section : Sections()) {
      if (section.named) continue;
      for (const Setting* const setting : SettingsOf(section)) {
        if (setting->fallback.empty()) continue;
        Set(*setting, {}, std::string(setting->fallback), "default");
      }
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
    if (path.empty()) return;  // Named empty: none.
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
    // Few settings have such a name, and an environment may be long.
    for (const Section& section : Sections()) {
      if (section.named) continue;
      for (const Setting* const setting : SettingsOf(section)) {
        if (setting->platform.empty()) continue;
        for (const auto& [name, value] : sources_.environment) {
          if (setting->platform != name || value.empty()) continue;
          Set(*setting, {}, value, "environment " + name);
        }
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
    SectionNames names = named_;
    for (const auto& [key, value] : values_) {
      const auto& [section, name, index, entry] = key;
      if (!name.empty()) names.emplace(std::pair(section, name), value.origin);
    }
    for (const auto& [place, origin] : names) {
      const Section& section = Sections()[place.first];
      const std::string& name = place.second;
      std::string_view type;
      if (section.typed) {
        CompleteSetting(*FindSetting(section.name, "type"), name, origin);
        type = TypeOf(section.name, name);
        if (type.empty()) continue;
      }
      for (const Setting* const setting : SettingsOf(section)) {
        if (IsOfType(*setting, type) &&
            !(section.typed && setting->key == "type")) {
          CompleteSetting(*setting, name, origin);
        }
      }
    }
  }

  void CompleteSetting(const Setting& setting, const std::string& name,
                       const std::string& origin) {
    const Key key = KeyOf(setting, name);
    if (values_.contains(key) || refused_.contains(key)) return;
    for (const auto& [variable, value] : sources_.environment) {
      if (setting.platform.empty() || setting.platform != variable) continue;
      if (value.empty()) continue;
      layer_ = Layer::kEnvironment;
      Set(setting, name, value, "environment " + variable);
      layer_ = Layer::kDefault;
      return;
    }
    if (!setting.fallback.empty()) {
      Set(setting, name, std::string(setting.fallback), "default");
    } else if (!setting.required.empty()) {
      Fail(Join(setting.section, name, setting.key) + " is not set",
           {.origin = origin}, "; add " + std::string(setting.required));
    }
  }

  // Once.
  Config Land() {
    Config config;
    config.cpus = cpus_;
    config.effective.reserve(values_.size());
    for (auto& [key, value] : values_) {
      const auto& [order, name, index, entry] = key;
      const Setting& setting = *SettingsOf(Sections()[order])[index];
      setting.land(config, name, value.parsed);
      std::string section(setting.section);
      if (!name.empty()) section += "." + name;
      std::string shown(setting.key);
      if (!entry.empty()) shown += "." + Quoted(entry);
      config.effective.push_back({std::move(section), std::move(shown),
                                  ShowValue(setting, value.text, entry),
                                  std::move(value.origin), value.layer});
    }
    return config;
  }

  // Sections with a NAME, and where each stands first.
  using SectionNames =
      std::map<std::pair<std::size_t, std::string>, std::string>;

  const ConfigSources& sources_;
  Layer layer_ = Layer::kDefault;  // That is being added.
  std::map<Key, Value> values_;
  std::set<Key> refused_;  // A bad value was told.
  SectionNames named_;     // Beside those of values_.
  std::vector<Deferred> deferred_;
  std::map<Key, std::pair<std::string, bool>> ways_;  // Layer, from a file.
  std::uint32_t cpus_ = 1;
  std::string errors_;
};

}  // namespace

Result<Config> LoadConfig(const ConfigSources& sources) {
  return Loader(sources).Load();
}

}  // namespace cirro::internal
