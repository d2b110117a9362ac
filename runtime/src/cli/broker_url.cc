#include "broker_url.h"

namespace cirro::cli {
namespace {

constexpr std::string_view kKafka = "kafka://";
constexpr std::string_view kNats = "nats://";
constexpr std::string_view kTls = "tls://";

}  // namespace

bool IsBrokerUrl(std::string_view url) noexcept {
  return url.starts_with(kKafka) || url.starts_with(kNats) ||
         url.starts_with(kTls);
}

Result<std::vector<std::string>> FlagsOfBrokerUrl(std::string_view section,
                                                  std::string_view url) {
  const std::size_t begin = url.find("://") + 3;
  const std::size_t slash = url.find('/', begin);
  const std::string place(
      slash == std::string_view::npos ? "" : url.substr(slash + 1));
  if (slash == begin || place.empty() || place.find('/') != std::string::npos) {
    return Error{ErrorCode::kInvalidConfig,
                 url.starts_with(kKafka)
                     ? "a topic's URL is kafka://HOST:PORT/TOPIC"
                     : "a subject's URL is nats://HOST:PORT/SUBJECT"};
  }
  const bool inlet = section.starts_with("inlet.");
  std::vector<std::string> flags;
  const auto set = [&](std::string_view key, std::string_view value) {
    flags.push_back("--set=" + std::string(section) + "." + std::string(key) +
                    "=" + std::string(value));
  };
  if (url.starts_with(kKafka)) {
    set("type", "kafka");
    set("brokers", url.substr(begin, slash - begin));
    set(inlet ? "topics" : "topic", place);
  } else {
    set("type", "nats");
    set("servers", url.substr(0, slash));
    set("subject", place);
    set("jetstream", "false");
  }
  return flags;
}

}  // namespace cirro::cli
