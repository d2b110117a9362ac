#include "cirro/http/receiver.h"

#include <pistache/reactor.h>

#include <algorithm>
#include <condition_variable>
#include <optional>
#include <utility>

#include "reactor_thread.h"

namespace cirro {
namespace {

using internal::http::DrainPhase;
using internal::http::ReactorThread;

Error Wrong(const std::string& setting, const std::string& rule) {
  return {ErrorCode::kInvalidConfig, setting + " must be " + rule};
}

Result<void> Check(const HttpOptions& options) {
  if (options.reactor_threads < 1 || options.reactor_threads > 255) {
    return Wrong("http.reactor_threads", "1 to 255");
  }
  if (options.done_status != 200 && options.done_status != 202 &&
      options.done_status != 204) {
    return Wrong("http.done_status", "200, 202 or 204");
  }
  if (options.reject_status < 400 || options.reject_status > 499) {
    return Wrong("http.reject_status", "400 to 499");
  }
  if (options.max_connections == 0 || options.max_pipelined == 0 ||
      options.max_unsent_bytes == 0 || options.max_buffered_bytes == 0 ||
      options.header_limit == 0 || options.line_limit == 0 ||
      options.max_headers == 0) {
    return Wrong("a bound of [http]", "more than 0");
  }
  constexpr std::size_t kMaxHeader = 16'777'216;
  if (options.header_limit > kMaxHeader) {
    return Wrong("http.header_limit", "at most 16 MiB");
  }
  const std::size_t request = options.body_limit + options.header_limit;
  if (options.max_buffered_bytes / 2 < request) {
    return Wrong("http.max_buffered_bytes",
                 "at least twice http.max_body_bytes and http.max_header_bytes "
                 "together, " +
                     std::to_string(2 * request) + "; it is " +
                     std::to_string(options.max_buffered_bytes));
  }
  // A token has 24 bits for the place in a batch.
  constexpr std::size_t kMaxBatch = (1U << 24) - 1;
  if (options.decode.max_batch_events > kMaxBatch) {
    return Wrong("http.max_batch_events", "at most 16777215");
  }
  return {};
}

// What the turn of a thread that is not kept by a function may take.
constexpr std::chrono::seconds kTurn{1};

}  // namespace

std::string_view ToString(HttpDrainStep step) noexcept {
  switch (step) {
    case HttpDrainStep::kNotReady:
      return "not ready";
    case HttpDrainStep::kLastRequests:
      return "last requests";
    case HttpDrainStep::kListenerClosed:
      return "listener closed";
    case HttpDrainStep::kRequestsAnswered:
      return "requests answered";
    case HttpDrainStep::kClosed:
      return "connections closed";
  }
  return "";
}

std::string_view ToString(HttpReject reason) noexcept {
  switch (reason) {
    case HttpReject::kBadRequest:
      return "bad_request";
    case HttpReject::kRedrive:
      return "redrive";
    case HttpReject::kNotFound:
      return "not_found";
    case HttpReject::kMethod:
      return "method";
    case HttpReject::kTimeout:
      return "timeout";
    case HttpReject::kBodyTooLarge:
      return "body_too_large";
    case HttpReject::kTargetTooLong:
      return "target_too_long";
    case HttpReject::kUnsupported:
      return "unsupported";
    case HttpReject::kExpectation:
      return "expectation";
    case HttpReject::kHeaderTooLarge:
      return "header_too_large";
    case HttpReject::kTransferEncoding:
      return "transfer_encoding";
    case HttpReject::kConnections:
      return "connections";
    case HttpReject::kBuffers:
      return "buffers";
    case HttpReject::kDraining:
      return "draining";
    case HttpReject::kVersion:
      return "version";
  }
  return "";
}

class HttpReceiver::Impl final : public Settler {
 public:
  Impl(HttpOptions options, HttpSideRoutes* side_routes)
      : options_(std::move(options)),
        side_routes_(side_routes),
        info_{.name = options_.name, .peer_waits = true} {}

  [[nodiscard]] const InletInfo& info() const { return info_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint16_t admin_port() const { return admin_port_; }

  Result<void> Start(Sink& sink);
  void BeginDrain(std::chrono::milliseconds patience);
  Result<void> Stop(std::chrono::milliseconds grace);
  void Join();
  [[nodiscard]] bool ended() const { return reactor_ == nullptr; }
  [[nodiscard]] HttpCounters counters() const;

  void Settle(DeliveryToken token, Settlement settlement) noexcept override {
    group_->threads[ReactorThread::IndexOf(token)]->Settle(
        token, std::move(settlement));
  }

 private:
  void Say(HttpDrainStep step) const {
    if (options_.on_drain_step) options_.on_drain_step(step);
  }
  void EnterPhase(DrainPhase phase, TimePoint until);
  template <typename Done>
  bool WaitForAll(TimePoint until, Done done);

  const HttpOptions options_;
  HttpSideRoutes* const side_routes_;
  const InletInfo info_;
  std::string address_;
  std::uint16_t port_ = 0;
  std::uint16_t admin_port_ = 0;
  bool draining_ = false;
  std::optional<internal::http::ReactorGroup> group_;
  // Shared by itself: Pistache's reactor hands it to its handlers. Last, so
  // that its threads are joined before what they use is gone.
  std::shared_ptr<Pistache::Aio::Reactor> reactor_;
};

Result<void> HttpReceiver::Impl::Start(Sink& sink) {
  if (Result<void> checked = Check(options_); !checked) return checked;
  Result<internal::http::Listener> listener =
      options_.listen_fd >= 0
          ? internal::http::Listener::Adopt(options_.listen_fd)
          : internal::http::Listener::Open(options_.address, options_.port,
                                           "http.port");
  if (!listener) return std::move(listener).error();
  internal::http::Listener admin;
  if (options_.admin_port) {
    Result<internal::http::Listener> opened = internal::http::Listener::Open(
        options_.address, *options_.admin_port, "admin.port");
    if (!opened) return std::move(opened).error();
    admin = *std::move(opened);
  }

  group_.emplace(
      internal::http::ConnectionHost::Parts{.options = options_,
                                            .info = info_,
                                            .settler = *this,
                                            .sink = sink,
                                            .side_routes = side_routes_});
  group_->listener = *std::move(listener);
  group_->admin_listener = std::move(admin);
  address_ = group_->listener.address();
  port_ = group_->listener.port();
  admin_port_ = group_->admin_listener.port();
  try {
    reactor_ = Pistache::Aio::Reactor::create();
    reactor_->init(
        Pistache::Aio::AsyncContext(options_.reactor_threads, "cirro-http"));
    reactor_->addHandler(
        std::make_shared<internal::http::ReactorSeed>(*group_));
    const bool ok =
        std::all_of(group_->threads.begin(), group_->threads.end(),
                    [](const auto& thread) { return thread->ok(); });
    if (!ok) throw std::runtime_error("no descriptors left");
    reactor_->run();
  } catch (const std::exception& error) {
    if (reactor_ != nullptr) reactor_->shutdown();
    reactor_.reset();
    group_.reset();
    return Error{ErrorCode::kUnavailable,
                 std::string("cannot start the reactor: ") + error.what()};
  }
  return {};
}

// A thread that does not follow in time runs a function that does not end.
void HttpReceiver::Impl::EnterPhase(DrainPhase phase, TimePoint until) {
  // Thread 0 deals the last connections before anybody reads for the last
  // time.
  auto& threads = group_->threads;
  threads[0]->EnterPhase(phase);
  const auto follows = [phase](const ReactorThread& thread) {
    return thread.report().phase >= phase;
  };
  WaitForAll(until, [&](const ReactorThread& thread) {
    return &thread != threads[0].get() || follows(thread);
  });
  for (std::size_t i = 1; i < threads.size(); ++i) {
    threads[i]->EnterPhase(phase);
  }
  WaitForAll(until, follows);
}

// Until `done(thread)` of every thread, or `until`. A thread answers after its
// turn.
template <typename Done>
bool HttpReceiver::Impl::WaitForAll(TimePoint until, Done done) {
  const auto all = [&]() {
    return std::all_of(group_->threads.begin(), group_->threads.end(),
                       [&](const auto& thread) { return done(*thread); });
  };
  MutexLock lock(group_->mutex);
  while (!all()) {
    if (until == TimePoint::max()) {
      group_->reported.wait(group_->mutex);
    } else if (group_->reported.wait_until(group_->mutex, until) ==
               std::cv_status::timeout) {
      return all();
    }
  }
  return true;
}

void HttpReceiver::Impl::BeginDrain(std::chrono::milliseconds patience) {
  if (reactor_ == nullptr || std::exchange(draining_, true)) return;
  const TimePoint begin = std::chrono::steady_clock::now();
  const TimePoint end = begin + patience;
  Say(HttpDrainStep::kNotReady);
  EnterPhase(DrainPhase::kLastRequests, end);
  Say(HttpDrainStep::kLastRequests);
  WaitForAll(begin + std::min(options_.drain_delay, patience),
             [](const ReactorThread&) { return false; });
  // One reading is owed to every connection, however little time is left.
  EnterPhase(DrainPhase::kFenced, std::max(end, begin + kTurn));
  Say(HttpDrainStep::kListenerClosed);
  WaitForAll(end, [](const ReactorThread& thread) {
    return thread.report().unquiet == 0;
  });
}

Result<void> HttpReceiver::Impl::Stop(std::chrono::milliseconds grace) {
  if (reactor_ == nullptr) return {};
  const TimePoint end = std::chrono::steady_clock::now() + grace;
  BeginDrain(std::chrono::milliseconds(0));
  const bool answered = WaitForAll(end, [](const ReactorThread& thread) {
    const ReactorThread::Report report = thread.report();
    return report.unquiet == 0 && report.open_requests == 0;
  });
  Say(HttpDrainStep::kRequestsAnswered);
  // A second Stop waits for the same end, which the threads may be reading.
  if (group_->close_by == TimePoint::max()) {
    group_->close_by =
        std::max(end, std::chrono::steady_clock::now() + options_.linger);
  }
  const TimePoint last = group_->close_by + kTurn;
  EnterPhase(DrainPhase::kClosing, last);
  const bool ended = WaitForAll(last, [](const ReactorThread& thread) {
    const ReactorThread::Report report = thread.report();
    return report.phase == DrainPhase::kClosing && report.connections == 0;
  });
  if (!ended) {
    return Error{ErrorCode::kDeadlineExceeded,
                 "an I/O thread still runs a function after the grace time"};
  }
  Join();
  Say(HttpDrainStep::kClosed);
  if (answered) return {};
  return Error{ErrorCode::kDeadlineExceeded,
               "requests were still open when the grace time was over"};
}

// Only without connections: a shutdown drops the ready events of its turn.
void HttpReceiver::Impl::Join() {
  if (reactor_ == nullptr) return;
  reactor_->shutdown();
  reactor_.reset();
}

HttpCounters HttpReceiver::Impl::counters() const {
  HttpCounters sum;
  if (!group_) return sum;
  const auto read = [](const internal::http::ThreadCounters::Counter& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  for (const auto& thread : group_->threads) {
    const internal::http::ThreadCounters& counters = thread->counters();
    // Closed first: a connection is never counted as closed only.
    const std::uint64_t closed = read(counters.closed);
    const std::uint64_t accepted = read(counters.accepted);
    sum.connections_accepted += accepted;
    sum.connections_open += accepted - std::min(closed, accepted);
    sum.requests += read(counters.requests);
    for (std::size_t i = 0; i < sum.rejected.size(); ++i) {
      sum.rejected[i] += read(counters.rejected[i]);
    }
    for (std::size_t i = 0; i < sum.forgiven.size(); ++i) {
      sum.forgiven[i] += read(counters.forgiven[i]);
    }
  }
  return sum;
}

HttpReceiver::HttpReceiver(HttpOptions options, HttpSideRoutes* side_routes)
    : impl_(std::make_unique<Impl>(std::move(options), side_routes)) {}

HttpReceiver::~HttpReceiver() {
  [[maybe_unused]] const auto stopped =
      impl_->Stop(std::chrono::milliseconds(0));
  impl_->Join();
}

const InletInfo& HttpReceiver::info() const noexcept { return impl_->info(); }

Result<void> HttpReceiver::Start(Sink& sink) { return impl_->Start(sink); }

void HttpReceiver::SetDemand(bool /*wanted*/) noexcept {}

void HttpReceiver::BeginDrain(std::chrono::milliseconds patience) noexcept {
  impl_->BeginDrain(patience);
}

Result<void> HttpReceiver::Stop(std::chrono::milliseconds grace) noexcept {
  return impl_->Stop(grace);
}

bool HttpReceiver::ended() const noexcept { return impl_->ended(); }

const std::string& HttpReceiver::address() const noexcept {
  return impl_->address();
}

std::uint16_t HttpReceiver::port() const noexcept { return impl_->port(); }

std::uint16_t HttpReceiver::admin_port() const noexcept {
  return impl_->admin_port();
}

HttpCounters HttpReceiver::counters() const noexcept {
  return impl_->counters();
}

}  // namespace cirro
