#include "consumer_check.h"

namespace cirro::internal::nats {
namespace {

Error Wrong(const char* setting, const JetStreamInletOptions& options,
            const std::string& why) {
  return {ErrorCode::kInvalidConfig, std::string(setting) + ": the consumer '" +
                                         options.durable + "' " + why};
}

std::string Edit(const JetStreamInletOptions& options, const char* flag) {
  return "`nats consumer edit " + options.stream + " " + options.durable + " " +
         flag + "`";
}

std::string Count(std::int64_t number) {
  return number > 0 ? std::to_string(number) : "any number of";
}

std::string Subjects(const std::string& filter) {
  return filter.empty() ? "all subjects" : "'" + filter + "'";
}

}  // namespace

Result<void> CheckConsumer(const JetStreamInletOptions& options,
                           const ConsumerConfig& config) {
  if (config.ack_wait < options.ack_wait) {
    return Wrong("ack_wait", options,
                 "has " + std::to_string(config.ack_wait.count()) +
                     " ms; set ack_wait to at most that, or make the consumer "
                     "anew");
  }
  if (config.max_deliver > 0) {
    return Wrong(
        "durable", options,
        "has max_deliver " + std::to_string(config.max_deliver) +
            ", and the server drops what was delivered that often without a "
            "dead letter; it must be -1: " +
            Edit(options, "--max-deliver=-1") + ", or name another by durable");
  }
  if (options.max_ack_pending == 1 && config.max_ack_pending != 1) {
    return Wrong("max_ack_pending", options,
                 "gives out " + Count(config.max_ack_pending) +
                     " messages at a time, and 1 is strict order; " +
                     Edit(options, "--max-pending=1") +
                     ", or set max_ack_pending to more than 1");
  }
  if (config.filter != options.filter) {
    return Wrong("filter", options,
                 "takes " + Subjects(config.filter) +
                     ", and the setting says " + Subjects(options.filter) +
                     "; set filter to the same, or name another by durable");
  }
  if (config.headers_only) {
    return Wrong("durable", options,
                 "gives out headers without data (headers_only); " +
                     Edit(options, "--no-headers-only") +
                     ", or name another by durable");
  }
  return {};
}

std::optional<std::string> OtherwiseSet(const JetStreamInletOptions& options,
                                        const ConsumerConfig& config) {
  if (options.create == JetStreamInletOptions::Create::kBind) return {};
  if (config.max_ack_pending == options.max_ack_pending) return {};
  return "max_ack_pending = " + std::to_string(options.max_ack_pending) +
         " is of a consumer that is made; '" + options.durable +
         "' was there, and gives out " + Count(config.max_ack_pending) +
         " messages at a time";
}

}  // namespace cirro::internal::nats
