#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <string>
#include <utility>

#include "runtime/src/config.h"
#include "runtime/src/environment.h"
#include "support/temp_dir.h"

// Sections whose `type` decides what else they hold, lists, and tables.
namespace cirro::internal {
namespace {

using test::TempDir;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr std::string_view kKafkaInlet =
    "[inlet.orders]\n"
    "type = \"kafka\"\n"
    "brokers = \"b:9092\"\n"
    "topics = [\"a\", \"b\"]\n"
    "group = \"g\"\n";

Result<Config> Load(std::string_view text, Environment environment = {},
                    std::vector<Assignment> flags = {}) {
  const TempDir dir;
  ConfigSources sources;
  sources.file = dir / "cirro.toml";
  std::ofstream(*sources.file) << text;
  sources.environment = std::move(environment);
  sources.flags = std::move(flags);
  return LoadConfig(sources);
}

Result<Config> WithInlet(std::string_view more, Environment environment = {}) {
  return Load(std::string(kKafkaInlet).append(more), std::move(environment));
}

std::string Message(const Result<Config>& config) {
  return config ? "(no error)" : config.error().message;
}

TEST(ConfigType, DecidesWhichOptionsAreFilledIn) {
  const auto config = WithInlet(
      "max_in_flight = 7\n"
      "[inlet.audit]\n"
      "type = \"nats\"\nstream = \"S\"\ndurable = \"d\"\n");

  ASSERT_TRUE(config) << Message(config);
  const InletConfig& orders = config->inlets.at("orders");
  EXPECT_EQ(orders.type, InletType::kKafka);
  EXPECT_EQ(orders.kafka.name, "orders");
  EXPECT_EQ(orders.kafka.connection.brokers, "b:9092");
  EXPECT_THAT(orders.kafka.topics, ElementsAre("a", "b"));
  EXPECT_EQ(orders.kafka.group, "g");
  EXPECT_EQ(orders.kafka.max_poll_interval, std::chrono::minutes(5));
  EXPECT_EQ(orders.max_in_flight, 7U);
  const InletConfig& audit = config->inlets.at("audit");
  EXPECT_EQ(audit.type, InletType::kNats);
  EXPECT_EQ(audit.nats_jetstream.stream, "S");
  EXPECT_EQ(audit.nats_jetstream.name, "audit");
  EXPECT_THAT(audit.nats.servers, ElementsAre("nats://127.0.0.1:4222"));
}

TEST(ConfigType, DefaultsAreThoseOfTheBindingsThemselves) {
  const auto config = WithInlet(
      "[inlet.audit]\ntype = \"nats\"\nstream = \"S\"\ndurable = \"d\"\n"
      "[outlet.k]\ntype = \"kafka\"\nbrokers = \"b\"\ntopic = \"t\"\n"
      "[outlet.n]\ntype = \"nats\"\nsubject = \"s\"\n");

  ASSERT_TRUE(config) << Message(config);
  const KafkaInletOptions kafka;
  const KafkaInletOptions& set = config->inlets.at("orders").kafka;
  EXPECT_EQ(set.session_timeout, kafka.session_timeout);
  EXPECT_EQ(set.max_poll_interval, kafka.max_poll_interval);
  EXPECT_EQ(set.max_span, kafka.max_span);
  EXPECT_EQ(set.commit_every, kafka.commit_every);
  EXPECT_EQ(set.offset_map, kafka.offset_map);
  EXPECT_EQ(set.revoke_patience, kafka.revoke_patience);
  EXPECT_EQ(set.max_crashes, kafka.max_crashes);
  EXPECT_EQ(set.lag_every, kafka.lag_every);
  EXPECT_EQ(set.queue_messages, kafka.queue_messages);
  EXPECT_EQ(set.queue_bytes, kafka.queue_bytes);
  EXPECT_EQ(set.exactly_once.transaction_timeout,
            kafka.exactly_once.transaction_timeout);
  EXPECT_EQ(set.exactly_once.interval, kafka.exactly_once.interval);
  EXPECT_EQ(set.connection.client_id, kafka.connection.client_id);
  const JetStreamInletOptions stream;
  const JetStreamInletOptions& audit =
      config->inlets.at("audit").nats_jetstream;
  EXPECT_EQ(audit.ack_wait, stream.ack_wait);
  EXPECT_EQ(audit.max_ack_pending, stream.max_ack_pending);
  EXPECT_EQ(audit.batch, stream.batch);
  EXPECT_EQ(audit.expires, stream.expires);
  EXPECT_EQ(audit.heartbeat, stream.heartbeat);
  EXPECT_EQ(audit.max_crashes, stream.max_crashes);
  EXPECT_EQ(audit.crash_stream, stream.crash_stream);
  const KafkaOutletOptions to;
  const KafkaOutletOptions& k = config->outlets.at("k").kafka;
  EXPECT_EQ(k.mode, to.mode);
  EXPECT_EQ(k.key_from, to.key_from);
  EXPECT_EQ(k.linger, to.linger);
  EXPECT_EQ(k.timeout, to.timeout);
  const NatsOutletOptions& n = config->outlets.at("n").nats;
  EXPECT_EQ(n.mode, NatsOutletOptions().mode);
  EXPECT_EQ(n.timeout, NatsOutletOptions().timeout);
  EXPECT_EQ(n.duplicate_window, NatsOutletOptions().duplicate_window);
  EXPECT_EQ(n.connection.ping_interval, NatsConnection().ping_interval);
}

TEST(ConfigType, AKeyOfAnotherTypeIsTold) {
  const auto config = WithInlet("stream = \"S\"\n");

  EXPECT_THAT(Message(config),
              AllOf(HasSubstr("inlet.orders.stream is a setting of type nats, "
                              "and inlet.orders.type is kafka"),
                    HasSubstr("cirro.toml:6")));
}

TEST(ConfigType, ATableIsNoOneValue) {
  const auto config = WithInlet("librdkafka = \"debug\"\n");

  EXPECT_THAT(Message(config),
              AllOf(HasSubstr("inlet.orders.librdkafka is a table of settings"),
                    HasSubstr("inlet.orders.librdkafka.KEY")));
}

constexpr std::string_view kMemory =
    "[inlet.in]\ntype = \"memory\"\ntopics = [\"a\"]\n"
    "[outlet.out]\ntype = \"memory\"\ntopic = \"b\"\n";

TEST(ConfigMemory, DefaultsAreThoseOfTheBrokerItself) {
  const auto config = Load(kMemory);

  ASSERT_TRUE(config) << Message(config);
  const MemoryInletOptions inlet;
  const MemoryInletOptions& in = config->inlets.at("in").memory;
  EXPECT_EQ(config->inlets.at("in").type, InletType::kMemory);
  EXPECT_EQ(in.name, "in");
  EXPECT_THAT(in.topics, ElementsAre("a"));
  EXPECT_EQ(in.group, inlet.group);
  EXPECT_EQ(in.mode, inlet.mode);
  EXPECT_EQ(in.from_beginning, inlet.from_beginning);
  EXPECT_EQ(in.max_batch, inlet.max_batch);
  EXPECT_EQ(in.longest_span, inlet.longest_span);
  EXPECT_EQ(in.revoke_patience, inlet.revoke_patience);
  EXPECT_EQ(in.ack_wait, inlet.ack_wait);
  const MemoryOutletOptions outlet;
  const MemoryOutletOptions& out = config->outlets.at("out").memory;
  EXPECT_EQ(config->outlets.at("out").type, OutletType::kMemory);
  EXPECT_EQ(out.name, "out");
  EXPECT_EQ(out.topic, "b");
  EXPECT_EQ(out.key_from, outlet.key_from);
  const MemoryBrokerOptions broker;
  EXPECT_EQ(config->memory.partitions, broker.partitions);
  EXPECT_EQ(config->memory.max_records, broker.max_records);
  EXPECT_EQ(config->memory.max_bytes, broker.max_bytes);
  EXPECT_EQ(config->memory.max_record_bytes, broker.max_record_bytes);
  EXPECT_EQ(config->memory.rebalance_timeout, broker.rebalance_timeout);
}

TEST(ConfigMemory, TakesWhatIsSet) {
  const auto config = Load(
      "[memory]\npartitions = 1\nmax_bytes = \"1MiB\"\n"
      "[inlet.in]\ntype = \"memory\"\ntopics = [\"a\"]\ngroup = \"g\"\n"
      "mode = \"shared\"\nstart = \"end\"\n"
      "[outlet.out]\ntype = \"memory\"\ntopic = \"b\"\n"
      "key_from = \"none\"\nhttp_path = \"/b\"\n",
      {{"CIRRO__INLET__IN__ACK_WAIT", "2s"}},
      {{"inlet.in.batch", "3", "flag --set"}});

  ASSERT_TRUE(config) << Message(config);
  EXPECT_EQ(config->memory.partitions, 1U);
  EXPECT_EQ(config->memory.max_bytes, 1U << 20);
  const MemoryInletOptions& in = config->inlets.at("in").memory;
  EXPECT_EQ(in.group, "g");
  EXPECT_EQ(in.mode, MemoryMode::kShared);
  EXPECT_FALSE(in.from_beginning);
  EXPECT_EQ(in.ack_wait, std::chrono::seconds(2));
  EXPECT_EQ(in.max_batch, 3U);
  EXPECT_EQ(config->outlets.at("out").memory.key_from, "");
  EXPECT_EQ(config->outlets.at("out").http_path, "/b");
}

TEST(ConfigMemory, WhatItHasNotIsNoSettingOfIt) {
  EXPECT_THAT(Message(Load("[inlet.in]\ntype = \"memory\"\n")),
              HasSubstr("inlet.in.topics is not set"));
  EXPECT_THAT(Message(Load(std::string(kMemory) + "max_in_flight = 7\n")),
              AllOf(HasSubstr("outlet.out.max_in_flight is a setting of type"),
                    HasSubstr("and outlet.out.type is memory")));
}

TEST(ConfigMemory, ALetterThatWouldComeInAgainIsRefused) {
  EXPECT_THAT(
      Message(Load("[inlet.in]\ntype = \"memory\"\ntopics = [\"a\", \"b\"]\n"
                   "[outlet.out]\ntype = \"memory\"\ntopic = \"b\"\n"
                   "[dispatch]\ndead_letter = [\"out\"]\n")),
      HasSubstr("comes in again by [inlet.in]"));
}

TEST(ConfigPath, OfAnOutletIsItsAlone) {
  const std::string two = std::string(kMemory) +
                          "http_path = \"/b\"\n[outlet.p]\n"
                          "url = \"http://h/\"\nhttp_path = \"/b\"\n";

  EXPECT_THAT(Message(Load(two)),
              AllOf(HasSubstr("outlet.p.http_path = \"/b\": is that of "
                              "[outlet.out]"),
                    HasSubstr("cirro.toml:")));
  EXPECT_THAT(Message(Load(std::string(kMemory) + "http_path = \"b\"\n")),
              HasSubstr("must be a path that begins with /"));
  EXPECT_THAT(Message(Load(std::string(kMemory) +
                           "http_path = \"/b\"\n[http]\nenabled = false\n")),
              HasSubstr("has no effect without http.enabled"));
}

TEST(ConfigType, TheNearestKeyIsOneOfTheType) {
  const auto config = WithInlet("topic = \"t\"\n");

  EXPECT_THAT(Message(config), AllOf(HasSubstr("inlet.orders.topic"),
                                     HasSubstr("did you mean "
                                               "inlet.orders.topics?")));
}

TEST(ConfigType, MayComeFromALaterLayer) {
  const auto config = Load("[outlet.x]\ntopic = \"t\"\nbrokers = \"b\"\n",
                           {{"CIRRO__OUTLET__X__TYPE", "kafka"}});

  ASSERT_TRUE(config) << Message(config);
  EXPECT_EQ(config->outlets.at("x").type, OutletType::kKafka);
  EXPECT_EQ(config->outlets.at("x").kafka.topic, "t");
}

TEST(ConfigType, ThatIsUnknownIsTheOneMistake) {
  const auto config = Load("[inlet.x]\ntype = \"kafak\"\ntopics = [\"a\"]\n");

  EXPECT_EQ(Message(config).find('\n'), std::string::npos) << Message(config);
  EXPECT_THAT(Message(config), HasSubstr("must be one of `kafka`, `nats`"));
}

TEST(ConfigType, WhatItNeedsAndIsNotThereIsNamed) {
  EXPECT_THAT(Message(Load("[inlet.x]\n")),
              AllOf(HasSubstr("inlet.x.type is not set"),
                    HasSubstr("cirro.toml:1"), HasSubstr("type = \"kafka\"")));
  const auto config = Load("[inlet.x]\ntype = \"kafka\"\n");
  EXPECT_THAT(Message(config), AllOf(HasSubstr("inlet.x.brokers is not set"),
                                     HasSubstr("or set KAFKA_BROKERS"),
                                     HasSubstr("inlet.x.topics is not set"),
                                     HasSubstr("inlet.x.group is not set")));
}

TEST(ConfigType, APlatformNameFillsInWhatNobodySays) {
  const Environment environment{{"KAFKA_BROKERS", "platform:9092"}};
  const auto said = WithInlet("", environment);
  const auto unsaid =
      Load("[inlet.x]\ntype = \"kafka\"\ntopics = [\"a\"]\ngroup = \"g\"\n",
           environment);

  ASSERT_TRUE(said) << Message(said);
  ASSERT_TRUE(unsaid) << Message(unsaid);
  EXPECT_EQ(said->inlets.at("orders").kafka.connection.brokers, "b:9092");
  EXPECT_EQ(unsaid->inlets.at("x").kafka.connection.brokers, "platform:9092");
}

TEST(ConfigType, AnEnvironmentVariableReachesAnInlet) {
  const auto config =
      WithInlet("", {{"CIRRO__INLET__ORDERS__MAX_IN_FLIGHT", "12"}});

  ASSERT_TRUE(config) << Message(config);
  EXPECT_EQ(config->inlets.at("orders").max_in_flight, 12U);
}

TEST(ConfigList, IsAnArrayInTheFileAndTextWithCommasElsewhere) {
  const auto file = Load("[dispatch]\ndead_letter = [\"a\", \"b\"]\n");
  const auto text = Load("[dispatch]\ndead_letter = \"a , b\"\n");
  const auto environment = Load("", {{"CIRRO__DISPATCH__DEAD_LETTER", "a,b"}});

  for (const auto* config : {&file, &text, &environment}) {
    ASSERT_TRUE(*config) << Message(*config);
    EXPECT_THAT((*config)->dispatcher.dead_letter, ElementsAre("a", "b"));
  }
}

TEST(ConfigList, ThatIsEmptyHoldsNothing) {
  const auto config = Load("[function.f]\ndead_letter = []\n");

  ASSERT_TRUE(config) << Message(config);
  ASSERT_TRUE(config->functions.at("f").dead_letter);
  EXPECT_TRUE(config->functions.at("f").dead_letter->empty());
}

TEST(ConfigList, SaysWhatIsWrongWithIt) {
  const auto message = [](std::string_view list) {
    return Message(
        Load("[dispatch]\ndead_letter = " + std::string(list) + "\n"));
  };

  EXPECT_THAT(message("[1, 2]"), HasSubstr("texts in quotes"));
  EXPECT_THAT(message("[\"a,b\"]"), HasSubstr("with a comma"));
  EXPECT_THAT(message("\"a,,b\""), HasSubstr("must hold no empty text"));
  EXPECT_THAT(message("[\"a\", \"a\"]"), HasSubstr("\"a\" twice"));
  EXPECT_THAT(Message(Load("[dispatch]\nreply_to = [\"a\"]\n")),
              HasSubstr("dispatch.reply_to: must be one value, not a list"));
}

TEST(ConfigList, OfServersShowsNoCredentials) {
  const auto config = Load(
      "[outlet.n]\ntype = \"nats\"\nsubject = \"s\"\n"
      "servers = [\"nats://u:hush@h:1\", \"nats://k:1\"]\n");

  ASSERT_TRUE(config) << Message(config);
  EXPECT_THAT(config->outlets.at("n").nats.connection.servers,
              ElementsAre("nats://u:hush@h:1", "nats://k:1"));
  EXPECT_THAT(PrintConfig(*config),
              AllOf(HasSubstr("[\"nats://***@h:1\", \"nats://k:1\"]"),
                    Not(HasSubstr("hush"))));
}

TEST(ConfigTable, OfALibraryIsHandedOnAsItIs) {
  const auto quoted = WithInlet(
      "[inlet.orders.librdkafka]\n\"fetch.min.bytes\" = 1\n"
      "\"log.connection.close\" = false\n");
  const auto dotted = WithInlet(
      "librdkafka.fetch.min.bytes = 1\n"
      "librdkafka.log.connection.close = false\n");
  const auto environment = WithInlet(
      "",
      {{"CIRRO__INLET__ORDERS__LIBRDKAFKA__FETCH_MIN_BYTES", "1"},
       {"CIRRO__INLET__ORDERS__LIBRDKAFKA__LOG_CONNECTION_CLOSE", "false"}});

  for (const auto* config : {&quoted, &dotted, &environment}) {
    ASSERT_TRUE(*config) << Message(*config);
    EXPECT_THAT((*config)->inlets.at("orders").kafka.connection.librdkafka,
                ElementsAre(Pair("fetch.min.bytes", "1"),
                            Pair("log.connection.close", "false")));
  }
}

TEST(ConfigTable, ALaterLayerReplacesOneKeyOfIt) {
  const auto config = WithInlet(
      "librdkafka.fetch.min.bytes = 1\nlibrdkafka.fetch.wait.max.ms = 2\n",
      {{"CIRRO__INLET__ORDERS__LIBRDKAFKA__FETCH_MIN_BYTES", "9"}});

  ASSERT_TRUE(config) << Message(config);
  EXPECT_THAT(config->inlets.at("orders").kafka.connection.librdkafka,
              ElementsAre(Pair("fetch.min.bytes", "9"),
                          Pair("fetch.wait.max.ms", "2")));
}

TEST(ConfigTable, ShowsNothingThatMayBeASecret) {
  for (const std::string key :
       {"sasl.password", "ssl.key.password", "ssl.keystore.password",
        "ssl.key.pem", "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.config",
        "sasl.oauthbearer.assertion.private.key"
        ".passphrase"}) {
    const auto config =
        WithInlet("[inlet.orders.librdkafka]\n\"" + key + "\" = \"hush\"\n");

    ASSERT_TRUE(config) << Message(config);
    EXPECT_THAT(PrintConfig(*config),
                AllOf(HasSubstr(key), Not(HasSubstr("hush"))));
  }
  const auto shown = WithInlet("librdkafka.sasl.kerberos.keytab = \"/k\"\n");
  EXPECT_THAT(PrintConfig(*shown),
              HasSubstr("librdkafka.\"sasl.kerberos.keytab\" = \"/k\""));
}

TEST(ConfigTable, BelongsToItsType) {
  EXPECT_THAT(Message(Load("[outlet.n]\ntype = \"nats\"\nsubject = \"s\"\n"
                           "[outlet.n.librdkafka]\n\"a\" = 1\n")),
              HasSubstr("is a setting of type kafka, and outlet.n.type is "
                        "nats"));
  EXPECT_TRUE(WithInlet("[inlet.orders.librdkafka]\n"));
  EXPECT_THAT(Message(WithInlet("librdkafka = 3\n")),
              HasSubstr("inlet.orders.librdkafka"));
}

TEST(ConfigSecret, OfABrokerComesFromAFile) {
  const TempDir dir;
  std::ofstream(dir / "secret") << "hush\n";
  const auto config =
      WithInlet("password_file = \"" + (dir / "secret") + "\"\n");

  ASSERT_TRUE(config) << Message(config);
  EXPECT_EQ(config->inlets.at("orders").kafka.connection.password, "hush");
  EXPECT_THAT(PrintConfig(*config), Not(HasSubstr("hush")));
}

TEST(ConfigSecret, OfABrokerIsShownByNobody) {
  constexpr std::string_view kSecrets =
      "security = \"sasl_tls\"\nusername = \"ada\"\n"
      "password = \"hush-1\"\nkey = \"hush-2\"\nkey_password = \"hush-3\"\n";
  const auto inlet = WithInlet(kSecrets);
  const auto outlet =
      Load("[outlet.o]\ntype = \"kafka\"\nbrokers = \"b:1\"\ntopic = \"t\"\n" +
           std::string(kSecrets));

  for (const auto* config : {&inlet, &outlet}) {
    ASSERT_TRUE(*config) << Message(*config);
    EXPECT_THAT(
        PrintConfig(**config),
        AllOf(HasSubstr("username = \"ada\""), HasSubstr("password = \"***\""),
              HasSubstr("key = \"***\""), HasSubstr("key_password = \"***\""),
              Not(HasSubstr("hush"))));
  }
  EXPECT_EQ(outlet->outlets.at("o").kafka.connection.key_password, "hush-3");
}

TEST(ConfigType, OfKafkaBoundsEventsAndTransactions) {
  const auto config = WithInlet(
      "exactly_once = true\ntransaction_max_records = 7\nstrict = true\n"
      "max_event_bytes = \"2KiB\"\nmax_attributes = 9\n"
      "max_attribute_value_bytes = 77\n");

  ASSERT_TRUE(config) << Message(config);
  const KafkaInletOptions& options = config->inlets.at("orders").kafka;
  EXPECT_EQ(options.exactly_once.max_records, 7U);
  EXPECT_TRUE(options.decode.strict);
  EXPECT_EQ(options.decode.max_event_bytes, 2'048U);
  EXPECT_EQ(options.decode.max_attributes, 9U);
  EXPECT_EQ(options.decode.max_attribute_value_bytes, 77U);
  EXPECT_EQ(WithInlet("")->inlets.at("orders").kafka.decode.max_event_bytes,
            1'048'576U);
}

TEST(ConfigPrint, OfTypedSectionsGivesTheSameSettingsAgain) {
  const auto first = WithInlet(
      "start = \"2026-01-31T12:00:00Z\"\n"
      "librdkafka.fetch.min.bytes = 1\n"
      "[dead_letter.kept]\npath = \"/tmp/x.db\"\n"
      "[dispatch]\ndead_letter = [\"kept\"]\n");
  ASSERT_TRUE(first) << Message(first);

  const auto second = Load(PrintConfig(*first));

  ASSERT_TRUE(second) << Message(second);
  ASSERT_EQ(second->effective.size(), first->effective.size());
  for (std::size_t i = 0; i < first->effective.size(); ++i) {
    EXPECT_EQ(second->effective[i].value, first->effective[i].value);
  }
  EXPECT_EQ(second->inlets.at("orders").kafka.connection.librdkafka,
            first->inlets.at("orders").kafka.connection.librdkafka);
}

TEST(ConfigStart, IsAWordAnOffsetOrATime) {
  const auto start = [](const std::string& text) {
    const auto config = WithInlet("start = \"" + text + "\"\n");
    EXPECT_TRUE(config) << Message(config);
    return config->inlets.at("orders").kafka.start;
  };

  EXPECT_EQ(start("beginning").kind, KafkaStart::Kind::kEarliest);
  EXPECT_EQ(start("end").kind, KafkaStart::Kind::kLatest);
  EXPECT_EQ(start("42").kind, KafkaStart::Kind::kOffset);
  EXPECT_EQ(start("42").offset, 42U);
  EXPECT_EQ(start("2026-01-31T12:00:00Z").kind, KafkaStart::Kind::kTime);
  EXPECT_THAT(Message(WithInlet("start = \"-1\"\n")),
              HasSubstr("must be beginning, end, an offset, or an RFC 3339"));
}

TEST(ConfigFunction, HasItsOwnRetriesAndDeadLetters) {
  const auto config = Load(
      "[function.f]\nretry_attempts = 2\nretry_base = \"1s\"\n"
      "retry_cap = \"2s\"\non_exhausted = \"drop\"\ndedup = true\n"
      "dead_letter = \"a, b\"\n");

  ASSERT_TRUE(config) << Message(config);
  const FunctionConfig& function = config->functions.at("f");
  EXPECT_EQ(function.retry_attempts, 2);
  EXPECT_EQ(function.retry_base, std::chrono::seconds(1));
  EXPECT_EQ(function.retry_cap, std::chrono::seconds(2));
  EXPECT_EQ(function.on_exhausted, OnExhausted::kDrop);
  EXPECT_EQ(function.dedup, true);
  EXPECT_THAT(*function.dead_letter, ElementsAre("a", "b"));
}

TEST(ConfigDeadLetter, IsAFileUnlessItSaysElse) {
  const auto config = Load("[dead_letter.kept]\npath = \"/data/d.db\"\n");

  ASSERT_TRUE(config) << Message(config);
  EXPECT_EQ(config->dead_letters.at("kept").path, "/data/d.db");
  EXPECT_THAT(Message(Load("[dead_letter.kept]\n")),
              HasSubstr("dead_letter.kept.path is not set"));
}

}  // namespace
}  // namespace cirro::internal
