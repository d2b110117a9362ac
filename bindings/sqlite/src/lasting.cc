#include "lasting.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace cirro::internal::sqlite {
namespace {

struct Mount {
  std::string point;
  std::string kind;
};

std::string_view NextWord(std::string_view& line) {
  const std::size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

// The kernel writes blanks and backslashes of a path as three octal digits.
std::string Unescape(std::string_view text) {
  const auto digit = [](char c) { return '0' <= c && c <= '7'; };
  std::string plain;
  while (!text.empty()) {
    if (text.size() >= 4 && text[0] == '\\' &&
        std::all_of(text.begin() + 1, text.begin() + 4, digit)) {
      plain += static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 +
                                 (text[3] - '0'));
      text.remove_prefix(4);
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  return plain;
}

// One line. Source: proc(5), /proc/pid/mountinfo: the mount point is the fifth
// word, the file system's type the first behind " - ".
Mount ReadMount(std::string_view line) {
  std::string_view rest = line;
  for (int i = 0; i < 4; ++i) (void)NextWord(rest);
  Mount mount{.point = Unescape(NextWord(rest)), .kind = {}};
  const std::size_t sign = rest.find("- ");
  if (sign == std::string_view::npos) return mount;
  rest.remove_prefix(sign + 2);
  mount.kind = NextWord(rest);
  return mount;
}

bool IsBelow(const std::string& path, const std::string& point) {
  return point == "/" || path == point ||
         (path.starts_with(point) && path[point.size()] == '/');
}

// The mount that holds `path`: the longest, and of equal ones the last, which
// lies on top.
Mount MountOf(const std::string& path, std::string_view mounts) {
  Mount best;
  while (!mounts.empty()) {
    const std::size_t end = std::min(mounts.find('\n'), mounts.size());
    Mount mount = ReadMount(mounts.substr(0, end));
    if (!mount.point.empty() && IsBelow(path, mount.point) &&
        mount.point.size() >= best.point.size()) {
      best = std::move(mount);
    }
    mounts.remove_prefix(std::min(end + 1, mounts.size()));
  }
  return best;
}

}  // namespace

Result<void> CheckLasting(const SqliteStoreOptions& options) {
  if (options.ephemeral || options.k_service.empty()) return {};
  constexpr std::array<std::string_view, 4> kMemory{"tmpfs", "ramfs", "overlay",
                                                    "rootfs"};
  std::error_code ignored;
  const std::string path =
      std::filesystem::weakly_canonical(options.path, ignored).string();
  const Mount mount = MountOf(path, options.mounts);
  const bool lasts =
      mount.point.size() > 1 &&
      std::find(kMemory.begin(), kMemory.end(), mount.kind) == kMemory.end();
  if (lasts) return {};
  return Error{ErrorCode::kInvalidConfig,
               "`path` of dead letters '" + options.name + "': " +
                   options.path + " is lost with the container (K_SERVICE is " +
                   "set, and it lies on no volume); mount one, or set "
                   "`ephemeral` = true"};
}

}  // namespace cirro::internal::sqlite
