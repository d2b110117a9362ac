#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/attribute.h"
#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/result.h"
#include "event_block.h"

namespace cirro::internal {

/// What EventAssembler is made of, also usable on the stack: an event of
/// common size needs no memory but its own block.
class Assembly {
 public:
  explicit Assembly(const DecodeOptions& options);
  Assembly(const Assembly&) = delete;
  Assembly& operator=(const Assembly&) = delete;

  void Clear() noexcept;
  void AddAttribute(std::string_view name, std::string_view text,
                    std::optional<AttributeType> type = std::nullopt);
  /// False: `name` is no core attribute's, and nothing was done.
  bool AddCore(std::string_view name, std::string_view text,
               std::optional<AttributeType> type = std::nullopt);
  /// An attribute that came without a value: it is absent, and came once.
  void AddNull(std::string_view name);
  /// An attribute came with a value that none has, which the caller reports.
  /// True: a core attribute; it is not missing.
  [[nodiscard]] bool NoteMistyped(std::string_view name);
  /// `known` as in Claim.
  void SetData(std::string_view bytes, DataKind known);
  void Report(int rule, std::string message);
  [[nodiscard]] char* Scratch(std::size_t size);
  /// Also clears.
  [[nodiscard]] Result<Event> Build();

  [[nodiscard]] const DecodeOptions& options() const noexcept {
    return *options_;
  }
  [[nodiscard]] std::string_view datacontenttype() const noexcept {
    return core_[kDatacontenttype];
  }

 private:
  struct Extension {
    std::string_view name;
    std::string_view text;
    AttributeType type;
    bool null = false;  // Here only so that a second one is noticed.
  };
  struct Problem {
    int rule;
    std::string message;
  };

  // False: it is more, or longer, than the bounds, and refused.
  bool Count(std::string_view name, std::string_view text);
  void RefuseSize(std::string_view name, std::string_view text);
  void RefuseCore(Core core, std::string_view text,
                  std::optional<AttributeType> type);
  void AddExtension(std::string_view name, std::string_view text,
                    std::optional<AttributeType> type, bool null);
  void ReportMissing(Core core);
  /// `core`'s value is not what it MUST be.
  void ReportCore(int rule, Core core, std::string_view must);
  void CheckCore();
  void CheckExtension(const Extension& extension);
  void CheckSize();
  [[nodiscard]] bool Seen(std::string_view name) noexcept;
  void DropNulls();
  [[nodiscard]] Error Failure();
  [[nodiscard]] Event MakeEvent() const;

  const DecodeOptions* options_;
  // Extensions and Scratch: on these bytes first, on the heap when they do not
  // suffice.
  alignas(std::max_align_t) std::array<std::byte, 3072> buffer_;
  std::pmr::monotonic_buffer_resource memory_;
  bool uses_memory_ = false;  // Of memory_.
  std::optional<std::pmr::vector<Extension>> extensions_;
  std::array<std::string_view, kCoreCount> core_{};
  unsigned seen_ = 0;           // One bit for each Core that came, and
  unsigned present_ = 0;        // for each that was not null, and
  unsigned mistyped_ = 0;       // for each whose value is not looked at.
  std::uint64_t names_ = 0;     // One bit for each hash of an extension.
  std::size_t attributes_ = 0;  // As they came, refused ones included.
  std::size_t nulls_ = 0;       // Not among them.
  std::size_t text_bytes_ =
      0;  // Names and values of extensions, values of core.
  std::string_view data_;
  DataKind known_ = DataKind::kNone;
  bool has_data_ = false;
  std::string too_large_;
  std::vector<Problem> problems_;  // The first ones.
  std::size_t problem_count_ = 0;
  std::bitset<256> broken_;  // One bit for each rule; there are fewer.
};

}  // namespace cirro::internal
