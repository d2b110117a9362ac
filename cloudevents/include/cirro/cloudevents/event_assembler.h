#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cirro/cloudevents/attribute.h"
#include "cirro/cloudevents/decode_options.h"
#include "cirro/cloudevents/event.h"
#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"

namespace cirro {

/// Where a decoder puts what it read, to get an Event or every broken rule.
///
/// Takes views over the decoder's input and copies each byte once, into the
/// Event's block. Made to be kept: an event of common size then needs no
/// memory but its block. One thread at a time.
class CIRRO_EXPORT EventAssembler {
 public:
  /// REQUIRES: options outlives *this.
  explicit EventAssembler(const DecodeOptions& options);
  EventAssembler(EventAssembler&&) noexcept;
  EventAssembler& operator=(EventAssembler&&) noexcept;
  ~EventAssembler();

  /// Forgets everything but its memory.
  void Clear() noexcept;

  /// An attribute as it came, `specversion` included. Without a `type` the
  /// transport is untyped: core attributes have the specification's type,
  /// declared extensions theirs, others kString. Names are checked, not
  /// folded. REQUIRES: `name` and `text` live until Build or Clear.
  void AddAttribute(std::string_view name, std::string_view text,
                    std::optional<AttributeType> type = std::nullopt);

  /// AddAttribute of an untyped transport if `name` is a core attribute's, in
  /// lower case; false, and nothing is done, if it is not. It spares a decoder
  /// the look at each character that folding and refusing names takes.
  [[nodiscard]] bool AddCore(std::string_view name, std::string_view text);

  /// The data as it came; kind from datacontenttype: JSON where the media type
  /// says so, text for text/* and XML, binary otherwise. Nothing is walked now:
  /// what is claimed is checked when Event::data_kind is first asked.
  void SetData(std::string_view bytes);
  /// The data with the kind that the format knows. `kJson` promises that the
  /// bytes are valid JSON, and makes application/json the datacontenttype when
  /// there is none.
  void SetData(std::string_view bytes, DataKind kind);

  /// A broken rule that only the decoder can see; Build will fail with it.
  void Report(int rule, std::string message);

  /// `size` bytes that live until Clear, for text that is not in the input as
  /// it should be (unescaped, decoded).
  [[nodiscard]] char* Scratch(std::size_t size);

  /// The event, or kInvalidEvent with every broken rule, or kTooLarge. *this
  /// is as after Clear.
  [[nodiscard]] Result<Event> Build();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cirro
