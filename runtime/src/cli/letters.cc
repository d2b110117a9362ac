#include "letters.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/cloudevents/event_draft.h"
#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/utf8.h"
#include "cirro/runtime/command.h"
#include "say.h"

namespace cirro::cli {
namespace {

using Json = nlohmann::ordered_json;

Result<std::optional<Timestamp>> TimeOf(const std::string& flag,
                                        const std::string& text) {
  if (text.empty()) return std::optional<Timestamp>();
  const auto time = ParseTimestamp(text);
  if (time) return std::optional<Timestamp>(*time);
  return Error{ErrorCode::kInvalidConfig,
               flag + " " + text + ": " + time.error().message};
}

// In one cell of a terminal's line: what came from a message may not move the
// cursor or break the line.
std::string Cell(std::string_view text, std::size_t width) {
  std::string cell(text.substr(0, width));
  if (!IsAttributeString(cell)) {
    std::replace_if(
        cell.begin(), cell.end(), [](char c) { return c < 0x20 || c > 0x7E; },
        '?');
  }
  cell.resize(std::max(cell.size(), width), ' ');
  return cell + "  ";
}

std::string Base64(std::string_view bytes) {
  return Extension("x", std::as_bytes(std::span(bytes))).text;
}

// Under `name` as text, or under `name`_base64 where it is none.
void AddBytes(Json& json, const std::string& name, std::string_view bytes) {
  if (IsUtf8(bytes)) {
    json[name] = bytes;
  } else {
    json[name + "_base64"] = Base64(bytes);
  }
}

Json HeadersJson(const MessageHeaders& headers) {
  Json json = Json::array();
  for (const auto& [name, value] : headers) json.push_back({name, value});
  return json;
}

Json FactsJson(const KeptLetter& kept) {
  const DeadLetterFacts& facts = kept.letter.facts;
  Json json{{"id", kept.id}, {"reason", ToString(facts.reason)}};
  const auto add = [&json](const char* name, const std::string& value) {
    if (!value.empty()) json[name] = value;
  };
  if (facts.time) json["time"] = FormatTimestamp(*facts.time);
  add("function", facts.function);
  add("inlet", facts.inlet);
  add("position", facts.position);
  json["attempts"] = facts.attempts;
  add("first_error", facts.first_error);
  add("last_error", facts.last_error);
  if (kept.redriven) json["redriven"] = true;
  return json;
}

Result<std::unique_ptr<LetterBox>> OpenFile(const std::string& file) {
  const auto sqlite = LoadSqlite();
  if (!sqlite) return sqlite.error();
  return (*sqlite)->open_box({.name = file, .path = file});
}

// What is no UTF-8 in a fact is shown as U+FFFD.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

Result<LetterFilter> MakeFilter(const DlqOptions& options) {
  LetterFilter filter{.function = options.function,
                      .inlet = options.inlet,
                      .position = options.position,
                      .type = options.type,
                      .source = options.source,
                      .event_id = options.event_id,
                      .redriven = options.redriven};
  for (const auto reason :
       {DeadReason::kExhausted, DeadReason::kRejected, DeadReason::kMalformed,
        DeadReason::kUnmatched, DeadReason::kCrashed}) {
    if (options.reason == ToString(reason)) filter.reason = reason;
  }
  auto since = TimeOf("--since", options.since);
  if (!since) return since.error();
  filter.since = *since;
  auto until = TimeOf("--until", options.until);
  if (!until) return until.error();
  filter.until = *until;
  if (filter.since && filter.until && *filter.until <= *filter.since) {
    return Error{ErrorCode::kInvalidConfig, "--until: '" + options.until +
                                                "' is not after --since '" +
                                                options.since + "'"};
  }
  return filter;
}

std::vector<std::string> FlagsOf(const std::string& config,
                                 const std::vector<std::string>& settings) {
  std::vector<std::string> flags;
  if (!config.empty()) flags.push_back("--config=" + config);
  for (const std::string& setting : settings) {
    flags.push_back("--set=" + setting);
  }
  return flags;
}

int ExitOfPlace(const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalidConfig:
      return kNoInput;
    case ErrorCode::kUnavailable:
      return kTryLater;
    default:
      return kFailed;
  }
}

std::unique_ptr<LetterBox> OpenBox(const DlqOptions& options, int& code) {
  auto box = options.file.empty()
                 ? OpenLetterBox(options.place,
                                 FlagsOf(options.config, options.settings))
                 : OpenFile(options.file);
  if (box) return *std::move(box);
  code = ExitOfPlace(box.error());
  // A file that was named is an input; a place, a setting.
  if (code == kNoInput && options.file.empty()) code = kBadConfig;
  Fail(static_cast<ExitCode>(code), box.error().message);
  return nullptr;
}

int WalkLetters(const DlqOptions& options, LetterBox& box,
                const LetterBox::Visit& visit) {
  const auto filter = MakeFilter(options);
  if (!filter) return Fail(kWrongUse, filter.error().message);
  std::uint64_t met = 0;
  const auto walked =
      box.Walk(*filter, [&](const KeptLetter& kept) -> Result<bool> {
        if (options.limit > 0 && met == options.limit) return false;
        ++met;
        return visit(kept);
      });
  if (walked) return kOk;
  return Fail(static_cast<ExitCode>(ExitOfPlace(walked.error())),
              walked.error().message);
}

std::string TableHead() {
  return Cell("ID", 8) + Cell("TIME", 20) + Cell("REASON", 9) +
         Cell("FUNCTION", 16) + Cell("TYPE", 24) + Cell("POSITION", 20) +
         "LAST ERROR";
}

std::string TableRow(const KeptLetter& kept) {
  const DeadLetterFacts& facts = kept.letter.facts;
  const auto* const event = std::get_if<Event>(&kept.letter.content);
  std::string row = Cell(kept.id, 8);
  row += Cell(facts.time ? FormatTimestamp(*facts.time).substr(0, 19) : "", 20);
  row += Cell(ToString(facts.reason), 9) + Cell(facts.function, 16);
  row += Cell(event != nullptr ? event->type() : "", 24);
  row += Cell(facts.position, 20) + Cell(facts.last_error, 60);
  row.erase(row.find_last_not_of(' ') + 1);
  return row;
}

std::string SummaryJson(const KeptLetter& kept) {
  Json json = FactsJson(kept);
  if (const auto* event = std::get_if<Event>(&kept.letter.content)) {
    json["event"] = {{"type", event->type()},
                     {"source", event->source()},
                     {"id", event->id()}};
  } else {
    json["malformed"] = std::get<Malformed>(kept.letter.content).error.message;
  }
  return Dump(json);
}

std::string LetterJson(const KeptLetter& kept) {
  Json json = FactsJson(kept);
  const DeadLetter& letter = kept.letter;
  if (!letter.key.empty()) AddBytes(json, "key", letter.key);
  if (letter.original != nullptr) {
    json["headers"] = HeadersJson(letter.original->headers);
    if (letter.original->bytes) AddBytes(json, "body", *letter.original->bytes);
  }
  if (const auto* malformed = std::get_if<Malformed>(&letter.content)) {
    json["malformed"] = malformed->error.message;
    json["headers"] = HeadersJson(malformed->headers);
    if (malformed->has_bytes) AddBytes(json, "body", malformed->bytes);
    return Dump(json);
  }
  // As the event format has it: numbers of its data stay as they were written.
  std::string text = Dump(json);
  text.pop_back();
  text += ",\"event\":";
  EncodeJson(std::get<Event>(letter.content), text);
  return text + "}";
}

}  // namespace cirro::cli
