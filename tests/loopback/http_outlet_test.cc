// The module "http_client", as a program loads it, over real sockets.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "cirro/cloudevents/event_builder.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/http_client/http_client.h"
#include "cirro/module/module.h"
#include "support/free_port.h"
#include "support/raw_http_server.h"
#include "support/temp_dir.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::RawHttpServer;
using test::RawReply;
using test::Status;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const HttpClientApi& Api() {
  static const HttpClientApi* const api = [] {
    void* const module =
        dlopen(CIRRO_BINARY_DIR "/lib/cirro/modules/http_client.so",
               RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) throw std::runtime_error(dlerror());
    auto* const entry = reinterpret_cast<ModuleEntry*>(
        dlsym(module, "cirro_module_http_client"));
    const ModuleDescriptor* const descriptor = entry();
    if (descriptor->abi != std::string_view(CIRRO_ABI_TAG) ||
        descriptor->kind != std::string_view(HttpClientApi::kKind)) {
      throw std::runtime_error("not the module that this test was built with");
    }
    return static_cast<const HttpClientApi*>(descriptor->api);
  }();
  return *api;
}

struct Sent {
  Result<void> result;
  milliseconds retry_after;

  [[nodiscard]] ErrorCode code() const {
    return result ? ErrorCode::kInternal : result.error().code;
  }
  [[nodiscard]] std::string message() const {
    return result ? "sent" : result.error().message;
  }
};

// Hears how sends end, and waits for them.
class Listener final : public SendListener {
 public:
  void OnSent(std::uint64_t send, Result<void> result,
              milliseconds retry_after) noexcept override {
    const std::lock_guard lock(mutex_);
    sent_.emplace_back(send, Sent{std::move(result), retry_after});
    changed_.notify_all();
  }

  // The outcomes of `count` sends, in the order of their numbers.
  std::vector<Sent> Wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(30),
                      [&] { return sent_.size() >= count; });
    std::sort(sent_.begin(), sent_.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Sent> outcomes;
    for (const auto& [send, outcome] : sent_) outcomes.push_back(outcome);
    return outcomes;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<std::uint64_t, Sent>> sent_;
};

Event SomeEvent(std::string_view id = "1") {
  return *EventBuilder()
              .id(id)
              .source("/s")
              .type("t")
              .subject("a b")
              .extension({"empty", ""})
              .data(JsonText(R"({"a":1})"))
              .Build();
}

class HttpOutlet : public ::testing::Test {
 protected:
  // An outlet that has not been started.
  void Make(HttpOutletOptions options) {
    auto made = Api().make_outlet(std::move(options));
    ASSERT_TRUE(made) << made.error().message;
    outlet_ = *std::move(made);
  }
  void Send(const Event& event) {
    outlet_->Send(event, SendCompletion(listener_, sends_++));
  }
  // How one event ends that is sent with `options`.
  Sent SendOne(HttpOutletOptions options, const Event& event = SomeEvent()) {
    Make(std::move(options));
    EXPECT_TRUE(outlet_->Start());
    Send(event);
    const std::vector<Sent> outcomes = listener_.Wait(1);
    if (outcomes.empty()) throw std::runtime_error("no outcome");
    return outcomes.front();
  }

  Listener listener_;
  std::unique_ptr<Outlet> outlet_;
  std::uint64_t sends_ = 0;
};

TEST_F(HttpOutlet, SendsABinaryEvent) {
  RawHttpServer server([](const auto&) { return Status("202 Accepted"); });

  const Sent sent = SendOne({.url = server.url("/in?token=abc")});

  EXPECT_TRUE(sent.result) << sent.message();
  ASSERT_THAT(server.requests(), SizeIs(1));
  const std::string request = server.requests()[0];
  EXPECT_TRUE(request.starts_with("POST /in?token=abc HTTP/1.1\r\n"));
  EXPECT_THAT(request,
              AllOf(HasSubstr("\r\nce-specversion: 1.0\r\n"),
                    HasSubstr("\r\nce-id: 1\r\n"),
                    HasSubstr("\r\nce-subject: a%20b\r\n"),
                    HasSubstr("\r\nce-empty:\r\n"),
                    HasSubstr("\r\ncontent-type: application/json\r\n"),
                    Not(HasSubstr("xpect"))));
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_F(HttpOutlet, SendsABinaryEventWithoutDataAndMediaType) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });

  const Sent sent = SendOne(
      {.url = server.url()},
      *EventBuilder().id("1").source("/s").type("content-type:").Build());

  EXPECT_TRUE(sent.result) << sent.message();
  EXPECT_THAT(
      server.requests()[0],
      AllOf(HasSubstr("\r\nce-type: content-type:\r\n"),
            Not(HasSubstr("\nContent-Type")), Not(HasSubstr("\ncontent-type")),
            HasSubstr("\r\nContent-Length: 0\r\n")));
}

TEST_F(HttpOutlet, SendsAStructuredEvent) {
  RawHttpServer server([](const auto&) { return Status("204 No Content"); });

  const Sent sent =
      SendOne({.url = server.url(), .mode = ContentMode::kStructured});

  EXPECT_TRUE(sent.result) << sent.message();
  const std::string request = server.requests()[0];
  EXPECT_THAT(request,
              HasSubstr("\r\ncontent-type: application/cloudevents+json\r\n"));
  EXPECT_TRUE(request.ends_with("\r\n\r\n" + EncodeJson(SomeEvent())));
}

TEST_F(HttpOutlet, SendsWhatWaitsAsOneBatch) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });
  Make({.url = server.url(), .mode = ContentMode::kBatch, .batch_max = 3});
  for (const char* const id : {"1", "2", "3", "4"}) Send(SomeEvent(id));

  ASSERT_TRUE(outlet_->Start());

  for (const Sent& sent : listener_.Wait(4)) {
    EXPECT_TRUE(sent.result) << sent.message();
  }
  std::vector<std::string> requests = server.requests();
  std::sort(requests.begin(), requests.end(),
            [](const auto& a, const auto& b) { return a.size() > b.size(); });
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_TRUE(requests[0].ends_with(EncodeJsonBatch(
      std::vector{SomeEvent("1"), SomeEvent("2"), SomeEvent("3")})));
  EXPECT_TRUE(
      requests[1].ends_with(EncodeJsonBatch(std::vector{SomeEvent("4")})));
}

TEST_F(HttpOutlet, KeepsItsConnection) {
  RawHttpServer server([](const auto&) { return Status("202 Accepted"); });
  Make({.url = server.url(), .max_connections = 1});
  ASSERT_TRUE(outlet_->Start());

  for (std::size_t i = 1; i <= 20; ++i) {
    Send(SomeEvent());
    ASSERT_THAT(listener_.Wait(i), SizeIs(i));
  }

  EXPECT_EQ(server.connections(), 1);
}

TEST_F(HttpOutlet, SendsAtOnceOnAsManyConnectionsAsItMay) {
  RawHttpServer server([](const auto&) { return RawReply{}; });
  Make({.url = server.url(), .max_connections = 3});
  ASSERT_TRUE(outlet_->Start());

  for (int i = 0; i < 5; ++i) Send(SomeEvent());
  while (server.requests().size() < 3) std::this_thread::yield();
  outlet_->Stop(milliseconds(0));

  EXPECT_EQ(server.connections(), 3);
  EXPECT_THAT(server.requests(), SizeIs(3));
}

struct StatusCase {
  const char* status;
  ErrorCode code;  // kInternal: it is a success.
};

class HttpOutletStatus : public HttpOutlet,
                         public ::testing::WithParamInterface<StatusCase> {};

TEST_P(HttpOutletStatus, HasItsOutcome) {
  RawHttpServer server([](const auto&) { return Status(GetParam().status); });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), GetParam().code);
}

INSTANTIATE_TEST_SUITE_P(
    Answers, HttpOutletStatus,
    ::testing::Values(StatusCase{"200 OK", ErrorCode::kInternal},
                      StatusCase{"299 Odd", ErrorCode::kInternal},
                      StatusCase{"301 Moved", ErrorCode::kRefused},
                      StatusCase{"304 Not Modified", ErrorCode::kRefused},
                      StatusCase{"400 Bad Request", ErrorCode::kRefused},
                      StatusCase{"401 Unauthorized", ErrorCode::kRefused},
                      StatusCase{"404 Not Found", ErrorCode::kUnroutable},
                      StatusCase{"408 Request Timeout", ErrorCode::kTimedOut},
                      StatusCase{"409 Conflict", ErrorCode::kOverloaded},
                      StatusCase{"410 Gone", ErrorCode::kUnroutable},
                      StatusCase{"413 Too Large", ErrorCode::kTooLarge},
                      StatusCase{"415 Unsupported", ErrorCode::kRefused},
                      StatusCase{"429 Too Many", ErrorCode::kOverloaded},
                      StatusCase{"500 Error", ErrorCode::kUnavailable},
                      StatusCase{"503 Unavailable", ErrorCode::kOverloaded},
                      StatusCase{"504 Timeout", ErrorCode::kTimedOut}),
    [](const auto& param_info) {
      return std::string(param_info.param.status, 3);
    });

using Rule032 = HttpOutlet;
using Rule057 = HttpOutlet;
using Rule059 = HttpOutlet;
using Rule060 = HttpOutlet;
using Rule063 = HttpOutlet;

TEST_F(Rule032, NoBatchIsSentUnlessAskedFor) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });
  Make({.url = server.url(), .max_connections = 1});
  for (const char* const id : {"1", "2", "3"}) Send(SomeEvent(id));

  ASSERT_TRUE(outlet_->Start());
  ASSERT_THAT(listener_.Wait(3), SizeIs(3));

  const std::vector<std::string> requests = server.requests();
  ASSERT_THAT(requests, SizeIs(3));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    EXPECT_THAT(requests[i], HasSubstr("\r\nce-id: " + std::to_string(i + 1)));
    EXPECT_THAT(requests[i], Not(HasSubstr("cloudevents-batch")));
  }
}

TEST_F(Rule057, NoRedirectIsFollowed) {
  RawHttpServer elsewhere([](const auto&) { return Status("200 OK"); });
  std::atomic<const char*> status = "";
  RawHttpServer server([&](const auto&) {
    return Status(status.load(), "Location: " + elsewhere.url() + "\r\n");
  });
  std::size_t asked = 0;
  for (const char* const redirect :
       {"300 Choices", "301 Moved", "302 Found", "303 Other", "305 Proxy",
        "307 Temporary", "308 Permanent"}) {
    status = redirect;
    Make({.url = server.url()});
    ASSERT_TRUE(outlet_->Start());
    Send(SomeEvent());

    const Sent sent = listener_.Wait(++asked).back();

    EXPECT_EQ(sent.code(), ErrorCode::kRefused) << redirect;
    EXPECT_THAT(sent.message(), HasSubstr(std::string(redirect, 3)));
    EXPECT_THAT(server.requests(), SizeIs(asked));
  }
  EXPECT_THAT(elsewhere.requests(), SizeIs(0));
}

TEST_F(Rule059, ATargetThatIsGoneIsUnroutable) {
  RawHttpServer server([](const auto&) { return Status("410 Gone"); });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), ErrorCode::kUnroutable);
}

TEST_F(Rule060, RetryAfterIsHonoured) {
  RawHttpServer server([](const auto&) {
    return Status("429 Too Many Requests", "Retry-After: 7\r\n");
  });

  EXPECT_EQ(SendOne({.url = server.url()}).retry_after,
            std::chrono::seconds(7));
}

TEST_F(Rule060, WhereNoTimeIsToldNoneIsMadeUp) {
  RawHttpServer server(
      [](const auto&) { return Status("429 Too Many Requests"); });

  const Sent sent = SendOne({.url = server.url()});

  EXPECT_EQ(sent.code(), ErrorCode::kOverloaded);
  EXPECT_EQ(sent.retry_after, milliseconds(0));
}

TEST_F(Rule060, RetryAfterIsBoundedByADay) {
  RawHttpServer server([](const auto&) {
    return Status("429 Too Many Requests", "Retry-After: 99999999\r\n");
  });

  EXPECT_EQ(SendOne({.url = server.url()}).retry_after, std::chrono::hours(24));
}

struct DateForm {
  const char* name;
  const char* format;  // Of strftime.
};

// A time in each form that RFC 9110, section 5.6.7, has recipients accept.
class HttpOutletRetryDate : public HttpOutlet,
                            public ::testing::WithParamInterface<DateForm> {
 protected:
  // What an answer at once makes of a time so far from now.
  milliseconds RetryAfter(std::chrono::seconds from_now) {
    RawHttpServer server([&](const auto&) {
      const std::time_t time = std::time(nullptr) + from_now.count();
      std::tm parts{};
      gmtime_r(&time, &parts);
      std::array<char, 64> date{};
      std::strftime(date.data(), date.size(), GetParam().format, &parts);
      return Status("503 Service Unavailable",
                    "Retry-After: " + std::string(date.data()) + "\r\n");
    });
    return SendOne({.url = server.url()}).retry_after;
  }
};

TEST_P(HttpOutletRetryDate, IsASpanFromNow) {
  const milliseconds span = RetryAfter(std::chrono::hours(2));

  // An hour for the machine to be slow in; no zone is as near as that.
  EXPECT_GT(span, std::chrono::hours(1));
  EXPECT_LE(span, std::chrono::hours(2));
}

TEST_P(HttpOutletRetryDate, IsADayAtMost) {
  EXPECT_EQ(RetryAfter(std::chrono::hours(48)), std::chrono::hours(24));
}

TEST_P(HttpOutletRetryDate, ThatIsPastIsNone) {
  EXPECT_EQ(RetryAfter(-std::chrono::hours(2)), milliseconds(0));
}

INSTANTIATE_TEST_SUITE_P(
    Forms, HttpOutletRetryDate,
    ::testing::Values(DateForm{"ImfFixdate", "%a, %d %b %Y %H:%M:%S GMT"},
                      DateForm{"Rfc850", "%A, %d-%b-%y %H:%M:%S GMT"},
                      DateForm{"Asctime", "%a %b %e %H:%M:%S %Y"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

class HttpOutletNoRetryTime
    : public HttpOutlet,
      public ::testing::WithParamInterface<const char*> {};

TEST_P(HttpOutletNoRetryTime, IsAsGoodAsNone) {
  RawHttpServer server([](const auto&) {
    return Status("503 Service Unavailable",
                  "Retry-After: " + std::string(GetParam()) + "\r\n");
  });

  EXPECT_EQ(SendOne({.url = server.url()}).retry_after, milliseconds(0));
}

INSTANTIATE_TEST_SUITE_P(Values, HttpOutletNoRetryTime,
                         ::testing::Values("", "soon", "-5", "Sun, 99 Nov"));

TEST_F(HttpOutlet, NeedsAFinalAnswer) {
  RawHttpServer server([](const auto&) {
    return RawReply{"HTTP/1.1 103 Early Hints\r\n\r\n", /*close=*/true};
  });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), ErrorCode::kUnknownOutcome);
}

TEST_F(HttpOutlet, IsConfirmedByTheStatusWhateverTheBody) {
  RawHttpServer server([](const auto&) {
    return RawReply{"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" +
                    std::string(200'000, 'x')};
  });

  const Sent sent = SendOne({.url = server.url()});

  EXPECT_TRUE(sent.result) << sent.message();
}

TEST_F(HttpOutlet, SaysUnavailableWhereNobodyListens) {
  const Sent sent = SendOne(
      {.url = "http://127.0.0.1:" + std::to_string(test::FreePort()) + "/"});

  EXPECT_EQ(sent.code(), ErrorCode::kUnavailable);
}

TEST_F(HttpOutlet, SaysTimedOutWhereNobodyAnswers) {
  RawHttpServer server([](const auto&) { return RawReply{}; });

  const Sent sent =
      SendOne({.url = server.url(), .timeout = milliseconds(100)});

  EXPECT_EQ(sent.code(), ErrorCode::kTimedOut);
}

TEST_F(HttpOutlet, SaysUnknownWhereTheConnectionBreaksBeforeTheAnswer) {
  RawHttpServer server(
      [](const auto&) { return RawReply{.bytes = "", .close = true}; });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), ErrorCode::kUnknownOutcome);
}

TEST_F(HttpOutlet, SaysUnknownOnAnAnswerThatIsNoHttp) {
  RawHttpServer server([](const auto&) {
    return RawReply{"SSH-2.0-dropbear\r\n\r\n", /*close=*/true};
  });

  EXPECT_EQ(SendOne({.url = server.url()}).code(), ErrorCode::kUnknownOutcome);
}

TEST_F(HttpOutlet, RefusesWhatIsOverItsBound) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });
  Make({.url = server.url(), .max_in_flight = 2});
  for (int i = 0; i < 3; ++i) Send(SomeEvent());

  const std::vector<Sent> refused = listener_.Wait(1);
  ASSERT_THAT(refused, SizeIs(1));
  EXPECT_EQ(refused[0].code(), ErrorCode::kOverloaded);
  EXPECT_THAT(refused[0].message(), HasSubstr("max_in_flight"));

  ASSERT_TRUE(outlet_->Start());
  ASSERT_THAT(listener_.Wait(3), SizeIs(3));
  EXPECT_THAT(server.requests(), SizeIs(2));
  Send(SomeEvent());
  EXPECT_TRUE(listener_.Wait(4)[3].result);
}

TEST_F(HttpOutlet, DoesNotWaitForAConnectionForEver) {
  RawHttpServer server([](const auto&) { return RawReply{}; });
  Make({.url = server.url(),
        .timeout = milliseconds(200),
        .max_connections = 1});
  Send(SomeEvent("1"));
  Send(SomeEvent("2"));

  ASSERT_TRUE(outlet_->Start());

  const std::vector<Sent> outcomes = listener_.Wait(2);
  EXPECT_EQ(outcomes[0].code(), ErrorCode::kTimedOut);
  EXPECT_FALSE(outcomes[1].result);
}

TEST_F(HttpOutlet, StopFailsWhatIsOpenAndIsIdempotent) {
  RawHttpServer server([](const auto&) { return RawReply{}; });
  Make({.url = server.url(), .max_connections = 1});
  ASSERT_TRUE(outlet_->Start());
  Send(SomeEvent());
  Send(SomeEvent());
  // The first one is on its way when the server has it.
  while (server.requests().empty()) std::this_thread::yield();

  outlet_->Stop(milliseconds(0));

  const std::vector<Sent> outcomes = listener_.Wait(2);
  EXPECT_EQ(outcomes[0].code(), ErrorCode::kUnknownOutcome);
  EXPECT_EQ(outcomes[1].code(), ErrorCode::kUnavailable);
  outlet_->Stop(milliseconds(0));
  Send(SomeEvent());
  EXPECT_EQ(listener_.Wait(3)[2].code(), ErrorCode::kUnavailable);
}

TEST_F(HttpOutlet, StopWaitsForWhatIsOpen) {
  RawHttpServer server([](const auto&) { return Status("200 OK"); });
  Make({.url = server.url()});
  for (int i = 0; i < 100; ++i) Send(SomeEvent());
  ASSERT_TRUE(outlet_->Start());

  outlet_->Stop(std::chrono::seconds(30));

  for (const Sent& sent : listener_.Wait(100)) {
    EXPECT_TRUE(sent.result) << sent.message();
  }
}

TEST_F(HttpOutlet, AnOutletThatNeverStartedFailsItsEvents) {
  Make({.url = "http://127.0.0.1:1/"});
  Send(SomeEvent());

  outlet_.reset();

  EXPECT_EQ(listener_.Wait(1)[0].code(), ErrorCode::kUnavailable);
}

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

TEST_F(HttpOutlet, RefusesOptionsThatCannotWork) {
  const auto error = [](HttpOutletOptions options) {
    const auto made = Api().make_outlet(std::move(options));
    return made ? Error{ErrorCode::kInternal, "made"} : made.error();
  };
  const std::vector<Error> errors = {
      error({.url = ""}),
      error({.url = "/relative"}),
      error({.url = "ftp://example.com/"}),
      error({.url = "file:///etc/passwd"}),
      error({.url = "http://u:hidden@exa mple.com/"}),
      error({.url = "http://a/", .mode = ContentMode::kNone}),
      error({.url = "http://a/", .timeout = milliseconds(0)}),
      error({.url = "http://a/", .max_connections = 0}),
      error({.url = "http://a/", .headers = {{"X", "hidden\r\nY: 1"}}}),
      error({.url = "http://a/", .headers = {{"X Y", "hidden"}}})};

  for (const Error& e : errors) {
    EXPECT_EQ(e.code, ErrorCode::kInvalidConfig) << e.message;
    EXPECT_THAT(e.message, Not(HasSubstr("hidden")));
  }
  EXPECT_THAT(errors[2].message, HasSubstr("'ftp'"));
  EXPECT_THAT(errors[8].message, HasSubstr("headers"));
}

}  // namespace
}  // namespace cirro
