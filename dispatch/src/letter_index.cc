#include "cirro/dispatch/letter_index.h"

#include <algorithm>
#include <utility>

namespace cirro {

Result<void> LetterIndex::Add(KeptLetter kept, std::size_t bytes) {
  if (found_.size() == most_letters_) {
    return Error{ErrorCode::kOverloaded,
                 "more than " + std::to_string(most_letters_) +
                     " letters fit: ask for fewer, by --since and --until, "
                     "--function or --position"};
  }
  Found found;
  found.id = kept.id;
  found.order.inlet = kept.letter.facts.inlet;
  found.order.position = kept.letter.facts.position;
  found.order.time = kept.letter.facts.time;
  if (bytes <= left_bytes_) {
    left_bytes_ -= bytes;
    found.kept = std::move(kept);
  }
  found_.push_back(std::move(found));
  return {};
}

Result<void> LetterIndex::Walk(const Read& read,
                               const LetterBox::Visit& visit) {
  std::stable_sort(found_.begin(), found_.end(),
                   [](const Found& a, const Found& b) {
                     return CameBefore(a.order, b.order);
                   });
  for (Found& found : found_) {
    if (!found.kept) {
      auto again = read(found.id);
      if (!again) return std::move(again).error();
      if (!*again) continue;
      found.kept = **std::move(again);
    }
    const auto more = visit(*found.kept);
    found.kept.reset();
    if (!more) return more.error();
    if (!*more) return {};
  }
  return {};
}

}  // namespace cirro
