#include "assembly.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "cirro/cloudevents/media_type.h"
#include "cirro/cloudevents/uri.h"
#include "cirro/cloudevents/utf8.h"
#include "text.h"

namespace cirro::internal {
namespace {

// Problems spelled out in a message, and kept to choose them from: an event may
// have as many as it has bytes.
constexpr std::size_t kMostWords = 16;
constexpr std::size_t kMostProblems = 128;

// Copies texts behind one another into a block and says where they lie.
class Filler {
 public:
  Filler(EventBlock* block, std::size_t at) noexcept
      : begin_(reinterpret_cast<char*>(block)), at_(begin_ + at) {}

  Slice Put(std::string_view text) noexcept {
    const Slice slice{static_cast<std::uint32_t>(at_ - begin_),
                      static_cast<std::uint32_t>(text.size())};
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
    return slice;
  }

 private:
  char* begin_;
  char* at_;
};

std::size_t BlockSize(std::size_t extensions, std::size_t bytes) noexcept {
  return sizeof(EventBlock) + extensions * sizeof(ExtensionSlot) + bytes;
}

}  // namespace

Assembly::Assembly(const DecodeOptions& options)
    : options_(&options), memory_(buffer_.data(), buffer_.size()) {
  extensions_.emplace(&memory_);
}

void Assembly::Clear() noexcept {
  if (uses_memory_) {
    extensions_.emplace(&memory_);
    memory_.release();
    uses_memory_ = false;
  }
  if (present_ != 0) core_ = {};
  seen_ = 0;
  present_ = 0;
  mistyped_ = 0;
  names_ = 0;
  attributes_ = 0;
  nulls_ = 0;
  text_bytes_ = 0;
  data_ = {};
  known_ = DataKind::kNone;
  has_data_ = false;
  if (problem_count_ != 0) {
    problem_count_ = 0;
    problems_.clear();
    broken_.reset();
  }
  if (!too_large_.empty()) too_large_.clear();
}

char* Assembly::Scratch(std::size_t size) {
  uses_memory_ = true;
  return static_cast<char*>(memory_.allocate(size, 1));
}

void Assembly::Report(int rule, std::string message) {
  ++problem_count_;
  broken_.set(static_cast<std::size_t>(rule));
  if (problems_.size() < kMostProblems) {
    problems_.push_back({rule, std::move(message)});
  }
}

void Assembly::SetData(std::string_view bytes, DataKind known) {
  data_ = bytes;
  known_ = known;
  has_data_ = true;
}

bool Assembly::AddCore(std::string_view name, std::string_view text,
                       std::optional<AttributeType> type) {
  const auto core = FindCore(name);
  if (!core) return false;
  if (!Count(name, text)) return true;
  const unsigned bit = 1U << *core;
  // A String may stand for each of the others in a transport of few types.
  if ((seen_ & bit) != 0 ||
      (type && *type != kCore[*core].type && *type != AttributeType::kString)) {
    RefuseCore(*core, text, type);
    return true;
  }
  seen_ |= bit;
  present_ |= bit;
  core_[*core] = text;
  return true;
}

void Assembly::AddAttribute(std::string_view name, std::string_view text,
                            std::optional<AttributeType> type) {
  if (AddCore(name, text, type) || !Count(name, text)) return;
  AddExtension(name, text, type, false);
}

bool Assembly::Count(std::string_view name, std::string_view text) {
  text_bytes_ += name.size() + text.size();
  if (++attributes_ <= options_->max_attributes &&
      name.size() <= options_->max_attribute_name_bytes &&
      text.size() <= options_->max_attribute_value_bytes) {
    return true;
  }
  RefuseSize(name, text);
  return false;
}

void Assembly::AddNull(std::string_view name) {
  if (++nulls_ > options_->max_attributes ||
      name.size() > options_->max_attribute_name_bytes) {
    return RefuseSize(name, {});
  }
  if (const auto core = FindCore(name)) {
    const unsigned bit = 1U << *core;
    if ((seen_ & bit) != 0) return RefuseCore(*core, {}, std::nullopt);
    seen_ |= bit;
    return;
  }
  AddExtension(name, {}, std::nullopt, true);
}

bool Assembly::NoteMistyped(std::string_view name) {
  const auto core = FindCore(name);
  if (core) mistyped_ |= 1U << *core;
  return core.has_value();
}

void Assembly::AddExtension(std::string_view name, std::string_view text,
                            std::optional<AttributeType> type, bool null) {
  if (!type && !options_->extension_types.empty()) {
    const auto declared = options_->extension_types.find(name);
    if (declared != options_->extension_types.end()) type = declared->second;
  }
  // "Each context attribute MUST only appear at most once in a CloudEvent."
  if (Seen(name)) {
    return Report(3, "attribute " + Excerpt(name) + " MUST appear only once");
  }
  if (extensions_->capacity() == 0) {
    uses_memory_ = true;
    extensions_->reserve(16);
  }
  extensions_->push_back(
      {name, text, type.value_or(AttributeType::kString), null});
}

// Out of the way of the attributes that are well: the words need a stack frame
// that would be made for each of them.
void Assembly::RefuseSize(std::string_view name, std::string_view text) {
  if (std::max(attributes_, nulls_) > options_->max_attributes) {
    too_large_ = "an event of more than max_attributes = " +
                 std::to_string(options_->max_attributes);
  } else if (name.size() > options_->max_attribute_name_bytes) {
    too_large_ = "attribute name " + Excerpt(name) +
                 " is longer than max_attribute_name_bytes = " +
                 std::to_string(options_->max_attribute_name_bytes);
  } else {
    too_large_ = "the value of attribute " + Excerpt(name) + " of " +
                 std::to_string(text.size()) +
                 " bytes is longer than max_attribute_value_bytes = " +
                 std::to_string(options_->max_attribute_value_bytes);
  }
}

void Assembly::RefuseCore(Core core, std::string_view text,
                          std::optional<AttributeType> type) {
  const CoreAttribute& known = kCore[core];
  const unsigned bit = 1U << core;
  if ((seen_ & bit) != 0) {
    return Report(3, std::string(known.name) + " MUST appear only once");
  }
  seen_ |= bit;
  present_ |= bit;
  core_[core] = text;
  Report(known.rule, std::string(known.name) + " MUST be of type " +
                         std::string(ToString(known.type)) + ", not " +
                         std::string(ToString(*type)));
}

// Names are hashed into the bits of one word, so that only names whose bit was
// seen are compared one by one.
bool Assembly::Seen(std::string_view name) noexcept {
  auto hash = static_cast<std::uint32_t>(name.size());
  for (const char c : name.substr(0, 16)) {
    hash = hash * 31 + static_cast<unsigned char>(c);
  }
  const std::uint64_t bit = std::uint64_t{1} << (hash % 64);
  if ((names_ & bit) == 0) {
    names_ |= bit;
    return false;
  }
  return std::any_of(extensions_->begin(), extensions_->end(),
                     [name](const Extension& e) { return e.name == name; });
}

void Assembly::ReportMissing(Core core) {
  Report(kCore[core].rule,
         std::string(kCore[core].name) + " MUST be a non-empty " +
             (core == kSource ? "URI-reference" : "string") +
             ((present_ & (1U << core)) != 0 ? "" : "; it is missing"));
}

void Assembly::ReportCore(int rule, Core core, std::string_view must) {
  Report(rule, std::string(kCore[core].name) + " MUST " + std::string(must) +
                   "; it is " + Excerpt(core_[core]));
}

void Assembly::CheckCore() {
  const auto present = [this](Core core) {
    return (present_ & (1U << core)) != 0;
  };
  const auto has = [this](Core core) {
    if (!core_[core].empty()) return true;
    if ((mistyped_ & (1U << core)) == 0) ReportMissing(core);
    return false;
  };
  const auto check_string = [this](Core core) {
    if (IsAttributeString(core_[core])) return;
    ReportCore(8, core,
               "hold no control characters, noncharacters and broken UTF-8");
  };

  // "specversion: REQUIRED, MUST be a non-empty string. Compliant event
  // producers MUST use a value of `1.0` when referring to this version".
  if (has(kSpecversion) && core_[kSpecversion] != "1.0") {
    ReportCore(15, kSpecversion, "be 1.0, the one version spoken here");
  }
  // "id: REQUIRED, MUST be a non-empty string".
  if (has(kId)) check_string(kId);
  // "source: REQUIRED, MUST be a non-empty URI-reference".
  if (has(kSource) && !IsUriReference(core_[kSource])) {
    ReportCore(14, kSource, "be a URI-reference (RFC 3986)");
  }
  // "type: REQUIRED, MUST be a non-empty string".
  if (has(kType)) check_string(kType);
  // "datacontenttype: If present, MUST adhere to the format specified in RFC
  // 2046".
  if (present(kDatacontenttype) && !IsMediaType(core_[kDatacontenttype])) {
    ReportCore(17, kDatacontenttype, "be a media type (RFC 2046)");
  }
  // "dataschema: If present, MUST adhere to the format specified in RFC 3986
  // [...] a non-empty URI".
  if (present(kDataschema) && !IsUri(core_[kDataschema])) {
    ReportCore(19, kDataschema, "be a non-empty absolute URI");
  }
  // "subject: If present, MUST be a non-empty string".
  if (present(kSubject) && has(kSubject)) check_string(kSubject);
  // "time: If present, MUST adhere to the format specified in RFC 3339".
  if (present(kTime) && !IsTimestamp(core_[kTime])) {
    ReportCore(21, kTime, "adhere to RFC 3339");
  }
}

void Assembly::CheckExtension(const Extension& extension) {
  if (!IsAttributeName(extension.name)) {
    // "CloudEvent attributes MUST NOT have the name `data`".
    if (extension.name == "data") {
      Report(2, "an attribute MUST NOT have the name data");
    } else {
      // "CloudEvents attribute names MUST consist of lower-case letters ('a'
      // to 'z') or digits ('0' to '9') from the ASCII character set."
      Report(1, "an attribute name MUST consist of a-z and 0-9; it is " +
                    Excerpt(extension.name));
    }
  }
  if (IsCanonical(extension.type, extension.text)) return;
  const auto report = [this, &extension](int rule, std::string_view must) {
    Report(rule, Excerpt(extension.name) + " MUST " + std::string(must) +
                     "; it is " + Excerpt(extension.text));
  };
  switch (extension.type) {
    // "String encoding: a case-sensitive value of `true` or `false`."
    case AttributeType::kBoolean:
      return report(6, "be true or false");
    // "A whole number in the range -2,147,483,648 to +2,147,483,647".
    case AttributeType::kInteger:
      return report(7, "be a decimal integer of 32 bits");
    case AttributeType::kString:
      return report(8,
                    "hold no control characters, noncharacters and broken "
                    "UTF-8");
    // "String encoding: Base64 encoding per RFC4648."
    case AttributeType::kBinary:
      return report(9, "be padded base64");
    // "String encoding: `Absolute URI` as defined in RFC 3986 Section 4.3."
    case AttributeType::kUri:
      return report(10, "be an absolute URI");
    // "String encoding: `URI-reference` as defined in RFC 3986 Section 4.1."
    case AttributeType::kUriReference:
      return report(10, "be a URI-reference");
    // "String encoding: RFC 3339."
    case AttributeType::kTimestamp:
      return report(11, "adhere to RFC 3339");
  }
}

void Assembly::CheckSize() {
  const std::size_t bytes = text_bytes_ + data_.size();
  if (bytes > options_->max_event_bytes) {
    too_large_ = "an event of " + std::to_string(bytes) +
                 " bytes is larger than max_event_bytes = " +
                 std::to_string(options_->max_event_bytes);
  } else if (BlockSize(extensions_->size(), bytes) >
             std::numeric_limits<std::uint32_t>::max()) {
    too_large_ = "an event of " + std::to_string(bytes) +
                 " bytes is larger than any can be";
  }
}

// What was null is absent from here on, also where a format implies it.
void Assembly::DropNulls() {
  std::erase_if(*extensions_, [](const Extension& e) { return e.null; });
  seen_ = present_;
}

Error Assembly::Failure() {
  Error error{ErrorCode::kInvalidEvent, {}, {}};
  if (!too_large_.empty()) {
    error.code = ErrorCode::kTooLarge;
    error.message = std::move(too_large_);
    return error;
  }
  std::stable_sort(
      problems_.begin(), problems_.end(),
      [](const Problem& a, const Problem& b) { return a.rule < b.rule; });
  for (std::size_t rule = 0; rule < broken_.size(); ++rule) {
    if (broken_[rule]) error.rules.push_back(static_cast<int>(rule));
  }
  const std::size_t spelled = std::min(problems_.size(), kMostWords);
  for (const Problem& problem : std::span(problems_).first(spelled)) {
    if (!error.message.empty()) error.message += "; ";
    error.message += "rule ";
    error.message += std::to_string(problem.rule);
    error.message += ": ";
    error.message += problem.message;
  }
  if (problem_count_ > spelled) {
    error.message +=
        "; and " + std::to_string(problem_count_ - spelled) + " more";
  }
  return error;
}

Event Assembly::MakeEvent() const {
  std::size_t bytes = data_.size();
  for (const std::string_view text : core_) bytes += text.size();
  for (const Extension& extension : *extensions_) {
    bytes += extension.name.size() + extension.text.size();
  }
  const std::size_t total = BlockSize(extensions_->size(), bytes);
  auto* const block = new (::operator new(total)) EventBlock();
  block->total_bytes = static_cast<std::uint32_t>(total);
  block->max_json_depth = static_cast<std::uint32_t>(
      std::min<std::size_t>(options_->max_json_depth, UINT32_MAX));
  block->extension_count = static_cast<std::uint32_t>(extensions_->size());
  Filler filler(block, BlockSize(extensions_->size(), 0));
  for (std::size_t i = 0; i < kCoreCount; ++i) {
    if (core_[i].empty()) continue;
    block->core[i] = filler.Put(core_[i]);
    ++block->core_count;
  }
  auto* const slots = reinterpret_cast<ExtensionSlot*>(block + 1);
  for (std::size_t i = 0; i < extensions_->size(); ++i) {
    const Extension& extension = (*extensions_)[i];
    const Slice name = filler.Put(extension.name);
    const Slice text = filler.Put(extension.text);
    new (slots + i) ExtensionSlot{name, text, extension.type};
  }
  if (has_data_) {
    block->data = filler.Put(data_);
    block->data_state.store(Claim(core_[kDatacontenttype], known_),
                            std::memory_order_relaxed);
  }
  return EventAccess::Adopt(block);
}

Result<Event> Assembly::Build() {
  if (nulls_ != 0) DropNulls();
  // "If the `datacontenttype` is unspecified, processing SHOULD proceed as if
  // [it] had been specified explicitly as `application/json`": said once here,
  // it is explicit in whatever format the event leaves, and counts as any other
  // attribute does.
  if (has_data_ && known_ == DataKind::kJson &&
      (present_ & (1U << kDatacontenttype)) == 0) {
    AddAttribute(kCore[kDatacontenttype].name, "application/json");
  }
  // Checks may throw away the work of a decoder, never the other way round: a
  // hostile event is refused by its size before its values are looked at.
  CheckSize();
  if (too_large_.empty()) {
    CheckCore();
    for (const Extension& extension : *extensions_) CheckExtension(extension);
  }
  if (!too_large_.empty() || problem_count_ != 0) {
    Error error = Failure();
    Clear();
    return error;
  }
  Event event = MakeEvent();
  Clear();
  return event;
}

}  // namespace cirro::internal
