#include "service.h"

#include <sys/random.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "knative.h"
#include "setting_rules.h"
#include "settings.h"
#include "units.h"

namespace cirro::internal {
namespace {

using std::chrono::milliseconds;

// What the end of the last answer may take when the grace time is used up.
constexpr milliseconds kLastWords{250};

milliseconds Left(TimePoint until) {
  return std::max(milliseconds(0),
                  std::chrono::duration_cast<milliseconds>(
                      until - std::chrono::steady_clock::now()));
}

std::uint64_t RandomSeed() {
  std::uint64_t seed = 0;
  // Of an early boot without entropy the time is enough: it is for jitter.
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != sizeof seed) {
    seed = static_cast<std::uint64_t>(
        std::chrono::steady_clock::now().time_since_epoch().count());
  }
  return seed;
}

// A port for health alone takes no events.
class RefuseAll final : public Sink {
 public:
  void Deliver(std::span<Delivery> batch) noexcept override {
    for (Delivery& delivery : batch) {
      Delivery(std::move(delivery))
          .Settle({.kind = Settlement::Kind::kTerm,
                   .error = Error{ErrorCode::kNoFunction,
                                  "events are not taken here"}});
    }
  }
};
RefuseAll refuse_all;

std::string Url(const std::string& host, std::uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + host + "]" : host) + ":" +
         std::to_string(port);
}

}  // namespace

Service::Service(Parts parts, Logger& logger)
    : config_(std::move(parts.config)),
      listen_fd_(parts.listen_fd),
      exhausted_(parts.exhausted),
      logger_(logger),
      reporter_(metrics_, logger, clock_, parts.exhausted),
      pool_({.quick = std::min(config_.cpus, config_.dispatch.workers),
             .most = config_.dispatch.workers,
             .max_hung = config_.dispatch.max_hung,
             .exhausted = parts.exhausted}),
      // Without HTTP the one port there is serves them to anyone who reaches
      // it.
      side_routes_(
          {.admin_port =
               config_.http.enabled && config_.receiver.admin_port.has_value(),
           .public_metrics = config_.metrics.open || !config_.http.enabled,
           .metrics_token = config_.metrics.token},
          [this] { return RenderMetrics(); },
          [this] { return health_.WhyNotReady(); }),
      registry_(std::move(parts.registry)),
      endpoints_(config_, parts.module_path, clock_, reporter_),
      stops_(logger),
      health_(config_.readiness.broker, clock_, [this](std::string_view inlet) {
        return metrics_.SettledOf(inlet);
      }) {
  for (auto& outlet : parts.outlets) endpoints_.Add(std::move(outlet));
  for (auto& inlet : parts.inlets) endpoints_.Add(std::move(inlet));
}

Service::~Service() = default;

Result<void> Service::MakeDispatcher() {
  auto overrides = ParseOverrides(config_.knative.ce_overrides);
  if (!overrides) return overrides.error();

  DispatcherOptions options = config_.dispatcher;
  options.seed = RandomSeed();
  if (options.reply_to.empty() && !config_.knative.sink.empty()) {
    options.reply_to = kSinkName;
  }
  DispatcherParts parts{.clock = clock_,
                        .executor = pool_,
                        .timers = timers_,
                        .observer = &reporter_,
                        .stuck = exhausted_};
  std::vector<Outlet*> plain;  // Whose own types a source of theirs knows.
  for (const auto& outlet : endpoints_.outlets()) {
    plain.push_back(outlet.get());
    metered_.push_back(
        std::make_unique<MeteredOutlet>(*outlet, metrics_, logger_, clock_));
    parts.outlets.push_back({metered_.back().get(), *overrides});
  }
  if (receiver_ != nullptr) parts.inlets.push_back(receiver_.get());
  parts.places = endpoints_.places();
  for (const auto& inlet : endpoints_.inlets()) {
    parts.inlets.push_back(inlet.get());
    health_.Watch(*inlet);
    if (auto* const transactional = CapabilityOf<Transactional>(*inlet)) {
      // In the order of parts, by which settlements name them.
      auto joined = transactional->Join(plain, parts.places);
      if (!joined) {
        return endpoints_.WrongInlet(*inlet, joined.error());
      }
    }
  }
  for (const Function& function : std::as_const(registry_).functions()) {
    if (!function.spec.dedup) continue;
    dedup_ = MakeMemoryDedup(clock_, options.dedup_window, options.dedup_lease,
                             config_.dispatch.dedup_max);
    parts.dedup = dedup_.get();
    break;
  }

  if (options.reply_to.empty()) WarnOfRepliesWithoutPlace();
  WarnOfDedupWithoutUse();
  WarnOfLettersInMemory();
  auto made = Dispatcher::Make(std::move(registry_), options, std::move(parts));
  if (!made) return made.error();
  dispatcher_ = *std::move(made);
  MakeRelay(*overrides);
  return {};
}

void Service::MakeRelay(const std::vector<Extension>& overrides) {
  for (const auto& outlet : metered_) {
    const auto path = paths_.find(outlet->name());
    if (path == paths_.end()) continue;
    if (relay_ == nullptr) {
      relay_ =
          std::make_unique<Relay>(*dispatcher_, reporter_, clock_, overrides);
    }
    relay_->Add(path->second, *outlet);
  }
}

void Service::WarnOfRepliesWithoutPlace() const {
  for (const auto& inlet : endpoints_.inlets()) {
    if (inlet->info().peer_waits) continue;
    logger_.Write(LogLevel::kWarning,
                  "replies to events of this inlet have no place to go and "
                  "are rejected; set dispatch.reply_to, or \"none\"",
                  {{"inlet", inlet->info().name}});
  }
  if (receiver_ == nullptr) return;
  for (const Function& function : registry_.functions()) {
    if (!function.handler->replies_several() ||
        !function.spec.reply_to.empty()) {
      continue;
    }
    logger_.Write(
        LogLevel::kWarning,
        "this function returns several events and an HTTP answer carries one; "
        "more have no place to go and are rejected; set function." +
            ConfigKey(function.spec.name) +
            ".reply_to, dispatch.reply_to or K_SINK, or \"none\"",
        {{"function", function.spec.name}});
  }
}

// What a transaction undoes comes again, so nothing of it is known as done.
void Service::WarnOfDedupWithoutUse() const {
  for (const auto& inlet : endpoints_.inlets()) {
    if (CapabilityOf<Transactional>(*inlet) == nullptr) continue;
    for (const Function& function : registry_.functions()) {
      if (!function.spec.dedup) continue;
      logger_.Write(
          LogLevel::kWarning,
          "`dedup` of this function does nothing for events of this "
          "inlet, which is `exactly_once`: an event that is sent "
          "there twice is done twice",
          {{"function", function.spec.name}, {"inlet", inlet->info().name}});
    }
  }
}

// What a broker kept until now is acknowledged once its letter is there.
void Service::WarnOfLettersInMemory() const {
  std::set<std::string> used(config_.dispatcher.dead_letter.begin(),
                             config_.dispatcher.dead_letter.end());
  for (const Function& function : registry_.functions()) {
    if (!function.spec.dead_letter) continue;
    used.insert(function.spec.dead_letter->begin(),
                function.spec.dead_letter->end());
  }
  for (const auto& [place, outlet] : config_.outlets) {
    if (outlet.type != OutletType::kMemory || !used.contains(place)) continue;
    for (const auto& [name, inlet] : config_.inlets) {
      const bool kept = inlet.type == InletType::kKafka ||
                        (inlet.type == InletType::kNats && inlet.jetstream);
      if (!kept) continue;
      logger_.Write(LogLevel::kWarning,
                    "dead letters of this inlet that are kept in memory end "
                    "with this process; name a file or a broker's topic in "
                    "dead_letter",
                    {{"inlet", name}, {"place", place}});
    }
  }
}

void Service::MakeReceiver() {
  HttpOptions options = config_.receiver;
  if (!config_.http.enabled) {
    if (!options.admin_port) return;
    // Health is served where there is nothing else to serve.
    options.port = *options.admin_port;
    options.admin_port.reset();
  } else {
    options.listen_fd = listen_fd_;
  }
  options.drain_delay = config_.drain.delay;
  for (const auto& [name, outlet] : config_.outlets) {
    if (outlet.http_path.empty()) continue;
    InletInfo& info = paths_[name];
    info = {.name = options.name, .peer_waits = true};
    options.paths.push_back({outlet.http_path, &info});
  }
  options.on_forgiven = [this](Leniency what, const Event& event) {
    reporter_.Forgiven(what, event);
  };
  options.on_drain_step = [this](HttpDrainStep step) {
    if (step == HttpDrainStep::kNotReady) {
      side_routes_.Set(Readiness::kDraining);
    }
    logger_.Write(LogLevel::kInfo, "drain: " + std::string(ToString(step)),
                  {{"step", std::to_string(static_cast<int>(step)) + " of 5"}});
  };
  receiver_ = std::make_unique<HttpReceiver>(std::move(options), &side_routes_);
}

Result<void> Service::Start() {
  if (auto made = endpoints_.Make(); !made) return made;
  if (!config_.http.enabled && endpoints_.inlets().empty()) {
    return Error{ErrorCode::kInvalidConfig,
                 "nothing to serve: http.enabled is false and there is no "
                 "other inlet"};
  }
  if (auto applied = ApplyConfig(); !applied) return applied;
  MakeReceiver();
  const bool prepare = NeedsWorkerFromTheStart();
  if (auto made = MakeDispatcher(); !made) return made;

  Result<void> started = prepare ? pool_.Prepare() : Result<void>();
  if (started) started = endpoints_.StartOutlets();
  for (const auto& inlet : endpoints_.inlets()) {
    if (!started) break;
    started = inlet->Start(*dispatcher_);
    if (!started) {
      started = endpoints_.WrongInlet(*inlet, started.error());
    }
  }
  if (started && receiver_ != nullptr) {
    // The first request after listening is answered as every other one.
    side_routes_.Set(Readiness::kReady);
    Sink* sink = dispatcher_.get();
    if (relay_ != nullptr) sink = relay_.get();
    if (!config_.http.enabled) sink = &refuse_all;
    started = receiver_->Start(*sink);
  }
  if (!started) {
    UndoStart();
    return started;
  }
  ended_ = false;
  SayWhereItListens();
  return {};
}

// An HTTP peer that waits too long sends anew; a broker may have no other
// event.
bool Service::NeedsWorkerFromTheStart() const {
  const auto functions = registry_.functions();
  return !endpoints_.inlets().empty() &&
         std::any_of(functions.begin(), functions.end(),
                     [](const Function& function) {
                       return !function.spec.inline_call;
                     });
}

// Some inlets may have delivered already.
void Service::UndoStart() {
  side_routes_.Set(Readiness::kDraining);
  const std::string open = stops_.Stop(endpoints_.inlets(), clock_.Now());
  dispatcher_->GiveBackAll();
  endpoints_.StopOutlets(clock_.Now());
  ended_ = StopFunctions(clock_.Now() + config_.drain.grace) && open.empty();
}

bool Service::StopFunctions(TimePoint last) {
  timers_.Stop();
  // What was told to stop by its token gets a moment to hear of it.
  const bool idle = pool_.Stop(std::max(last, clock_.Now() + kLastWords));
  // A function may be on an I/O thread, too, or on a thread of its own that
  // holds its Context.
  return idle && (receiver_ == nullptr || receiver_->ended()) &&
         dispatcher_->counts().running == 0;
}

void Service::SayWhereItListens() {
  std::string names;
  for (const auto& [name, type] : types_) {
    names += (names.empty() ? "" : ", ") + name;
  }
  if (receiver_ == nullptr) {
    logger_.Write(LogLevel::kInfo, "ready", {{"functions", names}});
    return;
  }
  // An inherited socket is not where http.host says; the admin port is.
  const std::string admin =
      admin_port() == 0 ? "" : Url(config_.receiver.address, admin_port());
  logger_.Write(LogLevel::kInfo,
                "ready, listening on " + Url(receiver_->address(), port()),
                {{"functions", names},
                 {"admin", admin},
                 {"service", config_.knative.service},
                 {"revision", config_.knative.revision},
                 {"version", CIRRO_VERSION}});
}

// Each is waited for, perhaps for the whole grace time: an inline function may
// hold its thread. The others are not to go on fetching meanwhile.
void Service::TellInletsToDrain(TimePoint until) {
  std::vector<std::jthread> telling;
  const auto& inlets = endpoints_.inlets();
  for (std::size_t i = 0; i < inlets.size(); ++i) {
    const auto tell = [&inlet = *inlets[i], until] {
      inlet.BeginDrain(Left(until));
    };
    try {
      if (i + 1 < inlets.size()) {
        telling.emplace_back(tell);
        continue;
      }
    } catch (const std::system_error&) {  // There is no thread to be had.
    }
    tell();
  }
}

Result<void> Service::Drain() {
  const TimePoint begin = clock_.Now();
  const TimePoint until = begin + config_.drain.delay + config_.drain.grace;
  // Brokers stop fetching at once; HTTP senders are given time to notice.
  TellInletsToDrain(until);
  if (receiver_ != nullptr) receiver_->BeginDrain(Left(until));
  dispatcher_->BeginDrain();
  dispatcher_->GiveBackWaiting();
  const bool finished = dispatcher_->WaitIdle(Left(until));
  if (!finished) {
    const auto counts = dispatcher_->counts();
    logger_.Write(LogLevel::kWarning,
                  "drain: the grace time is over, what is open is given back",
                  {{"calls", std::uint64_t{counts.running}},
                   {"hung", std::uint64_t{counts.hung}}});
    dispatcher_->GiveBackAll();
  }
  const TimePoint last = std::max(until, clock_.Now() + kLastWords);
  const std::string open = stops_.Stop(endpoints_.inlets(), last);
  if (receiver_ != nullptr) {
    if (const auto stopped = receiver_->Stop(Left(last)); !stopped) {
      logger_.Write(LogLevel::kWarning, stopped.error().message);
    }
  }
  for (const auto& [inlet, count] : endpoints_.InMemory()) {
    logger_.Write(LogLevel::kWarning,
                  "messages in memory were not done; they end with the process",
                  {{"inlet", inlet}, {"messages", count}});
  }
  endpoints_.StopOutlets(last);
  const bool functions_ended = StopFunctions(last);
  ended_ = functions_ended && open.empty();
  if (!functions_ended) {
    return Error{ErrorCode::kDeadlineExceeded,
                 "a function still runs after drain.grace; its event was "
                 "given back"};
  }
  if (!ended_) {
    return Error{ErrorCode::kDeadlineExceeded,
                 "inlet " + open +
                     " does not end after drain.grace: a function still runs "
                     "on its thread, or its broker does not answer; what is "
                     "not settled comes again"};
  }
  const auto took =
      std::chrono::duration_cast<milliseconds>(clock_.Now() - begin);
  logger_.Write(LogLevel::kInfo, "drained", {{"took", FormatDuration(took)}});
  return {};
}

std::uint16_t Service::port() const noexcept {
  return receiver_ == nullptr || !config_.http.enabled ? std::uint16_t{0}
                                                       : receiver_->port();
}

std::uint16_t Service::admin_port() const noexcept {
  if (receiver_ == nullptr) return 0;
  return config_.http.enabled ? receiver_->admin_port() : receiver_->port();
}

std::string Service::RenderMetrics() {
  MetricsSnapshot snapshot;
  snapshot.dispatcher = dispatcher_->counts();
  snapshot.has_http = receiver_ != nullptr;
  if (snapshot.has_http) snapshot.http = receiver_->counters();
  snapshot.worker_threads = pool_.threads();
  snapshot.worker_queue = pool_.waiting();
  snapshot.ready = side_routes_.readiness() == Readiness::kReady &&
                   health_.WhyNotReady().empty();
  snapshot.types = types_;
  snapshot.lags = health_.lags();
  snapshot.links = health_.links();
  return metrics_.Render(snapshot);
}

}  // namespace cirro::internal
