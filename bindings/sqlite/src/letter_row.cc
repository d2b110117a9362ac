#include "letter_row.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "letter_bytes.h"

namespace cirro::internal::sqlite {
namespace {

// By its name: what is kept outlives the numbers of this build.
std::optional<DeadReason> ReasonNamed(std::string_view name) {
  for (const auto reason :
       {DeadReason::kExhausted, DeadReason::kRejected, DeadReason::kMalformed,
        DeadReason::kUnmatched, DeadReason::kCrashed}) {
    if (ToString(reason) == name) return reason;
  }
  return std::nullopt;
}

// The kinds of content in the file.
constexpr std::int64_t kMalformedKind = 100;

std::size_t SizeOf(const MessageHeaders& headers) noexcept {
  std::size_t size = 0;
  for (const auto& [name, value] : headers) {
    size += name.size() + value.size() + 8;
  }
  return size;
}

void BindMalformed(Statement& insert, const Malformed& malformed,
                   std::string& headers) {
  for (const int index : {13, 14, 15}) insert.BindNull(index);
  insert.Bind(16, malformed.error.code == ErrorCode::kTooLarge      ? 2
                  : malformed.error.code == ErrorCode::kUnsupported ? 1
                                                                    : 0);
  insert.Bind(17, malformed.error.message);
  insert.Bind(18, kMalformedKind);
  headers = PackHeaders(malformed.headers);
  insert.BindBytes(19, headers);
  if (malformed.has_bytes) {
    insert.BindBytes(20, malformed.bytes);
  } else {
    insert.BindNull(20);
  }
}

void BindEvent(Statement& insert, const Event& event, std::string& attributes) {
  insert.Bind(13, event.type());
  insert.Bind(14, event.source());
  insert.Bind(15, event.id());
  insert.BindNull(16);
  insert.BindNull(17);
  insert.Bind(18, static_cast<std::int64_t>(event.data_kind()));
  attributes = PackAttributes(event);
  insert.BindBytes(19, attributes);
  if (event.has_data()) {
    insert.BindBytes(20, event.data());
  } else {
    insert.BindNull(20);
  }
}

Malformed ReadMalformed(const Statement& row, MessageHeaders headers) {
  constexpr std::array kCodes{ErrorCode::kInvalidEvent, ErrorCode::kUnsupported,
                              ErrorCode::kTooLarge};
  const auto code = static_cast<std::size_t>(row.Integer(11));
  return {.bytes = std::string(row.Text(15)),
          .headers = std::move(headers),
          .error = {kCodes[std::min(code, kCodes.size() - 1)],
                    std::string(row.Text(12))},
          .has_bytes = !row.IsNull(15)};
}

}  // namespace

Result<void> InsertLetter(Statement& insert, const DeadLetter& letter) {
  const DeadLetterFacts& facts = letter.facts;
  const LetterPosition position = SplitPosition(facts.position);
  const std::string time = facts.time ? FormatTimestamp(*facts.time) : "";
  const Timestamp instant = facts.time.value_or(Timestamp{});
  insert.Bind(1, facts.inlet);
  insert.Bind(2, position.number < 0 ? std::string_view() : position.stream);
  insert.Bind(3, position.number);
  insert.Bind(4, instant.seconds);
  insert.Bind(5, std::int64_t{instant.nanoseconds});
  insert.Bind(6, ToString(facts.reason));
  insert.Bind(7, facts.function);
  insert.Bind(8, facts.position);
  insert.Bind(9, std::int64_t{facts.attempts});
  insert.Bind(10, facts.first_error);
  insert.Bind(11, facts.last_error);
  if (facts.time) {
    insert.Bind(12, time);
  } else {
    insert.BindNull(12);
  }
  std::string packed;
  if (const auto* event = std::get_if<Event>(&letter.content)) {
    BindEvent(insert, *event, packed);
  } else {
    BindMalformed(insert, std::get<Malformed>(letter.content), packed);
  }
  insert.BindBytes(21, letter.key);
  for (const int index : {22, 23, 24}) insert.BindNull(index);
  std::string headers;
  if (letter.original != nullptr) {
    headers = PackHeaders(letter.original->headers);
    insert.BindBytes(22, headers);
    if (letter.original->bytes) insert.BindBytes(23, *letter.original->bytes);
    insert.Bind(24, letter.original->function);
  }
  insert.Bind(25, std::int64_t{letter.original != nullptr &&
                               letter.original->dead_letter});
  return insert.Run();
}

Result<KeptLetter> ReadLetter(const Statement& row) {
  const std::string id = std::to_string(row.Integer(0));
  const auto broken = [&id](const std::string& what) {
    return Error{ErrorCode::kInvalidEvent,
                 "dead letter " + id + " cannot be read: " + what};
  };
  const auto reason = ReasonNamed(row.Text(2));
  if (!reason) return broken("no such reason");
  DeadLetterFacts facts{.reason = *reason,
                        .function = std::string(row.Text(3)),
                        .inlet = std::string(row.Text(4)),
                        .position = std::string(row.Text(5)),
                        .attempts = static_cast<int>(row.Integer(6)),
                        .first_error = std::string(row.Text(7)),
                        .last_error = std::string(row.Text(8))};
  if (!row.IsNull(9)) {
    const auto time = ParseTimestamp(row.Text(9));
    if (!time) return broken(time.error().message);
    facts.time = *time;
  }

  std::optional<std::variant<Event, Malformed>> content;
  if (row.Integer(13) == kMalformedKind) {
    auto headers = UnpackHeaders(row.Text(14));
    if (!headers) return broken("its headers");
    content = ReadMalformed(row, *std::move(headers));
  } else {
    const std::int64_t kind = row.Integer(13);
    if (kind < 0 || kind > static_cast<std::int64_t>(DataKind::kBinary)) {
      return broken("no such kind of data");
    }
    std::optional<std::string_view> data;
    if (!row.IsNull(15)) data = row.Text(15);
    auto event = UnpackEvent(row.Text(14), data, static_cast<DataKind>(kind));
    if (!event) return broken(event.error().message);
    content = *std::move(event);
  }

  std::shared_ptr<const Original> original;
  if (!row.IsNull(17)) {
    auto headers = UnpackHeaders(row.Text(17));
    if (!headers) return broken("its headers");
    Original came{.headers = *std::move(headers),
                  .function = std::string(row.Text(19)),
                  .dead_letter = row.Integer(20) != 0};
    if (!row.IsNull(18)) came.bytes = std::string(row.Text(18));
    original = std::make_shared<const Original>(std::move(came));
  }
  return KeptLetter{.id = id,
                    .letter = {.content = *std::move(content),
                               .original = std::move(original),
                               .key = std::string(row.Text(16)),
                               .facts = std::move(facts)},
                    .redriven = row.Integer(1) != 0};
}

std::size_t LetterSize(const DeadLetter& letter) noexcept {
  const DeadLetterFacts& facts = letter.facts;
  std::size_t size = 512 + letter.key.size() + facts.function.size() +
                     facts.inlet.size() + 2 * facts.position.size() +
                     facts.first_error.size() + facts.last_error.size();
  if (const auto* event = std::get_if<Event>(&letter.content)) {
    size += event->memory_size();
  } else {
    const auto& malformed = std::get<Malformed>(letter.content);
    size += malformed.bytes.size() + SizeOf(malformed.headers);
  }
  if (letter.original != nullptr) {
    size += SizeOf(letter.original->headers);
    if (letter.original->bytes) size += letter.original->bytes->size();
  }
  return size;
}

}  // namespace cirro::internal::sqlite
