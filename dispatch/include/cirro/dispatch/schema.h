#pragma once

#include <memory>
#include <string_view>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/handler.h"

namespace cirro {

/// A JSON Schema (draft-07), compiled once, that data is checked against
/// before a function sees it. Any number of threads may use one.
///
/// The data is hostile, so what would let it cost more than it weighs is
/// refused. With `pattern`, `patternProperties`, `propertyNames`, `format` or
/// `uniqueItems` anywhere in the schema: a string or member name of more than
/// 1,024 bytes, and data of more than 4,096 values. A pattern that backtracks
/// without end is the schema author's to avoid.
class CIRRO_EXPORT SchemaValidator {
 public:
  /// Fails with kInvalidConfig when `schema` is not JSON, no schema, has a
  /// pattern that is no regular expression (ECMAScript), a `$ref` to another
  /// document (nothing is ever fetched), or one that only leads back to itself.
  static Result<std::unique_ptr<const SchemaValidator>> Compile(
      std::string_view schema);

  ~SchemaValidator();
  SchemaValidator(const SchemaValidator&) = delete;
  SchemaValidator& operator=(const SchemaValidator&) = delete;

  /// Whether an event's data fits. Fails with kRejected when it is absent, not
  /// JSON, or breaks the schema; the message has the place (RFC 6901) and the
  /// rule.
  [[nodiscard]] Result<void> Validate(const Event& event) const;
  /// The same of JSON text.
  [[nodiscard]] Result<void> Validate(std::string_view text) const;

 private:
  struct Compiled;
  explicit SchemaValidator(std::unique_ptr<Compiled> compiled);

  const std::unique_ptr<Compiled> compiled_;
};

/// `handler` behind a check: an event whose data does not fit is rejected and
/// never reaches it; of a batch, the other events do.
/// REQUIRES: neither is null.
[[nodiscard]] CIRRO_EXPORT std::unique_ptr<Handler> MakeSchemaChecked(
    std::unique_ptr<Handler> handler,
    std::unique_ptr<const SchemaValidator> validator);

}  // namespace cirro
