#include "setting_rules.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <vector>

#include "dead_letter_loops.h"

namespace cirro::internal {
namespace {

std::string NameOf(const EffectiveSetting& setting) {
  return setting.section + "." + setting.key;
}

// "http.port (80)"
std::string NameAndValue(const EffectiveSetting& setting) {
  return NameOf(setting) + " (" + setting.value + ")";
}

class Rules {
 public:
  explicit Rules(const Config& config) : config_(config) {}

  // The receiver's own rule.
  void CheckBuffers() {
    const EffectiveSetting* const body = Find("http", "max_body_bytes");
    const EffectiveSetting* const header = Find("http", "max_header_bytes");
    const EffectiveSetting* const buffered = Find("http", "max_buffered_bytes");
    const std::size_t request =
        config_.receiver.body_limit + config_.receiver.header_limit;
    if (config_.receiver.max_buffered_bytes / 2 >= request) return;
    Fail(GivenLast({body, header, buffered}),
         NameAndValue(*buffered) + " must be at least twice " +
             NameAndValue(*body) + " and " + NameAndValue(*header) +
             " together, " + std::to_string(2 * request) + " bytes");
  }

  // Such a reply could be sent only while nothing else is, and never if larger.
  void CheckReplies() {
    const EffectiveSetting* const reply = Find("dispatch", "max_reply_bytes");
    const EffectiveSetting* const buffered = Find("http", "max_buffered_bytes");
    if (config_.dispatcher.max_reply_bytes <=
        config_.receiver.max_buffered_bytes) {
      return;
    }
    Fail(GivenLast({buffered, reply}),
         NameAndValue(*reply) + " must be at most " + NameAndValue(*buffered));
  }

  // The dispatcher's.
  void CheckRetry() {
    const EffectiveSetting* const base = Find("dispatch", "retry_base");
    const EffectiveSetting* const cap = Find("dispatch", "retry_cap");
    if (config_.dispatcher.retry.base <= config_.dispatcher.retry.cap) return;
    Fail(GivenLast({base, cap}),
         NameAndValue(*base) + " must be at most " + NameAndValue(*cap));
  }

  // `dead_letter` names either.
  void CheckPlaceNames() {
    for (const auto& [name, place] : config_.dead_letters) {
      if (config_.outlets.find(name) == config_.outlets.end()) continue;
      Fail(*Find("dead_letter." + name, "path"),
           "[outlet." + name +
               "] has the same name, and `dead_letter` would take its letters "
               "to that; call one of them otherwise");
    }
  }

  // What is buried there would come in again.
  void CheckLoops(const std::string& section,
                  const std::vector<std::string>& places) {
    for (const std::string& place : places) {
      const std::string loop = LoopOf(config_, place);
      if (!loop.empty()) Fail(*Find(section, "dead_letter"), loop);
    }
  }

  // Each path has one outlet, and there is HTTP.
  void CheckPaths() {
    std::map<std::string_view, std::string_view> outlets;
    for (const auto& [name, outlet] : config_.outlets) {
      if (outlet.http_path.empty()) continue;
      const auto [other, first] = outlets.try_emplace(outlet.http_path, name);
      const EffectiveSetting& path = *Find("outlet." + name, "http_path");
      if (!first) {
        Fail(path, "is that of [outlet." + std::string(other->second) + "]");
      } else if (!config_.http.enabled) {
        Fail(path, "has no effect without http.enabled");
      }
    }
  }

  void CheckOrder(const std::string& name, const FunctionConfig& function,
                  bool code_known) {
    const std::string section = "function." + name;
    const EffectiveSetting* const by = Find(section, "order_by");
    const EffectiveSetting* const pointer = Find(section, "order_pointer");
    if (by == nullptr) return;  // As in code that is not known.
    const bool has_pointer = !function.order_pointer.value_or("").empty();
    if (function.order_by == OrderBy::Kind::kJsonPointer) {
      if (has_pointer || (pointer == nullptr && !code_known)) return;
      Fail(*by, "needs " + section + ".order_pointer, which is not set");
    } else if (has_pointer && pointer->layer >= by->layer) {
      // Of an earlier layer it belongs to an order that was taken away.
      Fail(*pointer, "has no effect without " + NameOf(*by) +
                         " = \"json_pointer\"; it is " + by->value);
    }
  }

  [[nodiscard]] const std::string& mistakes() const { return mistakes_; }

 private:
  [[nodiscard]] const EffectiveSetting* Find(std::string_view section,
                                             std::string_view key) const {
    return FindEffective(config_, section, key);
  }

  // The one that a person is more likely to have in mind.
  static const EffectiveSetting& GivenLast(
      std::initializer_list<const EffectiveSetting*> settings) {
    return **std::max_element(
        settings.begin(), settings.end(),
        [](const auto* a, const auto* b) { return a->layer < b->layer; });
  }

  void Fail(const EffectiveSetting& setting, std::string_view rule) {
    if (!mistakes_.empty()) mistakes_ += '\n';
    mistakes_ += MistakeOf(setting, rule);
  }

  const Config& config_;
  std::string mistakes_;
};

}  // namespace

const EffectiveSetting* FindEffective(const Config& config,
                                      std::string_view section,
                                      std::string_view key) {
  for (const EffectiveSetting& setting : config.effective) {
    if (setting.section == section && setting.key == key) return &setting;
  }
  return nullptr;
}

std::string MistakeOf(const EffectiveSetting& setting, std::string_view rule) {
  return NameOf(setting) + " = " + setting.value + ": " + std::string(rule) +
         " (" + setting.origin + ")";
}

std::string CheckTogether(const Config& config, bool functions_known) {
  Rules rules(config);
  if (config.http.enabled) {
    rules.CheckBuffers();
    rules.CheckReplies();
  }
  rules.CheckRetry();
  rules.CheckPaths();
  rules.CheckPlaceNames();
  rules.CheckLoops("dispatch", config.dispatcher.dead_letter);
  for (const auto& [name, function] : config.functions) {
    rules.CheckOrder(name, function, functions_known);
    rules.CheckLoops("function." + name,
                     function.dead_letter.value_or(std::vector<std::string>()));
  }
  return rules.mistakes();
}

}  // namespace cirro::internal
