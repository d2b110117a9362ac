#include "server_words.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "cirro/cloudevents/timestamp.h"

namespace cirro::internal::nats {
namespace {

std::uint64_t Number(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned()
             ? found->get<std::uint64_t>()
             : 0;
}

// Where -1 is none.
std::int64_t Bound(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer()
             ? found->get<std::int64_t>()
             : -1;
}

bool IsOn(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

// One subject, or since 2.10 several.
std::string FilterOf(const nlohmann::json& config) {
  if (const auto one = config.find("filter_subject");
      one != config.end() && one->is_string()) {
    return one->get<std::string>();
  }
  std::string all;
  const auto several = config.find("filter_subjects");
  if (several == config.end() || !several->is_array()) return all;
  for (const auto& subject : *several) {
    if (!subject.is_string()) continue;
    all += (all.empty() ? "" : ", ") + subject.get<std::string>();
  }
  return all;
}

ConsumerConfig ConfigOf(const nlohmann::json& config) {
  return {.ack_wait = std::chrono::duration_cast<std::chrono::milliseconds>(
              std::chrono::nanoseconds(Bound(config, "ack_wait"))),
          .max_deliver = Bound(config, "max_deliver"),
          .max_ack_pending = Bound(config, "max_ack_pending"),
          .filter = FilterOf(config),
          .headers_only = IsOn(config, "headers_only")};
}

}  // namespace

std::optional<ConsumerFacts> ParseConsumerInfo(std::string_view json) {
  const auto info = nlohmann::json::parse(json, nullptr, false);
  if (!info.is_object() || info.contains("error")) return std::nullopt;
  ConsumerFacts facts{.pending = Number(info, "num_pending"),
                      .ack_pending = Number(info, "num_ack_pending")};
  if (const auto config = info.find("config");
      config != info.end() && config->is_object()) {
    facts.config = ConfigOf(*config);
  }
  if (const auto floor = info.find("ack_floor");
      floor != info.end() && floor->is_object()) {
    facts.ack_floor = Number(*floor, "stream_seq");
  }
  if (const auto delivered = info.find("delivered");
      delivered != info.end() && delivered->is_object()) {
    facts.deliveries = Number(*delivered, "consumer_seq");
    facts.sequence = Number(*delivered, "stream_seq");
  }
  if (const auto created = info.find("created");
      created != info.end() && created->is_string()) {
    const auto time = ParseTimestamp(created->get<std::string>());
    if (time) facts.created = ToSysTime(*time).time_since_epoch().count();
  }
  if (const auto cluster = info.find("cluster");
      cluster != info.end() && cluster->is_object()) {
    if (const auto leader = cluster->find("leader");
        leader != cluster->end() && leader->is_string()) {
      facts.leader = leader->get<std::string>();
    }
    facts.led = !facts.leader.empty();
  }
  return facts;
}

std::optional<std::uint64_t> ParseFirstSequence(std::string_view json) {
  const auto info = nlohmann::json::parse(json, nullptr, false);
  if (!info.is_object()) return std::nullopt;
  const auto state = info.find("state");
  if (state == info.end() || !state->is_object()) return std::nullopt;
  const auto first = state->find("first_seq");
  if (first == state->end() || !first->is_number_unsigned()) {
    return std::nullopt;
  }
  return first->get<std::uint64_t>();
}

std::optional<NakAdvisory> ParseNakAdvisory(std::string_view json) {
  const auto advisory = nlohmann::json::parse(json, nullptr, false);
  if (!advisory.is_object()) return std::nullopt;
  const NakAdvisory parsed{Number(advisory, "stream_seq"),
                           Number(advisory, "deliveries")};
  if (parsed.sequence == 0 || parsed.delivered == 0) return std::nullopt;
  return parsed;
}

}  // namespace cirro::internal::nats
