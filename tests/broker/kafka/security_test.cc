// Connections that are encrypted or ask for a name and a password, against a
// real broker of the test's own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "support/event_fixtures.h"
#include "support/free_port.h"
#include "support/kafka_inlet_rig.h"
#include "support/kafka_server.h"
#include "support/temp_dir.h"

namespace cirro {
namespace {

using std::chrono::milliseconds;
using test::Eventually;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kPassword = "alice-secret";

// A certificate for 127.0.0.1 of an authority that nobody else knows.
class Certificates {
 public:
  Certificates() {
    Run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-ca "
        "-keyout ca.key -out ca.pem");
    Run("openssl req -newkey rsa:2048 -nodes -subj /CN=broker -keyout "
        "broker.key -out broker.csr");
    std::ofstream(folder_ / "san") << "subjectAltName=IP:127.0.0.1\n";
    Run("openssl x509 -req -in broker.csr -CA ca.pem -CAkey ca.key "
        "-CAcreateserial -days 2 -extfile san -out broker.crt");
    Run("cat broker.key broker.crt ca.pem >broker.pem");
  }
  [[nodiscard]] std::string broker() const { return folder_ / "broker.pem"; }
  [[nodiscard]] std::string ca() const {
    std::ifstream in(folder_ / "ca.pem");
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  void Run(const std::string& command) const {
    const std::string folder = folder_ / "";
    const std::string all = "cd " + folder + " && (" + command + ") 2>log";
    if (std::system(all.c_str()) != 0) throw std::runtime_error(command);
  }
  test::TempDir folder_;
};

// One broker for all of them: it takes seconds to start.
class Secure {
 public:
  Secure() : server_(Extra()) {}
  [[nodiscard]] std::string url() const { return server_.url(); }
  [[nodiscard]] KafkaConnection Connection(KafkaSecurity security) const {
    KafkaConnection connection;
    connection.security = security;
    connection.brokers =
        "127.0.0.1:" + std::to_string(security == KafkaSecurity::kTls ? tls_
                                      : security == KafkaSecurity::kSaslTls
                                          ? sasl_tls_
                                          : sasl_);
    const bool sasl = security != KafkaSecurity::kTls;
    if (sasl) connection.username = "alice";
    if (sasl) connection.password = kPassword;
    if (security != KafkaSecurity::kSaslPlaintext) {
      connection.ca = certificates_.ca();
    }
    return connection;
  }

 private:
  test::KafkaServerExtra Extra() const {
    const auto at = [](const char* name, std::uint16_t port) {
      return std::string(",") + name + "://127.0.0.1:" + std::to_string(port);
    };
    test::KafkaServerExtra extra;
    extra.listeners = at("SASL_PLAINTEXT", sasl_) + at("SASL_SSL", sasl_tls_) +
                      at("SSL", tls_);
    extra.protocols =
        ",SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL";
    extra.properties =
        "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512\n"
        "ssl.keystore.type=PEM\nssl.keystore.location=" +
        certificates_.broker() + "\n";
    for (const std::string name : {"sasl_plaintext", "sasl_ssl"}) {
      const std::string module =
          "sasl.jaas.config=org.apache.kafka.common."
          "security.";
      extra.properties += "listener.name." + name + ".plain." + module +
                          "plain.PlainLoginModule required user_alice=\"" +
                          kPassword + "\";\n";
      for (const std::string scram : {"scram-sha-256", "scram-sha-512"}) {
        extra.properties += "listener.name." + name + "." + scram + "." +
                            module + "scram.ScramLoginModule required;\n";
      }
    }
    for (const std::string scram : {"SCRAM-SHA-256", "SCRAM-SHA-512"}) {
      extra.format.insert(
          extra.format.end(),
          {"--add-scram", scram + "=[name=alice,password=" + kPassword + "]"});
    }
    return extra;
  }

  const Certificates certificates_;
  const std::uint16_t sasl_ = test::FreePort();
  const std::uint16_t sasl_tls_ = test::FreePort();
  const std::uint16_t tls_ = test::FreePort();
  test::KafkaServer server_;
};

class KafkaSecurityTest : public test::KafkaInletTest {
 protected:
  static void SetUpTestSuite() {
    const bool has_openssl = std::system("openssl version >/dev/null") == 0;
    if (!test::KafkaHome().empty() && has_openssl) secure = new Secure();
  }
  static void TearDownTestSuite() {
    delete secure;
    secure = nullptr;
  }
  void SetUp() override {
    if (secure == nullptr) {
      GTEST_SKIP() << "CIRRO_TEST_KAFKA_HOME holds no Kafka, or there "
                      "is no openssl";
    }
    tool_ = std::make_unique<test::KafkaTool>(secure->url());
    topic_ = tool_->MakeTopic();
  }
  KafkaInletOptions OptionsOf(KafkaConnection connection) {
    KafkaInletOptions options = Options(topic_);
    connection.librdkafka = options.connection.librdkafka;
    options.connection = std::move(connection);
    return options;
  }
  // Sent by an outlet and heard by an inlet.
  void ExpectThatItWorks(const KafkaConnection& connection) {
    KafkaOutletOptions to;
    to.connection = connection;
    to.topic = topic_;
    auto outlet = test::Kafka().make_outlet(to, clock_, notes_);
    ASSERT_TRUE(outlet) << outlet.error().message;
    ASSERT_TRUE((*outlet)->Start());
    test::Confirmations confirmed;
    (*outlet)->Send(test::MinEvent(), confirmed.Expect());
    const auto sent = confirmed.Of(0);
    EXPECT_TRUE(sent) << sent.error().message;

    const auto member = Start(OptionsOf(connection));
    member->sink.SettleAll();
    EXPECT_TRUE(member->sink.Await(1));
    EXPECT_TRUE(Eventually(
        [&] { return tool_->Committed(group_, topic_).offset == 1; }));
    EXPECT_THAT(member->notes.warnings(), IsEmpty());
  }
  // One line, however often it is tried, which has all of `texts`.
  void ExpectThatItSays(const KafkaConnection& connection,
                        const std::string& why, const std::string& setting) {
    const auto member = Start(OptionsOf(connection));
    EXPECT_TRUE(Eventually([&] { return member->notes.Said(setting); }));
    // It is tried again all the time: more than once by then.
    static_cast<void>(
        Eventually([&] { return member->notes.warnings().size() > 1; },
                   milliseconds(3'000)));
    EXPECT_THAT(member->notes.warnings(),
                ElementsAre(AllOf(HasSubstr(why), HasSubstr(setting))));
    EXPECT_EQ(LinkOf(*member->inlet), LinkState::Kind::kConnecting);
    EXPECT_FALSE(member->notes.Said(kPassword));
    EXPECT_THAT(member->notes.failures(), IsEmpty());

    KafkaOutletOptions to;
    to.connection = connection;
    to.topic = topic_;
    auto outlet = test::Kafka().make_outlet(to, clock_, notes_);
    ASSERT_TRUE(outlet) << outlet.error().message;
    ASSERT_TRUE((*outlet)->Start());
    EXPECT_TRUE(Eventually([&] { return notes_.Said(setting); }));
    EXPECT_FALSE(notes_.Said(kPassword));
  }

  static Secure* secure;
  std::unique_ptr<test::KafkaTool> tool_;
  std::string topic_;
};
Secure* KafkaSecurityTest::secure = nullptr;

TEST_F(KafkaSecurityTest, ANameAndAPasswordByEachMechanism) {
  for (const KafkaSasl sasl :
       {KafkaSasl::kPlain, KafkaSasl::kScramSha256, KafkaSasl::kScramSha512}) {
    SCOPED_TRACE(static_cast<int>(sasl));
    topic_ = tool_->MakeTopic();
    KafkaConnection connection =
        secure->Connection(KafkaSecurity::kSaslPlaintext);
    connection.sasl = sasl;
    ExpectThatItWorks(connection);
  }
}

TEST_F(KafkaSecurityTest, AnAuthorityOfOnesOwn) {
  ExpectThatItWorks(secure->Connection(KafkaSecurity::kTls));
}

TEST_F(KafkaSecurityTest, BothAtOnce) {
  KafkaConnection connection = secure->Connection(KafkaSecurity::kSaslTls);
  connection.sasl = KafkaSasl::kScramSha512;
  ExpectThatItWorks(connection);
}

TEST_F(KafkaSecurityTest, ACertificateThatIsNotCheckedNeedsNoAuthority) {
  KafkaConnection connection = secure->Connection(KafkaSecurity::kTls);
  connection.ca.clear();
  connection.verify = false;
  ExpectThatItWorks(connection);
}

TEST_F(KafkaSecurityTest, ARefusedPasswordNamesItsSettingOnce) {
  KafkaConnection connection =
      secure->Connection(KafkaSecurity::kSaslPlaintext);
  connection.password = std::string(kPassword) + "-wrong";
  ExpectThatItSays(connection, "uthentication failed", "`password`");
}

TEST_F(KafkaSecurityTest, ARefusedPasswordOfScramDoesSoToo) {
  KafkaConnection connection =
      secure->Connection(KafkaSecurity::kSaslPlaintext);
  connection.sasl = KafkaSasl::kScramSha256;
  connection.password = std::string(kPassword) + "-wrong";
  ExpectThatItSays(connection, "uthentication failed", "`password`");
}

TEST_F(KafkaSecurityTest, AnUnknownAuthorityNamesItsSettingOnce) {
  KafkaConnection connection = secure->Connection(KafkaSecurity::kTls);
  connection.ca.clear();
  ExpectThatItSays(connection, "certificate", "`ca_certificates`");
}

}  // namespace
}  // namespace cirro
