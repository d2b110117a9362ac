// Whom events are sent to: credentials, proxies, certificates.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "cirro/http_client/http_client.h"
#include "cirro/module/module.h"
#include "loopback/http_outlet.h"
#include "support/raw_http_server.h"
#include "support/temp_dir.h"

namespace cirro {
namespace {

using test::Api;
using test::HttpOutlet;
using test::RawHttpServer;
using test::Sent;
using test::Status;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

using Rule063 = HttpOutlet;

TEST_F(Rule063, CredentialsAreSentAndNeverShown) {
  RawHttpServer server([](const auto&) { return Status("403 Forbidden"); });
  std::string url = server.url("/in?access_token=topsecret");
  url.insert(7, "us%40er:pass%20word@");

  const Sent sent =
      SendOne({.url = url, .headers = {{"X-Api-Key", "keysecret"}}});

  EXPECT_EQ(sent.code(), ErrorCode::kRefused);
  EXPECT_THAT(sent.message(),
              AllOf(HasSubstr("http://127.0.0.1:"),
                    HasSubstr("/in answered 403"), Not(HasSubstr("pass")),
                    Not(HasSubstr("secret")), Not(HasSubstr("er@"))));
  EXPECT_THAT(server.requests()[0],
              AllOf(HasSubstr("\r\nAuthorization: Basic "
                              "dXNAZXI6cGFzcyB3b3Jk\r\n"),
                    HasSubstr("\r\nX-Api-Key: keysecret\r\n")));
}

TEST_F(HttpOutlet, ShowsNothingBeforeAnAtThatMayEndAPassword) {
  RawHttpServer server([](const auto&) { return Status("403 Forbidden"); });

  // As a person writes user 127.0.0.1 with the password "PORT/secret".
  const Sent sent = SendOne({.url = server.url("/secret@host/in")});

  EXPECT_THAT(sent.message(), AllOf(HasSubstr("http://***@host/in answered"),
                                    Not(HasSubstr("secret"))));
}

TEST_F(HttpOutlet, IgnoresTheEnvironmentsProxy) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("all_proxy", "http://127.0.0.1:1", 1);

  const Sent sent = SendOne({.url = server.url()});

  unsetenv("http_proxy");
  unsetenv("all_proxy");
  EXPECT_TRUE(sent.result) << sent.message();
}

TEST_F(HttpOutlet, UsesItsProxyWhateverTheEnvironmentExcepts) {
  RawHttpServer proxy([](const auto&) { return Status("200 OK"); });
  setenv("no_proxy", "127.0.0.1", 1);
  setenv("NO_PROXY", "*", 1);

  const Sent sent =
      SendOne({.url = "http://127.0.0.1:1/in", .proxy = proxy.url()});

  unsetenv("no_proxy");
  unsetenv("NO_PROXY");
  EXPECT_TRUE(sent.result) << sent.message();
  ASSERT_THAT(proxy.requests(), SizeIs(1));
  EXPECT_TRUE(proxy.requests()[0].starts_with(
      "POST http://127.0.0.1:1/in HTTP/1.1\r\n"));
}

// A TLS server with a certificate of its own, by the system's tools.
class HttpOutletTls : public HttpOutlet {
 protected:
  void SetUp() override {
    const std::string folder = directory_.path().string();
    const std::string make =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
        "-days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost -keyout '" +
        folder + "/key.pem' -out '" + folder + "/cert.pem' 2>/dev/null";
    if (std::system(make.c_str()) != 0) GTEST_SKIP() << "no openssl";
    const std::string serve = "exec python3 " CIRRO_SOURCE_DIR
                              "/tests/support/https_server.py '" +
                              folder + "' 2>/dev/null";
    server_ = popen(serve.c_str(), "r");
    ASSERT_NE(server_, nullptr);
    if (std::fscanf(server_, "%d", &port_) != 1) {
      GTEST_SKIP() << "no python3 with ssl";
    }
    std::ifstream file(folder + "/cert.pem");
    certificate_.assign(std::istreambuf_iterator<char>(file), {});
  }
  void TearDown() override {
    outlet_.reset();
    if (port_ != 0) {
      std::ofstream(directory_ / "stop");
    }
    if (server_ != nullptr) pclose(server_);
  }
  [[nodiscard]] std::string url(const std::string& host) const {
    return "https://" + host + ":" + std::to_string(port_) + "/";
  }

  test::TempDir directory_;
  std::FILE* server_ = nullptr;
  int port_ = 0;
  std::string certificate_;
};

TEST_F(HttpOutletTls, TrustsACertificateThatItIsGiven) {
  const Sent sent =
      SendOne({.url = url("localhost"), .ca_certificates = certificate_});

  EXPECT_TRUE(sent.result) << sent.message();
}

TEST_F(HttpOutletTls, SendsNothingToAPeerThatTheSystemDoesNotTrust) {
  const Sent sent = SendOne({.url = url("localhost")});

  EXPECT_EQ(sent.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(sent.message(), HasSubstr("certificate"));
}

TEST_F(HttpOutletTls, SendsNothingToAPeerOfAnotherName) {
  const Sent sent =
      SendOne({.url = url("127.0.0.1"), .ca_certificates = certificate_});

  EXPECT_EQ(sent.code(), ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace cirro
