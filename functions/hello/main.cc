// Greets whoever the event's data names, and replies with the greeting.

// [hello]
#include <cirro/cirro.h>
#include <cirro/json.h>

struct Person {
  std::string name = "world";
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Person, name)

int main(int argc, char** argv) {
  cirro::App app;
  app.On("com.example.hello", [](const Person& person) {
    return cirro::Reply({.type = "com.example.greeting",
                         .source = "/hello",
                         .data = cirro::Text("Hello, " + person.name + "!")});
  });
  return app.Run(argc, argv);
}
// [hello]
