#include "replay.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include "answer.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/replay.h"
#include "cirro/runtime/command.h"
#include "http_target.h"
#include "interrupt.h"
#include "letters.h"
#include "pace.h"
#include "say.h"

namespace cirro::cli {
namespace {

bool Is(std::string_view wanted, std::string_view value) {
  return wanted.empty() || wanted == value;
}

bool IsType(std::string_view wanted, std::string_view type) {
  if (!wanted.ends_with('*')) return Is(wanted, type);
  wanted.remove_suffix(1);
  return type.starts_with(wanted);
}

std::string SummaryOf(const ReplayedMessage& message, const Event& event) {
  const nlohmann::ordered_json json{{"position", message.position},
                                    {"time", FormatTimestamp(message.time)},
                                    {"type", event.type()},
                                    {"source", event.source()},
                                    {"id", event.id()}};
  return json.dump(-1, ' ', false,
                   nlohmann::ordered_json::error_handler_t::replace);
}

class Replaying {
 public:
  Replaying(const ReplayOptions& options, HttpTarget* target, Replay& replay)
      : options_(options), target_(target), replay_(replay) {}

  Result<bool> Visit(const ReplayedMessage& message) {
    if (IsInterrupted()) return false;
    if (options_.limit > 0 && met_ == options_.limit) return false;
    if (each_second_.Is()) Progress();
    const auto* const event = std::get_if<Event>(&message.content);
    if (event == nullptr) {
      ++malformed_;
      return true;
    }
    if (!IsMeant(message, *event)) return true;
    ++met_;
    if (target_ == nullptr) {
      PrintLine(stdout, SummaryOf(message, *event));
      ++done_;
      return std::ferror(stdout) == 0;
    }
    EndOnSignals();
    pace_.Wait(&IsInterrupted);
    if (IsInterrupted()) return false;
    const Sent sent = target_->Send({.content = message.content,
                                     .original = message.original.get(),
                                     .function = options_.function});
    if (sent.code != kOk) return Refused(message, sent);
    ++done_;
    return true;
  }

  // Says what was done, and where to go on; the exit code.
  int Finish(int walked) {
    std::string line = target_ == nullptr ? "would replay " : "replayed ";
    line += std::to_string(done_);
    if (refused_ > 0) line += ", not taken " + std::to_string(refused_);
    if (malformed_ > 0) {
      line += ", passed over " + std::to_string(malformed_) +
              (malformed_ == 1 ? " that is no event" : " that are no events");
    }
    PrintLine(stderr, line);
    if (!replay_.ended()) PrintLine(stderr, "go on with " + Left());
    return code_ != kOk ? code_ : ExitOfInterrupted(walked);
  }

 private:
  bool IsMeant(const ReplayedMessage& message, const Event& event) const {
    // Sent back once, for one function: it was nobody else's.
    if (message.original != nullptr && !message.original->function.empty() &&
        message.original->function != options_.function) {
      return false;
    }
    return IsType(options_.type, event.type()) &&
           Is(options_.subject, event.subject()) &&
           Is(options_.source, event.source()) &&
           Is(options_.event_id, event.id());
  }

  Result<bool> Refused(const ReplayedMessage& message, const Sent& sent) {
    ++refused_;
    if (code_ == kOk) code_ = sent.code;
    PrintLine(stderr, "cirro: " + message.position + " (" + sent.why + ")");
    // A receiver that is away or overloaded takes no other one either.
    return options_.keep_going && sent.code == kFailed;
  }

  // What a process that is killed had not done.
  void Progress() {
    PrintLine(stderr, "replayed " + std::to_string(done_) + ", left " + Left());
  }
  [[nodiscard]] std::string Left() const {
    const ReplayRange left = replay_.left();
    return "--from " + ToString(left.from) + " --until " + ToString(left.until);
  }

  const ReplayOptions& options_;
  HttpTarget* const target_;  // Null: nothing is sent.
  Replay& replay_;
  std::uint64_t met_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t malformed_ = 0;
  int code_ = kOk;
  Pace pace_{options_.rate};
  EachSecond each_second_;
};

Result<ReplayPoint> PointOf(const char* flag, const std::string& text) {
  auto point = ParseReplayPoint(text);
  if (point) return point;
  return Error{point.error().code,
               std::string(flag) + ": " + point.error().message};
}

// As far as can be said without asking a broker.
bool IsBefore(const ReplayPoint& a, const ReplayPoint& b) {
  using Kind = ReplayPoint::Kind;
  if (a.kind == Kind::kNumber && b.kind == Kind::kNumber) {
    return a.number < b.number;
  }
  return a.kind == Kind::kTime && b.kind == Kind::kTime && a.time < b.time;
}

Result<ReplayRange> RangeOf(const ReplayOptions& options) {
  auto from = PointOf("--from", options.from);
  if (!from) return from.error();
  auto until = PointOf("--until", options.until);
  if (!until) return until.error();
  if (IsBefore(*until, *from)) {
    return Error{ErrorCode::kInvalidConfig, "--until: '" + options.until +
                                                "' is before --from '" +
                                                options.from + "'"};
  }
  return ReplayRange{.from = *std::move(from),
                     .until = *std::move(until),
                     .partition = options.partition};
}

}  // namespace

int ReplayEvents(const ReplayOptions& options) {
  auto range = RangeOf(options);
  if (!range) return Fail(kWrongUse, range.error().message);
  if (options.function.empty() || options.to.empty()) {
    if (!options.dry_run) {
      return Fail(kWrongUse,
                  "--function and --to say who gets what is replayed; "
                  "--dry-run shows it");
    }
  }
  std::unique_ptr<HttpTarget> target;
  if (!options.dry_run) {
    auto made = HttpTarget::Make(options.to, options.timeout_seconds);
    if (!made) return Fail(kBadConfig, made.error().message);
    target = *std::move(made);
  }
  const auto replay = OpenReplay(options.inlet, *std::move(range),
                                 FlagsOf(options.config, options.settings));
  if (!replay) return Fail(kBadConfig, replay.error().message);
  Replaying replaying(options, target.get(), **replay);
  const auto walked = (*replay)->Walk(
      [&](const ReplayedMessage& message) { return replaying.Visit(message); });
  if (walked) return replaying.Finish(kOk);
  return replaying.Finish(
      Fail(static_cast<ExitCode>(ExitOfPlace(walked.error())),
           walked.error().message));
}

}  // namespace cirro::cli
