// Nothing but the C++ standard library: where the cold start of any C++ program
// begins.

#include <iostream>

int main() { return std::cout.good() ? 0 : 1; }
