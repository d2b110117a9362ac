#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <utility>

#include "exposition.h"
#include "metrics.h"
#include "metrics_cells.h"
#include "small_file.h"
#include "units.h"

namespace cirro::internal {
namespace {

using enum MetricKind;

enum Family : std::size_t {
  kReceivedFamily,
  kSettledFamily,
  kDeliverySeconds,
  kCallsFamily,
  kCallErrors,
  kCallSeconds,
  kRetriesFamily,
  kHungFamily,
  kRunningFamily,
  kBuriedFamily,  // In the order of TroubleCounts::Kind.
  kNotBuriedFamily,
  kStalledFamily,
  kKeptFamily,
  kDroppedFamily,
  kDuplicateFamily,
  kLostFamily,
  kHeldFamily,
  kHeldNow,
  kLagFamily,
  kLinkFamily,
  kSentFamily,
  kSendSeconds,
  kInFlight,
  kInFlightBytes,
  kHungNow,
  kWorkers,
  kWorkerQueue,
  kLogLines,
  kReadyFamily,
  kHttpConnections,
  kHttpAccepted,
  kHttpRequests,
  kHttpRejected,
  kHttpForgiven,
  kCpuSeconds,
  kResident,
  kBuildInfo,
};

// In the order of Family.
constexpr std::array kMetrics{
    Metric{"cirro_events_received_total", kCounter, "inlet, content",
           "Deliveries that came in: content is event or malformed."},
    Metric{"cirro_events_settled_total", kCounter, "inlet, outcome",
           "Deliveries that ended: done, or the error code that ended them."},
    Metric{"cirro_event_duration_seconds", kHistogram, "inlet",
           "From receiving a delivery to settling it."},
    Metric{"cirro_calls_total", kCounter, "inlet, function, type, outcome",
           "Finished calls of a function: done, reply, retry or reject. type "
           "is what it was registered for."},
    Metric{"cirro_call_errors_total", kCounter, "inlet, function, code",
           "Finished calls that failed, by error code."},
    Metric{"cirro_call_duration_seconds", kHistogram, "inlet, function",
           "How long calls of a function took."},
    Metric{"cirro_retries_total", kCounter, "inlet, function",
           "Calls of a function that were not the first for their event."},
    Metric{"cirro_calls_hung_total", kCounter, "inlet, function",
           "Calls that were past their deadline and still ran."},
    Metric{"cirro_calls_running", kGauge, "inlet, function",
           "Calls that have begun and not ended."},
    Metric{"cirro_dead_letters_total", kCounter,
           "inlet, function, reason, place",
           "Events that were given up and are safe at a place for dead "
           "letters."},
    Metric{"cirro_dead_letter_failures_total", kCounter, "inlet, place, code",
           "Attempts of which a place did not take a dead letter."},
    Metric{"cirro_dead_letter_stalls_total", kCounter,
           "inlet, function, reason",
           "How often no place took a dead letter, so that its source waits."},
    Metric{"cirro_events_kept_total", kCounter, "inlet, function, reason",
           "Events that were given up with no place to keep them: they go on "
           "being tried."},
    Metric{"cirro_events_dropped_total", kCounter, "inlet, function, reason",
           "Events that were given up and lost, as on_exhausted says."},
    Metric{"cirro_duplicates_total", kCounter, "inlet, function",
           "Events that a function with dedup had done before."},
    Metric{"cirro_source_lost_total", kCounter, "inlet",
           "Messages that left the source before they were done, by its "
           "own limits or somebody's hand, as far as it shows."},
    Metric{"cirro_inlet_holds_total", kCounter, "inlet, partition",
           "How often a partition stopped because its oldest event was not "
           "settled and as many as may be after it were delivered."},
    Metric{"cirro_inlet_held", kGauge, "inlet, partition",
           "1 while a partition waits so."},
    Metric{"cirro_inlet_lag", kGauge, "inlet, partition",
           "Messages in the source that are not settled, as last heard."},
    Metric{"cirro_inlet_connected", kGauge, "inlet",
           "1 while the inlet is connected to its broker."},
    Metric{"cirro_outlet_sends_total", kCounter, "outlet, outcome",
           "Events that an outlet was given: done when its peer has it, or "
           "the error code."},
    Metric{"cirro_outlet_send_duration_seconds", kHistogram, "outlet",
           "From giving an event to an outlet to its confirmation or error."},
    Metric{"cirro_events_in_flight", kGauge, "",
           "Deliveries taken in and not settled; an inline call on the common "
           "path needs no room and is not among them."},
    Metric{"cirro_events_in_flight_bytes", kGauge, "",
           "The memory of these events."},
    Metric{"cirro_calls_hung", kGauge, "",
           "Calls that are past their deadline and still run."},
    Metric{"cirro_worker_threads", kGauge, "",
           "Threads that run functions, idle ones included."},
    Metric{"cirro_worker_queue", kGauge, "",
           "Calls that wait for a worker thread."},
    Metric{"cirro_log_lines_total", kCounter, "level",
           "Lines that functions logged, those below log.level included."},
    Metric{"cirro_ready", kGauge, "", "1 while /readyz says 200."},
    Metric{"cirro_http_connections", kGauge, "", "Open connections."},
    Metric{"cirro_http_connections_total", kCounter, "",
           "Connections that were accepted."},
    Metric{"cirro_http_requests_total", kCounter, "",
           "Requests that were read whole, whatever became of them."},
    Metric{"cirro_http_rejected_total", kCounter, "reason",
           "Requests that were answered without becoming a delivery."},
    Metric{"cirro_http_forgiven_total", kCounter, "what",
           "Messages that broke a rule and were taken; http.strict refuses "
           "them."},
    Metric{"process_cpu_seconds_total", kCounter, "",
           "Processor time of this process, user and system."},
    Metric{"process_resident_memory_bytes", kGauge, "",
           "Resident memory of this process."},
    Metric{"cirro_build_info", kGauge, "version", "Always 1."},
};
static_assert(kMetrics.size() == kBuildInfo + 1);

constexpr std::array<std::string_view, kOutcomeKinds> kOutcomes{
    "done", "reply", "retry", "reject"};
constexpr std::array<std::string_view, kLogLevels> kLevels{"debug", "info",
                                                           "warning", "error"};
constexpr std::array<std::string_view, 4> kForgiven{
    "literal_value", "latin1", "literal_uri", "ignored_header"};

using Buckets = std::array<std::uint64_t, Histogram::kBounds.size() + 1>;

double CpuSeconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t ResidentBytes() {
  // "size resident shared ...", in pages.
  const auto read = ReadSmallFile("/proc/self/statm");
  const std::string contents = read ? *read : std::string();
  const std::string_view text = contents;
  const std::size_t begin = std::min(text.find(' ') + 1, text.size());
  const auto pages =
      ParseInteger(text.substr(begin, text.find(' ', begin) - begin));
  return static_cast<std::uint64_t>(pages.value_or(0)) *
         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void AppendTrouble(Exposition& out, const TroubleCounts& trouble) {
  constexpr std::array<std::array<std::string_view, 4>,
                       TroubleCounts::kKinds - 1>
      kLabels{{{"inlet", "function", "reason", "place"},
               {"inlet", "place", "code", ""},
               {"inlet", "function", "reason", ""},
               {"inlet", "function", "reason", ""},
               {"inlet", "function", "reason", ""},
               {"inlet", "function", "", ""},
               {"inlet", "", "", ""},
               {"inlet", "partition", "", ""}}};
  for (std::size_t kind = 0; kind < kLabels.size(); ++kind) {
    const auto& names = kLabels.at(kind);
    out.Family(kMetrics.at(kBuriedFamily + kind));
    for (const auto& [values, count] :
         trouble.Of(static_cast<TroubleCounts::Kind>(kind))) {
      if (names[1].empty()) {
        out.Sample({{names[0], values[0]}}, count);
      } else if (names[2].empty()) {
        out.Sample({{names[0], values[0]}, {names[1], values[1]}}, count);
      } else if (names[3].empty()) {
        out.Sample({{names[0], values[0]},
                    {names[1], values[1]},
                    {names[2], values[2]}},
                   count);
      } else {
        out.Sample({{names[0], values[0]},
                    {names[1], values[1]},
                    {names[2], values[2]},
                    {names[3], values[3]}},
                   count);
      }
    }
  }
}

// What began and is not over.
void AppendHeld(Exposition& out, const TroubleCounts& trouble) {
  out.Family(kMetrics[kHeldNow]);
  TroubleCounts::Counts over = trouble.Of(TroubleCounts::Kind::kWentOn);
  for (const auto& [values, begun] : trouble.Of(TroubleCounts::Kind::kHeld)) {
    out.Sample({{"inlet", values[0]}, {"partition", values[1]}},
               begun - std::min(begun, over[values]));
  }
}

void AppendBrokers(Exposition& out, const MetricsSnapshot& snapshot) {
  out.Family(kMetrics[kLagFamily]);
  for (const auto& [inlet, partitions] : snapshot.lags) {
    for (const PartitionLag& lag : partitions) {
      out.Sample({{"inlet", inlet}, {"partition", lag.partition}},
                 lag.messages);
    }
  }
  out.Family(kMetrics[kLinkFamily]);
  for (const auto& [inlet, up] : snapshot.links) {
    out.Sample({{"inlet", inlet}}, std::uint64_t{up ? 1U : 0U});
  }
}

}  // namespace

std::span<const Metric> MetricTable() { return kMetrics; }

std::string MetricsMarkdown() {
  std::string text =
      "# Metrics\n\n"
      "<!-- Written by `cirro metrics --markdown` from the table in "
      "runtime/src/metrics_page.cc. -->\n\n"
      "`/metrics` answers in Prometheus' text format: on `admin.port` to "
      "anyone; on the public port, where there is no admin port, with "
      "`metrics.public = true` or a token (`metrics.token`). Units are base "
      "units. A histogram has the buckets (seconds) ";
  std::string bounds;
  for (const double bound : Histogram::kBounds) {
    std::string number = std::to_string(bound);
    number.erase(number.find_last_not_of('0') + 1);
    if (number.ends_with('.')) number.pop_back();
    bounds += (bounds.empty() ? "" : ", ") + number;
  }
  text +=
      bounds + ".\n\n| metric | kind | labels | meaning |\n|---|---|---|---|\n";
  constexpr std::array<std::string_view, 3> kKinds{"counter", "gauge",
                                                   "histogram"};
  for (const Metric& metric : kMetrics) {
    text += "| `" + std::string(metric.name) + "` | " +
            std::string(kKinds.at(static_cast<std::size_t>(metric.kind))) +
            " | " + std::string(metric.labels) + " | " +
            std::string(metric.help) + " |\n";
  }
  return text;
}

std::string Metrics::Render(const MetricsSnapshot& snapshot) const {
  struct CallSums {
    std::uint64_t started = 0;
    std::uint64_t repeated = 0;
    std::uint64_t hung = 0;
    std::array<std::uint64_t, kOutcomes.size()> outcomes{};
    std::array<std::uint64_t, kErrorCodes> errors{};
    Buckets buckets{};
    double seconds = 0;
  };
  struct InletSums {
    std::uint64_t events = 0;
    std::uint64_t malformed = 0;
    std::uint64_t done = 0;
    std::array<std::uint64_t, kErrorCodes> failed{};
    Buckets buckets{};
    double seconds = 0;
  };
  struct OutletSums {
    std::uint64_t sent = 0;
    std::array<std::uint64_t, kErrorCodes> failed{};
    Buckets buckets{};
    double seconds = 0;
  };
  // By name: one function may have been counted under two addresses.
  std::map<std::pair<std::string_view, std::string_view>, CallSums> calls;
  std::map<std::string_view, InletSums> inlets;
  std::map<std::string_view, OutletSums> outlets;
  std::array<std::uint64_t, kLevels.size()> lines{};
  {
    const MutexLock lock(blocks_->mutex);
    for (const auto& block : blocks_->all) {
      const MutexLock block_lock(block->mutex);
      for (const auto& [key, cells] : block->calls) {
        CallSums& sums = calls[{key.inlet->name, key.function}];
        sums.started += cells->started.get();
        sums.repeated += cells->repeated.get();
        sums.hung += cells->hung.get();
        for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
          sums.outcomes.at(i) += cells->outcomes.at(i).get();
        }
        for (std::size_t i = 0; i < kErrorCodes; ++i) {
          sums.errors.at(i) += cells->errors.at(i).get();
        }
        cells->took.AddTo(sums.buckets, sums.seconds);
      }
      for (const auto& [inlet, cells] : block->inlets) {
        InletSums& sums = inlets[inlet->name];
        sums.events += cells->events.get();
        sums.malformed += cells->malformed.get();
        sums.done += cells->done.get();
        for (std::size_t i = 0; i < kErrorCodes; ++i) {
          sums.failed.at(i) += cells->failed.at(i).get();
        }
        cells->took.AddTo(sums.buckets, sums.seconds);
      }
      for (const auto& [outlet, cells] : block->outlets) {
        OutletSums& sums = outlets[outlet];
        sums.sent += cells->sent.get();
        for (std::size_t i = 0; i < kErrorCodes; ++i) {
          sums.failed.at(i) += cells->failed.at(i).get();
        }
        cells->took.AddTo(sums.buckets, sums.seconds);
      }
      for (std::size_t i = 0; i < lines.size(); ++i) {
        lines.at(i) += block->lines.at(i).get();
      }
    }
  }

  Exposition out;
  const auto code_name = [](std::size_t code) {
    return ToString(static_cast<ErrorCode>(code));
  };
  out.Family(kMetrics[kReceivedFamily]);
  for (const auto& [inlet, sums] : inlets) {
    out.Sample({{"inlet", inlet}, {"content", "event"}}, sums.events);
    out.Sample({{"inlet", inlet}, {"content", "malformed"}}, sums.malformed);
  }
  out.Family(kMetrics[kSettledFamily]);
  for (const auto& [inlet, sums] : inlets) {
    out.Sample({{"inlet", inlet}, {"outcome", "done"}}, sums.done);
    for (std::size_t i = 0; i < kErrorCodes; ++i) {
      if (sums.failed.at(i) == 0) continue;
      out.Sample({{"inlet", inlet}, {"outcome", code_name(i)}},
                 sums.failed.at(i));
    }
  }
  out.Family(kMetrics[kDeliverySeconds]);
  for (const auto& [inlet, sums] : inlets) {
    out.Samples({{"inlet", inlet}}, Histogram::kBounds, sums.buckets,
                sums.seconds);
  }
  out.Family(kMetrics[kCallsFamily]);
  for (const auto& [key, sums] : calls) {
    std::string_view type;
    if (const auto it = snapshot.types.find(key.second);
        it != snapshot.types.end()) {
      type = it->second;
    }
    for (std::size_t i = 0; i < kOutcomes.size(); ++i) {
      out.Sample({{"inlet", key.first},
                  {"function", key.second},
                  {"type", type},
                  {"outcome", kOutcomes.at(i)}},
                 sums.outcomes.at(i));
    }
  }
  out.Family(kMetrics[kCallErrors]);
  for (const auto& [key, sums] : calls) {
    for (std::size_t i = 0; i < kErrorCodes; ++i) {
      if (sums.errors.at(i) == 0) continue;
      out.Sample({{"inlet", key.first},
                  {"function", key.second},
                  {"code", code_name(i)}},
                 sums.errors.at(i));
    }
  }
  out.Family(kMetrics[kCallSeconds]);
  for (const auto& [key, sums] : calls) {
    out.Samples({{"inlet", key.first}, {"function", key.second}},
                Histogram::kBounds, sums.buckets, sums.seconds);
  }
  const auto per_function = [&](Family family, auto value) {
    out.Family(kMetrics[family]);
    for (const auto& [key, sums] : calls) {
      out.Sample({{"inlet", key.first}, {"function", key.second}},
                 static_cast<std::uint64_t>(value(sums)));
    }
  };
  per_function(kRetriesFamily, [](const CallSums& s) { return s.repeated; });
  per_function(kHungFamily, [](const CallSums& s) { return s.hung; });
  per_function(kRunningFamily, [](const CallSums& s) {
    std::uint64_t finished = 0;
    for (const std::uint64_t n : s.outcomes) finished += n;
    return s.started - std::min(s.started, finished);
  });
  AppendTrouble(out, trouble_);
  AppendHeld(out, trouble_);
  AppendBrokers(out, snapshot);
  out.Family(kMetrics[kSentFamily]);
  for (const auto& [outlet, sums] : outlets) {
    out.Sample({{"outlet", outlet}, {"outcome", "done"}}, sums.sent);
    for (std::size_t i = 0; i < kErrorCodes; ++i) {
      if (sums.failed.at(i) == 0) continue;
      out.Sample({{"outlet", outlet}, {"outcome", code_name(i)}},
                 sums.failed.at(i));
    }
  }
  out.Family(kMetrics[kSendSeconds]);
  for (const auto& [outlet, sums] : outlets) {
    out.Samples({{"outlet", outlet}}, Histogram::kBounds, sums.buckets,
                sums.seconds);
  }
  const auto single = [&](Family family, std::uint64_t value) {
    out.Family(kMetrics[family]);
    out.Sample({}, value);
  };
  single(kInFlight, snapshot.dispatcher.in_flight);
  single(kInFlightBytes, snapshot.dispatcher.bytes);
  single(kHungNow, snapshot.dispatcher.hung);
  single(kWorkers, snapshot.worker_threads);
  single(kWorkerQueue, snapshot.worker_queue);
  out.Family(kMetrics[kLogLines]);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    out.Sample({{"level", kLevels.at(i)}}, lines.at(i));
  }
  single(kReadyFamily, snapshot.ready ? 1 : 0);
  if (snapshot.has_http) {
    single(kHttpConnections, snapshot.http.connections_open);
    single(kHttpAccepted, snapshot.http.connections_accepted);
    single(kHttpRequests, snapshot.http.requests);
    out.Family(kMetrics[kHttpRejected]);
    for (std::size_t i = 0; i < kHttpRejects; ++i) {
      out.Sample({{"reason", ToString(static_cast<HttpReject>(i))}},
                 snapshot.http.rejected.at(i));
    }
    out.Family(kMetrics[kHttpForgiven]);
    for (std::size_t i = 0; i < kForgiven.size(); ++i) {
      out.Sample({{"what", kForgiven.at(i)}}, snapshot.http.forgiven.at(i));
    }
  }
  out.Family(kMetrics[kCpuSeconds]);
  out.Sample({}, CpuSeconds());
  single(kResident, ResidentBytes());
  out.Family(kMetrics[kBuildInfo]);
  out.Sample({{"version", CIRRO_VERSION}}, std::uint64_t{1});
  return std::move(out).Take();
}

}  // namespace cirro::internal
