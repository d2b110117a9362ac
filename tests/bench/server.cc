// Two functions that look at their event and answer nothing, for ./dev bench:
// one on the I/O thread that received the event, one on the worker pool.

#include <cirro/cirro.h>

#include <atomic>
#include <cstddef>

namespace {

// What a function reads and keeps, so that no event goes by unseen.
void Look(const cirro::Event& event, std::atomic<std::size_t>& seen) {
  seen.fetch_add(event.id().size() + event.data().size(),
                 std::memory_order_relaxed);
}

}  // namespace

int main(int argc, char** argv) {
  std::atomic<std::size_t> seen{0};
  cirro::App app;
  app.On({.name = "inline",
          .type = "com.example.bench.inline",
          .inline_call = true},
         [&seen](const cirro::Event& event) { Look(event, seen); });
  app.On({.name = "pool", .type = "com.example.bench.pool"},
         [&seen](const cirro::Event& event) { Look(event, seen); });
  return app.Run(argc, argv);
}
