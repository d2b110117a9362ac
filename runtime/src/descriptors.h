#pragma once

#include <cstdint>

namespace cirro::internal {

/// Raises this process's soft bound on open descriptors to `wanted`, as far as
/// the hard one allows. Returns what it may open now.
std::uint64_t AllowDescriptors(std::uint64_t wanted) noexcept;

}  // namespace cirro::internal
