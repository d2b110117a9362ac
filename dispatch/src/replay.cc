#include "cirro/dispatch/replay.h"

#include <algorithm>
#include <charconv>

#include "cirro/dispatch/letter_box.h"

namespace cirro {
namespace {

Error NoPoint(std::string_view text, const std::string& why) {
  return {ErrorCode::kInvalidConfig,
          "'" + std::string(text) + "' " + why +
              ": it is beginning, end, a number, a time (RFC 3339), or "
              "positions (orders/3@1234,orders/4@99)"};
}

Result<ReplayPoint> ParsePositions(std::string_view text) {
  ReplayPoint point{.kind = ReplayPoint::Kind::kPositions};
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string_view one = text.substr(at, end - at);
    const LetterPosition position = SplitPosition(one);
    if (position.number < 0 || position.stream.empty()) {
      return NoPoint(one, "is no position");
    }
    const bool added = point.positions
                           .emplace(position.stream,
                                    static_cast<std::uint64_t>(position.number))
                           .second;
    if (!added) {
      return NoPoint(text,
                     "names '" + std::string(position.stream) + "' twice");
    }
    at = end + 1;
  }
  return point;
}

}  // namespace

Result<ReplayPoint> ParseReplayPoint(std::string_view text) {
  using Kind = ReplayPoint::Kind;
  if (text == "beginning") return ReplayPoint{.kind = Kind::kBeginning};
  if (text == "end") return ReplayPoint{.kind = Kind::kEnd};
  if (text.find('@') != std::string_view::npos) return ParsePositions(text);
  if (IsTimestamp(text)) {
    return ReplayPoint{.kind = Kind::kTime, .time = *ParseTimestamp(text)};
  }
  ReplayPoint point{.kind = Kind::kNumber};
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, point.number);
  if (read.ec != std::errc() || read.ptr != end) {
    return NoPoint(text, "is no place to begin or end at");
  }
  return point;
}

std::string ToString(const ReplayPoint& point) {
  switch (point.kind) {
    case ReplayPoint::Kind::kBeginning:
      return "beginning";
    case ReplayPoint::Kind::kEnd:
      return "end";
    case ReplayPoint::Kind::kNumber:
      return std::to_string(point.number);
    case ReplayPoint::Kind::kTime:
      return FormatTimestamp(point.time);
    case ReplayPoint::Kind::kPositions:
      break;
  }
  std::string text;
  for (const auto& [stream, number] : point.positions) {
    text += (text.empty() ? "" : ",") + stream + "@" + std::to_string(number);
  }
  return text;
}

}  // namespace cirro
