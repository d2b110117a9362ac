#include "cirro/dispatch/handler.h"

#include <stdexcept>

namespace cirro {
namespace {

// A bug in whoever called the method of another form; the dispatcher's try
// makes it the failure of one call.
[[noreturn]] void WrongForm() {
  throw std::logic_error("the handler has another form");
}

}  // namespace

Outcome Handler::Single(const Event& /*event*/, Context& /*context*/) {
  WrongForm();
}

std::vector<Outcome> Handler::Batch(std::span<const Event> /*events*/,
                                    Context& /*context*/) {
  WrongForm();
}

void Handler::Async(const Event& /*event*/, Context& /*context*/,
                    Completion /*completion*/) {
  WrongForm();
}

}  // namespace cirro
