#include "dead_letter_loops.h"

#include <algorithm>
#include <regex>

namespace cirro::internal {
namespace {

// A cluster has many names; where one broker is in both lists it is the same.
bool ShareABroker(std::string_view these, const std::string& those) {
  const std::string list = "," + those + ",";
  while (!these.empty()) {
    const std::string_view one = these.substr(0, these.find(','));
    if (list.find("," + std::string(one) + ",") != std::string::npos) {
      return true;
    }
    these.remove_prefix(std::min(these.size(), one.size() + 1));
  }
  return false;
}

bool ReadsTopic(const std::string& topic, const std::string& written) {
  if (!topic.starts_with('^')) return topic == written;
  try {
    return std::regex_search(written, std::regex(topic, std::regex::extended));
  } catch (const std::regex_error&) {
    return false;  // The client says what is wrong with it.
  }
}

bool Reads(const InletConfig& inlet, const OutletConfig& outlet) {
  if (inlet.type == InletType::kKafka && outlet.type == OutletType::kKafka) {
    return ShareABroker(inlet.kafka.connection.brokers,
                        outlet.kafka.connection.brokers) &&
           std::any_of(inlet.kafka.topics.begin(), inlet.kafka.topics.end(),
                       [&](const std::string& topic) {
                         return ReadsTopic(topic, outlet.kafka.topic);
                       });
  }
  if (inlet.type == InletType::kNats && outlet.type == OutletType::kNats) {
    const std::string& filter =
        inlet.jetstream ? inlet.nats_jetstream.filter : inlet.nats_core.subject;
    // All of a stream: which subjects it keeps only the server knows.
    if (filter.empty()) {
      return !inlet.nats_jetstream.stream.empty() &&
             inlet.nats_jetstream.stream == outlet.nats.expected_stream;
    }
    return SubjectMatches(filter, outlet.nats.subject);
  }
  if (inlet.type == InletType::kMemory && outlet.type == OutletType::kMemory) {
    const std::vector<std::string>& topics = inlet.memory.topics;
    return std::find(topics.begin(), topics.end(), outlet.memory.topic) !=
           topics.end();
  }
  return false;
}

}  // namespace

bool SubjectMatches(std::string_view filter,
                    std::string_view subject) noexcept {
  if (filter.empty()) return true;
  for (;;) {
    const std::string_view want = filter.substr(0, filter.find('.'));
    const std::string_view have = subject.substr(0, subject.find('.'));
    if (want == ">") return !have.empty();
    if (want != "*" && want != have) return false;
    const bool filter_ends = want.size() == filter.size();
    if (filter_ends || have.size() == subject.size()) {
      return filter_ends && have.size() == subject.size();
    }
    filter.remove_prefix(want.size() + 1);
    subject.remove_prefix(have.size() + 1);
  }
}

std::string LoopOf(const Config& config, std::string_view place) {
  const auto outlet = config.outlets.find(place);
  if (outlet == config.outlets.end()) return {};
  for (const auto& [name, inlet] : config.inlets) {
    if (!Reads(inlet, outlet->second)) continue;
    return "what is written to [outlet." + std::string(place) +
           "] comes in again by [inlet." + name +
           "]; dead letters need a place of their own";
  }
  return {};
}

}  // namespace cirro::internal
