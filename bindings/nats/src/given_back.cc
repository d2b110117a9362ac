#include "given_back.h"

namespace cirro::internal::nats {

bool GivenBack::Wait(TimePoint now) {
  std::erase_if(messages_,
                [now](const auto& one) { return one.second <= now; });
  return !messages_.empty();
}

std::uint64_t GivenBack::Look(std::uint64_t first, TimePoint now) {
  if (!Wait(now)) return 0;
  return std::erase_if(messages_,
                       [first](const auto& one) { return one.first < first; });
}

}  // namespace cirro::internal::nats
