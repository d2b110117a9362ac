#include "container_limits.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "small_file.h"

namespace cirro::internal {
namespace {

std::optional<std::int64_t> TakeNumber(std::string_view& text) {
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return value;
}

std::optional<std::int64_t> ReadNumber(const std::string& path) {
  const auto text = ReadSmallFile(path);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  return TakeNumber(rest);
}

void LowerCpus(ContainerLimits& limits, std::int64_t quota, std::int64_t period,
               const char* from) {
  if (quota <= 0 || period <= 0) return;
  const double cpus = static_cast<double>(quota) / static_cast<double>(period);
  if (cpus >= limits.cpus) return;
  limits.cpus = cpus;
  limits.cpus_from = from;
}

void LowerMemory(ContainerLimits& limits, std::optional<std::int64_t> bytes) {
  // Version 1 writes "no limit" as a number near 2^63.
  if (!bytes || *bytes <= 0 || *bytes >= 1LL << 60) return;
  limits.memory_bytes = std::min(limits.memory_bytes.value_or(*bytes), *bytes);
}

// The path of this process in hierarchy `controllers` of /proc/self/cgroup,
// whose lines are "id:controllers:path".
std::string GroupPath(std::string_view groups, std::string_view controllers) {
  while (!groups.empty()) {
    const std::string_view line = groups.substr(0, groups.find('\n'));
    groups.remove_prefix(std::min(groups.size(), line.size() + 1));
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view names = line.substr(first + 1, second - first - 1);
    const bool found = controllers.empty()
                           ? names.empty()
                           : ("," + std::string(names) + ",")
                                     .find("," + std::string(controllers) +
                                           ",") != std::string::npos;
    if (found) return std::string(line.substr(second + 1));
  }
  return "/";
}

// Calls `read` with the directory of `path` below `mount`, and of each level
// above it: every one of them bounds.
template <typename Read>
void EachLevel(const std::string& mount, std::string path, Read read) {
  for (;;) {
    if (path == "/") path.clear();
    read(mount + path);
    if (path.empty()) return;
    path.resize(path.rfind('/') == std::string::npos ? 0 : path.rfind('/'));
  }
}

}  // namespace

ContainerLimits ReadContainerLimits(const std::string& root) {
  ContainerLimits limits;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    limits.cpus = CPU_COUNT(&set);
  limits.cpus_from = "the machine's processors";

  const auto read = ReadSmallFile(root + "/proc/self/cgroup");
  const std::string groups = read ? *read : std::string();
  const std::string mount = root + "/sys/fs/cgroup";
  EachLevel(mount, GroupPath(groups, ""), [&](const std::string& directory) {
    if (const auto text = ReadSmallFile(directory + "/cpu.max")) {
      std::string_view rest = *text;
      const auto quota = TakeNumber(rest);  // "max" is none.
      if (quota && !rest.empty()) {
        rest.remove_prefix(1);
        LowerCpus(limits, *quota, TakeNumber(rest).value_or(0), "cpu.max");
      }
    }
    LowerMemory(limits, ReadNumber(directory + "/memory.max"));
  });
  if (ReadSmallFile(mount + "/cgroup.controllers")) return limits;

  EachLevel(mount + "/cpu", GroupPath(groups, "cpu"),
            [&](const std::string& directory) {
              LowerCpus(
                  limits,
                  ReadNumber(directory + "/cpu.cfs_quota_us").value_or(0),
                  ReadNumber(directory + "/cpu.cfs_period_us").value_or(0),
                  "cpu.cfs_quota_us");
            });
  EachLevel(mount + "/memory", GroupPath(groups, "memory"),
            [&](const std::string& directory) {
              LowerMemory(limits,
                          ReadNumber(directory + "/memory.limit_in_bytes"));
            });
  return limits;
}

}  // namespace cirro::internal
