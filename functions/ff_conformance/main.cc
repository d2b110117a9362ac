// The CloudEvent function of the functions framework's conformance suite: it
// writes the event it received, as JSON, to function_output.json in the
// current folder.

#include <cirro/cirro.h>
#include <cirro/cloudevents/json_format.h>

#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <string>

namespace {

// Whole or not at all: the suite may read while the next event is written.
void Replace(const std::string& path, const std::string& text) {
  const std::string fresh = path + ".tmp";
  std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file || std::rename(fresh.c_str(), path.c_str()) != 0) {
    throw std::runtime_error("cannot write " + path);  // Tried again later.
  }
}

}  // namespace

int main(int argc, char** argv) {
  cirro::App app;
  // One call at a time: there is one file.
  app.On({.name = "ff_conformance", .type = "*", .concurrency = 1},
         [](const cirro::Event& event) {
           Replace("function_output.json", cirro::EncodeJson(event) + "\n");
         });
  return app.Run(argc, argv);
}
