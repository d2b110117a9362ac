extern "C" int CirroTestAbsent();
// Keeps the need for the library.
extern "C" __attribute__((visibility("default"))) int CirroTestNeeds() {
  return CirroTestAbsent();
}
