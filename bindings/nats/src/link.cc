#include "link.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "credentials.h"

namespace cirro::internal::nats {
namespace {

// Whoever was refused is not let in by asking again; until it is closed.
constexpr std::chrono::hours kRefusedWait{1};

Error Invalid(const std::string& setting, natsStatus status) {
  return {ErrorCode::kInvalidConfig, Explain("connection." + setting, status)};
}

// Sets one option after the other until one fails.
class Setter {
 public:
  explicit Setter(natsOptions* options) : options_(options) {}

  template <typename Set, typename... Values>
  Setter& operator()(const char* setting, Set set, Values... values) {
    if (!error_) return *this;
    const natsStatus status = set(options_, values...);
    if (status != NATS_OK) error_ = Invalid(setting, status);
    return *this;
  }
  template <typename Set>
  Setter& Text(const char* setting, Set set, const std::string& text) {
    return text.empty() ? *this : (*this)(setting, set, text.c_str());
  }
  [[nodiscard]] const Result<void>& result() const { return error_; }

 private:
  natsOptions* const options_;
  Result<void> error_;
};

// Never connected to by anybody, without a packet on the wire. libnats closes
// for good where the last server that it tried first took the connection and
// then failed it (TLS, a proxy without its server): it forgets where it was.
// Behind this one it tries for ever, as it does later.
constexpr const char* kNowhere = "nats://255.255.255.255:1";

// Of a server that was not reached libnats says one of two things, whichever
// came last, and neither is why.
std::string WhyNotReached(natsStatus status, const char* text) {
  if (status == NATS_NO_SERVER || status == NATS_TIMEOUT) {
    return "refused, or no answer within `connect_timeout`";
  }
  return text == nullptr || *text == '\0' ? natsStatus_GetText(status)
                                          : WithoutPlace(text);
}

// A URL without what may be a password.
std::string Shown(const char* url) {
  std::string text(url);
  const std::size_t at = text.rfind('@');
  const std::size_t scheme = text.find("://");
  if (at == std::string::npos) return text;
  return (scheme == std::string::npos ? "" : text.substr(0, scheme + 3)) +
         text.substr(at + 1);
}

}  // namespace

Link::Link(NatsConnection options, std::string part, const Clock& clock,
           Observer& observer, std::function<void()> changed)
    : options_(std::move(options)),
      part_(std::move(part)),
      clock_(clock),
      observer_(observer),
      on_change_(std::move(changed)),
      state_({LinkState::Kind::kConnecting, clock.Now()}),
      jitter_(
          static_cast<std::uint32_t>(clock.Now().time_since_epoch().count())) {}

Link::~Link() { Close(); }

Result<NatsHandle<natsOptions>> Link::MakeOptions() {
  natsOptions* raw = nullptr;
  if (natsOptions_Create(&raw) != NATS_OK) {
    return Error{ErrorCode::kInternal, "libnats does not start"};
  }
  NatsHandle<natsOptions> made(raw);
  std::vector<const char*> servers;
  for (const std::string& url : options_.servers) {
    servers.push_back(url.c_str());
  }
  {
    const MutexLock lock(mutex_);
    std::shuffle(servers.begin(), servers.end(), jitter_);
  }
  servers.push_back(kNowhere);
  const std::string& name =
      options_.client_name.empty() ? part_ : options_.client_name;
  Setter set(raw);
  set("servers", natsOptions_SetServers, servers.data(),
      static_cast<int>(servers.size()))("client_name", natsOptions_SetName,
                                        name.c_str());
  set("servers", natsOptions_SetNoRandomize, true);
  set("connect_timeout", natsOptions_SetTimeout,
      options_.connect_timeout.count());
  // For ever: libnats's own 60 attempts close the connection for good.
  set("reconnect_wait", natsOptions_SetMaxReconnect, -1);
  set("reconnect_wait", natsOptions_SetCustomReconnectDelay, &OnRetry,
      static_cast<void*>(this));
  set("ping_interval", natsOptions_SetPingInterval,
      options_.ping_interval.count());
  if (!options_.user.empty()) {
    set("user", natsOptions_SetUserInfo, options_.user.c_str(),
        options_.password.c_str());
  }
  set.Text("token", natsOptions_SetToken, options_.token);
  if (!options_.credentials_file.empty()) {
    set("credentials_file", natsOptions_SetUserCredentialsFromFiles,
        options_.credentials_file.c_str(), static_cast<const char*>(nullptr));
  }
  if (!options_.nkey.empty()) {
    set("nkey_seed_file", natsOptions_SetNKeyFromSeed, options_.nkey.c_str(),
        options_.nkey_seed_file.c_str());
  }
  if (options_.tls) {
    set("tls", natsOptions_SetSecure, true);
    set.Text("ca_file", natsOptions_LoadCATrustedCertificates,
             options_.ca_file);
    if (!options_.certificate_file.empty()) {
      set("certificate_file", natsOptions_LoadCertificatesChain,
          options_.certificate_file.c_str(), options_.key_file.c_str());
    }
    set.Text("expected_host", natsOptions_SetExpectedHostname,
             options_.expected_host);
    set("verify", natsOptions_SkipServerVerification, !options_.verify);
  }
  set("servers", natsOptions_SetRetryOnFailedConnect, true, &OnConnected,
      static_cast<void*>(this));
  set("servers", natsOptions_SetReconnectedCB, &OnConnected,
      static_cast<void*>(this));
  set("servers", natsOptions_SetDisconnectedCB, &OnDisconnected,
      static_cast<void*>(this));
  set("servers", natsOptions_SetClosedCB, &OnClosed, static_cast<void*>(this));
  set("servers", natsOptions_SetErrorHandler, &OnError,
      static_cast<void*>(this));
  if (!set.result()) return set.result().error();
  return made;
}

Result<void> Link::Open() {
  if (auto checked = CheckCredentials(options_); !checked) return checked;
  auto options = MakeOptions();
  if (!options) return std::move(options).error();
  natsConnection* raw = nullptr;
  const natsStatus status = natsConnection_Connect(&raw, options->get());
  handle_.reset(raw);
  if (status == NATS_OK) {
    // Else OnConnected says so; libnats calls it for a later attempt alone.
    OnConnected(raw, this);
    return {};
  }
  if (status == NATS_NOT_YET_CONNECTED) return {};
  return Invalid("servers", status);
}

void Link::Close() noexcept {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
  }
  if (!handle_) return;
  natsConnection_Close(handle_.get());
  {
    // Its callbacks are over when it says that it is closed, and those of a
    // subscription when that says so.
    MutexLock lock(mutex_);
    while (!closed_ || listening_ > 0) changed_.wait(mutex_);
    kept_.clear();
  }
  handle_.reset();
}

natsSubscription* Link::Keep(NatsHandle<natsSubscription> subscription) {
  const MutexLock lock(mutex_);
  return kept_.emplace_back(std::move(subscription)).get();
}

void Link::End(natsSubscription* subscription) noexcept {
  int waiting = 0;
  static_cast<void>(
      natsSubscription_GetPending(subscription, &waiting, nullptr));
  for (; waiting > 0; --waiting) {
    natsMsg* raw = nullptr;
    static_cast<void>(natsSubscription_NextMsg(&raw, subscription, 0));
    const NatsHandle<natsMsg> message(raw);
  }
  static_cast<void>(natsSubscription_Unsubscribe(subscription));
}

Result<natsSubscription*> Link::Subscribe(const std::string& subject,
                                          const std::string& queue) {
  natsSubscription* raw = nullptr;
  const natsStatus status =
      queue.empty() ? natsConnection_SubscribeSync(&raw, get(), subject.c_str())
                    : natsConnection_QueueSubscribeSync(
                          &raw, get(), subject.c_str(), queue.c_str());
  NatsHandle<natsSubscription> made(raw);
  if (status != NATS_OK) return WhyNot("subscribe", status);
  return Keep(std::move(made));
}

Result<void> Link::Listen(const std::string& subject, natsMsgHandler heard,
                          void* self) {
  natsSubscription* raw = nullptr;
  natsStatus status =
      natsConnection_Subscribe(&raw, get(), subject.c_str(), heard, self);
  NatsHandle<natsSubscription> made(raw);
  if (status == NATS_OK) {
    const MutexLock lock(mutex_);
    // Refused only where it is over: with the connection.
    status = natsSubscription_SetOnCompleteCB(raw, &OnSilent, this) == NATS_OK
                 ? NATS_OK
                 : NATS_CONNECTION_CLOSED;
    if (status == NATS_OK) ++listening_;
  }
  if (status != NATS_OK) return WhyNot("subscribe", status);
  Keep(std::move(made));
  return {};
}

bool Link::WaitConnected(const std::stop_token& stop, TimePoint until) {
  const auto settled = [this]() CIRRO_REQUIRES(mutex_) {
    return state_.kind == LinkState::Kind::kConnected || closed_ || !refused_;
  };
  const MutexLock lock(mutex_);
  if (until == TimePoint::max()) {
    changed_.wait(mutex_, stop, settled);
  } else {
    changed_.wait_until(mutex_, stop, until, settled);
  }
  return state_.kind == LinkState::Kind::kConnected;
}

Result<void> Link::Refused() {
  const MutexLock lock(mutex_);
  return refused_;
}

Error Link::WhyNot(const std::string& what, natsStatus status) {
  Error error{ErrorCode::kUnavailable, Explain(what, status)};
  if (status != NATS_CONNECTION_CLOSED) return error;
  // The word on why comes after it was closed.
  static_cast<void>(WaitConnected(
      {}, std::chrono::steady_clock::now() + options_.connect_timeout));
  const auto refused = Refused();
  return refused ? error : refused.error();
}

LinkState Link::state() const noexcept {
  const MutexLock lock(mutex_);
  return state_;
}

bool Link::connected() const noexcept {
  return state().kind == LinkState::Kind::kConnected;
}

std::uint64_t Link::epoch() const noexcept {
  const MutexLock lock(mutex_);
  return epoch_;
}

void Link::Became(LinkState::Kind kind) noexcept {
  {
    const MutexLock lock(mutex_);
    if (kind == LinkState::Kind::kConnected) {
      ++epoch_;
      why_not_.clear();
    }
    if (state_.kind != kind) state_ = {kind, clock_.Now()};
    changed_.notify_all();
  }
  if (on_change_) on_change_();
}

void Link::OnConnected(natsConnection* connection, void* self) noexcept {
  Link& link = *static_cast<Link*>(self);
  char url[256] = {};
  static_cast<void>(
      natsConnection_GetConnectedUrl(connection, url, sizeof url));
  link.Became(LinkState::Kind::kConnected);
  link.observer_.Noted(LogLevel::kInfo, link.part_,
                       "connected to " + Shown(url));
}

void Link::OnDisconnected(natsConnection*, void* self) noexcept {
  Link& link = *static_cast<Link*>(self);
  {
    const MutexLock lock(link.mutex_);
    if (link.closing_) return;
    // Never connected so far: it still is connecting.
    if (link.epoch_ == 0) return;
  }
  link.Became(LinkState::Kind::kDisconnected);
  link.observer_.Noted(LogLevel::kWarning, link.part_,
                       "disconnected; connecting again");
}

// After each round of all servers, on the thread that tried them.
std::int64_t Link::OnRetry(natsConnection*, int, void* self) noexcept {
  Link& link = *static_cast<Link*>(self);
  natsStatus status = NATS_OK;
  const char* const text = nats_GetLastError(&status);
  const std::string reason = WhyNotReached(status, text);
  // Later it is not the last server's: that it is disconnected was said.
  if (status != NATS_OK && link.epoch() == 0) {
    if (status == NATS_CONNECTION_AUTH_FAILED) {
      link.Refuse(reason);
    } else {
      link.SayWhyNot(reason);
    }
  }
  const MutexLock lock(link.mutex_);
  const std::int64_t wait = link.options_.reconnect_wait.count();
  if (!link.refused_) return std::chrono::milliseconds(kRefusedWait).count();
  // So that those who lost a server together do not all come back together.
  return wait +
         static_cast<std::int64_t>(link.jitter_() % 1'024) * wait / 4'096;
}

// Each reason once, until it is connected.
void Link::SayWhyNot(const std::string& reason) {
  {
    const MutexLock lock(mutex_);
    if (closing_ || why_not_ == reason) return;
    why_not_ = reason;
  }
  std::string servers;
  for (const std::string& url : options_.servers) {
    servers += (servers.empty() ? "" : ", ") + Shown(url.c_str());
  }
  observer_.Noted(
      LogLevel::kWarning, part_,
      "not connected to " + servers + ": " + reason + "; see `servers`, `tls`" +
          (options_.tls ? ", `ca_certificates_file`, `expected_host`, "
                          "`verify`, `certificate_file`"
                        : "") +
          "; it is tried again");
}

void Link::Refuse(const std::string& reason) noexcept {
  Error refused{ErrorCode::kInvalidConfig,
                "connection: the server refuses it: " + reason +
                    "; see `user` and `password`, `token`, "
                    "`credentials_file`, `nkey`"};
  {
    const MutexLock lock(mutex_);
    if (closing_ || !refused_) return;
    refused_ = refused;
    state_ = {LinkState::Kind::kFailed, clock_.Now()};
    changed_.notify_all();
  }
  observer_.Failed(part_, refused);
}

void Link::OnClosed(natsConnection* connection, void* self) noexcept {
  Link& link = *static_cast<Link*>(self);
  const char* reason = nullptr;
  static_cast<void>(natsConnection_GetLastError(connection, &reason));
  // If it was not asked to, it was refused twice by a server that knew it.
  link.Refuse(reason == nullptr ? "" : reason);
  // Its owner may be gone as soon as it can be seen that this was the last.
  const MutexLock lock(link.mutex_);
  link.closed_ = true;
  link.changed_.notify_all();
}

void Link::OnSilent(void* self) noexcept {
  Link& link = *static_cast<Link*>(self);
  const MutexLock lock(link.mutex_);
  --link.listening_;
  link.changed_.notify_all();
}

void Link::OnError(natsConnection* connection, natsSubscription*,
                   natsStatus status, void* self) noexcept {
  Link& link = *static_cast<Link*>(self);
  const char* reason = nullptr;
  static_cast<void>(natsConnection_GetLastError(connection, &reason));
  link.observer_.Noted(LogLevel::kWarning, link.part_,
                       std::string(natsStatus_GetText(status)) +
                           (reason == nullptr || *reason == '\0' ? "" : ": ") +
                           (reason == nullptr ? "" : reason));
}

}  // namespace cirro::internal::nats
