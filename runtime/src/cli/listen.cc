#include "listen.h"

#include <unistd.h>

#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "broker_url.h"
#include "cirro/cirro.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/timestamp.h"
#include "say.h"

namespace cirro::cli {
namespace {

// Nobody else's: reading takes nothing away from a group that works.
std::string GroupOfItsOwn() {
  std::random_device random;
  return "cirro-listen-" + std::to_string(random()) + std::to_string(random());
}

bool IsOffset(std::string_view text) {
  std::int64_t offset = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, offset);
  return read.ec == std::errc() && read.ptr == end && offset >= 0;
}

// What of the flags is not the URL's broker's.
Result<void> CheckFlags(const ListenOptions& options) {
  if (!options.url.starts_with("kafka:")) {
    if (options.from.empty() && options.group.empty()) return {};
    return Error{ErrorCode::kInvalidConfig,
                 std::string(options.from.empty() ? "--group" : "--from") +
                     " is of Kafka: a subject of NATS has no past and no "
                     "groups that keep a place"};
  }
  if (options.from.empty() || options.from == "beginning" ||
      options.from == "end" || IsOffset(options.from) ||
      IsTimestamp(options.from)) {
    return {};
  }
  return Error{ErrorCode::kInvalidConfig,
               "--from: '" + options.from +
                   "' is no beginning, end, offset or time (RFC 3339)"};
}

Result<std::vector<std::string>> FlagsOf(const ListenOptions& options) {
  if (auto checked = CheckFlags(options); !checked) return checked.error();
  auto flags = FlagsOfBrokerUrl("inlet.listen", options.url);
  if (!flags) return flags.error();
  const auto set = [&](const std::string& setting) {
    flags->push_back("--set=" + setting);
  };
  set("http.enabled=false");
  set("log.level=warning");
  set("dispatch.reply_to=none");
  // What is no event is told and passed over.
  set("dispatch.on_exhausted=drop");
  if (options.url.starts_with("kafka:")) {
    set("inlet.listen.start=" + (options.from.empty() ? "end" : options.from));
    set("inlet.listen.group=" +
        (options.group.empty() ? GroupOfItsOwn() : options.group));
  }
  for (const std::string& setting : options.settings) {
    set("inlet.listen." + setting);
  }
  return flags;
}

}  // namespace

int Listen(const ListenOptions& options) {
  if (!IsBrokerUrl(options.url)) {
    return Fail(kWrongUse,
                "listens on kafka://HOST:PORT/TOPIC and "
                "nats://HOST:PORT/SUBJECT");
  }
  const auto flags = FlagsOf(options);
  if (!flags) return Fail(kWrongUse, flags.error().message);

  // Threads inherit the mask, so that the wait below gets the signals.
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int number : {SIGINT, SIGTERM, SIGUSR1})
    sigaddset(&wanted, number);
  pthread_sigmask(SIG_BLOCK, &wanted, nullptr);

  std::atomic<bool> broken{false};
  std::atomic<bool> failed{false};
  int printed = 0;  // Of the one call at a time.
  App app;
  app.On({.name = "listen", .type = "*", .concurrency = 1},
         [&](const Event& event) -> Outcome {
           if (broken || (options.count > 0 && printed == options.count)) {
             return Retry("enough was read");
           }
           const std::string line = EncodeJson(event) + "\n";
           broken =
               std::fputs(line.c_str(), stdout) < 0 || std::fflush(stdout) != 0;
           if (!broken) ++printed;
           if (broken || printed == options.count) kill(getpid(), SIGUSR1);
           return Done();
         });
  app.OnFailure([&failed] {
    failed = true;
    kill(getpid(), SIGUSR1);
  });
  const char* const modules = std::getenv("CIRRO_MODULE_PATH");
  const std::vector<std::pair<std::string, std::string>> environment = {
      {"CIRRO_MODULE_PATH", modules == nullptr ? "" : modules}};
  if (const auto started = app.Start(*flags, environment); !started) {
    return Fail(started.error().code == ErrorCode::kInvalidConfig
                    ? kBadConfig
                    : kUnavailable,
                started.error().message);
  }
  int number = 0;
  sigwait(&wanted, &number);
  if (const auto stopped = app.Stop(); !stopped) {
    return Fail(kFailed, stopped.error().message);
  }
  if (broken) return kNotWritten;
  // The log has said why.
  return failed ? kFailed : kOk;
}

}  // namespace cirro::cli
