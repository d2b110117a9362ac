#include "credentials.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

namespace cirro::internal::nats {
namespace {

constexpr std::size_t kLargest = 1 << 20;

Result<void> CheckFile(const std::string& setting, const std::string& path,
                       std::initializer_list<std::string_view> parts,
                       const char* what) {
  const std::string name = "connection." + setting + ": '" + path + "' ";
  std::ifstream file(path, std::ios::binary);
  std::string text;
  if (file) {
    text.resize(kLargest);
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
  }
  if (!file && !file.eof()) {
    return Error{ErrorCode::kInvalidConfig,
                 name + "cannot be read: " +
                     std::error_code(errno, std::generic_category()).message()};
  }
  for (const std::string_view part : parts) {
    if (text.find(part) == std::string::npos) {
      return Error{ErrorCode::kInvalidConfig, name + "is no " + what};
    }
  }
  return {};
}

}  // namespace

Result<void> CheckCredentials(const NatsConnection& connection) {
  if (!connection.credentials_file.empty()) {
    return CheckFile("credentials_file", connection.credentials_file,
                     {"BEGIN NATS USER JWT", "BEGIN USER NKEY SEED"},
                     "credentials file: it has no user's JWT and seed");
  }
  if (!connection.nkey_seed_file.empty()) {
    return CheckFile("nkey_seed_file", connection.nkey_seed_file, {"SU"},
                     "file with a user's seed, 'SU...'");
  }
  return {};
}

}  // namespace cirro::internal::nats
