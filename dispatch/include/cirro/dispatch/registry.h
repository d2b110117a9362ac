#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/function.h"

namespace cirro {

/// The key that stands for the name in configuration (`[function.KEY]`): lower
/// case, every character but letters and digits as `_`.
[[nodiscard]] CIRRO_EXPORT std::string ConfigKey(std::string_view name);

/// The functions of one process. `main` fills it; there is no global one.
///
/// Built on one thread, then handed to Dispatcher::Make.
class CIRRO_EXPORT Registry {
 public:
  /// Takes the function; a name that was left empty is its type from now on.
  /// Fails, and stays as it was, with kConflict when another function has the
  /// same configuration key, and with kInvalidConfig when the key does not
  /// begin with a letter, the function has neither type nor filter, the
  /// filter names what is no attribute, a pointer of `order_by` is none, a
  /// bound is no bound, or `data_schema` no schema.
  Result<void> Add(Function function);

  /// In the order they were added; a function's index here is its index
  /// everywhere. The runtime changes a spec by its configuration before the
  /// dispatcher is made.
  [[nodiscard]] std::span<Function> functions() noexcept { return functions_; }
  [[nodiscard]] std::span<const Function> functions() const noexcept {
    return functions_;
  }
  /// The function of that name or configuration key, or null.
  [[nodiscard]] Function* Find(std::string_view name) noexcept;

  /// Forgets every function but the one of that name (`FUNCTION_TARGET`).
  /// Fails with kInvalidConfig, naming what there is.
  Result<void> KeepOnly(std::string_view name);

 private:
  std::vector<Function> functions_;
  std::map<std::string, std::size_t> by_key_;
};

/// What Registry::Add checks of one spec; the runtime calls it again after
/// configuration was laid over the spec.
[[nodiscard]] CIRRO_EXPORT Result<void> CheckSpec(const FunctionSpec& spec);

}  // namespace cirro
