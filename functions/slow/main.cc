// An asynchronous function: it returns at once and finishes later, from a
// thread of its own, so that a thousand waiting events cost no thread each.

#include <cirro/cirro.h>
#include <cirro/json.h>

#include <chrono>
#include <memory>
#include <utility>

#include "timer.h"

struct Wish {
  int ms = 100;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Wish, ms)

// [schema]
constexpr const char* kWishSchema = R"({
  "type": "object",
  "properties": {"ms": {"type": "integer", "minimum": 0, "maximum": 10000}}
})";
// [schema]

int main(int argc, char** argv) {
  Timer timer;  // Outlives the app, whose functions use it.
  cirro::App app;

  // [slow]
  app.On({.type = "com.example.slow", .data_schema = kWishSchema},
         [&timer](const Wish& wish, cirro::Completion done) {
           // A Completion moves and std::function copies, hence the shared_ptr.
           const auto duty =
               std::make_shared<cirro::Completion>(std::move(done));
           timer.After(std::chrono::milliseconds(wish.ms), [duty, wish] {
             duty->Finish(
                 cirro::Reply({.type = "com.example.slow.done",
                               .source = "/slow",
                               .data = cirro::Json({{"waited_ms", wish.ms}})}));
           });
         });
  // [slow]

  return app.Run(argc, argv);
}
