#include "cirro/cloudevents/event.h"

#include <cassert>
#include <new>

#include "cirro/cloudevents/json_format.h"
#include "cirro/cloudevents/media_type.h"
#include "cirro/cloudevents/utf8.h"
#include "event_block.h"
#include "text.h"

namespace cirro {

using internal::DataState;
using internal::EventBlock;
using internal::ExtensionSlot;
using internal::kCoreCount;

namespace internal {

DataState Claim(std::string_view datacontenttype, DataKind known) noexcept {
  if (IsJsonMediaType(datacontenttype)) {
    // "kJson" is a promise; whatever else was said, the bytes decide.
    return known == DataKind::kJson ? DataState::kJson : DataState::kClaimsJson;
  }
  switch (known) {
    case DataKind::kBinary:
      return DataState::kBinary;
    case DataKind::kJson:  // Promised valid, and so it is UTF-8.
      return DataState::kText;
    case DataKind::kText:
      return DataState::kClaimsText;
    case DataKind::kNone:
      break;
  }
  return IsTextMediaType(datacontenttype) ? DataState::kClaimsText
                                          : DataState::kBinary;
}

}  // namespace internal

namespace {

void Release(EventBlock* block) noexcept {
  if (block == nullptr) return;
  // The last owner sees all that the others did before they let go.
  if (block->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  block->~EventBlock();
  ::operator delete(block);
}

EventBlock* Retain(EventBlock* block) noexcept {
  if (block != nullptr) {
    block->references.fetch_add(1, std::memory_order_relaxed);
  }
  return block;
}

Attribute CoreAt(const EventBlock& block, std::size_t core) noexcept {
  return {internal::kCore[core].name, block.At(block.core[core]),
          internal::kCore[core].type};
}

Attribute ExtensionAt(const EventBlock& block, std::size_t index) noexcept {
  const ExtensionSlot& slot = block.extensions()[index];
  return {block.At(slot.name), block.At(slot.text), slot.type};
}

const ExtensionSlot* FindExtension(const EventBlock& block,
                                   std::string_view name) noexcept {
  const ExtensionSlot* const slots = block.extensions();
  for (std::uint32_t i = 0; i < block.extension_count; ++i) {
    if (block.At(slots[i].name) == name) return &slots[i];
  }
  return nullptr;
}

}  // namespace

Event::Event(const Event& other) noexcept : block_(Retain(other.block_)) {}

Event& Event::operator=(const Event& other) noexcept {
  Event copy(other);
  std::swap(block_, copy.block_);
  return *this;
}

Event& Event::operator=(Event&& other) noexcept {
  EventBlock* const taken = std::exchange(other.block_, nullptr);
  Release(std::exchange(block_, taken));
  return *this;
}

Event::~Event() { Release(block_); }

std::string_view Event::id() const noexcept {
  return block_->At(block_->core[internal::kId]);
}
std::string_view Event::source() const noexcept {
  return block_->At(block_->core[internal::kSource]);
}
std::string_view Event::type() const noexcept {
  return block_->At(block_->core[internal::kType]);
}
std::string_view Event::specversion() const noexcept {
  return block_->At(block_->core[internal::kSpecversion]);
}
std::string_view Event::subject() const noexcept {
  return block_->At(block_->core[internal::kSubject]);
}
std::string_view Event::datacontenttype() const noexcept {
  return block_->At(block_->core[internal::kDatacontenttype]);
}
std::string_view Event::dataschema() const noexcept {
  return block_->At(block_->core[internal::kDataschema]);
}
std::string_view Event::time_text() const noexcept {
  return block_->At(block_->core[internal::kTime]);
}

std::optional<Timestamp> Event::time() const noexcept {
  const std::string_view text = time_text();
  if (text.empty()) return std::nullopt;
  return internal::ReadTimestamp(text);
}

std::optional<std::string_view> Event::extension(
    std::string_view name) const noexcept {
  const ExtensionSlot* const slot = FindExtension(*block_, name);
  if (slot == nullptr) return std::nullopt;
  return block_->At(slot->text);
}

std::optional<Attribute> Event::attribute(
    std::string_view name) const noexcept {
  if (const auto core = internal::FindCore(name)) {
    if (block_->core[*core].size == 0) return std::nullopt;
    return CoreAt(*block_, *core);
  }
  const ExtensionSlot* const slot = FindExtension(*block_, name);
  if (slot == nullptr) return std::nullopt;
  return Attribute{block_->At(slot->name), block_->At(slot->text), slot->type};
}

std::size_t Event::attribute_count() const noexcept {
  return block_->core_count + block_->extension_count;
}

Attribute Event::attribute_at(std::size_t index) const noexcept {
  assert(index < attribute_count());
  if (index >= block_->core_count) {
    return ExtensionAt(*block_, index - block_->core_count);
  }
  std::size_t core = 0;
  while (block_->core[core].size == 0 || index-- != 0) ++core;
  return CoreAt(*block_, core);
}

DataKind Event::data_kind() const noexcept {
  switch (block_->data_state.load(std::memory_order_relaxed)) {
    case DataState::kNone:
      return DataKind::kNone;
    case DataState::kJson:
      return DataKind::kJson;
    case DataState::kText:
      return DataKind::kText;
    case DataState::kBinary:
      return DataKind::kBinary;
    case DataState::kClaimsJson: {
      const bool holds = IsJson(data(), block_->max_json_depth);
      block_->data_state.store(holds ? DataState::kJson : DataState::kBinary,
                               std::memory_order_relaxed);
      return holds ? DataKind::kJson : DataKind::kBinary;
    }
    case DataState::kClaimsText: {
      const bool holds = IsUtf8(data());
      block_->data_state.store(holds ? DataState::kText : DataState::kBinary,
                               std::memory_order_relaxed);
      return holds ? DataKind::kText : DataKind::kBinary;
    }
  }
  return DataKind::kBinary;
}

bool Event::has_data() const noexcept {
  return block_->data_state.load(std::memory_order_relaxed) != DataState::kNone;
}

std::string_view Event::data() const noexcept {
  return block_->At(block_->data);
}

std::size_t Event::memory_size() const noexcept { return block_->total_bytes; }

bool operator==(const Event& a, const Event& b) noexcept {
  if (a.block_ == b.block_) return true;
  if (a.block_ == nullptr || b.block_ == nullptr) return false;
  const EventBlock& left = *a.block_;
  const EventBlock& right = *b.block_;
  if (left.extension_count != right.extension_count ||
      a.has_data() != b.has_data() || a.data() != b.data()) {
    return false;
  }
  for (std::size_t i = 0; i < kCoreCount; ++i) {
    if (left.At(left.core[i]) != right.At(right.core[i])) return false;
  }
  // Names are unique, so that equal counts and one direction are enough.
  for (std::uint32_t i = 0; i < left.extension_count; ++i) {
    const ExtensionSlot& mine = left.extensions()[i];
    const ExtensionSlot* const its = FindExtension(right, left.At(mine.name));
    if (its == nullptr || its->type != mine.type ||
        right.At(its->text) != left.At(mine.text)) {
      return false;
    }
  }
  return true;
}

}  // namespace cirro
