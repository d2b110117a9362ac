#pragma once

#include <string>
#include <utility>

namespace cirro {

/// A text that does not get into a log, a page or an error message by
/// accident: whoever needs it says Reveal(), and nothing prints it.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] bool empty() const noexcept { return text_.empty(); }
  [[nodiscard]] const std::string& Reveal() const noexcept { return text_; }
  /// Whether it is `candidate`; the time taken tells nothing but the length.
  [[nodiscard]] bool Equals(const std::string& candidate) const noexcept {
    if (candidate.size() != text_.size()) return false;
    unsigned different = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      different |= static_cast<unsigned char>(text_[i]) ^
                   static_cast<unsigned char>(candidate[i]);
    }
    return different == 0;
  }

  template <typename Stream>
  friend Stream& operator<<(Stream& stream, const Secret& /*secret*/) {
    static_assert(!sizeof(Stream), "a cirro::Secret cannot be printed");
    return stream;
  }

 private:
  std::string text_;
};

}  // namespace cirro
