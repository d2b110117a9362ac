#include "cirro/runtime/app.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>

#include "cirro/dispatch/registry.h"
#include "config.h"
#include "descriptors.h"
#include "environment.h"
#include "flags.h"
#include "log.h"
#include "service.h"
#include "signals.h"
#include "standard_streams.h"
#include "units.h"

namespace cirro {
namespace {

using internal::Assignment;
using internal::Config;
using internal::ConfigSources;
using internal::Environment;
using internal::Find;
using internal::Flags;
using internal::LogFormat;
using internal::Logger;
using internal::Service;
using internal::StopSignal;

constexpr int kFailed = 1;
constexpr int kWrongUse = 2;
constexpr int kNotWritten = 74;  // This and the next: as in sysexits.h.
constexpr int kBadConfig = 78;

// The listening socket that a supervisor passed on, or -1.
// Source: sd_listen_fds(3): descriptors begin at 3 and belong to LISTEN_PID.
Result<int> InheritedListener(const Environment& environment) {
  constexpr int kFirst = 3;
  const std::string count = Find(environment, "LISTEN_FDS");
  const std::string pid = Find(environment, "LISTEN_PID");
  const bool ours = pid.empty() || pid == std::to_string(getpid());
  // 0: none were passed.
  if (count.empty() || count == "0" || !ours) return -1;
  if (count != "1") {
    return Error{ErrorCode::kInvalidConfig,
                 "LISTEN_FDS = " + count + ": exactly one socket is taken"};
  }
  // What functions start must not inherit it.
  if (fcntl(kFirst, F_SETFD, FD_CLOEXEC) != 0) {
    return Error{ErrorCode::kInvalidConfig,
                 "LISTEN_FDS = 1, but descriptor 3 is not open"};
  }
  return kFirst;
}

std::unique_ptr<Logger> MakeLogger(LogLevel level, LogFormat format) {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  const bool json =
      format == LogFormat::kJson || (format == LogFormat::kAuto && !terminal);
  return std::make_unique<Logger>(level, json, terminal && !json,
                                  STDERR_FILENO);
}

// One line for each of the mistakes that `message` holds.
void LogLines(Logger& logger, std::string_view message) {
  while (!message.empty()) {
    const std::string_view line = message.substr(0, message.find('\n'));
    logger.Write(LogLevel::kError, line);
    message.remove_prefix(std::min(message.size(), line.size() + 1));
  }
}

// Writes a page to stdout; returns what main returns.
int Print(const std::string& page, Logger& logger) {
  std::fputs(page.c_str(), stdout);
  const auto written = internal::FlushStandardOutput();
  if (written) return 0;
  logger.Write(LogLevel::kError, written.error().message);
  return kNotWritten;
}

std::string_view OrderName(OrderBy::Kind kind) {
  switch (kind) {
    case OrderBy::Kind::kSource:
      return "source";
    case OrderBy::Kind::kNone:
      return "none";
    case OrderBy::Kind::kPartitionKey:
      return "partitionkey";
    case OrderBy::Kind::kSubject:
      return "subject";
    case OrderBy::Kind::kJsonPointer:
      return "json_pointer";
  }
  return {};
}

std::string_view ExhaustedName(OnExhausted what) {
  switch (what) {
    case OnExhausted::kDeadLetter:
      return "dead_letter";
    case OnExhausted::kRetry:
      return "retry";
    case OnExhausted::kDrop:
      return "drop";
  }
  return {};
}

// What the code says of a function, as settings.
void AddSpec(const FunctionSpec& spec, std::vector<Assignment>& code) {
  const std::string section = "function." + ConfigKey(spec.name) + ".";
  const auto add = [&](std::string_view key, std::string value) {
    code.push_back({section + std::string(key), std::move(value), "code"});
  };
  add("concurrency", std::to_string(spec.concurrency));
  add("timeout", internal::FormatDuration(spec.timeout));
  add("inline", spec.inline_call ? "true" : "false");
  add("batch_max", std::to_string(spec.batch_max));
  add("max_in_flight", std::to_string(spec.max_in_flight));
  add("max_in_flight_bytes", std::to_string(spec.max_bytes));
  add("order_by", std::string(OrderName(spec.order_by.kind)));
  if (!spec.order_by.pointer.empty()) {
    add("order_pointer", spec.order_by.pointer);
  }
  if (!spec.reply_to.empty()) add("reply_to", spec.reply_to);
  if (spec.dedup) add("dedup", "true");
  if (spec.retry) {
    add("retry_attempts", std::to_string(spec.retry->attempts));
    add("retry_base", internal::FormatDuration(spec.retry->base));
    add("retry_cap", internal::FormatDuration(spec.retry->cap));
  }
  if (spec.on_exhausted) {
    add("on_exhausted", std::string(ExhaustedName(*spec.on_exhausted)));
  }
  if (spec.dead_letter) {
    std::string places;
    for (const std::string& place : *spec.dead_letter) {
      places.append(places.empty() ? "" : ", ").append(place);
    }
    add("dead_letter", std::move(places));
  }
}

// Connections are descriptors; many systems begin with 1,024.
void SayIfDescriptorsAreFew(const Config& config, Logger& logger) {
  constexpr std::uint64_t kOthers = 512;  // Admin, outlets, files.
  if (!config.http.enabled) return;
  const std::uint64_t wanted = config.receiver.max_connections + kOthers;
  const std::uint64_t allowed = internal::AllowDescriptors(wanted);
  if (allowed >= wanted) return;
  logger.Write(LogLevel::kWarning,
               "this process may open " + std::to_string(allowed) +
                   " descriptors, fewer than http.max_connections (" +
                   std::to_string(config.receiver.max_connections) +
                   ") needs; raise `ulimit -n` or lower the setting");
}

}  // namespace

class App::Impl {
 public:
  Registry registry;
  std::vector<std::unique_ptr<Inlet>> inlets;
  std::vector<std::unique_ptr<Outlet>> outlets;
  std::vector<Assignment> settings;
  std::function<void()> told;  // Of a failure.
  std::string mistakes;        // Of registrations, a line each.

  std::unique_ptr<Logger> logger;  // Outlives the service.
  std::unique_ptr<Service> service;
  bool hangs = false;  // A function, in what was a service.

  void Mistake(const std::string& what) {
    if (!mistakes.empty()) mistakes += '\n';
    mistakes += what;
  }

  [[nodiscard]] Result<Config> Load(const Flags& flags,
                                    const Environment& environment,
                                    std::optional<std::string> file) {
    ConfigSources sources;
    sources.functions.emplace();
    for (const Function& function : std::as_const(registry).functions()) {
      sources.functions->push_back(ConfigKey(function.spec.name));
      AddSpec(function.spec, sources.code);
    }
    sources.code.insert(sources.code.end(), settings.begin(), settings.end());
    sources.file = std::move(file);
    sources.environment = environment;
    sources.defaults = flags.defaults;
    sources.flags = flags.settings;
    auto loaded = LoadConfig(sources);
    if (!mistakes.empty()) {
      return Error{
          ErrorCode::kInvalidConfig,
          loaded ? mistakes : mistakes + '\n' + loaded.error().message};
    }
    return loaded;
  }

  Result<void> Start(Config config, const Environment& environment,
                     const Task& exhausted) {
    const auto inherited = InheritedListener(environment);
    if (!inherited) return inherited.error();
    logger = MakeLogger(config.log.level, config.log.format);
    auto made = std::make_unique<Service>(
        Service::Parts{.config = std::move(config),
                       .registry = std::exchange(registry, {}),
                       .inlets = std::move(inlets),
                       .outlets = std::move(outlets),
                       .module_path = Find(environment, "CIRRO_MODULE_PATH"),
                       .listen_fd = *inherited,
                       .exhausted = exhausted},
        *logger);
    auto started = made->Start();
    service = std::move(made);
    if (!started) Discard();
    return started;
  }

  void Discard() {
    if (service->ended()) {
      service.reset();
      return;
    }
    // A function still runs in it: it can neither be used nor destroyed.
    hangs = true;
    static_cast<void>(service.release());
    static_cast<void>(logger.release());
  }

  Result<void> Stop() {
    if (service == nullptr) return {};
    auto drained = service->Drain();
    Discard();
    return drained;
  }

  // The end of the process, with `status`. Lines are not buffered, so there is
  // nothing to flush.
  [[nodiscard]] int End(int status) const {
    // No destructor may run under a function that still does.
    if (hangs) std::quick_exit(status);
    return status;
  }

  int Run(const Flags& flags);
};

App::App() : impl_(std::make_unique<Impl>()) {}

App::~App() { static_cast<void>(impl_->Stop().has_value()); }

App& App::Add(Function function) {
  if (function.handler == nullptr) {
    impl_->Mistake("function " + function.spec.name + " has no code");
  } else if (const auto added = impl_->registry.Add(std::move(function));
             !added) {
    impl_->Mistake(added.error().message);
  }
  return *this;
}

App& App::AddInlet(std::unique_ptr<Inlet> inlet) {
  impl_->inlets.push_back(std::move(inlet));
  return *this;
}

App& App::AddOutlet(std::unique_ptr<Outlet> outlet) {
  impl_->outlets.push_back(std::move(outlet));
  return *this;
}

App& App::OnFailure(std::function<void()> told) {
  impl_->told = std::move(told);
  return *this;
}

App& App::Set(std::string_view setting, std::string_view value) {
  impl_->settings.push_back({std::string(setting), std::string(value), "code"});
  return *this;
}

Result<void> App::Start(const std::vector<std::string>& flags,
                        const Environment& environment) {
  if (impl_->service != nullptr) {
    return Error{ErrorCode::kInternal, "the App has been started"};
  }
  const auto parsed = internal::ParseFlags(flags);
  if (!parsed) return parsed.error();
  auto config = impl_->Load(*parsed, environment, "");
  if (!config) return config.error();
  Task tell;
  if (impl_->told != nullptr) {
    tell = {[](void* self, std::uint64_t) noexcept {
              static_cast<Impl*>(self)->told();
            },
            impl_.get(), 0};
  }
  return impl_->Start(*std::move(config), environment, tell);
}

std::uint16_t App::port() const noexcept { return impl_->service->port(); }
std::uint16_t App::admin_port() const noexcept {
  return impl_->service->admin_port();
}
Result<void> App::Stop() { return impl_->Stop(); }

int App::Run(int argc, char** argv) {
  internal::OpenStandardStreams();
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0),
                                           argv + argc);
  const auto early = MakeLogger(LogLevel::kInfo, LogFormat::kAuto);
  try {
    const auto flags = internal::ParseFlags(arguments);
    if (!flags) {
      LogLines(*early, flags.error().message);
      return kWrongUse;
    }
    if (flags->help) {
      const std::string program = argc > 0 ? argv[0] : "function";
      return Print(internal::FlagsHelp(program), *early);
    }
    if (flags->version) return Print("cirro " CIRRO_VERSION "\n", *early);
    return impl_->Run(*flags);
  } catch (const std::exception& error) {
    early->Write(LogLevel::kError, error.what());
    return kFailed;
  }
}

int App::Impl::Run(const Flags& flags) {
  const auto early = MakeLogger(LogLevel::kInfo, LogFormat::kAuto);
  const Environment environment = internal::ReadEnvironment();
  auto config = Load(flags, environment, std::nullopt);
  if (!config) {
    LogLines(*early, config.error().message);
    return kBadConfig;
  }
  if (flags.print_config) return Print(PrintConfig(*config), *early);

  SayIfDescriptorsAreFew(*config, *early);
  StopSignal signal;
  const Task wake{[](void* target, std::uint64_t) noexcept {
                    static_cast<StopSignal*>(target)->Wake();
                  },
                  &signal, 0};
  if (const auto started = Start(*std::move(config), environment, wake);
      !started) {
    LogLines(*early, started.error().message);
    return End(started.error().code == ErrorCode::kInvalidConfig ? kBadConfig
                                                                 : kFailed);
  }
  const int number = signal.Wait();
  if (number != 0) {
    logger->Write(LogLevel::kInfo, "drain: told to stop", {{"signal", number}});
  } else if (service->failed()) {
    logger->Write(LogLevel::kError,
                  "drain: a part has failed for good; ending, to be started "
                  "anew");
  } else {
    logger->Write(LogLevel::kError,
                  "too many functions hang (dispatch.max_hung), or those that "
                  "hang leave no room for others; ending, to be started anew");
  }
  const int status = number != 0 ? 0 : kFailed;
  Logger& lines = *logger;
  if (const auto stopped = Stop(); !stopped) {
    lines.Write(LogLevel::kWarning, stopped.error().message);
  }
  return End(status);
}

}  // namespace cirro
