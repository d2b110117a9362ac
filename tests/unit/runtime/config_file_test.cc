// The file of the configuration: which it is, and that it is read whole.

#include "runtime/src/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "runtime/src/flags.h"
#include "runtime/src/settings.h"
#include "support/temp_dir.h"
#include "unit/runtime/config_sources.h"

namespace cirro::internal {
namespace {

using test::TempDir;
using ::testing::HasSubstr;

TEST(Config, AFileThatWasNamedMustExist) {
  ConfigSources sources;
  sources.flags = {{"config", "/nowhere/cirro.toml", "flag --config"}};

  const auto config = LoadConfig(sources);

  EXPECT_THAT(Message(config), HasSubstr("/nowhere/cirro.toml: cannot be"));
}

// A working directory of its own while it lives.
class WorkingIn {
 public:
  explicit WorkingIn(const TempDir& dir) {
    std::filesystem::current_path(dir.path());
  }
  ~WorkingIn() {
    std::error_code ignored;
    std::filesystem::current_path(before_, ignored);
  }
  WorkingIn(const WorkingIn&) = delete;
  WorkingIn& operator=(const WorkingIn&) = delete;

 private:
  const std::filesystem::path before_ = std::filesystem::current_path();
};

TEST(Config, TheDefaultFileNeedNotBeThere) {
  const TempDir dir;
  const WorkingIn there(dir);

  const auto config = LoadConfig({});

  EXPECT_TRUE(config) << Message(config);
}

TEST(Config, TheDefaultFileThatIsThereMustBeReadable) {
  const TempDir dir;
  std::filesystem::create_directory(dir / "cirro.toml");
  const WorkingIn there(dir);

  const auto config = LoadConfig({});

  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::kInvalidConfig);
  EXPECT_EQ(config.error().message,
            "cirro.toml: cannot be read: Is a directory");
}

TEST(Config, ADefaultFileThatPointsNowhereIsThere) {
  const TempDir dir;
  std::filesystem::create_symlink("nowhere", dir / "cirro.toml");
  const WorkingIn there(dir);

  const auto config = LoadConfig({});

  EXPECT_THAT(Message(config),
              HasSubstr("cirro.toml: cannot be read: No such"));
}

TEST(Config, AFileIsReadWholeOrNotAtAll) {
  const std::string setting = "[http]\nport = 1\n";
  const std::string full =
      setting + std::string((1U << 20) - setting.size(), '#');

  const auto largest = FromFile(full);
  const auto larger = FromFile(full + "#");

  ASSERT_TRUE(largest) << Message(largest);
  EXPECT_EQ(largest->receiver.port, 1);
  EXPECT_THAT(Message(larger),
              HasSubstr("cirro.toml: is larger than 1048576 bytes"));
}

}  // namespace
}  // namespace cirro::internal
