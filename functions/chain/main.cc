// One event in, several out: one for each member of the data, in its order.
// Several replies do not fit one HTTP answer, so they go to the sink (K_SINK,
// or reply_to); the sender is told "done" when the sink has them all.

#include <cirro/cirro.h>
#include <cirro/json.h>

#include <string>
#include <utility>
#include <vector>

int main(int argc, char** argv) {
  cirro::App app;

  // [chain]
  app.On("com.example.chain",
         [](const cirro::Event& event, const nlohmann::json& data) {
           std::vector<cirro::EventDraft> links;
           for (const auto& [name, value] : data.items()) {
             links.push_back({.type = "com.example.chain.link",
                              .source = std::string(event.source()),
                              .subject = name,
                              .data = cirro::Json(value)});
           }
           return links;
         });
  // [chain]

  return app.Run(argc, argv);
}
