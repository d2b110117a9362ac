// One event among 10,000 functions with exact types, and among a few with
// patterns and filters.

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/event_builder.h"
#include "cirro/dispatch/function.h"
#include "cirro/dispatch/router.h"
#include "micro.h"

namespace cirro::bench {
namespace {

constexpr std::size_t kTypes = 10'000;
constexpr std::size_t kEvents = 1'024;  // a power of two

std::string TypeName(std::size_t number) {
  return "com.example.shop" + std::to_string(number) + ".order.placed";
}

Function WithSpec(FunctionSpec spec) { return {std::move(spec), nullptr}; }

std::vector<Function> ExactTypes() {
  std::vector<Function> functions;
  for (std::size_t i = 0; i < kTypes; ++i) {
    functions.push_back(WithSpec({.type = TypeName(i)}));
  }
  return functions;
}

std::vector<Function> Patterns() {
  std::vector<Function> functions;
  functions.push_back(WithSpec({.type = "com.example.*"}));
  functions.push_back(WithSpec({.type = "*.order.placed"}));
  functions.push_back(WithSpec(
      {.filter = {.prefix = {{"source", "/shops/"}, {"subject", "orders/"}}}}));
  functions.push_back(WithSpec({.filter = {.suffix = {{"type", ".shipped"}}}}));
  return functions;
}

// Events of many types in no order, so that no branch or cache line is known
// from the call before.
std::vector<Event> Events() {
  std::vector<Event> events;
  for (std::size_t i = 0; i < kEvents; ++i) {
    Result<Event> event = EventBuilder()
                              .id("b7c2f0de-6a52")
                              .source("/shops/berlin/4")
                              .type(TypeName(i * 7'919 % kTypes))
                              .subject("orders/1009")
                              .Build();
    if (!event) std::abort();
    events.push_back(*std::move(event));
  }
  return events;
}

void MeasureRouting(const char* name, const std::vector<Function>& functions,
                    std::size_t matches) {
  Router router(functions);
  std::vector<Event> events = Events();
  Matches room;
  for (const Event& event : events) {
    room.Clear();
    if (router.Match(event, room).size() == matches) continue;
    std::fprintf(stderr, "%s: an event matches %zu functions\n", name,
                 router.Match(event, room).size());
    std::exit(1);
  }
  Measure(name, [router = std::move(router), events = std::move(events), room,
                 next = std::size_t{0}]() mutable {
    room.Clear();
    benchmark::DoNotOptimize(router.Match(events[next], room));
    next = (next + 1) % kEvents;
  });
}

}  // namespace
}  // namespace cirro::bench

int main(int argc, char** argv) {
  using cirro::bench::MeasureRouting;
  MeasureRouting("route_10000_types", cirro::bench::ExactTypes(), 1);
  MeasureRouting("route_4_filters", cirro::bench::Patterns(), 3);
  return cirro::bench::Run(argc, argv);
}
