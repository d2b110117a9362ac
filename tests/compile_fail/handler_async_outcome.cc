// The outcome of an asynchronous call goes through its Completion.
#include "cirro/dispatch/make_handler.h"

std::unique_ptr<cirro::Handler> Make() {
  using namespace cirro;
#ifdef CIRRO_MUST_NOT_COMPILE
  return MakeHandler([](const Event&, Completion) { return Done(); });
#else
  return MakeHandler(
      [](const Event&, Completion done) { done.Finish(Done()); });
#endif
}
