#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "cirro/cloudevents/export.h"
#include "cirro/cloudevents/result.h"
#include "cirro/cloudevents/timestamp.h"
#include "cirro/dispatch/dead_letter.h"

namespace cirro {

/// A dead letter where it is kept.
struct KeptLetter {
  std::string id{};  ///< Names it in its box, for good: "17", "0@1234".
  DeadLetter letter;
  bool redriven = false;  ///< It was sent again, and that was confirmed.
};

/// Which letters of a box are meant: those that fit every part that is given.
/// An empty text is a part that is not given.
struct LetterFilter {
  std::optional<DeadReason> reason{};
  std::string function{};
  std::string inlet{};
  std::string position{};  ///< "orders/3@1234", or all of "orders/3".
  std::string type{};      ///< Of the event; what is malformed has none.
  std::string source{};
  std::string event_id{};
  std::optional<Timestamp> since{};  ///< Given up at that time or later.
  std::optional<Timestamp> until{};  ///< Given up before that time.
  bool redriven = false;             ///< Also those that were redriven.
};

/// Whether `kept` is one of those meant.
[[nodiscard]] CIRRO_EXPORT bool Fits(const LetterFilter& filter,
                                     const KeptLetter& kept) noexcept;

/// A position in two parts: "orders/3@1234" is number 1234 of "orders/3". One
/// that ends in no number is all stream, and its number is -1.
struct LetterPosition {
  std::string_view stream{};
  std::int64_t number = -1;
};
[[nodiscard]] CIRRO_EXPORT LetterPosition
SplitPosition(std::string_view position) noexcept;

/// Whether `a` came before `b`: by inlet, stream and number, and by the time
/// they were given up where those are equal.
[[nodiscard]] CIRRO_EXPORT bool CameBefore(const DeadLetterFacts& a,
                                           const DeadLetterFacts& b) noexcept;

/// The operators' side of a DeadLetterPlace: what is kept there. Its calls
/// wait for the place; use from one thread at a time. All of them fail with
/// kUnavailable where the place cannot be reached now, and with kInvalidConfig
/// where it is none.
class CIRRO_EXPORT LetterBox {
 public:
  /// What is done with a letter; false ends the walk, as an error does.
  using Visit = std::function<Result<bool>(const KeptLetter& kept)>;

  LetterBox() = default;
  LetterBox(const LetterBox&) = delete;
  LetterBox& operator=(const LetterBox&) = delete;
  virtual ~LetterBox() = default;

  /// Visits what fits in the original order (CameBefore), of what was kept
  /// when the walk began: a redriven letter that dies again is not met again
  /// in the same walk. A visit may mark or remove what it is given. What cannot
  /// be read is passed over, and named: by the box's observer, or by the error
  /// at the end (kInvalidEvent).
  virtual Result<void> Walk(const LetterFilter& filter, const Visit& visit) = 0;

  /// The letter of that id, or nothing.
  virtual Result<std::optional<KeptLetter>> Find(std::string_view id) = 0;

  /// Remembers, durably when it returns, that the letter was redriven: a later
  /// walk passes it over. The place may forget such letters for room.
  virtual Result<void> MarkRedriven(std::string_view id) = 0;

  /// Forgets the letter for good; false where it is not there. kUnsupported
  /// where the place can only forget by age.
  virtual Result<bool> Remove(std::string_view id) = 0;

  /// Forgets these letters for good and returns how many were there. A place
  /// that can only forget what is oldest forgets nothing and fails with
  /// kUnsupported where one that is not named lies before one that is;
  /// letters that were redriven do not count.
  virtual Result<std::uint64_t> RemoveAll(std::span<const std::string> ids);
};

/// Sends letters back to where they came from. Its calls wait for the peer; use
/// from one thread at a time.
class CIRRO_EXPORT LetterReturn {
 public:
  LetterReturn() = default;
  LetterReturn(const LetterReturn&) = delete;
  LetterReturn& operator=(const LetterReturn&) = delete;
  virtual ~LetterReturn() = default;

  /// Sends the message as it came, without what says that it was a dead letter
  /// and for the one function that it died of (kRedriveHeader); returns when
  /// the source has it. Fails with kInvalidConfig where it came from no source
  /// that this one stands for, else as Outlet::Send.
  virtual Result<void> Return(const DeadLetter& letter) = 0;
};

}  // namespace cirro
