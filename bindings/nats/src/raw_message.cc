#include "raw_message.h"

#include <cstdlib>

namespace cirro::internal::nats {
namespace {

// libnats gives an array that is ours, of texts that are the message's.
struct FreeArray {
  void operator()(const char** array) const noexcept {
    std::free(static_cast<void*>(array));
  }
};
using TextArray = std::unique_ptr<const char*, FreeArray>;

}  // namespace

void ReadHeaders(natsMsg* message, std::vector<NatsHeader>& headers) {
  headers.clear();
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
