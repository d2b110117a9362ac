#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cirro::internal::nats {

/// Something to be said of a message to its server.
struct Word {
  enum class Kind : std::uint8_t { kAck, kNak, kTerm, kInProgress };

  std::string reply{};
  Kind kind = Kind::kAck;
  std::chrono::milliseconds delay{0};  ///< Of kNak.
  std::uint64_t confirm = 0;  ///< Of kAck: answered under this number; 0: not.
};

/// Words that wait to be published. It keeps its memory, and that of their
/// texts: what is put in is swapped with what was in its place.
class Outbox {
 public:
  Word& Next() {
    if (count_ == words_.size()) words_.emplace_back();
    return words_[count_++];
  }
  template <typename Function>
  void Empty(Function function) {
    for (std::size_t i = 0; i < count_; ++i) function(words_[i]);
    count_ = 0;
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }

 private:
  std::vector<Word> words_;
  std::size_t count_ = 0;
};

}  // namespace cirro::internal::nats
