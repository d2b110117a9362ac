#include "nats_replay.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/nats/codec.h"
#include "letter_stream.h"
#include "options_check.h"
#include "raw_message.h"

namespace cirro::internal::nats {
namespace {

using Kind = ReplayPoint::Kind;

constexpr std::chrono::milliseconds kPatience{5'000};

Error WrongFlag(const std::string& flag, const std::string& why) {
  return {ErrorCode::kInvalidConfig, flag + ": " + why};
}

class NatsReplay final : public Replay {
 public:
  NatsReplay(const JetStreamInletOptions& options, ReplayRange range,
             const Clock& clock, Observer& observer)
      : options_(options),
        range_(std::move(range)),
        stream_(options.stream + "/" + options.durable),
        observer_(observer),
        calls_(options.connection, options.name, PrefixOf(options), kPatience,
               clock, observer) {}

  Result<void> Walk(const Visit& visit) override {
    if (!begun_) {
      if (auto begun = Begin(); !begun) return begun;
      begun_ = true;
    }
    while (next_ < end_) {
      const auto message = Read();
      if (!message) return message.error();
      if (*message == nullptr) continue;
      const auto more = visit(MessageOf(message->get()));
      if (!more) return more.error();
      if (!*more) return {};
      ++next_;
    }
    return {};
  }

  [[nodiscard]] ReplayRange left() const override {
    if (!begun_) return range_;
    const auto at = [this](std::uint64_t sequence) {
      return ReplayPoint{.kind = Kind::kPositions,
                         .positions = {{stream_, sequence}}};
    };
    return {.from = at(next_), .until = at(end_)};
  }

  [[nodiscard]] bool ended() const override { return begun_ && next_ >= end_; }

 private:
  Result<void> Begin() {
    if (range_.partition) {
      return WrongFlag("--partition", "a stream has none");
    }
    const auto state = calls_.StateOf(options_.stream);
    if (!state) return state.error();
    const std::uint64_t first = std::max<std::uint64_t>(state->first, 1);
    const auto begin = SequenceOf("--from", range_.from, *state);
    if (!begin) return begin.error();
    const auto end = SequenceOf("--until", range_.until, *state);
    if (!end) return end.error();
    next_ = std::max(*begin, first);
    end_ = *end;
    if (first > 1 && *begin < first && *begin < end_ &&
        range_.from.kind != Kind::kBeginning) {
      observer_.Noted(LogLevel::kWarning, options_.name,
                      "what stream '" + options_.stream +
                          "' had before sequence " + std::to_string(first) +
                          " is no longer there");
    }
    return {};
  }

  Result<std::uint64_t> SequenceOf(const char* flag, const ReplayPoint& point,
                                   const StreamCalls::State& state) {
    std::uint64_t sequence = state.last + 1;
    switch (point.kind) {
      case Kind::kBeginning:
        return state.first;
      case Kind::kEnd:
        return sequence;
      case Kind::kTime:
        return SequenceAt(point.time, state);
      case Kind::kNumber:
        sequence = point.number;
        break;
      case Kind::kPositions:
        // Of whichever consumer, or none: sequences are the stream's.
        for (const auto& [stream, number] : point.positions) {
          if (!(stream + "/").starts_with(options_.stream + "/") ||
              point.positions.size() > 1) {
            return WrongFlag(flag, "'" + stream + "' is not the stream '" +
                                       options_.stream + "' of this inlet");
          }
          sequence = number;
        }
        break;
    }
    if (sequence <= state.last + 1) return sequence;
    return WrongFlag(flag, "stream '" + options_.stream +
                               "' ends at sequence " +
                               std::to_string(state.last));
  }

  // Times ascend with sequences, so halving finds the first not before `time`.
  Result<std::uint64_t> SequenceAt(const Timestamp& time,
                                   const StreamCalls::State& state) {
    std::uint64_t low = state.first;
    std::uint64_t high = state.last + 1;
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      const auto found = calls_.Next(options_.stream, "", middle);
      if (!found) return found.error();
      if (!*found || (*found)->time >= time) {
        high = middle;
      } else {
        low = (*found)->sequence + 1;
      }
    }
    return std::min(low, state.last + 1);
  }

  // The message at `next_`, which passes over what was removed or is not
  // meant; null: there is none so far.
  Result<NatsHandle<natsMsg>> Read() {
    if (options_.filter.empty()) {
      auto message = calls_.Get(options_.stream, next_);
      if (!message || *message != nullptr) return message;
    }
    const auto found = calls_.Next(options_.stream, options_.filter, next_);
    if (!found) return found.error();
    next_ = *found ? std::min((*found)->sequence, end_) : end_;
    if (next_ == end_) return NatsHandle<natsMsg>();
    // Null: it was removed just now.
    return calls_.Get(options_.stream, next_);
  }

  ReplayedMessage MessageOf(natsMsg* message) {
    ReadHeaders(message, headers_);
    NatsContent content = decoder_.Decode(headers_, PayloadOf(message));
    ReplayedMessage replayed{
        .position = stream_ + "@" + std::to_string(next_),
        .time = ToTimestamp(std::chrono::sys_time<std::chrono::nanoseconds>(
            std::chrono::nanoseconds(natsMsg_GetTime(message)))),
        .original = std::move(content.original)};
    if (auto* const event = std::get_if<Event>(&content.content)) {
      replayed.content = std::move(*event);
    } else {
      replayed.content = std::get<Malformed>(std::move(content.content));
    }
    return replayed;
  }

  const JetStreamInletOptions options_;
  const ReplayRange range_;
  const std::string stream_;  // As in positions.
  Observer& observer_;
  StreamCalls calls_;
  NatsDecoder decoder_{options_.decode};
  std::vector<NatsHeader> headers_;
  bool begun_ = false;
  std::uint64_t next_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace

Result<std::unique_ptr<Replay>> OpenNatsReplay(
    const JetStreamInletOptions& options, ReplayRange range, const Clock& clock,
    Observer& observer) {
  if (auto checked = Check(options); !checked) return checked.error();
  return std::unique_ptr<Replay>(
      std::make_unique<NatsReplay>(options, std::move(range), clock, observer));
}

}  // namespace cirro::internal::nats
