// A small shop: orders are checked against a JSON Schema, read as a type of
// their own, accepted or rejected; cancelled ones go another way; and one
// function watches them all.

#include <cirro/cirro.h>
#include <cirro/json.h>

#include <string>

namespace {

// [types]
struct Order {
  std::string id;
  double total = 0;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Order, id, total)
// [types]

// [schema]
constexpr const char* kOrderSchema = R"({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "type": "object",
  "required": ["id", "total"],
  "properties": {
    "id": {"type": "string", "minLength": 1, "maxLength": 64},
    "total": {"type": "number"}
  }
})";
// [schema]

// [accept]
cirro::Outcome Accept(const cirro::Event& event, const Order& order) {
  if (order.total < 0) return cirro::Reject("total must not be negative");
  return cirro::Reply({.type = "com.example.order.accepted",
                       .source = "/orders",
                       .subject = std::string(event.subject()),
                       .data = cirro::Json({{"id", order.id}})});
}
// [accept]

cirro::Outcome Refund(const Order& order) {
  return cirro::Reply({.type = "com.example.order.refunded",
                       .source = "/orders",
                       .data = cirro::Json(order)});
}

}  // namespace

int main(int argc, char** argv) {
  cirro::App app;

  // [register]
  app.On({.name = "accept",
          .type = "com.example.order.placed",
          .data_schema = kOrderSchema},
         Accept);
  app.On({.name = "refund",
          .type = "com.example.order.cancelled",
          .data_schema = kOrderSchema},
         Refund);
  app.On({.name = "audit", .type = "com.example.order.*"},
         [](const cirro::Event& event, const cirro::Context& context) {
           context.Log(cirro::LogLevel::kInfo, event.type());
         });
  // [register]

  return app.Run(argc, argv);
}
