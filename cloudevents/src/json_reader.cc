#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "assembly.h"
#include "base64.h"
#include "cirro/cloudevents/json_format.h"
#include "json_scan.h"
#include "text.h"

namespace cirro {
namespace {

using internal::Assembly;
using internal::Excerpt;
using internal::JsonScan;
using internal::UnescapeJson;

// Reads events one after the other from one text. What breaks the grammar ends
// the text; what breaks a rule of CloudEvents ends one event.
class Reader {
 public:
  Reader(std::string_view json, const DecodeOptions& options)
      : scan_(json, options.max_json_depth), assembly_(options) {}

  Result<Event> ReadOne() {
    scan_.SkipSpace();
    // "Each CloudEvents event can be wholly represented as a JSON object."
    if (scan_.peek() != '{') return NoObject();
    if (!ReadObject() || !ReadEnd()) return Broken();
    return assembly_.Build();
  }

  Result<std::vector<Result<Event>>> ReadBatch() {
    std::vector<Result<Event>> events;
    scan_.SkipSpace();
    // "The outermost JSON element is a JSON Array".
    if (!scan_.Take('[')) {
      return Error{ErrorCode::kInvalidEvent,
                   "rule 42: a JSON batch MUST be a JSON array",
                   {42}};
    }
    scan_.SkipSpace();
    if (scan_.Take(']')) {
      if (!ReadEnd()) return Broken();
      return events;
    }
    do {
      scan_.SkipSpace();
      if (events.size() == assembly_.options().max_batch_events) {
        return Error{ErrorCode::kTooLarge,
                     "a batch of more than max_batch_events = " +
                         std::to_string(assembly_.options().max_batch_events),
                     {}};
      }
      if (scan_.peek() == '{') {
        if (!ReadObject()) return Broken();
        events.push_back(assembly_.Build());
      } else {
        if (!scan_.SkipValue()) return Broken();
        events.emplace_back(NoObject());
      }
      scan_.SkipSpace();
    } while (scan_.Take(','));
    if (!scan_.Take(']')) {
      scan_.Fail("a comma or end is expected");
      return Broken();
    }
    if (!ReadEnd()) return Broken();
    return events;
  }

 private:
  // What a member's value is, by its first character.
  struct Value {
    char first = '\0';
    bool escaped = false;
    std::string_view raw;     // The whole of it.
    std::string_view inside;  // Of a string: what is between the quotes.
  };

  static Error NoObject() {
    return {ErrorCode::kInvalidEvent,
            "rule 42: an event in the JSON format MUST be a JSON object",
            {42}};
  }

  Error Broken() const {
    return {ErrorCode::kInvalidEvent,
            "rule 42: the text MUST be JSON, and is not at byte " +
                std::to_string(scan_.position()) + ": " + scan_.problem(),
            {42}};
  }

  // simdjson and others read on when one document follows another: we do not.
  bool ReadEnd() {
    scan_.SkipSpace();
    return scan_.at_end() || scan_.Fail("something follows the end");
  }

  // REQUIRES: peek() is a brace. False if the text is not JSON.
  bool ReadObject() {
    data_ = {};
    data_base64_ = {};
    scan_.Take('{');
    scan_.SkipSpace();
    if (!scan_.Take('}')) {
      do {
        if (!ReadMember()) return false;
        scan_.SkipSpace();
      } while (scan_.Take(','));
      if (!scan_.Take('}')) return scan_.Fail("a comma or end is expected");
    }
    FinishData();
    return true;
  }

  bool ReadMember() {
    scan_.SkipSpace();
    if (scan_.peek() != '"') return scan_.Fail("a member's name is expected");
    std::string_view name;
    bool escaped = false;
    if (!scan_.SkipString(name, escaped)) return false;
    if (escaped) name = Unescape(name);
    scan_.SkipSpace();
    if (!scan_.Take(':')) return scan_.Fail("a colon is expected");
    scan_.SkipSpace();

    Value value;
    value.first = scan_.peek();
    const char* const begin = scan_.at();
    if (value.first == '"') {
      if (!scan_.SkipString(value.inside, value.escaped)) return false;
    } else if (!scan_.SkipValue()) {
      return false;
    }
    value.raw = {begin, static_cast<std::size_t>(scan_.at() - begin)};

    if (name == "data") {
      AddData(data_, name, value);
    } else if (name == "data_base64") {
      AddData(data_base64_, name, value);
    } else {
      AddAttribute(name, value);
    }
    return true;
  }

  // "When decoding attributes and a `null` value is encountered, it MUST be
  // treated as the equivalent of unset or omitted." It came all the same: its
  // name a second time would say two things of one attribute.
  void AddAttribute(std::string_view name, const Value& value) {
    switch (value.first) {
      case '"':
        return AddString(name, value);
      case 'n':
        return assembly_.AddNull(name);
      case 't':
      case 'f':
        return assembly_.AddAttribute(name, value.raw, AttributeType::kBoolean);
      case '{':
      case '[':
        // The type system mapping has no objects and no arrays.
        return RefuseType(name, "a JSON string, number or boolean", {});
      default:
        break;
    }
    // "number, only the integer component optionally prefixed with a minus
    // sign is permitted".
    if (!IsCanonical(AttributeType::kInteger, value.raw)) {
      return RefuseType(name, "an integer of 32 bits",
                        "; it is " + Excerpt(value.raw));
    }
    assembly_.AddAttribute(name, value.raw, AttributeType::kInteger);
  }

  // Core attributes have fewer types than others: all are strings here.
  void RefuseType(std::string_view name, std::string_view must,
                  const std::string& it_is) {
    if (assembly_.NoteMistyped(name)) must = "a JSON string";
    assembly_.Report(45, "attribute " + Excerpt(name) + " MUST be " +
                             std::string(must) + it_is);
  }

  void AddString(std::string_view name, const Value& value) {
    const auto& declared = assembly_.options().extension_types;
    if (assembly_.options().strict && !declared.empty()) {
      const auto it = declared.find(name);
      if (it != declared.end() && (it->second == AttributeType::kBoolean ||
                                   it->second == AttributeType::kInteger)) {
        assembly_.Report(
            43,
            "attribute " + Excerpt(name) + " MUST be a JSON " +
                (it->second == AttributeType::kBoolean ? "boolean" : "number"));
      }
    }
    assembly_.AddAttribute(
        name, value.escaped ? Unescape(value.inside) : value.inside);
  }

  void AddData(Value& slot, std::string_view name, const Value& value) {
    if (slot.first != '\0') {
      return assembly_.Report(
          54, std::string(name) + " MUST NOT be there more than once");
    }
    slot = value;
  }

  // The data can be understood when all members were seen: datacontenttype may
  // have come last.
  void FinishData() {
    const std::string_view type = assembly_.datacontenttype();
    const bool json = type.empty() || IsJsonMediaType(type);
    const bool strict = assembly_.options().strict;
    const bool has_base64 =
        data_base64_.first != '\0' && data_base64_.first != 'n';
    // A null beside data_base64, or of a type that has no null, says nothing;
    // the text forbids both.
    bool has_data = data_.first != '\0';
    if (data_.first == 'n' && !strict && (has_base64 || !json)) {
      has_data = false;
    }

    if (has_data && has_base64) {
      // "[...] the presence of the `data` and `data_base64` members is
      // mutually exclusive in a JSON serialized CloudEvent."
      return assembly_.Report(49,
                              "data and data_base64 MUST NOT both be there");
    }
    if (has_base64) return FinishBase64();
    if (!has_data) return;
    if (json) {
      // "the `data` member MUST be treated directly as a JSON value".
      return assembly_.SetData(data_.raw, DataKind::kJson);
    }
    if (data_.first != '"') {
      // "An implementation MAY fail to deserialize the event if the `data`
      // member is not a string".
      return assembly_.Report(
          52, "data of type " + Excerpt(type) + " MUST be a JSON string");
    }
    assembly_.SetData(data_.escaped ? Unescape(data_.inside) : data_.inside,
                      DataKind::kText);
  }

  void FinishBase64() {
    // "the presence of the `data_base64` member clearly indicates that the
    // value is a Base64 encoded binary data".
    const std::string_view text = data_base64_.escaped
                                      ? Unescape(data_base64_.inside)
                                      : data_base64_.inside;
    if (data_base64_.first == '"') {
      char* const bytes = assembly_.Scratch(text.size() / 4 * 3);
      if (internal::DecodeBase64(text, bytes)) {
        return assembly_.SetData({bytes, internal::Base64DecodedSize(text)},
                                 DataKind::kBinary);
      }
    }
    assembly_.Report(50, "data_base64 MUST be a string of padded base64");
  }

  std::string_view Unescape(std::string_view inside) {
    char* const out = assembly_.Scratch(inside.size());
    return {out, UnescapeJson(inside, out)};
  }

  JsonScan scan_;
  Assembly assembly_;
  Value data_{};
  Value data_base64_{};
};

}  // namespace

Result<Event> DecodeJson(std::string_view json, const DecodeOptions& options) {
  return Reader(json, options).ReadOne();
}

Result<std::vector<Result<Event>>> DecodeJsonBatch(
    std::string_view json, const DecodeOptions& options) {
  return Reader(json, options).ReadBatch();
}

bool IsJson(std::string_view text, std::size_t max_depth) noexcept {
  JsonScan scan(text, max_depth);
  scan.SkipSpace();
  if (!scan.SkipValue()) return false;
  scan.SkipSpace();
  return scan.at_end();
}

}  // namespace cirro
