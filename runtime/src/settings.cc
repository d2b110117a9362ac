#include "settings.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "units.h"

namespace cirro::internal {
namespace {

using enum SettingType;

Error Invalid(std::string rule) {
  return Error{ErrorCode::kInvalidConfig, std::move(rule)};
}

// The index of `text` in "a|b|c".
std::optional<std::int64_t> IndexOf(std::string_view choices,
                                    std::string_view text) {
  for (std::int64_t index = 0;; ++index) {
    const std::size_t bar = choices.find('|');
    if (choices.substr(0, bar) == text) return index;
    if (bar == std::string_view::npos) return std::nullopt;
    choices.remove_prefix(bar + 1);
  }
}

bool IsBlankOrControl(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == 0x7F;
}

std::string Show(SettingType type, std::int64_t number) {
  if (type == kDuration) {
    return FormatDuration(std::chrono::milliseconds(number));
  }
  return type == kByteSize ? FormatByteSize(number) : std::to_string(number);
}

// The texts between the commas of `list`, without the blanks around them; none
// where it is blank.
std::vector<std::string> Items(std::string_view list) {
  const auto trimmed = [](std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\n");
    if (begin == std::string_view::npos) return std::string();
    return std::string(
        text.substr(begin, text.find_last_not_of(" \t\n") - begin + 1));
  };
  std::vector<std::string> items;
  if (trimmed(list).empty()) return items;
  for (;;) {
    const std::size_t comma = list.find(',');
    items.push_back(trimmed(list.substr(0, comma)));
    if (comma == std::string_view::npos) return items;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string Quoted(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += "\\u00";
      quoted += kHex[byte >> 4U];
      quoted += kHex[byte & 0xFU];
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

bool IsOfType(const Setting& setting, std::string_view type) noexcept {
  return type.empty() || setting.types.empty() ||
         IndexOf(setting.types, type).has_value();
}

// A library's own keys are not listed here: whatever may be a secret is one.
bool IsSecret(const Setting& setting, std::string_view key) noexcept {
  if (setting.type == kSecret || setting.type == kPem) return true;
  if (setting.type != kTable) return false;
  constexpr std::array<std::string_view, 7> kParts{"pass",
                                                   "secret",
                                                   "token",
                                                   "pem",
                                                   "credential",
                                                   "assertion",
                                                   "oauthbearer.config"};
  return std::any_of(kParts.begin(), kParts.end(), [&](std::string_view part) {
    return key.find(part) != std::string_view::npos && !key.ends_with(".url") &&
           !key.ends_with(".ms");
  });
}

std::string DescribeRule(const Setting& setting) {
  std::string rule;
  switch (setting.type) {
    case kBool:
      return "`true` or `false`";
    case kText:
      return "text";
    case kUrl:
      return "`http` or `https` URL with a host";
    case kSecret:
      return "secret text";
    case kList:
      return "list of texts";
    case kTable:
      return "table of texts";
    case kPem:
      return "certificates in PEM";
    case kChoice: {
      for (const char c : setting.choices) {
        rule += c == '|' ? std::string("`, `") : std::string(1, c);
      }
      return "one of `" + rule + "`";
    }
    case kInteger:
      rule = "integer";
      break;
    case kDuration:
      rule = "duration";
      break;
    case kByteSize:
      rule = "byte size";
      break;
  }
  return rule + ", " + Show(setting.type, setting.min) + " to " +
         Show(setting.type, setting.max);
}

Result<SettingValue> ParseValue(const Setting& setting, std::string_view text) {
  const auto broken = [&] {
    return Invalid("must be " + DescribeRule(setting));
  };
  const auto check = [&] {
    return setting.check == nullptr ? Result<void>() : setting.check(text);
  };
  std::optional<std::int64_t> number;
  switch (setting.type) {
    case kBool:
      if (text != "true" && text != "false") return broken();
      return SettingValue(text == "true");
    case kPem:
      // Whether they are certificates is the business of who trusts them.
      if (!text.empty() &&
          (text.find("-----BEGIN CERTIFICATE-----") == std::string_view::npos ||
           text.find("-----END CERTIFICATE-----") == std::string_view::npos)) {
        return broken();
      }
      [[fallthrough]];
    case kText:
    case kTable:
      if (const auto good = check(); !good) return good.error();
      return SettingValue(std::string(text));
    case kList: {
      std::vector<std::string> items = Items(text);
      for (auto it = items.begin(); it != items.end(); ++it) {
        if (it->empty()) return Invalid("must hold no empty text");
        if (std::find(items.begin(), it, *it) != it) {
          return Invalid("must not hold \"" + *it + "\" twice");
        }
        if (setting.check == nullptr) continue;
        if (const auto good = setting.check(*it); !good) return good.error();
      }
      return SettingValue(std::move(items));
    }
    case kSecret:
      if (const auto good = check(); !good) return good.error();
      return SettingValue(Secret(std::string(text)));
    case kUrl:
      if (std::any_of(text.begin(), text.end(), IsBlankOrControl)) {
        return Invalid(
            "must hold no blank and no control character; a URL has %20 and "
            "the like instead");
      }
      if (!IsHttpUrl(text)) return broken();
      return SettingValue(std::string(text));
    case kChoice:
      number = IndexOf(setting.choices, text);
      break;
    case kInteger:
      number = ParseInteger(text);
      break;
    case kByteSize:
      number = ParseByteSize(text);
      break;
    case kDuration:
      if (const auto duration = ParseDuration(text)) {
        number = duration->count();
      }
      break;
  }
  if (!number) return broken();
  if (setting.type == kChoice) return SettingValue(*number);
  if (*number < setting.min || *number > setting.max) return broken();
  if (setting.type == kDuration) {
    return SettingValue(std::chrono::milliseconds(*number));
  }
  return SettingValue(*number);
}

std::string ShowValue(const Setting& setting, std::string_view text,
                      std::string_view key) {
  if (IsSecret(setting, key)) return "\"***\"";
  switch (setting.type) {
    case kBool:
    case kInteger:
      return text == "true" || text == "false" || ParseInteger(text)
                 ? std::string(text)
                 : Quoted(text);
    case kList: {
      std::string list = "[";
      for (const std::string& item : Items(text)) {
        // A URL, or one whose scheme was forgotten.
        const bool url = item.find("://") != std::string::npos ||
                         item.find('@') != std::string::npos;
        list += (list.size() > 1 ? ", " : "") +
                Quoted(url ? RedactUrl(item) : item);
      }
      return list + "]";
    }
    case kUrl:
      return Quoted(RedactUrl(text));
    case kText:
    case kTable:
    case kChoice:
    case kSecret:
    case kPem:
    case kDuration:
    case kByteSize:
      return Quoted(text);
  }
  return {};
}

}  // namespace cirro::internal
