// Of libcirro alone: the linker puts these in the place of what every object
// that includes <iostream> calls at start, as Pistache's and valijson's headers
// do, to make std::cout and its like ready. Nothing in libcirro uses those (the
// test of an installed Cirro looks), and making their locales costs each
// process 4 % of its start and 400 KiB. Who includes <iostream> in a function
// has them, as ever.

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming)
extern "C" {
void __wrap__ZNSt8ios_base4InitC1Ev(void* init) noexcept;
void __wrap__ZNSt8ios_base4InitD1Ev(void* init) noexcept;

void __wrap__ZNSt8ios_base4InitC1Ev(void* /*init*/) noexcept {}
void __wrap__ZNSt8ios_base4InitD1Ev(void* /*init*/) noexcept {}
}
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
