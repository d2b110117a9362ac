#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/letter_box.h"

namespace cirro {

/// The letters of one walk over a place that has no order of its own: found one
/// after the other, visited in the original order. One thread.
class CIRRO_EXPORT LetterIndex {
 public:
  /// The letter of that id, once more; nothing: it is gone.
  using Read =
      std::function<Result<std::optional<KeptLetter>>(std::string_view id)>;

  /// How many letters are known, and about how many bytes of them are kept:
  /// those past that are read again.
  explicit LetterIndex(std::size_t most_letters = 1'000'000,
                       std::size_t most_bytes = std::size_t{32} << 20)
      : most_letters_(most_letters), left_bytes_(most_bytes) {}

  /// `bytes`: about what it takes. Fails with kOverloaded where there are too
  /// many.
  Result<void> Add(KeptLetter kept, std::size_t bytes);

  /// As LetterBox::Walk. Those of one place in the order come as they were
  /// found. At most once.
  Result<void> Walk(const Read& read, const LetterBox::Visit& visit);

 private:
  struct Found {
    std::string id;
    DeadLetterFacts order;  // What it rests on alone.
    std::optional<KeptLetter> kept;
  };

  const std::size_t most_letters_;
  std::size_t left_bytes_;
  std::vector<Found> found_;
};

}  // namespace cirro
