// usage: make_letters FILE COUNT
//
// Buries COUNT letters of orders/0, and one that is no event, through the
// module "sqlite". Ends with 0 when all of them are confirmed.

#include <cstdio>
#include <cstdlib>

#include "support/letters_file.h"

int main(int argc, char** argv) {
  using namespace cirro;
  if (argc != 3) return 2;
  auto store = test::LettersApi().make_store({.path = argv[1]});
  if (!store || !(*store)->Start()) return 1;
  test::LetterOutcomes outcomes;
  const int count = std::atoi(argv[2]);
  const auto bury = [&](DeadLetter letter, std::uint64_t send) {
    (*store)->Bury(std::move(letter), SendCompletion(outcomes, send));
    return outcomes.Of(send).has_value();
  };
  // The newest first: order is what the verbs make of it.
  for (int number = count; number > 0; --number) {
    DeadLetter letter = test::Letter(number, 20);
    letter.facts.function = number % 2 == 1 ? "bill" : "mail \xE2\x82\xAC";
    letter.facts.last_error = "rejected: no\x1B[2Jmoney";
    letter.facts.time = Timestamp{1'800'000'000 + number};
    if (!bury(std::move(letter), static_cast<std::uint64_t>(number))) return 1;
  }
  const DeadLetter none{
      .content = Malformed{std::string("\xFF\0{", 3),
                           {{"content-type", "application/json"},
                            {"authorization", "Bearer secret"}},
                           {ErrorCode::kInvalidEvent, "`id` is missing"},
                           true},
      .facts = {.reason = DeadReason::kMalformed,
                .inlet = "orders",
                .position = "orders/1@7"}};
  return bury(none, 1'000'000) ? 0 : 1;
}
