// The ways to be known to a server, with servers that ask for them; and what is
// said where one lets nobody in.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "cirro/dispatch/capabilities.h"
#include "cirro/dispatch/link.h"
#include "support/nats_module.h"
#include "support/nats_server.h"
#include "support/real_time.h"
#include "support/temp_dir.h"

namespace cirro {
namespace {

using test::Eventually;
using test::NatsServer;
using test::NotesObserver;
using test::RealClock;
using test::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// One who tries to come in.
class Visitor {
 public:
  explicit Visitor(const NatsServer& server) {
    connection.servers = {server.url()};
    connection.reconnect_wait = std::chrono::milliseconds(10);
  }
  ~Visitor() {
    if (outlet_) outlet_->Stop(std::chrono::seconds(5));
  }
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;

  Result<void> Come() {
    NatsOutletOptions options;
    options.name = "letters";
    options.connection = connection;
    options.subject = "letters.new";
    options.jetstream = false;
    auto made = test::Nats().make_outlet(options, clock_, notes);
    if (!made) return made.error();
    outlet_ = *std::move(made);
    return outlet_->Start();
  }
  [[nodiscard]] bool IsIn() {
    return Eventually([this] { return Stands(LinkState::Kind::kConnected); });
  }
  [[nodiscard]] bool IsRefused() {
    return Eventually([this] { return Stands(LinkState::Kind::kFailed); });
  }
  [[nodiscard]] bool Stands(LinkState::Kind kind) const {
    return CapabilityOf<Linked>(*outlet_)->link().kind == kind;
  }

  NatsConnection connection;
  NotesObserver notes;

 private:
  RealClock clock_;
  std::unique_ptr<Outlet> outlet_;
};

std::string TextOf(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What every refusal is: for good, in one line that names the settings, and
// without the secret.
void ExpectRefused(Visitor& visitor, const std::string& secret) {
  // At once, where the server was that quick.
  if (const auto come = visitor.Come(); !come) {
    EXPECT_EQ(come.error().code, ErrorCode::kInvalidConfig);
  }
  EXPECT_TRUE(visitor.IsRefused());
  EXPECT_THAT(
      visitor.notes.failures(),
      ElementsAre(AllOf(HasSubstr("refuses it: "),
                        ::testing::MatchesRegex(".*[Aa]uthori[sz]ation.*"),
                        HasSubstr("user"), HasSubstr("token"),
                        HasSubstr("credentials_file"), HasSubstr("nkey"),
                        Not(HasSubstr(secret)))));
  EXPECT_FALSE(visitor.notes.Said(secret));
}

TEST(NatsCredentials, AUserWithThePasswordComesIn) {
  const NatsServer server({"--user", "alice", "--pass", "s3cret"});
  Visitor visitor(server);
  visitor.connection.user = "alice";
  visitor.connection.password = "s3cret";

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(visitor.IsIn());
  EXPECT_THAT(visitor.notes.failures(), IsEmpty());
  EXPECT_FALSE(visitor.notes.Said("s3cret"));
}

TEST(NatsCredentials, AUserAndPasswordInTheUrlAreUsedAndNotShown) {
  const NatsServer server({"--user", "alice", "--pass", "s3cret"});
  Visitor visitor(server);
  visitor.connection.servers = {"nats://alice:s3cret@" +
                                server.url().substr(7)};

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(visitor.IsIn());
  EXPECT_TRUE(Eventually([&] { return visitor.notes.Said("connected to"); }));
  EXPECT_FALSE(visitor.notes.Said("s3cret"));
}

TEST(NatsCredentials, AWrongPasswordIsRefused) {
  const NatsServer server({"--user", "alice", "--pass", "s3cret"});
  Visitor visitor(server);
  visitor.connection.user = "alice";
  visitor.connection.password = "wr0ng";

  ExpectRefused(visitor, "wr0ng");
}

TEST(NatsCredentials, NobodyIsLetInWhoSaysNothing) {
  const NatsServer server({"--user", "alice", "--pass", "s3cret"});
  Visitor visitor(server);

  ExpectRefused(visitor, "s3cret");
}

TEST(NatsCredentials, ATokenComesInAndAWrongOneIsRefused) {
  const NatsServer server({"--auth", "t0ken"});
  Visitor visitor(server);
  visitor.connection.token = "t0ken";
  Visitor stranger(server);
  stranger.connection.token = "wr0ng";

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(visitor.IsIn());
  ExpectRefused(stranger, "wr0ng");
}

/// With keys, credentials and the configurations of servers for them.
class NatsKeys : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string make = "python3 " CIRRO_SOURCE_DIR
                             "/tests/support/nats_keys.py '" +
                             folder.path().string() + "'";
    if (std::system("openssl version >/dev/null 2>&1") != 0) {
      GTEST_SKIP() << "no openssl";
    }
    ASSERT_EQ(std::system(make.c_str()), 0);
  }

  TempDir folder;
};

TEST_F(NatsKeys, AnNkeyComesInWithItsSeed) {
  const NatsServer server({"-c", folder / "nkey.conf"});
  Visitor visitor(server);
  visitor.connection.nkey = TextOf(folder / "alice.public");
  visitor.connection.nkey_seed_file = folder / "alice.seed";

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(visitor.IsIn());
}

TEST_F(NatsKeys, AnotherNkeyIsRefused) {
  const NatsServer server({"-c", folder / "nkey.conf"});
  Visitor visitor(server);
  visitor.connection.nkey = TextOf(folder / "bob.public");
  visitor.connection.nkey_seed_file = folder / "bob.seed";

  ExpectRefused(visitor, TextOf(folder / "bob.seed"));
}

TEST_F(NatsKeys, AnNkeyWithTheSeedOfAnotherIsRefused) {
  const NatsServer server({"-c", folder / "nkey.conf"});
  Visitor visitor(server);
  visitor.connection.nkey = TextOf(folder / "alice.public");
  visitor.connection.nkey_seed_file = folder / "bob.seed";

  ExpectRefused(visitor, TextOf(folder / "bob.seed"));
}

TEST_F(NatsKeys, CredentialsOfATrustedOperatorComeIn) {
  const NatsServer server({"-c", folder / "operator.conf"});
  Visitor visitor(server);
  visitor.connection.credentials_file = folder / "alice.creds";

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(visitor.IsIn());
}

TEST_F(NatsKeys, CredentialsOfAnotherOperatorAreRefused) {
  const NatsServer server({"-c", folder / "operator.conf"});
  Visitor visitor(server);
  visitor.connection.credentials_file = folder / "mallory.creds";

  ExpectRefused(visitor, TextOf(folder / "bob.seed"));
}

TEST_F(NatsKeys, AFileThatIsMissingOrHoldsSomethingElseIsNamedAtTheStart) {
  const NatsServer server({"-c", folder / "operator.conf"});
  std::ofstream(folder / "empty.creds") << "nothing\n";
  const std::string missing = folder / "missing.creds";
  for (const std::string& file : {missing, folder / "empty.creds"}) {
    Visitor visitor(server);
    visitor.connection.credentials_file = file;

    const Result<void> come = visitor.Come();

    ASSERT_FALSE(come) << file;
    EXPECT_EQ(come.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(come.error().message,
                AllOf(HasSubstr("credentials_file"), HasSubstr(file)));
  }
}

TEST_F(NatsKeys, ASeedFileThatIsMissingOrHoldsSomethingElseIsNamedAtTheStart) {
  const NatsServer server({"-c", folder / "nkey.conf"});
  std::ofstream(folder / "empty.seed") << "nothing\n";
  const std::string missing = folder / "missing.seed";
  for (const std::string& file : {missing, folder / "empty.seed"}) {
    Visitor visitor(server);
    visitor.connection.nkey = TextOf(folder / "alice.public");
    visitor.connection.nkey_seed_file = file;

    const Result<void> come = visitor.Come();

    ASSERT_FALSE(come) << file;
    EXPECT_EQ(come.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(come.error().message,
                AllOf(HasSubstr("nkey_seed_file"), HasSubstr(file)));
  }
}

/// With a certificate of an authority that nobody knows, and a client's of it.
class NatsTls : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto made = [this](const std::string& name,
                             const std::string& subject) {
      const std::string path = folder / name;
      return std::system(("openssl req -x509 -newkey ec -pkeyopt "
                          "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
                          subject + " -addext subjectAltName=DNS:" + subject +
                          " -keyout '" + path + ".key' -out '" + path +
                          ".pem' 2>/dev/null")
                             .c_str()) == 0;
    };
    if (!made("server", "broker.test") || !made("client", "client.test")) {
      GTEST_SKIP() << "no openssl";
    }
  }
  [[nodiscard]] std::vector<std::string> Flags(
      std::vector<std::string> more = {}) const {
    std::vector<std::string> flags{"--tls", "--tlscert", folder / "server.pem",
                                   "--tlskey", folder / "server.key"};
    flags.insert(flags.end(), more.begin(), more.end());
    return flags;
  }
  // Trusts the server, whatever its address.
  void Trust(NatsConnection& connection) const {
    connection.tls = true;
    connection.ca_file = folder / "server.pem";
    connection.expected_host = "broker.test";
  }
  // It tries again for ever, and says what to change.
  static void ExpectTurnedAway(Visitor& visitor) {
    ASSERT_TRUE(visitor.Come());
    EXPECT_TRUE(Eventually([&] {
      return visitor.notes.Said("ca_certificates_file") &&
             visitor.notes.Said("expected_host");
    }));
    EXPECT_TRUE(visitor.Stands(LinkState::Kind::kConnecting));
  }

  TempDir folder;
};

TEST_F(NatsTls, AServerWithATrustedCertificateIsSpokenTo) {
  const NatsServer server(Flags());
  Visitor visitor(server);
  Trust(visitor.connection);

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(visitor.IsIn());
}

TEST_F(NatsTls, AServerThatNobodyKnowsIsNot) {
  const NatsServer server(Flags());
  Visitor visitor(server);
  visitor.connection.tls = true;

  ExpectTurnedAway(visitor);
}

TEST_F(NatsTls, AServerOfAnotherNameIsNot) {
  const NatsServer server(Flags());
  Visitor visitor(server);
  Trust(visitor.connection);
  visitor.connection.expected_host = "other.test";

  ExpectTurnedAway(visitor);
}

TEST_F(NatsTls, WithoutVerifyAnyServerIsSpokenTo) {
  const NatsServer server(Flags());
  Visitor visitor(server);
  visitor.connection.tls = true;
  visitor.connection.verify = false;

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(visitor.IsIn());
}

TEST_F(NatsTls, AClientShowsItsOwnCertificate) {
  const NatsServer server(
      Flags({"--tlsverify", "--tlscacert", folder / "client.pem"}));
  Visitor visitor(server);
  Trust(visitor.connection);
  visitor.connection.certificate_file = folder / "client.pem";
  visitor.connection.key_file = folder / "client.key";

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(visitor.IsIn());
}

TEST_F(NatsTls, AClientWithoutOneIsTurnedAwayAndNamesTheSetting) {
  const NatsServer server(
      Flags({"--tlsverify", "--tlscacert", folder / "client.pem"}));
  Visitor visitor(server);
  Trust(visitor.connection);

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(
      Eventually([&] { return visitor.notes.Said("certificate_file"); }));
  EXPECT_FALSE(visitor.Stands(LinkState::Kind::kConnected));
}

TEST_F(NatsTls, AServerWithoutTlsIsNotSpokenToInTheClear) {
  const NatsServer server;
  Visitor visitor(server);
  visitor.connection.tls = true;

  ASSERT_TRUE(visitor.Come());

  EXPECT_TRUE(Eventually([&] { return visitor.notes.Said("tls"); }));
  EXPECT_TRUE(visitor.Stands(LinkState::Kind::kConnecting));
}

TEST_F(NatsTls, ACertificateFileThatIsMissingIsNamedAtTheStart) {
  const NatsServer server(Flags());
  Visitor visitor(server);
  visitor.connection.tls = true;
  visitor.connection.ca_file = folder / "missing.pem";

  const Result<void> come = visitor.Come();

  ASSERT_FALSE(come);
  EXPECT_EQ(come.error().code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(come.error().message,
              AllOf(HasSubstr("ca_file"), HasSubstr("missing.pem")));
}

}  // namespace
}  // namespace cirro
