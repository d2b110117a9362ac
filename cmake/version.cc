// The version that `strings` and a debugger find in a libcirro.
extern "C" __attribute__((visibility("default"))) const char cirro_version[] =
    "cirro " CIRRO_VERSION;
