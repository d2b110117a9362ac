#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/function.h"
#include "cirro/dispatch/inlet.h"
#include "cirro/dispatch/make_handler.h"
#include "cirro/dispatch/outlet.h"

namespace cirro {

/// A process that serves functions: it reads the configuration, takes events
/// by HTTP and from every inlet it is given, and drains on SIGTERM.
///
///   cirro::App app;
///   app.On("com.example.arrived", [](const cirro::Event& event) { ... });
///   return app.Run(argc, argv);
///
/// Used from one thread; functions are called from many. What is wrong with a
/// registration is reported by Run and Start.
class CIRRO_EXPORT App {
 public:
  App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;
  /// Stops, if Stop was not called.
  ~App();

  /// Calls `function` for events of `type`, exactly, or with `*` for any run
  /// of characters. The function's name is its type. make_handler.h says what
  /// a function may look like.
  template <typename F>
  App& On(std::string_view type, F&& function) {
    FunctionSpec spec;
    spec.type = type;
    return On(std::move(spec), std::forward<F>(function));
  }
  /// The same, with everything that can be said of a function.
  template <typename F>
  App& On(FunctionSpec spec, F&& function) {
    return Add({std::move(spec), MakeHandler(std::forward<F>(function))});
  }
  App& Add(Function function);

  /// One more source of events beside HTTP.
  App& AddInlet(std::unique_ptr<Inlet> inlet);
  /// A place that `reply_to` and Context::Publish know by its name.
  App& AddOutlet(std::unique_ptr<Outlet> outlet);

  /// For programs that use Start: `told` is called when this cannot go on, and
  /// Stop is to be called. An inlet has failed for good (a line of the log says
  /// why), or too many functions hang. On any thread, perhaps more than once
  /// and before Start returns: it only passes the word on, and does not throw.
  App& OnFailure(std::function<void()> told);

  /// A default of this program: `Set("http.port", "9000")`. The file, the
  /// environment and flags win over it. docs/configuration.md has the names.
  App& Set(std::string_view setting, std::string_view value);

  /// Serves until SIGTERM or SIGINT, drains, and returns what main returns: 0
  /// after a drain, 1 when something failed, 2 when a flag is unknown, 74 when
  /// what a flag asked for could not be written, 78 when the configuration is
  /// wrong. A second signal ends the process at once. Once a process. `--help`
  /// lists the flags.
  int Run(int argc, char** argv);

  /// What Run does up to listening, without signals: for tests and programs
  /// with a main loop of their own. Reads the flags it is given and nothing
  /// else: no environment but `environment`, no cirro.toml but `--config`.
  /// Fails with kInvalidConfig or kUnavailable (the port is taken).
  Result<void> Start(
      const std::vector<std::string>& flags = {"--host=127.0.0.1", "--port=0"},
      const std::vector<std::pair<std::string, std::string>>& environment = {});
  /// Where it listens. REQUIRES: started. 0: it does not.
  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::uint16_t admin_port() const noexcept;
  /// Drains, and stops everything. Idempotent. Fails with kDeadlineExceeded
  /// when a function still ran after `drain.grace`; its event was given back.
  /// Whoever then cannot wait for it must end with std::quick_exit.
  Result<void> Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cirro
