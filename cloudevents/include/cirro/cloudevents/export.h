#pragma once

/// Marks what libcirro exports; everything else in it is hidden.
#if defined(__GNUC__)
#define CIRRO_EXPORT __attribute__((visibility("default")))
#else
#define CIRRO_EXPORT
#endif
