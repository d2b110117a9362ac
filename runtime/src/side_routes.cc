#include "side_routes.h"

#include <exception>
#include <string_view>

namespace cirro::internal {
namespace {

constexpr std::string_view kBearer = "Bearer ";

bool IsAuthorization(std::string_view name) {
  constexpr std::string_view kName = "authorization";
  if (name.size() != kName.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char lower = 'A' <= name[i] && name[i] <= 'Z'
                           ? static_cast<char>(name[i] - 'A' + 'a')
                           : name[i];
    if (lower != kName[i]) return false;
  }
  return true;
}

bool Presents(const HttpSideRequest& request, const Secret& token) {
  for (const HttpHeader& header : request.headers) {
    if (!IsAuthorization(header.name)) continue;
    std::string_view value = header.value;
    while (value.starts_with(' ')) value.remove_prefix(1);
    while (value.ends_with(' ')) value.remove_suffix(1);
    return value.starts_with(kBearer) &&
           token.Equals(std::string(value.substr(kBearer.size())));
  }
  return false;
}

void Plain(HttpReply& reply, int status, std::string_view body) {
  reply.status = status;
  reply.content_type = "text/plain; charset=utf-8";
  reply.header_lines = "Cache-Control: no-store\r\n";
  reply.body = body;
}

}  // namespace

bool SideRoutes::Handle(const HttpSideRequest& request,
                        HttpReply& reply) noexcept {
  if (options_.admin_port && !request.admin_port) return false;
  try {
    const std::string_view path = request.path;
    if (path == "/healthz" || path == "/health/liveness") {
      // That a reactor thread gets to answer is what it says.
      Plain(reply, 200, "ALIVE\n");
    } else if (path == "/readyz" || path == "/health/readiness") {
      AnswerReadiness(reply);
    } else if (path == "/metrics") {
      AnswerMetrics(request, reply);
    } else {
      return false;
    }
  } catch (const std::exception&) {
    reply.status = 500;
    reply.body.clear();
  }
  return true;
}

void SideRoutes::AnswerReadiness(HttpReply& reply) const {
  switch (readiness_.load()) {
    case Readiness::kReady:
      if (const std::string why = why_not_(); !why.empty()) {
        Plain(reply, 503, why + "\n");
        break;
      }
      Plain(reply, 200, "READY\n");
      return;
    case Readiness::kStarting:
      Plain(reply, 503, "STARTING\n");
      break;
    case Readiness::kDraining:
      Plain(reply, 503, "DRAINING\n");
      break;
  }
  reply.header_lines += "Retry-After: 1\r\n";
}

void SideRoutes::AnswerMetrics(const HttpSideRequest& request,
                               HttpReply& reply) const {
  if (!request.admin_port && !options_.public_metrics) {
    if (options_.metrics_token.empty()) {
      Plain(reply, 403, "Set metrics.public, metrics.token or admin.port.\n");
      return;
    }
    if (!Presents(request, options_.metrics_token)) {
      Plain(reply, 401, "A bearer token is needed.\n");
      reply.header_lines += "WWW-Authenticate: Bearer\r\n";
      return;
    }
  }
  Plain(reply, 200, render_metrics_());
  reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
}

}  // namespace cirro::internal
