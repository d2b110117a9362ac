// A library that a module needs and that cannot be found when it is loaded.
extern "C" __attribute__((visibility("default"))) int CirroTestAbsent() {
  return 0;
}
