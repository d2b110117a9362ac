// Dead letters in a stream, for operators: the module "nats" against a real
// server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cirro/dispatch/letter_box.h"
#include "cirro/dispatch/replay.h"
#include "support/jetstream_rig.h"

namespace cirro {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The stream ORDERS of the subjects orders.>, and a stream DEAD of dead.>,
// where letters are under dead.letters.
struct BoxRig : test::JetStreamRig {
  explicit BoxRig(bool deny_delete = false) {
    const char* subjects[] = {"dead.>"};
    jsStreamConfig config;
    jsStreamConfig_Init(&config);
    config.Name = "DEAD";
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.DenyDelete = deny_delete;
    if (js_AddStream(nullptr, peer.js(), &config, nullptr, nullptr) !=
        NATS_OK) {
      throw std::runtime_error("no stream DEAD");
    }
  }

  std::unique_ptr<LetterBox> Open(const std::string& subject = "dead.letters") {
    NatsOutletOptions options;
    options.name = "dead";
    options.connection.servers = {server.url()};
    options.subject = subject;
    auto box = test::Nats().open_box(options, clock, notes);
    if (!box) throw std::runtime_error(box.error().message);
    return *std::move(box);
  }
  std::unique_ptr<LetterReturn> OpenReturn(const std::string& filter = {}) {
    JetStreamInletOptions options = Options();
    options.filter = filter;
    auto made = test::Nats().open_return(options, clock, notes);
    if (!made) throw std::runtime_error(made.error().message);
    return *std::move(made);
  }
  // What an outlet writes of a letter.
  void Bury(const std::string& position, const std::string& function = "bill",
            const std::string& subject = "dead.letters") {
    peer.Publish(subject, "data of " + position,
                 {{"ce-specversion", "1.0"},
                  {"ce-id", position},
                  {"ce-source", "/s"},
                  {"ce-type", "t"},
                  {"tenant", "a"},
                  {"cirro-dlq-reason", "rejected"},
                  {"cirro-dlq-function", function},
                  {"cirro-dlq-inlet", "orders"},
                  {"cirro-dlq-position", position},
                  {"cirro-dlq-attempts", "1"}});
  }
};

std::string At(int sequence) {
  return "ORDERS/worker@" + std::to_string(sequence);
}

std::vector<std::string> Ids(LetterBox& box, const LetterFilter& filter = {}) {
  std::vector<std::string> ids;
  const auto walked = box.Walk(filter, [&](const KeptLetter& kept) {
    ids.push_back(kept.id);
    return Result<bool>(true);
  });
  EXPECT_TRUE(walked) << walked.error().message;
  return ids;
}

// As the command does it; `unmarked`: that one is sent, and then the process
// is no more.
std::vector<std::string> Redrive(LetterBox& box, LetterReturn& to,
                                 const std::string& unmarked = {}) {
  std::vector<std::string> redriven;
  const auto walked = box.Walk({}, [&](const KeptLetter& kept) -> Result<bool> {
    if (auto sent = to.Return(kept.letter); !sent) return sent.error();
    redriven.push_back(kept.id);
    if (kept.id == unmarked) return false;
    if (auto marked = box.MarkRedriven(kept.id); !marked) {
      return marked.error();
    }
    return true;
  });
  EXPECT_TRUE(walked) << walked.error().message;
  return redriven;
}

TEST(NatsLetterBox, WalksInTheOrderOfTheSources) {
  BoxRig rig;
  for (const int sequence : {12, 9, 7, 10}) rig.Bury(At(sequence));
  rig.Bury("BILLS/worker@99");
  const auto box = rig.Open();

  EXPECT_THAT(Ids(*box), ElementsAre("5", "3", "2", "4", "1"));
}

TEST(NatsLetterBox, MeetsItsOwnSubjectAlone) {
  BoxRig rig;
  rig.Bury(At(1), "bill", "dead.others");
  rig.Bury(At(2));
  const auto box = rig.Open();

  EXPECT_THAT(Ids(*box), ElementsAre("2"));
  EXPECT_FALSE(*box->Find("1"));
  EXPECT_FALSE(*box->Remove("1"));
  EXPECT_EQ(rig.peer.MessagesIn("DEAD"), 2U);
}

TEST(NatsLetterBox, GivesTheLetterAsItWasBuried) {
  BoxRig rig;
  rig.Bury(At(1));

  const auto found = rig.Open()->Find("1");

  ASSERT_TRUE(found && *found);
  const DeadLetter& letter = (*found)->letter;
  EXPECT_EQ(std::get<Event>(letter.content).data(), "data of " + At(1));
  EXPECT_EQ(letter.facts.function, "bill");
  EXPECT_EQ(letter.facts.position, At(1));
  EXPECT_EQ(letter.original->headers, (MessageHeaders{{"tenant", "a"}}));
}

TEST(NatsLetterBox, WhatIsMarkedIsNotMetAgain) {
  BoxRig rig;
  for (int i = 1; i <= 4; ++i) rig.Bury(At(i));
  const auto box = rig.Open();

  for (const char* id : {"1", "3"}) ASSERT_TRUE(box->MarkRedriven(id));

  EXPECT_THAT(Ids(*rig.Open()), ElementsAre("2", "4"));
  EXPECT_THAT(Ids(*box, {.redriven = true}), ElementsAre("2", "4"));
  // Also after the last message of the subject is gone.
  EXPECT_TRUE(*box->Remove("4"));
  EXPECT_FALSE(*box->Remove("4"));
  EXPECT_THAT(Ids(*box), ElementsAre("2"));
  EXPECT_TRUE(*box->Remove("2"));
  EXPECT_THAT(Ids(*box), IsEmpty());
}

TEST(NatsLetterBox, TakesThoseThatAreMeant) {
  BoxRig rig;
  rig.Bury(At(1), "bill");
  rig.Bury(At(2), "mail");
  rig.Bury(At(3), "bill");
  const auto box = rig.Open();

  EXPECT_THAT(Ids(*box, {.function = "bill"}), ElementsAre("1", "3"));
  EXPECT_THAT(Ids(*box, {.position = At(2)}), ElementsAre("2"));
  EXPECT_THAT(Ids(*box, {.event_id = "nothing"}), IsEmpty());
}

TEST(NatsLetterBox, PassesOverWhatIsNoLetter) {
  BoxRig rig;
  rig.peer.PublishEvent("dead.letters", "no letter");
  rig.Bury(At(1));
  rig.peer.Publish("dead.letters", "", {{"cirro-dlq-reason", "bored"}});
  const auto box = rig.Open();

  EXPECT_THAT(Ids(*box), ElementsAre("2"));
  EXPECT_TRUE(rig.notes.Said("message 3 is passed over"));
  EXPECT_FALSE(*box->Find("nonsense"));
  EXPECT_FALSE(*box->Find("77"));
}

TEST(NatsLetterBox, SaysThatAStreamDeniesRemoval) {
  BoxRig rig(/*deny_delete=*/true);
  rig.Bury(At(1));
  const auto box = rig.Open();

  const auto marked = box->MarkRedriven("1");

  ASSERT_FALSE(marked);
  EXPECT_EQ(marked.error().code, ErrorCode::kRefused);
  EXPECT_THAT(marked.error().message,
              HasSubstr("message 1 of stream 'DEAD' cannot be removed"));
  EXPECT_THAT(Ids(*box), ElementsAre("1"));
}

TEST(NatsLetterBox, ASubjectThatNoStreamKeepsIsNamed) {
  BoxRig rig;

  const auto walked =
      rig.Open("nowhere.letters")->Walk({}, [](const KeptLetter&) {
        return true;
      });

  ASSERT_FALSE(walked);
  EXPECT_EQ(walked.error().code, ErrorCode::kInvalidConfig);
  EXPECT_EQ(walked.error().message,
            "subject: no stream keeps 'nowhere.letters'");
}

TEST(NatsLetterReturn, GoesBackToTheSubjectThatItCameWith) {
  BoxRig rig;
  rig.peer.PublishEvent("orders.new", "1");
  rig.peer.PublishEvent("orders.old", "2");
  rig.Bury(At(2));
  rig.Bury(At(1));

  EXPECT_THAT(Redrive(*rig.Open(), *rig.OpenReturn()), ElementsAre("2", "1"));

  JetStreamInletOptions options = rig.Options();
  const auto messages = [&](const std::string& filter) {
    options.filter = filter;
    std::vector<std::string> positions;
    auto replay = test::Nats().open_replay(
        options, {.from = {.kind = ReplayPoint::Kind::kNumber, .number = 3}},
        rig.clock, rig.notes);
    const auto walked = (*replay)->Walk([&](const ReplayedMessage& message) {
      positions.emplace_back(std::get<Event>(message.content).id());
      return Result<bool>(true);
    });
    EXPECT_TRUE(walked);
    return positions;
  };
  EXPECT_THAT(messages("orders.new"), ElementsAre(At(1)));
  EXPECT_THAT(messages("orders.old"), ElementsAre(At(2)));
  const auto sent = rig.peer.Read("ORDERS", 3);
  EXPECT_EQ(sent.payload, "data of " + At(1));
  EXPECT_EQ(sent.headers.at("cirro-redrive-function"), "bill");
  EXPECT_EQ(sent.headers.at("tenant"), "a");
  EXPECT_EQ(sent.headers.count("cirro-dlq-reason"), 0U);
}

TEST(NatsLetterReturn, APlainFilterIsTheSubjectOfWhatIsGone) {
  BoxRig rig;
  rig.Bury(At(77));
  const auto letter = (*rig.Open()->Find("1"))->letter;

  EXPECT_TRUE(rig.OpenReturn("orders.new")->Return(letter));
  const auto refused = rig.OpenReturn("orders.*")->Return(letter);

  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidConfig);
  EXPECT_THAT(refused.error().message,
              HasSubstr("--set inlet.orders.filter=SUBJECT"));
  EXPECT_EQ(rig.peer.MessagesIn("ORDERS"), 1U);
}

TEST(NatsLetterReturn, ALetterOfAnotherStreamGoesNowhere) {
  BoxRig rig;
  for (const char* position : {"BILLS/worker@1", "ORDERS", "ORDERS/worker"}) {
    DeadLetter letter;
    letter.facts.position = position;

    const auto sent = rig.OpenReturn("orders.new")->Return(letter);

    ASSERT_FALSE(sent) << position;
    EXPECT_EQ(sent.error().code, ErrorCode::kInvalidConfig);
    EXPECT_THAT(sent.error().message, HasSubstr(position));
  }
  EXPECT_EQ(rig.peer.MessagesIn("ORDERS"), 0U);
}

TEST(NatsLetterReturn, ARedriveThatEndsMidwayLosesNothingAndSendsNothingTwice) {
  BoxRig rig;
  for (int i = 1; i <= 6; ++i) rig.Bury(At(i));
  // Each run is another process, which is no more after a send.
  ASSERT_THAT(Redrive(*rig.Open(), *rig.OpenReturn("orders.new"), "2"),
              ElementsAre("1", "2"));
  ASSERT_THAT(Redrive(*rig.Open(), *rig.OpenReturn("orders.new"), "5"),
              ElementsAre("2", "3", "4", "5"));

  ASSERT_THAT(Redrive(*rig.Open(), *rig.OpenReturn("orders.new")),
              ElementsAre("5", "6"));

  EXPECT_THAT(Ids(*rig.Open()), IsEmpty());
  ASSERT_EQ(rig.peer.MessagesIn("ORDERS"), 6U);
  for (std::uint64_t i = 1; i <= 6; ++i) {
    EXPECT_EQ(rig.peer.Read("ORDERS", i).headers.at("ce-id"),
              At(static_cast<int>(i)));
  }
}

TEST(NatsLetterReturn, AStreamThatIsGoneKeepsTheLetter) {
  BoxRig rig;
  rig.Bury(At(1));
  rig.peer.DeleteStream("ORDERS");
  const auto letter = (*rig.Open()->Find("1"))->letter;

  const auto sent = rig.OpenReturn("orders.new")->Return(letter);

  ASSERT_FALSE(sent);
  EXPECT_EQ(sent.error().code, ErrorCode::kUnroutable);
  EXPECT_THAT(Ids(*rig.Open()), ElementsAre("1"));
}

}  // namespace
}  // namespace cirro
