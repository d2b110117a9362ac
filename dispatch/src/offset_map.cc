#include "cirro/dispatch/offset_map.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

// Before base64url, without padding:
//
//   version   1 byte
//   flags     1 byte: bit 0 clean; bits 1-2 the form of `done`
//   base, starts, next - base
//   crashes   count, then of each: offset - the least it can be, times - 1
//   done      nothing, or
//             runs: count, then of each: begin and end - the least they can be
//             bits: number of bytes, then a bit of each offset from base + 1
//   attempts  as crashes
//   check     4 bytes: CRC-32C of all before, least significant first
//
// Numbers are LEB128. What has two spellings is read in the one that is written
// alone: the reader writes what it read and compares.
namespace cirro {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kClean = 1;
constexpr std::size_t kCheckBytes = 4;
enum class Form : std::uint8_t { kNone, kRuns, kBits };

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::uint32_t, 256> MakeCrcTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value >> 1) ^ ((value & 1) != 0 ? 0x82F63B78U : 0U);
    }
    table[i] = value;
  }
  return table;
}

// Of both, one behind the other.
std::uint32_t Crc32c(std::string_view place, std::string_view bytes) {
  static constexpr auto kTable = MakeCrcTable();
  std::uint32_t crc = ~0U;
  for (const std::string_view part : {place, bytes}) {
    for (const char byte : part) {
      crc =
          (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint8_t>(byte)) & 0xFFU];
    }
  }
  return ~crc;
}

std::string ToText(std::string_view bytes) {
  std::string text((bytes.size() * 4 + 2) / 3, '\0');
  char* next = text.data();
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char byte : bytes) {
    held = (held << 8) | static_cast<std::uint8_t>(byte);
    for (bits += 8; bits >= 6;) {
      bits -= 6;
      *next++ = kDigits[(held >> bits) & 63U];
    }
  }
  if (bits > 0) *next = kDigits[(held << (6 - bits)) & 63U];
  return text;
}

// The bits that are left over are the caller's to compare.
std::optional<std::string> FromText(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char digit : text) {
    const std::size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    held = (held << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>((held >> bits) & 0xFFU);
  }
  return bytes;
}

void PutNumber(std::string& bytes, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) {
    bytes += static_cast<char>((number & 0x7F) | 0x80);
  }
  bytes += static_cast<char>(number);
}

// As many of `counts` as fit into `room` bytes; at least their number.
void PutCounts(std::string& bytes, std::uint64_t base,
               const std::vector<OffsetCount>& counts, std::size_t room) {
  constexpr std::size_t kLongestNumber = 10;
  std::string all;
  std::uint64_t fitting = 0;
  std::uint64_t least = base;
  for (const OffsetCount& one : counts) {
    const std::size_t before = all.size();
    PutNumber(all, one.offset - least);
    PutNumber(all, one.count - 1);
    // Of what it says how many there are, the longest is taken.
    if (all.size() + (fitting < 0x7F ? 1 : kLongestNumber) > room) {
      all.resize(before);
      break;
    }
    least = one.offset + 1;
    ++fitting;
  }
  PutNumber(bytes, fitting);
  bytes += all;
}

std::size_t SizeOf(std::uint64_t number) {
  std::size_t size = 1;
  while ((number >>= 7) != 0) ++size;
  return size;
}

// How many bytes `done` takes in each form.
std::size_t SizeOfRuns(const OffsetMap& map) {
  std::size_t size = SizeOf(map.done.size());
  std::uint64_t least = map.base + 1;
  for (const OffsetRun& run : map.done) {
    size += SizeOf(run.begin - least) + SizeOf(run.end - run.begin - 1);
    least = run.end + 1;
  }
  return size;
}
std::uint64_t BytesOfBits(const OffsetMap& map) {
  return (map.done.back().end - map.base - 1 + 7) / 8;
}

void PutRuns(std::string& bytes, const OffsetMap& map) {
  PutNumber(bytes, map.done.size());
  std::uint64_t least = map.base + 1;
  for (const OffsetRun& run : map.done) {
    PutNumber(bytes, run.begin - least);
    PutNumber(bytes, run.end - run.begin - 1);
    least = run.end + 1;
  }
}

void PutBits(std::string& bytes, const OffsetMap& map) {
  const auto length = static_cast<std::size_t>(BytesOfBits(map));
  PutNumber(bytes, length);
  const std::size_t first = bytes.size();
  bytes.resize(first + length);
  for (const OffsetRun& run : map.done) {
    for (std::uint64_t at = run.begin; at < run.end; ++at) {
      const std::uint64_t bit = at - map.base - 1;
      char& byte = bytes[first + static_cast<std::size_t>(bit / 8)];
      byte = static_cast<char>(static_cast<unsigned char>(byte) |
                               (1U << (bit % 8)));
    }
  }
}

std::string EncodeWithin(const OffsetMap& map, std::size_t most,
                         std::string_view place) {
  std::string bytes;
  bytes += static_cast<char>(kVersion);
  bytes += '\0';
  PutNumber(bytes, map.base);
  PutNumber(bytes, map.starts);
  PutNumber(bytes, map.next - map.base);

  // The number of attempt counts and the check come behind.
  const auto left = [&] {
    const std::size_t used = bytes.size() + 1 + kCheckBytes;
    return most > used ? most - used : 0;
  };
  PutCounts(bytes, map.base, map.crashes, left());

  Form form = Form::kNone;
  if (!map.done.empty()) {
    const std::size_t runs = SizeOfRuns(map);
    const std::uint64_t bits = BytesOfBits(map) + SizeOf(BytesOfBits(map));
    if (bits < runs && bits <= left()) {
      form = Form::kBits;
      PutBits(bytes, map);
    } else if (runs <= bits && runs <= left()) {
      form = Form::kRuns;
      PutRuns(bytes, map);
    }
  }
  bytes[1] = static_cast<char>((map.clean ? kClean : 0) |
                               (static_cast<unsigned>(form) << 1));
  PutCounts(bytes, map.base, map.attempts, left() + 1);

  const std::uint32_t check = Crc32c(place, bytes);
  for (unsigned byte = 0; byte < kCheckBytes; ++byte) {
    bytes += static_cast<char>((check >> (8 * byte)) & 0xFFU);
  }
  return ToText(bytes);
}

// Takes what was put, from the front. After anything that cannot be, `broken`.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool at_end() const { return bytes_.empty(); }
  std::string_view rest() const { return bytes_; }

  std::uint8_t Byte() {
    if (bytes_.empty()) {
      broken_ = true;
      return 0;
    }
    const auto byte = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }

  // Offsets are of 63 bits, and what is more is no number here.
  std::uint64_t Number() {
    std::uint64_t number = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      const std::uint8_t byte = Byte();
      number |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return number;
    }
    broken_ = true;
    return 0;
  }

  // `number` further than `from`; what is no offset any more is broken.
  std::uint64_t Offset(std::uint64_t from) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    const std::uint64_t number = Number();
    if (from > kMost || number > kMost - from) broken_ = true;
    return broken_ ? 0 : from + number;
  }

  // A number of things that take at least a byte each.
  std::uint64_t Count() {
    const std::uint64_t count = Number();
    if (count > bytes_.size()) broken_ = true;
    return broken_ ? 0 : count;
  }

  std::uint32_t Small(std::uint64_t most) {
    const std::uint64_t number = Number();
    if (number > most) broken_ = true;
    return broken_ ? 0 : static_cast<std::uint32_t>(number);
  }

  std::vector<OffsetCount> Counts(std::uint64_t base) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    std::vector<OffsetCount> counts;
    std::uint64_t least = base;
    for (std::uint64_t left = Count(); left > 0 && !broken_; --left) {
      const std::uint64_t offset = Offset(least);
      counts.push_back({offset, Small(kMost - 1) + 1});
      least = offset + 1;
    }
    return counts;
  }

  std::vector<OffsetRun> Runs(std::uint64_t base) {
    std::vector<OffsetRun> runs;
    std::uint64_t least = base + 1;
    for (std::uint64_t left = Count(); left > 0 && !broken_; --left) {
      const std::uint64_t begin = Offset(least);
      const std::uint64_t end = Offset(begin + 1);
      runs.push_back({begin, end});
      least = end + 1;
    }
    return runs;
  }

  std::vector<OffsetRun> Bits(std::uint64_t base) {
    std::vector<OffsetRun> runs;
    std::uint64_t at = base + 1;
    for (std::uint64_t left = Count(); left > 0; --left) {
      const std::uint8_t byte = Byte();
      for (unsigned bit = 0; bit < 8; ++bit, ++at) {
        if ((byte >> bit & 1) == 0) continue;
        if (!runs.empty() && runs.back().end == at) {
          ++runs.back().end;
        } else {
          runs.push_back({at, at + 1});
        }
      }
    }
    return runs;
  }

 private:
  std::string_view bytes_;
  bool broken_ = false;
};

Error Wrong(const std::string& why) {
  return {ErrorCode::kUnsupported, "the commit's metadata are no offset map: " +
                                       why + "; they are ignored"};
}

// The highest offset that the map speaks of, and what of it.
std::pair<std::uint64_t, std::string_view> Farthest(const OffsetMap& map) {
  std::pair<std::uint64_t, std::string_view> most{map.next, "next offset"};
  const auto look = [&](std::uint64_t end, std::string_view what) {
    if (end > most.first) most = {end, what};
  };
  if (!map.done.empty()) look(map.done.back().end, "end of what is done");
  if (!map.crashes.empty()) look(map.crashes.back().offset + 1, "crash count");
  if (!map.attempts.empty()) {
    look(map.attempts.back().offset + 1, "attempt count");
  }
  return most;
}

}  // namespace

std::string MapPlace(std::string_view group, std::string_view topic,
                     std::int32_t partition) {
  // No topic's name has a slash, and no number is followed by more digits.
  std::string place(topic);
  place.append("/").append(std::to_string(partition)).append("/");
  return place.append(group);
}

std::string EncodeOffsetMap(const OffsetMap& map, std::size_t most_bytes,
                            std::string_view place) {
  return EncodeWithin(map, most_bytes / 4 * 3 + most_bytes % 4 * 3 / 4, place);
}

Result<OffsetMap> DecodeOffsetMap(std::string_view text,
                                  std::uint64_t committed, std::uint64_t end,
                                  std::string_view place) {
  if (text.empty()) return Wrong("they are empty");
  const std::optional<std::string> bytes = FromText(text);
  if (!bytes) return Wrong("they are not base64url");
  Reader version(*bytes);
  if (const unsigned seen = version.Byte(); seen != kVersion) {
    return Wrong("version " + std::to_string(seen) + " is not " +
                 std::to_string(kVersion));
  }
  if (bytes->size() <= kCheckBytes) return Wrong("they are cut off");
  const std::string_view checked(bytes->data(), bytes->size() - kCheckBytes);
  std::uint32_t check = 0;
  for (std::size_t byte = 0; byte < kCheckBytes; ++byte) {
    check |= static_cast<std::uint32_t>(
                 static_cast<std::uint8_t>((*bytes)[checked.size() + byte]))
             << (8 * byte);
  }
  if (check != Crc32c(place, checked)) {
    return Wrong(place.empty()
                     ? "the check sum is not theirs"
                     : "the check sum is not theirs, or they are of another "
                       "group or partition");
  }

  Reader reader(checked);
  reader.Byte();
  OffsetMap map;
  const unsigned flags = reader.Byte();
  map.clean = (flags & kClean) != 0;
  map.base = reader.Offset(0);
  map.starts = reader.Small(std::numeric_limits<std::uint32_t>::max());
  map.next = reader.Offset(map.base);
  map.crashes = reader.Counts(map.base);
  switch (flags >> 1) {
    case static_cast<unsigned>(Form::kNone):
      break;
    case static_cast<unsigned>(Form::kRuns):
      map.done = reader.Runs(map.base);
      break;
    case static_cast<unsigned>(Form::kBits):
      map.done = reader.Bits(map.base);
      break;
    default:
      return Wrong("flags " + std::to_string(flags) + " are unknown");
  }
  map.attempts = reader.Counts(map.base);
  if (reader.broken() || !reader.at_end()) {
    return Wrong("a length or number in them cannot be");
  }
  if (map.base != committed) {
    return Wrong("they are of offset " + std::to_string(map.base) +
                 ", and the commit of " + std::to_string(committed));
  }
  if (const auto [most, what] = Farthest(map); most > end) {
    return Wrong("the " + std::string(what) + " " + std::to_string(most) +
                 " is past the partition's end " + std::to_string(end));
  }
  if (EncodeWithin(map, std::numeric_limits<std::size_t>::max(), place) !=
      text) {
    return Wrong("they are not written as they would be");
  }
  return map;
}

}  // namespace cirro
