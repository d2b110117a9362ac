#include <cirro/cirro.h>

int main(int argc, char** argv) {
  cirro::App app;

  app.On("com.example.greet", [](const cirro::Event& event) {
    return cirro::Reply({.type = "com.example.greeted",
                         .source = "/sample",
                         .subject = std::string(event.id())});
  });

  return app.Run(argc, argv);
}
