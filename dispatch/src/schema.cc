#include "cirro/dispatch/schema.h"

// Without it valijson prints and aborts where it should throw.
#define VALIJSON_USE_EXCEPTIONS 1

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "cirro/cloudevents/json_format.h"
#include "cirro/dispatch/mutex.h"

namespace cirro {
namespace {

using nlohmann::json;

// std::regex recurses once a character, and valijson compiles the expressions
// of patternProperties and format anew for each value.
constexpr std::size_t kMaxMatchedBytes = 1'024;
constexpr std::size_t kMaxMatchedValues = 4'096;

// Where a schema fails, valijson collects every failure, which for large data
// outweighs it a thousandfold: beyond these the place is not looked for.
constexpr std::size_t kMaxExplainedValues = 4'096;
constexpr std::size_t kMaxExplainedArray = 256;

constexpr std::size_t kMaxDepth = 64;
// Of the ways that branches of a recursive schema take through nested data:
// valijson goes them all.
constexpr double kMaxWays = 4'096;
constexpr std::size_t kMaxMessageBytes = 256;

Error Broken(std::string why) {
  return {ErrorCode::kInvalidConfig, "JSON Schema: " + std::move(why)};
}

Error Rejected(std::string why) {
  return {ErrorCode::kRejected, std::move(why)};
}

// `text`, cut to kMaxMessageBytes at a character's end.
std::string Cut(std::string text) {
  if (text.size() <= kMaxMessageBytes) return text;
  std::size_t end = kMaxMessageBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end) + "...";
}

// What the text of a schema says before valijson compiles it.
class SchemaReader {
 public:
  explicit SchemaReader(const json& root) : root_(root) {}

  Result<void> Read() { return ReadNode(root_, Place::kSchema); }

  /// Whether data can cost more than it weighs; see the class comment.
  [[nodiscard]] bool costly() const { return costly_; }
  /// How often, at most, a value is checked for each time the one around it is:
  /// more than once where a schema leads back to itself by several branches.
  [[nodiscard]] double branching() const { return branching_; }

 private:
  enum class Place : std::uint8_t {
    kSchema,
    kMap,  ///< Of schemas by name, as under `properties`.
  };

  Result<void> ReadNode(const json& node, Place place) {
    if (!node.is_structured() || !read_.emplace(&node, place).second) return {};
    const bool schema = node.is_object() && place == Place::kSchema;
    if (schema) {
      if (Result<void> ok = ReadKeywords(node); !ok) return ok;
      if (Result<void> ok = RefuseLoop(node); !ok) return ok;
      CountBranches(node);
      if (const json* target = Target(node); target != nullptr) {
        if (Result<void> ok = ReadNode(*target, place); !ok) return ok;
      }
    }
    for (const auto& [name, child] : node.items()) {
      if (schema && IsValue(name)) continue;
      const Place its = schema && IsMap(name) ? Place::kMap : Place::kSchema;
      if (Result<void> ok = ReadNode(child, its); !ok) return ok;
    }
    return {};
  }

  // Values, not schemas: what looks like a keyword there is none.
  static bool IsValue(std::string_view keyword) {
    return keyword == "const" || keyword == "enum" || keyword == "default" ||
           keyword == "examples";
  }
  static bool IsMap(std::string_view keyword) {
    return keyword == "properties" || keyword == "patternProperties" ||
           keyword == "definitions" || keyword == "$defs" ||
           keyword == "dependencies";
  }

  // Applied only where a $ref leads to them.
  static bool IsDefinitions(std::string_view keyword) {
    return keyword == "definitions" || keyword == "$defs";
  }

  // The branches of `node` that check the same value and lead back to it.
  void CountBranches(const json& node) {
    std::size_t back = 0;
    bool own = false;  // By what it says of the value's members.
    for (const auto& [name, child] : node.items()) {
      if (name == "allOf" || name == "anyOf" || name == "oneOf" ||
          name == "dependencies") {
        if (!child.is_structured()) continue;
        for (const json& branch : child) {
          back += LeadsBack(branch, Place::kSchema, node) ? 1U : 0U;
        }
      } else if (name == "not" || name == "if" || name == "then" ||
                 name == "else") {
        back += LeadsBack(child, Place::kSchema, node) ? 1U : 0U;
      } else if (!IsValue(name) && !IsDefinitions(name)) {
        own =
            own ||
            LeadsBack(child, IsMap(name) ? Place::kMap : Place::kSchema, node);
      }
    }
    if (own) ++back;
    if (back > 1) branching_ *= static_cast<double>(back);
  }

  [[nodiscard]] bool LeadsBack(const json& from, Place place,
                               const json& to) const {
    std::set<const json*> seen;
    return Leads(from, place, to, seen);
  }
  bool Leads(const json& from, Place place, const json& to,
             std::set<const json*>& seen) const {
    if (&from == &to) return true;
    if (!from.is_structured() || !seen.insert(&from).second) return false;
    const bool schema = from.is_object() && place == Place::kSchema;
    if (schema) {
      const json* const target = Target(from);
      if (target != nullptr && Leads(*target, place, to, seen)) return true;
    }
    for (const auto& [name, child] : from.items()) {
      if (schema && (IsValue(name) || IsDefinitions(name))) continue;
      const Place its = schema && IsMap(name) ? Place::kMap : Place::kSchema;
      if (Leads(child, its, to, seen)) return true;
    }
    return false;
  }

  Result<void> ReadKeywords(const json& node) {
    for (const auto& [name, value] : node.items()) {
      if (name == "$ref" && value.is_string()) {
        const auto& target = value.get_ref<const std::string&>();
        if (!target.starts_with('#')) {
          return Broken("$ref '" + target +
                        "' is outside of the schema; nothing is fetched");
        }
      } else if (name == "pattern" && value.is_string()) {
        costly_ = true;
        const auto& pattern = value.get_ref<const std::string&>();
        if (Result<void> ok = CheckPattern(pattern); !ok) return ok;
      } else if (name == "patternProperties" && value.is_object()) {
        costly_ = true;
        for (const auto& [pattern, unused] : value.items()) {
          if (Result<void> ok = CheckPattern(pattern); !ok) return ok;
        }
      } else if ((name == "format" && value.is_string()) ||
                 name == "propertyNames" ||
                 (name == "uniqueItems" && value == true)) {
        costly_ = true;
      }
    }
    return {};
  }

  // valijson compiles it at the first value, where it would throw.
  static Result<void> CheckPattern(const std::string& pattern) {
    try {
      const std::regex compiled(pattern);
    } catch (const std::regex_error& e) {
      return Broken("pattern '" + pattern + "': " + e.what());
    }
    return {};
  }

  // A schema that applies itself to the same value would never end.
  Result<void> RefuseLoop(const json& node) {
    auto [seen, is_new] = loops_.try_emplace(&node, false);
    if (!is_new) {
      if (seen->second) return {};
      return Broken("a $ref leads back to itself without going deeper");
    }
    for (const char* keyword : {"not", "if", "then", "else"}) {
      const auto child = node.find(keyword);
      if (child == node.end() || !child->is_object()) continue;
      if (Result<void> ok = RefuseLoop(*child); !ok) return ok;
    }
    for (const char* keyword : {"allOf", "anyOf", "oneOf", "dependencies"}) {
      const auto children = node.find(keyword);
      if (children == node.end() || !children->is_structured()) continue;
      for (const json& child : *children) {
        if (!child.is_object()) continue;
        if (Result<void> ok = RefuseLoop(child); !ok) return ok;
      }
    }
    if (const json* target = Target(node); target != nullptr) {
      if (Result<void> ok = RefuseLoop(*target); !ok) return ok;
    }
    loops_[&node] = true;
    return {};
  }

  // The object that a `$ref` by JSON Pointer means, or null.
  [[nodiscard]] const json* Target(const json& node) const {
    const auto ref = node.find("$ref");
    if (ref == node.end() || !ref->is_string()) return nullptr;
    try {
      const json& target = root_.at(
          json::json_pointer(ref->get_ref<const std::string&>().substr(1)));
      return target.is_object() ? &target : nullptr;
    } catch (const json::exception&) {
      return nullptr;  // valijson says what is wrong with it
    }
  }

  const json& root_;
  bool costly_ = false;
  double branching_ = 1;
  std::set<std::pair<const json*, Place>> read_;
  std::map<const json*, bool> loops_;  ///< Object -> known to be without.
};

// The size of data, as far as the limits ask.
struct DataSize {
  std::size_t values = 0;
  std::size_t longest_text = 0;
  std::size_t longest_array = 0;
  std::size_t depth = 0;

  // Recursion is safe: Event data and Validate's text are 64 deep at most.
  void Add(const json& value, std::size_t around = 0) {
    ++values;
    depth = std::max(depth, around);
    if (value.is_string()) {
      AddText(value.get_ref<const std::string&>());
    } else if (value.is_array()) {
      longest_array = std::max(longest_array, value.size());
      for (const json& child : value) Add(child, around + 1);
    } else if (value.is_object()) {
      for (const auto& [name, child] : value.items()) {
        AddText(name);
        Add(child, around + 1);
      }
    }
  }

 private:
  void AddText(const std::string& text) {
    longest_text = std::max(longest_text, text.size());
  }
};

// valijson's context, {"<root>", "[items]", "[0]"}, as a JSON Pointer.
std::string Pointer(const std::vector<std::string>& context) {
  std::string pointer;
  for (const std::string& step : context) {
    std::string_view name = step;
    if (name.size() < 2 || name.front() != '[') continue;
    name.remove_prefix(1);
    name.remove_suffix(1);
    pointer += '/';
    for (const char c : name) {
      if (c == '~') {
        pointer += "~0";
      } else if (c == '/') {
        pointer += "~1";
      } else {
        pointer += c;
      }
    }
  }
  return pointer;
}

}  // namespace

struct SchemaValidator::Compiled {
  json text;  // the compiled schema may refer to it
  valijson::Schema schema;
  bool costly = false;
  double branching = 1;

  // A valijson::Validator keeps the compiled patterns but serves one thread.
  Mutex mutex;
  std::vector<std::unique_ptr<valijson::Validator>> idle
      CIRRO_GUARDED_BY(mutex);

  std::unique_ptr<valijson::Validator> Take() {
    const MutexLock lock(mutex);
    if (idle.empty()) return std::make_unique<valijson::Validator>();
    std::unique_ptr<valijson::Validator> validator = std::move(idle.back());
    idle.pop_back();
    return validator;
  }

  void GiveBack(std::unique_ptr<valijson::Validator> validator) {
    const MutexLock lock(mutex);
    idle.push_back(std::move(validator));
  }

  Result<void> Check(const json& data);
};

Result<void> SchemaValidator::Compiled::Check(const json& data) {
  DataSize size;
  size.Add(data);
  if (costly && size.longest_text > kMaxMatchedBytes) {
    return Rejected("the data has a string of " +
                    std::to_string(size.longest_text) +
                    " bytes; the schema has a pattern or format, with which " +
                    std::to_string(kMaxMatchedBytes) + " is the limit");
  }
  if (costly && size.values > kMaxMatchedValues) {
    return Rejected("the data has " + std::to_string(size.values) +
                    " values; the schema has a pattern, format or "
                    "uniqueItems, with which " +
                    std::to_string(kMaxMatchedValues) + " is the limit");
  }

  if (std::pow(branching, static_cast<double>(size.depth)) > kMaxWays) {
    return Rejected(
        "the data is nested " + std::to_string(size.depth) +
        " deep; branches of the schema lead back to itself, with which " +
        std::to_string(
            static_cast<int>(std::log(kMaxWays) / std::log(branching))) +
        " is the limit");
  }

  const valijson::adapters::NlohmannJsonAdapter adapter(data);
  std::unique_ptr<valijson::Validator> validator = Take();
  // The first pass stops at the first failure and collects nothing.
  bool fits = validator->validate(schema, adapter, nullptr);
  std::string why = "the data does not fit the schema";
  if (!fits && size.values <= kMaxExplainedValues &&
      size.longest_array <= kMaxExplainedArray) {
    valijson::ValidationResults results;
    validator->validate(schema, adapter, &results);
    valijson::ValidationResults::Error first;
    if (results.popError(first)) {
      why += " at '" + Cut(Pointer(first.context)) +
             "': " + Cut(std::move(first.description));
    }
  }
  GiveBack(std::move(validator));
  if (!fits) return Rejected(std::move(why));
  return {};
}

SchemaValidator::SchemaValidator(std::unique_ptr<Compiled> compiled)
    : compiled_(std::move(compiled)) {}
SchemaValidator::~SchemaValidator() = default;

Result<std::unique_ptr<const SchemaValidator>> SchemaValidator::Compile(
    std::string_view schema) {
  if (!IsJson(schema, kMaxDepth)) {
    return Broken("not JSON, or nested deeper than " +
                  std::to_string(kMaxDepth));
  }
  auto compiled = std::make_unique<Compiled>();
  compiled->text = json::parse(schema, nullptr, false);
  const json& text = compiled->text;
  if (!text.is_object() && !text.is_boolean()) {
    return Broken("a schema is an object, true or false");
  }
  SchemaReader reader(text);
  if (Result<void> ok = reader.Read(); !ok) return ok.error();
  compiled->costly = reader.costly();
  compiled->branching = reader.branching();
  try {
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(text),
                          compiled->schema);
  } catch (const std::exception& e) {
    return Broken(e.what());
  }
  // Not make_unique: the constructor is private.
  return std::unique_ptr<const SchemaValidator>(
      new SchemaValidator(std::move(compiled)));
}

Result<void> SchemaValidator::Validate(const Event& event) const {
  if (!event.has_data()) return Rejected("the event has no data");
  if (event.data_kind() != DataKind::kJson) {
    return Rejected("the data is not JSON (datacontenttype '" +
                    std::string(event.datacontenttype()) + "')");
  }
  return Validate(event.data());
}

Result<void> SchemaValidator::Validate(std::string_view text) const {
  // nlohmann's tree needs no depth limit; what walks it does.
  if (!IsJson(text, kMaxDepth)) {
    return Rejected("the data is not JSON, or nested deeper than " +
                    std::to_string(kMaxDepth));
  }
  const json data = json::parse(text, nullptr, false);
  if (data.is_discarded()) return Rejected("the data does not parse as JSON");
  try {
    return compiled_->Check(data);
  } catch (const std::exception& e) {
    return Error{ErrorCode::kInternal,
                 std::string("the schema check failed: ") + e.what()};
  }
}

}  // namespace cirro
