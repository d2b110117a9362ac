#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/context.h"
#include "cirro/dispatch/dispatcher.h"
#include "cirro/dispatch/function.h"
#include "cirro/http/options.h"
#include "cirro/http_client/http_client.h"
#include "cirro/kafka/inlet_options.h"
#include "cirro/kafka/outlet_options.h"
#include "cirro/memory/memory.h"
#include "cirro/nats/nats.h"
#include "cirro/runtime/secret.h"

// The settings of a process, typed, and how they come about. What each means,
// its default and its bounds stand in one table: settings_table.cc.
namespace cirro::internal {

enum class LogFormat : std::uint8_t { kAuto, kJson, kText };

struct HttpConfig {
  bool enabled = true;
};

struct MetricsConfig {
  bool open = false;  // The key is `public`, a word of the language.
  Secret token{};
};

struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kAuto;
};

struct DrainConfig {
  std::chrono::milliseconds delay{};
  std::chrono::milliseconds grace{};
};

struct DispatchConfig {
  std::string target{};
  std::uint32_t workers = 0;
  std::uint32_t max_hung = 0;
  std::size_t dedup_max = 0;
};

struct KnativeConfig {
  std::string sink{};
  std::string ce_overrides{};
  std::string ca_certificates{};
  std::string service{};
  std::string revision{};
};

// Of a registered function; what is absent stays as the code says.
struct FunctionConfig {
  std::optional<std::uint32_t> concurrency{};
  std::optional<std::chrono::milliseconds> timeout{};
  std::optional<bool> inline_call{};
  std::optional<std::uint32_t> batch_max{};
  std::optional<std::uint32_t> max_in_flight{};
  std::optional<std::size_t> max_in_flight_bytes{};
  std::optional<std::string> reply_to{};
  std::optional<OrderBy::Kind> order_by{};
  std::optional<std::string> order_pointer{};
  std::optional<std::vector<std::string>> dead_letter{};
  std::optional<OnExhausted> on_exhausted{};
  std::optional<int> retry_attempts{};
  std::optional<std::chrono::milliseconds> retry_base{};
  std::optional<std::chrono::milliseconds> retry_cap{};
  std::optional<bool> dedup{};
};

enum class InletType : std::uint8_t { kKafka, kNats, kMemory };

// Of the options those of its type count.
struct InletConfig {
  InletType type{};
  KafkaInletOptions kafka{};
  bool jetstream = false;  // Which of the two there are of NATS.
  NatsConnection nats{};   // Of either.
  JetStreamInletOptions nats_jetstream{};
  CoreNatsInletOptions nats_core{};
  MemoryInletOptions memory{};
  // What all types have.
  std::uint32_t max_in_flight = 0;
  std::size_t max_in_flight_bytes = 0;
};

enum class OutletType : std::uint8_t { kHttp, kKafka, kNats, kMemory };

struct OutletConfig {
  OutletType type{};
  HttpOutletOptions http{};
  Secret authorization{};
  KafkaOutletOptions kafka{};
  NatsOutletOptions nats{};
  MemoryOutletOptions memory{};
  std::uint32_t max_in_flight = 0;  // Of all but the last.
  std::string http_path{};
};

// The one type is sqlite.
struct DeadLetterConfig {
  std::string path{};
  bool ephemeral = false;
  std::uint64_t max_bytes = 0;
};

// When /readyz heeds the links to brokers.
enum class BrokerReadiness : std::uint8_t { kStart, kAlways, kNever };

struct ReadinessConfig {
  BrokerReadiness broker{};
};

// Where a setting was given; later ones win.
enum class Layer : std::uint8_t { kDefault, kCode, kFile, kEnvironment, kFlag };

// One setting as it came out, for people.
struct EffectiveSetting {
  std::string section;  // "http", "function.hello".
  std::string key;
  std::string value;   // As TOML; secrets and credentials are masked.
  std::string origin;  // "default", "cirro.toml:3", "environment PORT", ...
  Layer layer = Layer::kDefault;
};

template <typename T>
using Named = std::map<std::string, T, std::less<>>;

struct Config {
  HttpOptions receiver{};  // [http] but for what HttpConfig has.
  HttpConfig http{};
  MetricsConfig metrics{};
  LogConfig log{};
  DrainConfig drain{};
  DispatcherOptions dispatcher{};  // [dispatch] but for what follows.
  DispatchConfig dispatch{};
  KnativeConfig knative{};
  ReadinessConfig readiness{};
  MemoryBrokerOptions memory{};
  Named<FunctionConfig> functions{};
  Named<InletConfig> inlets{};
  Named<OutletConfig> outlets{};
  Named<DeadLetterConfig> dead_letters{};

  std::uint32_t cpus = 1;  // Of the container; no setting.
  std::vector<EffectiveSetting> effective{};
};

// A setting as somebody gave it: "http.port", "8080", "flag --port".
struct Assignment {
  std::string setting{};
  std::string value{};
  std::string origin{};
  bool is_list = false;  // The value is one of TOML, with commas between.
};

// What Config is made from; later members win.
struct ConfigSources {
  // Of whoever starts the program: for what nobody says anything of.
  std::vector<Assignment> defaults{};
  std::vector<Assignment> code{};
  // A file that was named must exist; the default one (cirro.toml) need not.
  std::optional<std::string> file{};
  std::vector<std::pair<std::string, std::string>> environment{};
  std::vector<Assignment> flags{};
  // Configuration keys of the registered functions; nothing: any name goes.
  std::optional<std::vector<std::string>> functions{};
};

/// The settings in effect. Fails with kInvalidConfig, naming every mistake, a
/// line each; nothing is half-applied.
[[nodiscard]] Result<Config> LoadConfig(const ConfigSources& sources);

/// What `config --print` shows: TOML, each line with its origin.
[[nodiscard]] std::string PrintConfig(const Config& config);

/// docs/configuration.md.
[[nodiscard]] std::string ConfigurationMarkdown();

struct ConfigFile {
  std::vector<Assignment> settings{};        // In the file's order.
  std::vector<Assignment> empty_sections{};  // No values, but origins.
};

/// Reads `path` as TOML, with "<path>:<line>" as origin. Fails with
/// kInvalidConfig: it cannot be read, is larger than 1 MiB, or is no TOML.
[[nodiscard]] Result<ConfigFile> ReadConfigFile(const std::string& path);

}  // namespace cirro::internal
