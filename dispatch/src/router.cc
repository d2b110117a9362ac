#include "cirro/dispatch/router.h"

#include <algorithm>
#include <string>
#include <utility>

#include "hash.h"

namespace cirro {

void Matches::Add(std::uint32_t function) {
  if (size_ < few_.size()) {
    few_[size_++] = function;
    return;
  }
  if (size_ == few_.size()) many_.assign(few_.begin(), few_.end());
  many_.push_back(function);
  ++size_;
}

std::span<std::uint32_t> Matches::all() noexcept {
  if (size_ <= few_.size()) return {few_.data(), size_};
  return many_;
}

// The exact types, each with its functions as a run in `functions`. Open
// addressing at no more than half load. The types are the program's own, so
// the hash needs no secret: a sender picks only what is looked up, and a probe
// ends at the first free slot of a table that never changes.
struct Router::Table {
  struct Slot {
    std::uint64_t hash = 0;
    std::string_view type{};  // Into `patterns` or `types`; null: free.
    std::uint32_t begin = 0;
    std::uint32_t size = 0;
  };
  struct Rule {
    std::string type;
    Filter filter;
    bool filtered = false;
    bool exact = false;
  };

  [[nodiscard]] const Slot* Find(std::string_view type) const noexcept {
    const std::uint64_t hash = internal::HashText(type, 0);
    for (std::uint64_t at = hash;; ++at) {
      const Slot& slot = slots[at & (slots.size() - 1)];
      if (slot.type.data() == nullptr) return nullptr;
      if (slot.hash == hash && slot.type == type) return &slot;
    }
  }

  std::vector<Rule> rules;
  std::vector<Slot> slots;
  std::vector<std::uint32_t> functions;
  std::vector<std::uint32_t> patterns;  // Functions whose type is no text.
  bool only_exact = false;              // No pattern, no filter anywhere.
};

Router::Router(std::span<const Function> functions) {
  auto table = std::make_unique<Table>();
  table->rules.reserve(functions.size());
  table->only_exact = true;
  std::vector<std::uint32_t> exact;
  for (std::uint32_t i = 0; i < functions.size(); ++i) {
    const FunctionSpec& spec = functions[i].spec;
    const Filter& f = spec.filter;
    Table::Rule rule{spec.type, f};
    rule.filtered = !(f.exact.empty() && f.prefix.empty() && f.suffix.empty() &&
                      f.all.empty() && f.any.empty() && f.none.empty());
    rule.exact = !spec.type.empty() && spec.type.find('*') == std::string::npos;
    (rule.exact ? exact : table->patterns).push_back(i);
    if (rule.filtered || !rule.exact) table->only_exact = false;
    table->rules.push_back(std::move(rule));
  }
  std::stable_sort(exact.begin(), exact.end(),
                   [&](std::uint32_t a, std::uint32_t b) {
                     return table->rules[a].type < table->rules[b].type;
                   });
  std::size_t size = 16;
  while (size < exact.size() * 2) size *= 2;
  table->slots.resize(size);
  for (std::uint32_t i = 0; i < exact.size();) {
    const std::string_view type = table->rules[exact[i]].type;
    Table::Slot slot{internal::HashText(type, 0), type, i, 0};
    while (i < exact.size() && table->rules[exact[i]].type == type) ++i;
    slot.size = i - slot.begin;
    std::uint64_t at = slot.hash;
    while (table->slots[at & (size - 1)].type.data() != nullptr) ++at;
    table->slots[at & (size - 1)] = slot;
  }
  table->functions = std::move(exact);
  table_ = std::move(table);
}

Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;
Router::~Router() = default;

std::span<const std::uint32_t> Router::Match(const Event& event,
                                             Matches& room) const {
  const std::string_view type = event.type();
  std::span<const std::uint32_t> exact;
  if (const Table::Slot* slot = table_->Find(type); slot != nullptr) {
    exact = std::span(table_->functions).subspan(slot->begin, slot->size);
  }
  if (table_->only_exact) return exact;

  room.Clear();
  for (const std::uint32_t function : exact) {
    const Table::Rule& rule = table_->rules[function];
    if (!rule.filtered || MatchesFilter(rule.filter, event)) room.Add(function);
  }
  const std::size_t found = room.all().size();
  for (const std::uint32_t function : table_->patterns) {
    const Table::Rule& rule = table_->rules[function];
    if (!rule.type.empty() && !MatchesPattern(rule.type, type)) continue;
    if (!rule.filtered || MatchesFilter(rule.filter, event)) room.Add(function);
  }
  const auto all = room.all();
  if (found > 0 && all.size() > found) std::sort(all.begin(), all.end());
  return all;
}

bool MatchesPattern(std::string_view pattern, std::string_view text) noexcept {
  // Only the last star met needs to be tried again: what an earlier one could
  // give, a later one can too.
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool MatchesFilter(const Filter& filter, const Event& event) noexcept {
  const auto each = [&event](const auto& wanted, const auto& holds) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
      const auto attribute = event.attribute(entry.first);
      return attribute && holds(attribute->text, entry.second);
    });
  };
  const auto matches = [&event](const Filter& inner) {
    return MatchesFilter(inner, event);
  };
  return each(filter.exact,
              [](std::string_view text, const std::string& whole) {
                return text == whole;
              }) &&
         each(filter.prefix,
              [](std::string_view text, const std::string& begin) {
                return text.starts_with(begin);
              }) &&
         each(filter.suffix,
              [](std::string_view text, const std::string& end) {
                return text.ends_with(end);
              }) &&
         std::all_of(filter.all.begin(), filter.all.end(), matches) &&
         (filter.any.empty() ||
          std::any_of(filter.any.begin(), filter.any.end(), matches)) &&
         std::none_of(filter.none.begin(), filter.none.end(), matches);
}

}  // namespace cirro
