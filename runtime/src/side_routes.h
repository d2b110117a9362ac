#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "cirro/http/receiver.h"
#include "cirro/runtime/secret.h"

namespace cirro::internal {

enum class Readiness : std::uint8_t { kStarting, kReady, kDraining };

/// Health and metrics. Any thread.
class SideRoutes final : public HttpSideRoutes {
 public:
  struct Options {
    bool admin_port = false;  // There is one, and it alone serves them.
    bool public_metrics = false;
    Secret metrics_token{};
  };

  /// `why_not` says why a process that serves is not ready; empty: it is.
  SideRoutes(
      Options options, std::function<std::string()> render_metrics,
      std::function<std::string()> why_not = [] { return std::string(); })
      : options_(std::move(options)),
        render_metrics_(std::move(render_metrics)),
        why_not_(std::move(why_not)) {}

  bool Handle(const HttpSideRequest& request,
              HttpReply& reply) noexcept override;

  void Set(Readiness readiness) noexcept { readiness_ = readiness; }
  [[nodiscard]] Readiness readiness() const noexcept { return readiness_; }

 private:
  void AnswerReadiness(HttpReply& reply) const;
  void AnswerMetrics(const HttpSideRequest& request, HttpReply& reply) const;

  const Options options_;
  const std::function<std::string()> render_metrics_;
  const std::function<std::string()> why_not_;
  std::atomic<Readiness> readiness_{Readiness::kStarting};
};

}  // namespace cirro::internal
