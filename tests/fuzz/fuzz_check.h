#pragma once

#include <cstdio>
#include <cstdlib>

/// A condition that a fuzzer holds to be true; the process ends where it is
/// not, in every build.
#define CIRRO_FUZZ_CHECK(condition)                                         \
  do {                                                                      \
    if (!(condition)) {                                                     \
      std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, \
                   #condition);                                             \
      std::abort();                                                         \
    }                                                                       \
  } while (false)
