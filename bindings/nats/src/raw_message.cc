#include "raw_message.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "header_lines.h"

namespace cirro::internal::nats {
namespace {

// libnats gives an array that is ours, of texts that are the message's.
struct FreeArray {
  void operator()(const char** array) const noexcept {
    std::free(static_cast<void*>(array));
  }
};
using TextArray = std::unique_ptr<const char*, FreeArray>;

// The versions of libnats whose messages are known to be as WireHeaders has it.
constexpr std::uint32_t kFirstKnown = 0x030400;
constexpr std::uint32_t kBehindKnown = 0x030b00;

// libnats copies what it received into one block: subject, reply, headers and
// data, each with a zero behind it. It gives out all of them but the headers,
// for which it makes some twenty pieces of memory in a hash table, that a
// thread of its own frees. Empty where they are not what stands there.
std::string_view WireHeaders(const natsMsg* message) {
  static const std::uint32_t kVersion = nats_GetVersionNumber();
  if (kVersion < kFirstKnown || kVersion >= kBehindKnown) return {};
  const char* const reply = natsMsg_GetReply(message);
  const char* const data = natsMsg_GetData(message);
  if (reply == nullptr || data == nullptr) return {};
  const char* const begin = reply + std::strlen(reply) + 1;
  return begin < data ? std::string_view(
                            begin, static_cast<std::size_t>(data - begin) - 1)
                      : std::string_view();
}

}  // namespace

void ReadHeaders(natsMsg* message, std::vector<NatsHeader>& headers) {
  if (ParseHeaderLines(WireHeaders(message), headers)) return;
  const char** names = nullptr;
  int count = 0;
  if (natsMsgHeader_Keys(message, &names, &count) != NATS_OK) return;
  const TextArray owned_names(names);
  for (int i = 0; i < count; ++i) {
    const char** values = nullptr;
    int value_count = 0;
    if (natsMsgHeader_Values(message, names[i], &values, &value_count) !=
        NATS_OK) {
      continue;
    }
    const TextArray owned_values(values);
    for (int j = 0; j < value_count; ++j) {
      headers.push_back({names[i], values[j]});
    }
  }
}

std::string_view HeaderOf(natsMsg* message, const char* name) {
  const char* value = nullptr;
  if (natsMsgHeader_Get(message, name, &value) != NATS_OK || value == nullptr) {
    return {};
  }
  return value;
}

}  // namespace cirro::internal::nats
