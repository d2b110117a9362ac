#include "cirro/dispatch/registry.h"

#include <utility>

#include "cirro/cloudevents/attribute.h"
#include "cirro/dispatch/schema.h"
#include "json_pointer.h"
#include "reply.h"

namespace cirro {
namespace {

bool IsEmpty(const Filter& filter) {
  return filter.exact.empty() && filter.prefix.empty() &&
         filter.suffix.empty() && filter.all.empty() && filter.any.empty() &&
         filter.none.empty();
}

// A name in the filter that no event's attribute can have, or null.
const std::string* NoAttribute(const Filter& filter) {
  for (const auto* names : {&filter.exact, &filter.prefix, &filter.suffix}) {
    for (const auto& [name, value] : *names) {
      if (!IsAttributeName(name)) return &name;
    }
  }
  for (const auto* parts : {&filter.all, &filter.any, &filter.none}) {
    for (const Filter& part : *parts) {
      if (const auto* name = NoAttribute(part); name != nullptr) return name;
    }
  }
  return nullptr;
}

Error Wrong(const FunctionSpec& spec, std::string what) {
  return {ErrorCode::kInvalidConfig,
          "function '" + spec.name + "': " + std::move(what)};
}

}  // namespace

std::string ConfigKey(std::string_view name) {
  std::string key(name);
  for (char& c : key) {
    if ('A' <= c && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    } else if (!(('a' <= c && c <= 'z') || ('0' <= c && c <= '9'))) {
      c = '_';
    }
  }
  return key;
}

Result<void> CheckSpec(const FunctionSpec& spec) {
  const std::string key = ConfigKey(spec.name);
  if (key.empty() || key[0] < 'a' || key[0] > 'z') {
    return Wrong(spec, "its configuration key would be '" + key +
                           "', which does not begin with a letter; give it "
                           "another `name`");
  }
  if (spec.type.empty() && IsEmpty(spec.filter)) {
    return Wrong(spec,
                 "it has neither a type nor a filter; `type` \"*\" takes every "
                 "event");
  }
  if (const auto* name = NoAttribute(spec.filter); name != nullptr) {
    return Wrong(spec, "`filter` names the attribute '" + *name +
                           "', which no event can have: a name consists of "
                           "a-z and 0-9, and is not data");
  }
  if (spec.timeout <= std::chrono::milliseconds::zero() ||
      spec.timeout > internal::kLongestDelay) {
    return Wrong(spec, "`timeout` is " + std::to_string(spec.timeout.count()) +
                           " ms; it must be more than 0 and at most 365 days");
  }
  if (spec.batch_max == 0) {
    return Wrong(spec, "`batch.max` is 0; it must be at least 1");
  }
  const bool by_pointer = spec.order_by.kind == OrderBy::Kind::kJsonPointer;
  const std::string& pointer = spec.order_by.pointer;
  if (by_pointer && (pointer.empty() || !internal::IsJsonPointer(pointer))) {
    return Wrong(spec, "`order_by.pointer` '" + pointer +
                           "' is no JSON pointer to a member: it begins with "
                           "/, and ~ is written ~0");
  }
  return {};
}

Result<void> Registry::Add(Function function) {
  FunctionSpec& spec = function.spec;
  if (spec.name.empty()) spec.name = spec.type;
  if (!function.handler) return Wrong(spec, "it has no code");
  if (auto checked = CheckSpec(spec); !checked) return checked;
  if (const Function* other = Find(spec.name); other != nullptr) {
    return Error{ErrorCode::kConflict,
                 "functions '" + other->spec.name + "' and '" + spec.name +
                     "' share the configuration key '" + ConfigKey(spec.name) +
                     "'; give one another `name`"};
  }
  if (!spec.data_schema.empty()) {
    auto validator = SchemaValidator::Compile(spec.data_schema);
    if (!validator) return Wrong(spec, validator.error().message);
    function.handler =
        MakeSchemaChecked(std::move(function.handler), *std::move(validator));
  }
  by_key_.emplace(ConfigKey(spec.name), functions_.size());
  functions_.push_back(std::move(function));
  return {};
}

Function* Registry::Find(std::string_view name) noexcept {
  const auto found = by_key_.find(ConfigKey(name));
  return found == by_key_.end() ? nullptr : &functions_[found->second];
}

Result<void> Registry::KeepOnly(std::string_view name) {
  Function* const kept = Find(name);
  if (kept == nullptr) {
    std::string message = "there is no function '" + std::string(name) + "'";
    const char* before = "; there is: ";
    for (const Function& function : functions_) {
      message += std::exchange(before, ", ") + function.spec.name;
    }
    return Error{ErrorCode::kInvalidConfig, std::move(message)};
  }
  Function only = std::move(*kept);
  by_key_ = {{ConfigKey(only.spec.name), 0}};
  functions_.clear();
  functions_.push_back(std::move(only));
  return {};
}

}  // namespace cirro
