#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/child_process.h"
#include "support/http_load.h"
#include "support/raw_http.h"

namespace cirro {
namespace {

using test::ChildProcess;
using test::RawHttpClient;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string PostOf(std::string_view type) {
  return test::Post(
      "ce-specversion: 1.0\r\nce-source: /t\r\nce-id: 1\r\n"
      "ce-type: " +
      std::string(type) + "\r\n");
}

ChildProcess::Start Probe(std::vector<std::string> flags,
                          std::vector<std::string> environment = {}) {
  ChildProcess::Start start;
  start.arguments = {CIRRO_PROBE, "--host=127.0.0.1", "--port=0"};
  start.arguments.insert(start.arguments.end(), flags.begin(), flags.end());
  start.environment = std::move(environment);
  return start;
}

// The port that the start-up line names.
std::uint16_t PortOf(ChildProcess& child) {
  constexpr std::string_view kBefore = "listening on http://127.0.0.1:";
  // The line is written in one piece.
  EXPECT_TRUE(child.WaitFor("\"version\"")) << child.written();
  const std::size_t at = child.written().find(kBefore);
  if (at == std::string::npos) return 0;
  return static_cast<std::uint16_t>(
      std::atoi(child.written().c_str() + at + kBefore.size()));
}

TEST(Process, DrainsInFiveStepsOnSigtermAndExitsWithZero) {
  ChildProcess child(Probe({}));
  RawHttpClient client(PortOf(child));
  EXPECT_EQ(client.Exchange(PostOf("quick")).status, 202);

  child.Signal(SIGTERM);

  EXPECT_EQ(child.Wait(), 0);
  std::size_t last = 0;
  for (const char* step :
       {"drain: told to stop", "\"1 of 5\"", "\"2 of 5\"", "\"3 of 5\"",
        "\"4 of 5\"", "\"5 of 5\"", "\"message\":\"drained\""}) {
    const std::size_t at = child.written().find(step);
    ASSERT_NE(at, std::string::npos) << step << "\n" << child.written();
    EXPECT_GT(at, last) << step;
    last = at;
  }
}

// What had arrived is answered by its function, nobody is reset, the log shows
// the steps, and the process ends well: each time.
TEST(Process, DrainsUnderLoadFiftyTimes) {
  for (int round = 0; round < 50; ++round) {
    ChildProcess child(Probe(
        {round % 2 == 0 ? "--set=drain.delay=0s" : "--set=drain.delay=20ms"}));
    std::atomic<bool> draining = false;
    test::HttpLoad load(PortOf(child), 100,
                        PostOf(round % 3 == 0 ? "quick" : "pooled"), draining);
    test::HttpLoad::Tally tally;
    std::thread clients([&] { tally = load.Run(); });
    load.AwaitServed(300);

    draining = true;
    child.Signal(SIGTERM);
    const int status = child.Wait();
    clients.join();

    ASSERT_EQ(status, 0) << round;
    ASSERT_EQ(tally.broken_promise, 0) << round;
    ASSERT_EQ(tally.reset, 0) << round;
    std::size_t last = 0;
    for (const char* const step : {"told to stop", "1 of 5", "2 of 5", "3 of 5",
                                   "4 of 5", "5 of 5", "drained"}) {
      const std::size_t at = child.written().find(step, last);
      ASSERT_NE(at, std::string::npos) << step << "\n" << child.written();
      last = at;
    }
  }
}

TEST(Process, DrainsOnSigintToo) {
  ChildProcess child(Probe({}));
  PortOf(child);

  child.Signal(SIGINT);

  EXPECT_EQ(child.Wait(), 0);
}

TEST(Process, ASecondSignalEndsItAtOnce) {
  ChildProcess child(Probe({"--set=drain.grace=1h"}));
  RawHttpClient client(PortOf(child));
  client.Send(PostOf("hang"));
  ASSERT_TRUE(child.WaitFor("\"hanging\""));
  child.Signal(SIGTERM);
  ASSERT_TRUE(child.WaitFor("\"3 of 5\""));

  child.Signal(SIGTERM);

  EXPECT_EQ(child.Wait(), 128 + SIGTERM);
}

// Whatever thread it is on, nothing that it could still use is destroyed.
class HangingFunction : public ::testing::TestWithParam<const char*> {};

TEST_P(HangingFunction, DoesNotKeepTheProcessAndItsDestructorsDoNotRun) {
  ChildProcess child(Probe({"--set=drain.grace=50ms"}));
  RawHttpClient client(PortOf(child));
  client.Send(PostOf(GetParam()));
  ASSERT_TRUE(child.WaitFor("\"hanging\""));

  child.Signal(SIGTERM);

  EXPECT_EQ(child.Wait(), 0);
  EXPECT_THAT(child.written(), HasSubstr("a function still runs"));
}

INSTANTIATE_TEST_SUITE_P(Process, HangingFunction,
                         ::testing::Values("hang", "hang_inline", "kept"),
                         [](const auto& which) {
                           return std::string(which.param);
                         });

// The thread of a broker's inlet cannot end under it.
TEST(Process, AnInlineFunctionThatHangsDoesNotKeepItsInletsEnd) {
  ChildProcess child(
      Probe({"--set=drain.grace=50ms", "--set=outlet.events.type=memory",
             "--set=outlet.events.topic=events",
             "--set=outlet.events.http_path=/events",
             "--set=inlet.in.type=memory", "--set=inlet.in.topics=events"}));
  RawHttpClient client(PortOf(child));
  std::string post = PostOf("hang_inline");
  client.Send(post.replace(post.find("/ "), 2, "/events "));
  ASSERT_TRUE(child.WaitFor("\"hanging\""));

  child.Signal(SIGTERM);

  EXPECT_EQ(child.Wait(), 0);
  EXPECT_THAT(child.written(), HasSubstr("a function still runs"));
}

// One inlet has brought an event when the next one finds its setting wrong.
TEST(Process, AFunctionThatHangsDoesNotKeepAStartThatFailed) {
  ChildProcess child(
      Probe({"--set=drain.grace=50ms"}, {"PROBE_FAILS_AT_ITS_SECOND_INLET=1"}));

  EXPECT_EQ(child.Wait(), 78);
  EXPECT_THAT(child.written(), HasSubstr("never starts"));
}

TEST(Process, AnInletThatDoesNotStopKeepsNobodyAndIsNamed) {
  ChildProcess child(Probe({"--set=drain.grace=50ms"},
                           {"PROBE_HAS_AN_INLET_THAT_DOES_NOT_STOP=1"}));
  PortOf(child);

  child.Signal(SIGTERM);

  EXPECT_EQ(child.Wait(), 0);
  EXPECT_THAT(child.written(), HasSubstr("inlet own does not end"));
}

TEST(Process, AnswersForAFunctionThatNeverReturns) {
  ChildProcess child(Probe({"--set=drain.grace=50ms"}));
  RawHttpClient client(PortOf(child));
  client.Send(PostOf("hang"));
  ASSERT_TRUE(child.WaitFor("\"hanging\""));

  child.Signal(SIGTERM);

  const int answered = client.Receive().status;
  EXPECT_TRUE(answered == 503 || answered == 500) << answered;
  EXPECT_EQ(child.Wait(), 0);
}

TEST(Process, EndsToBeStartedAnewWhenTooManyFunctionsHang) {
  ChildProcess child(
      Probe({"--set=dispatch.max_hung=0", "--set=function.hang.timeout=20ms",
             "--set=drain.grace=50ms"}));
  RawHttpClient client(PortOf(child));

  EXPECT_EQ(client.Exchange(PostOf("hang")).status, 504);

  EXPECT_EQ(child.Wait(), 1);
  EXPECT_THAT(child.written(), HasSubstr("too many functions hang"));
}

// A probe under a soft and a hard bound on descriptors.
ChildProcess::Start LimitedProbe(int soft, int hard) {
  ChildProcess::Start start;
  start.arguments = {"/bin/sh", "-c",
                     "ulimit -Sn " + std::to_string(soft) + " && ulimit -Hn " +
                         std::to_string(hard) +
                         " && exec " CIRRO_PROBE
                         " --host=127.0.0.1 --port=0"
                         " --set=http.max_connections=300"};
  return start;
}

TEST(Process, AllowsItselfTheDescriptorsItsConnectionsNeed) {
  ChildProcess child(LimitedProbe(64, 2'000));
  const std::uint16_t port = PortOf(child);
  std::vector<RawHttpClient> clients;

  for (int i = 0; i < 200; ++i) {
    clients.emplace_back(port);
    ASSERT_EQ(clients.back().Exchange(PostOf("quick")).status, 202) << i;
  }

  EXPECT_THAT(child.written(), Not(HasSubstr("descriptors")));
}

TEST(Process, SaysThatItMayNotOpenEnoughDescriptors) {
  ChildProcess child(LimitedProbe(64, 200));
  PortOf(child);

  EXPECT_THAT(child.written(),
              HasSubstr("this process may open 200 descriptors, fewer than "
                        "http.max_connections (300) needs"));
}

TEST(Process, WarnsOfRepliesThatHaveNoPlaceToGo) {
  ChildProcess child(Probe({}));
  RawHttpClient client(PortOf(child));
  const std::string before = child.written();

  const test::RawResponse answer = client.Exchange(PostOf("several"));
  child.Signal(SIGTERM);
  child.Wait();

  EXPECT_THAT(before, HasSubstr("set function.several.reply_to"));
  EXPECT_THAT(before, Not(HasSubstr("function.pooled")));
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr("2 replies have no place to go"));
  EXPECT_THAT(child.written(), HasSubstr("\"code\":\"invalid_config\""));
}

TEST(Process, DoesNotWarnWhereRepliesHaveAPlace) {
  for (const char* const set : {"--set=dispatch.reply_to=none",
                                "--set=function.several.reply_to=none"}) {
    ChildProcess child(Probe({set}));
    RawHttpClient client(PortOf(child));

    EXPECT_EQ(client.Exchange(PostOf("several")).status, 202) << set;
    EXPECT_THAT(child.written(), Not(HasSubstr("no place to go"))) << set;
  }
}

TEST(Process, LoadsAModuleIfItsConfigurationNamesIt) {
  const auto mapped = [](std::vector<std::string> flags) {
    ChildProcess child(Probe(std::move(flags)));
    PortOf(child);
    std::ifstream maps("/proc/" + std::to_string(child.pid()) + "/maps");
    return std::string(std::istreambuf_iterator<char>(maps), {});
  };
  const std::string none = mapped({});
  const std::string kafka =
      mapped({"--set=outlet.o.type=kafka", "--set=outlet.o.topic=t",
              "--set=outlet.o.brokers=127.0.0.1:1"});

  for (const char* file :
       {"/kafka.so", "librdkafka", "/nats.so", "libnats", "/sqlite.so",
        "libsqlite3", "/http_client.so", "libcurl"}) {
    EXPECT_THAT(none, Not(HasSubstr(file)));
  }
  EXPECT_THAT(none, HasSubstr("libcirro.so"));
  EXPECT_THAT(kafka, AllOf(HasSubstr("/kafka.so"), HasSubstr("librdkafka")));
  EXPECT_THAT(kafka, Not(AnyOf(HasSubstr("/nats.so"), HasSubstr("libcurl"))));
}

TEST(Process, SaysOfWhichSourceItForgaveSomething) {
  ChildProcess child(Probe({}));
  RawHttpClient client(PortOf(child));
  const std::string request = test::Post(
      "ce-specversion: 1.0\r\nce-source: /raw\r\nce-id: 100%\r\n"
      "ce-type: quick\r\n");

  EXPECT_EQ(client.Exchange(request).status, 202);

  EXPECT_TRUE(child.WaitFor("\"event_source\":\"/raw\""));
  EXPECT_THAT(child.written(), HasSubstr("not percent-encoded"));
}

// A socket that listens on `host`, at a free port.
class Supervisor {
 public:
  explicit Supervisor(in_addr_t host = INADDR_LOOPBACK)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(host);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(fd_, generic, size), 0);
    EXPECT_EQ(listen(fd_, 16), 0);
    EXPECT_EQ(getsockname(fd_, generic, &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~Supervisor() { close(fd_); }
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

TEST(Process, AdoptsTheListenerOfItsSupervisor) {
  const Supervisor supervisor;
  // Asked before it is started: the connection waits in the queue.
  RawHttpClient client(supervisor.port());
  client.Send(PostOf("quick"));

  ChildProcess::Start start = Probe({});
  start.listener = supervisor.fd();
  ChildProcess child(std::move(start));

  EXPECT_EQ(client.Receive().status, 202);
  EXPECT_EQ(PortOf(child), supervisor.port());
  child.Signal(SIGTERM);
  EXPECT_EQ(child.Wait(), 0);
}

TEST(Process, SaysTheAddressOfTheListenerItAdoptedNotOfItsSettings) {
  const Supervisor supervisor(INADDR_LOOPBACK + 1);
  ChildProcess::Start start = Probe({"--admin-port=0"});
  start.listener = supervisor.fd();

  ChildProcess child(std::move(start));

  ASSERT_TRUE(child.WaitFor("\"version\"")) << child.written();
  EXPECT_THAT(child.written(), HasSubstr("listening on http://127.0.0.2:" +
                                         std::to_string(supervisor.port())));
  EXPECT_THAT(child.written(), HasSubstr("\"admin\":\"http://127.0.0.1:"));
}

TEST(Process, AListenerThatIsNotOfTheInternetIsAnError) {
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};  // Abstract: no file.
  address.sun_family = AF_UNIX;
  const std::string name = "cirro_test_" + std::to_string(getpid());
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address),
                 sizeof address),
            0);
  ASSERT_EQ(listen(listener, 1), 0);
  ChildProcess::Start start = Probe({});
  start.listener = listener;

  ChildProcess child(std::move(start));

  EXPECT_EQ(child.Wait(), 78);
  EXPECT_THAT(child.written(), HasSubstr("neither IPv4 nor IPv6"));
  EXPECT_THAT(child.written(), HasSubstr("LISTEN_FDS"));
  close(listener);
}

TEST(Process, NoListenersPassedIsAsGoodAsNoWordOfThem) {
  ChildProcess child(Probe({}, {"LISTEN_FDS=0"}));

  EXPECT_NE(PortOf(child), 0);
}

TEST(Process, AListenerOfAnotherProcessIsNotTaken) {
  ChildProcess child(Probe({}, {"LISTEN_FDS=1", "LISTEN_PID=1"}));

  EXPECT_NE(PortOf(child), 0);
}

TEST(Process, AListenerThatIsNotThereIsAnError) {
  ChildProcess child(Probe({}, {"LISTEN_FDS=1"}));

  EXPECT_EQ(child.Wait(), 78);
  EXPECT_THAT(child.written(), HasSubstr("LISTEN_FDS"));
}

// What a descriptor of the process is.
std::string DescriptorOf(const ChildProcess& child, int number) {
  return std::filesystem::read_symlink("/proc/" + std::to_string(child.pid()) +
                                       "/fd/" + std::to_string(number));
}

// Else lines of the log would go into whatever was opened first.
TEST(Process, NothingOfItsOwnTakesTheNumberOfAClosedStream) {
  const std::pair<std::string, std::vector<int>> cases[] = {
      {"2>&-", {2}}, {"<&- >&-", {0, 1}}, {"<&- >&- 2>&-", {0, 1, 2}}};
  for (const auto& [closing, numbers] : cases) {
    const Supervisor supervisor;
    RawHttpClient client(supervisor.port());
    client.Send(PostOf("quick"));
    ChildProcess::Start start{
        {"/bin/sh", "-c", "exec " CIRRO_PROBE " --host=127.0.0.1 " + closing}};
    start.listener = supervisor.fd();

    ChildProcess child(std::move(start));

    ASSERT_EQ(client.Receive().status, 202) << closing;
    for (const int number : numbers) {
      EXPECT_EQ(DescriptorOf(child, number), "/dev/null") << closing;
    }
  }
}

TEST(Process, TakesItsPortFromThePlatform) {
  ChildProcess::Start start = Probe({});
  start.arguments.erase(start.arguments.begin() + 2);  // --port
  start.environment = {"PORT=0"};
  ChildProcess child(std::move(start));

  const std::uint16_t port = PortOf(child);

  EXPECT_NE(port, 0);
  EXPECT_NE(port, 8080);
}

TEST(Process, WrongConfigurationIsStatus78AndOneLineForEachMistake) {
  ChildProcess child(Probe({"--set=http.prot=1"}, {"CIRRO__LOG__LEVLE=info"}));

  EXPECT_EQ(child.Wait(), 78);
  EXPECT_THAT(child.written(), HasSubstr("did you mean http.port?"));
  EXPECT_THAT(child.written(), HasSubstr("did you mean CIRRO__LOG__LEVEL?"));
  EXPECT_EQ(std::count(child.written().begin(), child.written().end(), '\n'),
            2);
}

TEST(Process, AnUnknownFlagIsStatusTwo) {
  ChildProcess child(Probe({"--prot=1"}));

  EXPECT_EQ(child.Wait(), 2);
  EXPECT_THAT(child.written(), HasSubstr("did you mean --port?"));
}

TEST(Process, HelpAndVersionAreStatusZero) {
  ChildProcess help(Probe({"--help"}));
  ChildProcess version(Probe({"--version"}));

  EXPECT_EQ(help.Wait(), 0);
  EXPECT_THAT(help.written(), HasSubstr("--port N"));
  EXPECT_EQ(version.Wait(), 0);
  EXPECT_THAT(version.written(), HasSubstr("cirro "));
}

TEST(Process, WhatIsNotWrittenIsNoSuccess) {
  for (const char* const flag : {"--help", "--version", "--print-config"}) {
    for (const char* const to : {">/dev/full", ">&-"}) {
      ChildProcess child({{"/bin/sh", "-c",
                           std::string("exec " CIRRO_PROBE " ") + flag + to}});

      EXPECT_EQ(child.Wait(), 74) << flag << to;
      EXPECT_THAT(child.written(), HasSubstr("standard output")) << flag << to;
      EXPECT_EQ(
          std::count(child.written().begin(), child.written().end(), '\n'), 1);
    }
  }
}

TEST(Process, PrintsItsConfigurationWithOriginsAndNoSecret) {
  ChildProcess child(
      Probe({"--print-config"}, {"CIRRO__METRICS__TOKEN=hunter2", "PORT=81"}));

  EXPECT_EQ(child.Wait(), 0);
  EXPECT_THAT(child.written(), HasSubstr("# flag --port\n"));
  EXPECT_THAT(child.written(), HasSubstr("# environment CIRRO__METRICS__"));
  EXPECT_THAT(child.written(), HasSubstr("[function.hang]"));
  EXPECT_THAT(child.written(), HasSubstr("timeout = \"1h\""));
  EXPECT_THAT(child.written(), Not(HasSubstr("hunter2")));
}

TEST(Process, AFunctionsLinesCarryTheEventsId) {
  ChildProcess child(Probe({"--set=drain.grace=0s"}));
  RawHttpClient client(PortOf(child));
  client.Send(PostOf("hang"));

  ASSERT_TRUE(child.WaitFor("\"hanging\""));
  ASSERT_TRUE(child.WaitFor("\"event_id\":\"1\""));
}

}  // namespace
}  // namespace cirro
