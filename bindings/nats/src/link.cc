#include "link.h"

#include <algorithm>
#include <random>
#include <utility>
#include <vector>

namespace cirro::internal::nats {
namespace {

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

// A URL without what may be a password.
// Nothing listens on port 0. A server that takes the first connection and ends
// it before its greeting (one that is starting, a proxy without one behind it)
// leaves libnats without a current server, and then it closes for good with "no
// server available". It goes on from the last of its list where that one was
// not reached at all.
constexpr const char* kNowhere = "nats://127.0.0.1:0";

std::string Shown(const char* url) {
  const std::string text(url);
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
      state_({LinkState::Kind::kConnecting, clock.Now()}) {}

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
  // One after the other as libnats would, but for the last.
  std::shuffle(servers.begin(), servers.end(),
               std::minstd_rand(static_cast<unsigned>(
                   clock_.Now().time_since_epoch().count())));
  servers.push_back(kNowhere);
  const std::string& name =
      options_.client_name.empty() ? part_ : options_.client_name;
  Setter set(raw);
  set("servers", natsOptions_SetNoRandomize, true);
  set("servers", natsOptions_SetServers, servers.data(),
      static_cast<int>(servers.size()))("client_name", natsOptions_SetName,
                                        name.c_str());
  set("connect_timeout", natsOptions_SetTimeout,
      options_.connect_timeout.count());
  // For ever: libnats's own 60 attempts close the connection for good.
  set("reconnect_wait", natsOptions_SetMaxReconnect, -1);
  set("reconnect_wait", natsOptions_SetReconnectWait,
      options_.reconnect_wait.count());
  set("reconnect_wait", natsOptions_SetReconnectJitter,
      options_.reconnect_wait.count() / 4, options_.reconnect_wait.count() / 4);
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
  if (status == NATS_NOT_YET_CONNECTED) {
    const char* reason = nullptr;
    const natsStatus why = natsConnection_GetLastError(raw, &reason);
    // One that refuses the credentials is not away; OnClosed says so.
    if (why != NATS_CONNECTION_AUTH_FAILED) {
      std::string servers;
      for (const std::string& server : options_.servers) {
        servers += (servers.empty() ? "" : ", ") + Shown(server.c_str());
      }
      observer_.Noted(LogLevel::kWarning, part_,
                      "no server of " + servers +
                          " is reached; see `servers`; it is tried again");
    }
    return {};
  }
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
    // Its callbacks are over when it says that it is closed.
    MutexLock lock(mutex_);
    while (!closed_) changed_.wait(mutex_);
  }
  handle_.reset();
}

bool Link::WaitConnected(std::stop_token stop, TimePoint until) {
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
    if (kind == LinkState::Kind::kConnected) ++epoch_;
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

void Link::OnClosed(natsConnection* connection, void* self) noexcept {
  Link& link = *static_cast<Link*>(self);
  const char* reason = nullptr;
  static_cast<void>(natsConnection_GetLastError(connection, &reason));
  bool asked_for = false;
  {
    const MutexLock lock(link.mutex_);
    asked_for = link.closing_;
    if (!asked_for) {
      // It never closes itself but where the server refuses the credentials,
      // twice.
      link.refused_ =
          Error{ErrorCode::kInvalidConfig,
                "connection: the server refuses the credentials (" +
                    std::string(reason == nullptr ? "" : reason) +
                    "); see `user` "
                    "and `password`, `token`, `credentials_file`, or `nkey`"};
      link.state_ = {LinkState::Kind::kFailed, link.clock_.Now()};
    }
  }
  if (!asked_for) link.observer_.Failed(link.part_, link.Refused().error());
  // Its owner may be gone as soon as it can be seen that this was the last.
  const MutexLock lock(link.mutex_);
  link.closed_ = true;
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
