#include "http_outlet.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <new>
#include <string>
#include <utility>

#include "cirro/module/module.h"
#include "post.h"

namespace cirro::internal::http_client {
namespace {

using std::chrono::milliseconds;

// The thread wakes for what curl or Send tells it; this often it also looks
// whether something waited too long for a connection.
constexpr milliseconds kLongestPoll{250};

Error InvalidOption(const std::string& option, const std::string& why) {
  return {ErrorCode::kInvalidConfig, option + ": " + why};
}

bool IsHeaderName(std::string_view name) noexcept {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || kMarks.find(c) != std::string_view::npos;
  });
}

bool IsHeaderValue(std::string_view value) noexcept {
  return std::none_of(value.begin(), value.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  });
}

Result<void> Check(const HttpOutletOptions& options) {
  if (options.mode == ContentMode::kNone) {
    return InvalidOption("mode", "must be binary, structured or batch");
  }
  if (options.batch_max == 0)
    return InvalidOption("batch_max", "must not be 0");
  if (options.max_connections == 0) {
    return InvalidOption("max_connections", "must not be 0");
  }
  if (options.max_in_flight == 0) {
    return InvalidOption("max_in_flight", "must not be 0");
  }
  if (options.timeout <= milliseconds(0)) {
    return InvalidOption("timeout", "must be more than 0");
  }
  if (options.connect_timeout <= milliseconds(0)) {
    return InvalidOption("connect_timeout", "must be more than 0");
  }
  for (const auto& [name, value] : options.headers) {
    // The value may be a secret.
    if (!IsHeaderName(name) || !IsHeaderValue(value)) {
      return InvalidOption("headers", "'" + name + "' is no header field");
    }
  }
  return {};
}

// Once a process; curl has its own lock and never needs the cleanup.
bool InitCurl() noexcept {
  static const bool kOk = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return kOk;
}

Answer QueueError(const HttpOutletOptions& options, ErrorCode code,
                  const std::string& why) {
  return {Error{code, "outlet '" + options.name + "': " + why}};
}

}  // namespace

Result<std::unique_ptr<Outlet>> HttpOutlet::Make(HttpOutletOptions options) {
  if (auto checked = Check(options); !checked) return checked.error();
  if (!InitCurl()) return Error{ErrorCode::kInternal, "libcurl does not start"};
  auto target = ParseTarget(options.url);
  if (!target) return std::move(target).error();
  options.url.clear();  // It may hold a password; the target has what is used.
  return std::unique_ptr<Outlet>(
      new HttpOutlet(std::move(options), *std::move(target)));
}

HttpOutlet::HttpOutlet(HttpOutletOptions options, Target target)
    : options_(std::move(options)),
      target_(std::move(target)),
      multi_(curl_multi_init()) {
  if (!multi_) throw std::bad_alloc();
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                    static_cast<long>(options_.max_connections));
}

HttpOutlet::~HttpOutlet() { Stop(milliseconds(0)); }

Result<void> HttpOutlet::Start() {
  if (!options_.ca_certificates.empty()) {
    const Transfer probe(options_, target_);
    if (!probe.TakesCertificates()) {
      return InvalidOption("ca_certificates",
                           "this libcurl takes none from memory");
    }
  }
  thread_ = std::jthread([this] { Run(); });
  return {};
}

void HttpOutlet::Send(Event event, SendCompletion completion) noexcept {
  const char* refused = nullptr;
  ErrorCode code = ErrorCode::kOverloaded;
  {
    const MutexLock lock(mutex_);
    if (stopping_) {
      code = ErrorCode::kUnavailable;
      refused = "it has been stopped";
    } else if (in_flight_ >= options_.max_in_flight) {
      refused = "max_in_flight events are on their way";
    } else {
      ++in_flight_;
      waiting_.push_back({std::move(event), std::move(completion),
                          std::chrono::steady_clock::now() + options_.timeout});
      curl_multi_wakeup(multi_.get());
      return;
    }
  }
  completion.Complete(QueueError(options_, code, refused).result);
}

void HttpOutlet::Bury(DeadLetter letter, SendCompletion completion) noexcept {
  auto event = DeadLetterEvent(letter);
  if (!event) {  // What cannot be said of it here can be said elsewhere.
    completion.Complete(
        QueueError(options_, ErrorCode::kRefused, event.error().message)
            .result);
    return;
  }
  Send(*std::move(event), std::move(completion));
}

void HttpOutlet::Stop(milliseconds grace) noexcept {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    const TimePoint now = std::chrono::steady_clock::now();
    // Not of `now + grace`, which may be past the end of time.
    if (grace < give_up_at_ - now) give_up_at_ = now + grace;
  }
  curl_multi_wakeup(multi_.get());
  if (thread_.joinable()) thread_.join();
  GiveUpAll();  // What was sent to an outlet that never started.
}

void HttpOutlet::Run() noexcept {
  // Signals are for the program's own threads; a write to a connection that is
  // gone is an error, not a SIGPIPE.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);

  while (!IsDone()) Turn();
  GiveUpAll();
}

bool HttpOutlet::IsDone() noexcept {
  const MutexLock lock(mutex_);
  return stopping_ &&
         (in_flight_ == 0 || std::chrono::steady_clock::now() >= give_up_at_);
}

void HttpOutlet::Turn() {
  FailOverdue();
  while (Transfer* const transfer = IdleTransfer()) {
    std::vector<Sending> batch = TakeBatch();
    if (batch.empty()) break;
    transfer->Prepare(std::move(batch), std::chrono::steady_clock::now());
    curl_multi_add_handle(multi_.get(), transfer->handle());
    ++busy_;
  }

  int running = 0;
  curl_multi_perform(multi_.get(), &running);
  int left = 0;
  while (const CURLMsg* const message =
             curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* self = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
    Transfer& transfer = *static_cast<Transfer*>(static_cast<void*>(self));
    Finish(transfer, transfer.Read(code));
  }

  milliseconds longest = kLongestPoll;
  {
    const MutexLock lock(mutex_);
    // A place that became free in this turn is taken in the next.
    if (!waiting_.empty() && busy_ < options_.max_connections) return;
    if (stopping_) {
      longest = std::clamp(std::chrono::ceil<milliseconds>(
                               give_up_at_ - std::chrono::steady_clock::now()),
                           milliseconds(0), kLongestPoll);
    }
  }
  curl_multi_poll(multi_.get(), nullptr, 0, static_cast<int>(longest.count()),
                  nullptr);
}

Transfer* HttpOutlet::IdleTransfer() {
  for (const auto& transfer : transfers_) {
    if (transfer->idle()) return transfer.get();
  }
  if (transfers_.size() == options_.max_connections) return nullptr;
  return transfers_.emplace_back(std::make_unique<Transfer>(options_, target_))
      .get();
}

std::vector<Sending> HttpOutlet::TakeBatch() {
  const std::size_t most =
      options_.mode == ContentMode::kBatch ? options_.batch_max : 1;
  const MutexLock lock(mutex_);
  const auto end = waiting_.begin() +
                   static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
  std::vector<Sending> batch(std::make_move_iterator(waiting_.begin()),
                             std::make_move_iterator(end));
  waiting_.erase(waiting_.begin(), end);
  return batch;
}

void HttpOutlet::FailOverdue() noexcept {
  const TimePoint now = std::chrono::steady_clock::now();
  for (;;) {
    std::vector<Sending> overdue;
    {
      const MutexLock lock(mutex_);
      if (waiting_.empty() || waiting_.front().deadline > now) return;
      overdue.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
      --in_flight_;
    }
    overdue.front().completion.Complete(
        QueueError(options_, ErrorCode::kUnavailable,
                   target_.shown + " is not reached: every connection was busy "
                                   "for the whole timeout")
            .result);
  }
}

void HttpOutlet::Finish(Transfer& transfer, const Answer& answer) noexcept {
  curl_multi_remove_handle(multi_.get(), transfer.handle());
  --busy_;
  {
    const MutexLock lock(mutex_);
    in_flight_ -= transfer.size();
  }
  transfer.Complete(answer);
}

void HttpOutlet::GiveUpAll() noexcept {
  for (const auto& transfer : transfers_) {
    if (!transfer->idle()) Finish(*transfer, transfer->GiveUp());
  }
  std::deque<Sending> waiting;
  {
    const MutexLock lock(mutex_);
    waiting.swap(waiting_);
    in_flight_ -= waiting.size();
  }
  for (Sending& sending : waiting) {
    sending.completion.Complete(
        QueueError(options_, ErrorCode::kUnavailable,
                   target_.shown + " is not reached: stopped before it was")
            .result);
  }
}

namespace {

constexpr HttpClientApi kApi{&HttpOutlet::Make, &Post};

}  // namespace
}  // namespace cirro::internal::http_client

CIRRO_MODULE(http_client, cirro::internal::http_client::kApi)
