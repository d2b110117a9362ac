// Secrets of the configuration: where they come from, and that none is shown.

#include "runtime/src/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "runtime/src/units.h"
#include "support/temp_dir.h"
#include "unit/runtime/config_sources.h"

namespace cirro::internal {
namespace {

using test::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ConfigSecrets, AreReadFromFilesAndNeverShown) {
  const TempDir dir;
  const std::string file = Write(dir, "token", "hunter2\n");

  const auto config = FromEnvironment({{"CIRRO__METRICS__TOKEN_FILE", file}});

  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->metrics.token.Reveal(), "hunter2");
  EXPECT_THAT(PrintConfig(*config), Not(HasSubstr("hunter2")));
  EXPECT_THAT(PrintConfig(*config), HasSubstr("token = \"***\""));
}

TEST(ConfigSecrets, OfNatsAreNeverShown) {
  const auto config = FromFile(
      "[inlet.a]\ntype = \"nats\"\nstream = \"A\"\ndurable = \"a\"\n"
      "servers = [\"nats://ann:hunter1@one:4222\", "
      "\"nats://hunter2@two:4222\"]\n"
      "[inlet.b]\ntype = \"nats\"\nstream = \"B\"\ndurable = \"b\"\n"
      "user = \"ann\"\npassword = \"hunter3\"\n"
      "[outlet.c]\ntype = \"nats\"\nsubject = \"c\"\n"
      "token = \"hunter4\"\n");

  ASSERT_TRUE(config) << config.error().message;
  const std::string page = PrintConfig(*config);
  EXPECT_THAT(page, Not(HasSubstr("hunter")));
  EXPECT_THAT(page, HasSubstr("***@one:4222"));
  EXPECT_THAT(page, HasSubstr("password = \"***\""));
  EXPECT_THAT(page, HasSubstr("token = \"***\""));
}

TEST(ConfigSecrets, AFileThatCannotBeReadIsNamed) {
  const auto config =
      FromEnvironment({{"CIRRO__METRICS__TOKEN_FILE", "/nowhere/token"}});

  EXPECT_THAT(Message(config),
              HasSubstr("/nowhere/token\": cannot be read: No such file"));
}

TEST(ConfigSecrets, AFileThatIsTooLargeIsNotCut) {
  const TempDir dir;
  const std::string file =
      Write(dir, "token", std::string((1U << 20) + 1, 'x'));

  const auto config = FromEnvironment({{"CIRRO__METRICS__TOKEN_FILE", file}});

  EXPECT_THAT(Message(config),
              HasSubstr("/token\": is larger than 1048576 bytes (environment "
                        "CIRRO__METRICS__TOKEN_FILE)"));
}

TEST(ConfigSecrets, CredentialsInUrlsAreMaskedInPagesAndErrors) {
  const auto shown =
      FromEnvironment({{"K_SINK", "https://ann:pw1@host/a?key=pw2"}});
  const auto wrong = FromEnvironment({{"K_SINK", "ftp://ann:pw1@host/?pw2"}});

  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_EQ(shown->knative.sink, "https://ann:pw1@host/a?key=pw2");
  EXPECT_THAT(PrintConfig(*shown), HasSubstr("\"https://***@host/a?***\""));
  EXPECT_THAT(PrintConfig(*shown), Not(HasSubstr("pw")));
  EXPECT_THAT(Message(wrong), HasSubstr("ftp://***@host/?***"));
  EXPECT_THAT(Message(wrong), Not(HasSubstr("pw")));
}

TEST(ConfigSecrets, ABadSecretFlagDoesNotEchoIt) {
  ConfigSources sources = NoFile();
  sources.flags = {{"outlet.a.authorization", "Bearer pw", "flag --set"}};

  const auto config = LoadConfig(sources);

  EXPECT_THAT(Message(config), Not(HasSubstr("pw")));
}

TEST(ConfigSecrets, AreGivenOneWayInOnePlace) {
  const TempDir dir;
  const std::string file = Write(dir, "token", "from a file");
  const std::string both =
      "[metrics]\ntoken = \"a\"\ntoken_file = \"" + file + "\"";
  ConfigSources later = NoFile();
  later.code = {{"metrics.token", "a", "code"}};
  later.environment = {{"CIRRO__METRICS__TOKEN_FILE", file}};

  const std::string pem = Write(
      dir, "pem", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");

  EXPECT_THAT(Message(FromFile(both)), HasSubstr("both given; keep one"));
  EXPECT_EQ(
      Message(FromEnvironment({{"K_CA_CERTS",
                                "-----BEGIN CERTIFICATE-----\n"
                                "-----END CERTIFICATE-----"},
                               {"CIRRO__KNATIVE__CA_CERTIFICATES_FILE", pem}})),
      "(no error)");
  const auto config = LoadConfig(later);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->metrics.token.Reveal(), "from a file");
}

TEST(RedactUrl, HidesUserPasswordAndQueryAndNothingElse) {
  EXPECT_EQ(RedactUrl("http://host:80/a"), "http://host:80/a");
  EXPECT_EQ(RedactUrl("http://u:p@host/a"), "http://***@host/a");
  EXPECT_EQ(RedactUrl("http://u:p@q@host"), "http://***@host");
  EXPECT_EQ(RedactUrl("http://host/a?token=x"), "http://host/a?***");
  EXPECT_EQ(RedactUrl("http://host/a#token=x"), "http://host/a#***");
  EXPECT_EQ(RedactUrl("http://host/a?mail=a@b"), "http://host/a?***");
  EXPECT_EQ(RedactUrl("u:p@host"), "***@host");
}

TEST(RedactUrl, HidesAPasswordThatShouldHaveBeenEscaped) {
  EXPECT_EQ(RedactUrl("http://u:p/q@host/a"), "http://***@host/a");
  EXPECT_EQ(RedactUrl("http://u:pa?ss@h/x"), "http://***");
  EXPECT_EQ(RedactUrl("http://u:p#a@h/"), "http://***");
  EXPECT_EQ(RedactUrl("http://u:p/a?ss@h"), "http://***");
  EXPECT_EQ(RedactUrl("http://u?p@h"), "http://***");
  EXPECT_EQ(RedactUrl("http://u:p/q@r/s@host/a"), "http://***@host/a");
  EXPECT_EQ(RedactUrl("http://u:p://q@host/a"), "http://***@host/a");
  // A path may hold an @: better too little is shown than too much.
  EXPECT_EQ(RedactUrl("http://host:80/a@b"), "http://***@b");
}

}  // namespace
}  // namespace cirro::internal
