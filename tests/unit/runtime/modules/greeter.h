#pragma once

// What the test modules offer.
namespace cirro::test {

struct GreeterApi {
  static constexpr const char* kKind = "greeter";
  int (*answer)();
};

struct OtherApi {
  static constexpr const char* kKind = "other";
};

}  // namespace cirro::test
