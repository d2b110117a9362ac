// The table of settings, and the pages that are made from it.

#include "runtime/src/config.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "runtime/src/metrics.h"
#include "runtime/src/settings.h"
#include "support/temp_dir.h"
#include "unit/runtime/config_sources.h"

namespace cirro::internal {
namespace {

using std::chrono::milliseconds;
using test::TempDir;

TEST(ConfigPrint, IsTomlThatGivesTheSameSettingsAgain) {
  const TempDir dir;
  ConfigSources sources = NoFile();
  sources.environment = {{"PORT", "9000"},
                         {"CIRRO__OUTLET__A__URL", "http://a/x"},
                         {"CIRRO__FUNCTION__F__TIMEOUT", "1m30s"}};
  const auto first = LoadConfig(sources);
  ASSERT_TRUE(first) << first.error().message;

  ConfigSources again;
  again.file = Write(dir, "printed.toml", PrintConfig(*first));
  const auto second = LoadConfig(again);

  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->receiver.port, 9000);
  EXPECT_EQ(second->outlets.at("a").http.url, "http://a/x");
  EXPECT_EQ(second->functions.at("f").timeout, milliseconds(90'000));
  ASSERT_EQ(second->effective.size(), first->effective.size());
  for (std::size_t i = 0; i < first->effective.size(); ++i) {
    EXPECT_EQ(second->effective[i].value, first->effective[i].value)
        << first->effective[i].key;
  }
}

TEST(ConfigTable, EveryDefaultIsAValueOfItsSetting) {
  for (const Setting* const setting : Settings()) {
    if (setting->fallback.empty()) continue;
    EXPECT_TRUE(ParseValue(*setting, setting->fallback)) << setting->key;
  }
}

TEST(ConfigTable, NoSettingIsThereTwice) {
  for (const Setting* const one : Settings()) {
    for (const Setting* const other : Settings()) {
      if (one == other || one->section != other->section ||
          one->key != other->key) {
        continue;
      }
      // Nor are there two that sections of one type have.
      EXPECT_FALSE(IsOfType(*one, other->types)) << one->section << one->key;
      EXPECT_FALSE(one->types.empty()) << one->section << "." << one->key;
    }
  }
}

void ExpectPage(const std::string& path, const std::string& page,
                const std::string& command) {
  std::ifstream file(std::string(CIRRO_SOURCE_DIR) + path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(text == page) << path << " is not what the code says: run\n  "
                            << command << " >" << path.substr(1);
}

TEST(Pages, ConfigurationIsWhatTheTableSays) {
  ExpectPage("/docs/configuration.md", ConfigurationMarkdown(),
             "build/bin/cirro config --markdown");
}

TEST(Pages, MetricsIsWhatTheTableSays) {
  ExpectPage("/docs/metrics.md", MetricsMarkdown(),
             "build/bin/cirro metrics --markdown");
}

}  // namespace
}  // namespace cirro::internal
