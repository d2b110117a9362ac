#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/dispatch/watermark.h"

namespace cirro {

/// So often something happened to the message at `offset`; at least once.
struct OffsetCount {
  std::uint64_t offset = 0;
  std::uint32_t count = 0;

  bool operator==(const OffsetCount&) const = default;
};

/// What a commit of one partition says beside its offset, in its metadata: what
/// whoever reads the partition next need not do again, and what it has to know
/// of the one before.
struct CIRRO_EXPORT OffsetMap {
  std::uint64_t base = 0;  ///< The committed offset: the first one not done.
  /// Assignments that began to deliver since the last one that ended clean.
  std::uint32_t starts = 0;
  /// Given up in good order, by a revoke or a stop: the process lived.
  bool clean = false;
  /// One past the newest delivered; not less than `base`.
  std::uint64_t next = 0;

  // Each is in ascending order and above, or of counts also at, the base.
  std::vector<OffsetRun> done{};  ///< Apart from each other.
  /// How often the process ended while that one alone ran.
  std::vector<OffsetCount> crashes{};
  /// How often a call of it failed.
  std::vector<OffsetCount> attempts{};

  bool operator==(const OffsetMap&) const = default;
};

/// What a Kafka broker takes by default (offset.metadata.max.bytes).
inline constexpr std::size_t kMostMetadataBytes = 4'096;
/// Below this EncodeOffsetMap would not be able to write the header.
inline constexpr std::size_t kLeastMetadataBytes = 64;

/// What a map is of: a partition, as one group reads it.
[[nodiscard]] CIRRO_EXPORT std::string MapPlace(std::string_view group,
                                                std::string_view topic,
                                                std::int32_t partition);

/// The map as letters, digits, `-` and `_`, at most `most_bytes` of them. What
/// does not fit is left out: attempt counts (the lowest offsets' stay longest),
/// then all of `done`, then crash counts; never what stands before them. It is
/// read again for the same `place` alone: one that was copied says nothing.
/// REQUIRES: `map` as its members say; most_bytes >= kLeastMetadataBytes.
[[nodiscard]] CIRRO_EXPORT std::string EncodeOffsetMap(
    const OffsetMap& map, std::size_t most_bytes = kMostMetadataBytes,
    std::string_view place = {});

/// Reads what EncodeOffsetMap wrote, and nothing else: anybody may have written
/// a commit's metadata. `committed` is the offset that came with it and `end`
/// the partition's end, one past its newest message. Fails with kUnsupported,
/// saying what is wrong: it is to be ignored then, with a warning, and all from
/// `committed` done again. An empty text, which most other clients write, fails
/// too.
[[nodiscard]] CIRRO_EXPORT Result<OffsetMap> DecodeOffsetMap(
    std::string_view text, std::uint64_t committed, std::uint64_t end,
    std::string_view place = {});

}  // namespace cirro
