// What operators ask for over HTTP: health, readiness, metrics.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cirro/dispatch/delivery.h"
#include "runtime/src/side_routes.h"

namespace cirro::internal {
namespace {

using ::testing::HasSubstr;

struct Answer {
  bool taken;
  HttpReply reply;
};

Answer Get(SideRoutes& routes, std::string_view path, bool admin = false,
           std::vector<HttpHeader> headers = {}) {
  Answer answer{};
  answer.taken = routes.Handle(
      {.path = path, .query = {}, .headers = headers, .admin_port = admin},
      answer.reply);
  return answer;
}

std::string Numbers() { return "numbers"; }

TEST(SideRoutes, ReadinessFollowsTheLifeOfTheProcess) {
  SideRoutes routes({}, &Numbers);

  EXPECT_EQ(Get(routes, "/readyz").reply.status, 503);
  routes.Set(Readiness::kReady);
  EXPECT_EQ(Get(routes, "/readyz").reply.status, 200);
  EXPECT_EQ(Get(routes, "/health/readiness").reply.status, 200);
  routes.Set(Readiness::kDraining);
  EXPECT_EQ(Get(routes, "/readyz").reply.status, 503);
  EXPECT_THAT(Get(routes, "/readyz").reply.header_lines,
              HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(Get(routes, "/healthz").reply.status, 200);
  EXPECT_EQ(Get(routes, "/health/liveness").reply.status, 200);
}

TEST(SideRoutes, AnAdminPortMovesAllOfThemOffThePublicOne) {
  SideRoutes routes({.admin_port = true, .public_metrics = true}, &Numbers);

  for (const char* path : {"/healthz", "/readyz", "/metrics",
                           "/health/liveness", "/health/readiness"}) {
    EXPECT_FALSE(Get(routes, path).taken) << path;
    EXPECT_TRUE(Get(routes, path, true).taken) << path;
  }
  EXPECT_FALSE(Get(routes, "/", true).taken);
}

TEST(SideRoutes, MetricsOnThePublicPortNeedASettingOrAToken) {
  SideRoutes closed({}, &Numbers);
  SideRoutes open({.public_metrics = true}, &Numbers);
  SideRoutes guarded({.metrics_token = Secret("s3")}, &Numbers);

  EXPECT_EQ(Get(closed, "/metrics").reply.status, 403);
  EXPECT_EQ(Get(open, "/metrics").reply.status, 200);
  EXPECT_EQ(Get(open, "/metrics").reply.body, "numbers");
  EXPECT_EQ(Get(guarded, "/metrics").reply.status, 401);
  EXPECT_EQ(Get(guarded, "/metrics", false, {{"Authorization", "Bearer s4"}})
                .reply.status,
            401);
  EXPECT_EQ(Get(guarded, "/metrics", false, {{"AUTHORIZATION", " Bearer s3"}})
                .reply.status,
            200);
  EXPECT_EQ(Get(closed, "/metrics", true).reply.status, 200);
}

}  // namespace
}  // namespace cirro::internal
