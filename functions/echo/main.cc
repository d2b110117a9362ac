// Replies with each event exactly as it was received: the same attributes,
// extensions and data.

#include <cirro/cirro.h>

int main(int argc, char** argv) {
  cirro::App app;
  // [echo]
  // It never blocks, so it may run on the thread that received the event.
  app.On({.name = "echo", .type = "*", .inline_call = true},
         [](const cirro::Event& event) { return event; });
  // [echo]
  return app.Run(argc, argv);
}
