// The only file that sees toml++, which is slow to compile.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <utility>

#include "config.h"
#include "small_file.h"

namespace cirro::internal {
namespace {

// Walks a table into dotted names.
class Walker {
 public:
  explicit Walker(const std::string& path) : path_(path) {}

  void Table(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string name = prefix.empty()
                                   ? std::string(key.str())
                                   : prefix + "." + std::string(key.str());
      std::string origin =
          path_ + ":" + std::to_string(node.source().begin.line);
      if (const auto* const inner = node.as_table()) {
        if (inner->empty()) {
          found_.empty_sections.push_back({name, {}, std::move(origin)});
        }
        Table(*inner, name);
        continue;
      }
      if (const auto* const list = node.as_array()) {
        List(name, *list, std::move(origin));
      } else if (auto value = Text(node)) {
        found_.settings.push_back({name, *std::move(value), std::move(origin)});
      } else {
        Fail(name, "must be one value or a list, not a date", origin);
      }
    }
  }

  Result<ConfigFile> Finish() && {
    if (!wrong_.empty()) {
      return Error{ErrorCode::kInvalidConfig, std::move(wrong_)};
    }
    return std::move(found_);
  }

 private:
  void Fail(const std::string& name, std::string_view rule,
            const std::string& origin) {
    if (!wrong_.empty()) wrong_ += '\n';
    wrong_.append(name).append(": ").append(rule);
    wrong_.append(" (").append(origin).append(")");
  }

  // As one text, which the setting takes apart again.
  void List(const std::string& name, const toml::array& list,
            std::string origin) {
    std::string text;
    for (const toml::node& node : list) {
      const auto* const item = node.as_string();
      if (item == nullptr || item->get().empty() ||
          item->get().find(',') != std::string::npos) {
        Fail(name,
             "must be one value, or a list of texts in quotes, none of them "
             "empty or with a comma",
             origin);
        return;
      }
      text.append(text.empty() ? "" : ", ").append(item->get());
    }
    found_.settings.push_back({name, text, std::move(origin), true});
  }

  static std::optional<std::string> Text(const toml::node& node) {
    if (const auto* const text = node.as_string()) return text->get();
    if (const auto* const flag = node.as_boolean()) {
      return flag->get() ? "true" : "false";
    }
    if (const auto* const number = node.as_integer()) {
      return std::to_string(number->get());
    }
    if (const auto* const number = node.as_floating_point()) {
      return std::to_string(number->get());
    }
    return std::nullopt;
  }

  const std::string& path_;
  ConfigFile found_;
  std::string wrong_;
};

}  // namespace

Result<ConfigFile> ReadConfigFile(const std::string& path) {
  const auto text = ReadSmallFile(path);
  if (!text) {
    return Error{ErrorCode::kInvalidConfig, path + ": " + text.error().message};
  }
  const toml::parse_result parsed =
      toml::parse(std::string_view(*text), std::string_view(path));
  if (!parsed) {
    return Error{ErrorCode::kInvalidConfig,
                 std::string(parsed.error().description()) + " (" + path + ":" +
                     std::to_string(parsed.error().source().begin.line) + ")"};
  }
  Walker walker(path);
  walker.Table(parsed.table(), "");
  return std::move(walker).Finish();
}

}  // namespace cirro::internal
