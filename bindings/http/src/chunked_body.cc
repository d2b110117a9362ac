#include "chunked_body.h"

#include <algorithm>

namespace cirro::internal::http {
namespace {

// Of extensions and trailers in one message: far more than anybody sends, and
// no lever for one who makes us read what we drop.
constexpr std::size_t kMaxOverhead = 8'192;
// 2^60 bytes: longer numbers cannot overflow and are over any limit.
constexpr int kMaxDigits = 15;

// A byte that may stand in an extension or a trailer line.
bool IsText(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

bool ChunkedBody::TakeDigit(char c) {
  unsigned digit = 0;
  if (c >= '0' && c <= '9') {
    digit = static_cast<unsigned>(c - '0');
  } else if (c >= 'a' && c <= 'f') {
    digit = static_cast<unsigned>(c - 'a') + 10;
  } else if (c >= 'A' && c <= 'F') {
    digit = static_cast<unsigned>(c - 'A') + 10;
  } else {
    return false;
  }
  remaining_ = remaining_ * 16 + digit;
  return ++digits_ <= kMaxDigits;
}

// One byte that is not data.
ChunkedBody::Verdict ChunkedBody::Next(char c) {
  const auto go = [this](bool valid, State next) {
    state_ = next;
    return valid ? Verdict::kGoOn : Verdict::kInvalid;
  };
  switch (state_) {
    case State::kSize:
      if (digits_ > 0 && c == '\r') return go(true, State::kSizeEnd);
      if (digits_ > 0 && c == ';') return go(true, State::kExtension);
      return go(TakeDigit(c), State::kSize);
    case State::kExtension:
      if (c == '\r') return go(true, State::kSizeEnd);
      ++overhead_;
      return go(IsText(c), State::kExtension);
    case State::kSizeEnd:
      digits_ = 0;
      return go(c == '\n',
                remaining_ == 0 ? State::kTrailerStart : State::kData);
    case State::kDataCr:
      return go(c == '\r', State::kDataLf);
    case State::kDataLf:
      return go(c == '\n', State::kSize);
    case State::kTrailerStart:
      if (c == '\r') return go(true, State::kEnd);
      ++overhead_;
      // A blank here would fold the line before.
      return go(IsText(c) && c != ' ' && c != '\t' && c != ':',
                State::kTrailer);
    case State::kTrailer:
      if (c == '\r') return go(true, State::kTrailerEnd);
      ++overhead_;
      return go(IsText(c), State::kTrailer);
    case State::kTrailerEnd:
      return go(c == '\n', State::kTrailerStart);
    case State::kEnd:
      return c == '\n' ? Verdict::kComplete : Verdict::kInvalid;
    case State::kData:
      break;
  }
  return Verdict::kInvalid;
}

ChunkedBody::Progress ChunkedBody::Feed(std::string_view input,
                                        std::string& body, std::size_t limit,
                                        HttpRefusal& refusal) {
  std::size_t at = 0;
  while (at < input.size()) {
    if (state_ == State::kData) {
      if (remaining_ > limit - body.size()) {
        refusal = {413, HttpReject::kBodyTooLarge, "the body is too large"};
        return {Step::kRefused, at};
      }
      const std::size_t size =
          std::min<std::uint64_t>(remaining_, input.size() - at);
      body.append(input, at, size);
      at += size;
      remaining_ -= size;
      if (remaining_ == 0) state_ = State::kDataCr;
      continue;
    }
    switch (Next(input[at++])) {
      case Verdict::kGoOn:
        break;
      case Verdict::kComplete:
        return {Step::kComplete, at};
      case Verdict::kInvalid:
        refusal = {400, HttpReject::kBadRequest, "a chunk is not valid"};
        return {Step::kRefused, at};
    }
    if (overhead_ > kMaxOverhead) {
      refusal = {431, HttpReject::kHeaderTooLarge,
                 "chunk extensions or trailers are too long"};
      return {Step::kRefused, at};
    }
  }
  return {Step::kNeedMore, at};
}

}  // namespace cirro::internal::http
