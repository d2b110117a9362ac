#include "request_head.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "cirro/cloudevents/media_type.h"
#include "cirro/dispatch/dead_letter.h"

namespace cirro::internal::http {
namespace {

static_assert(std::endian::native == std::endian::little,
              "FindControl looks for the first byte at the low end");

// Longer values are legal HTTP, but no attribute may have one, and libraries
// behind us break on them.
constexpr std::size_t kMaxValueBytes = 65'535;

// RFC 9110 section 5.6.2.
constexpr std::array<bool, 256> kIsTokenByte = [] {
  std::array<bool, 256> table{};
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 0x20] = true;
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

const char* SkipToken(const char* at) {
  while (kIsTokenByte[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

const char* SkipBlanks(const char* at) {
  while (*at == ' ' || *at == '\t') ++at;
  return at;
}

// The first byte that may not stand in a value: a control character other than
// TAB. There is one: the line's CR. Reads up to 7 bytes behind it.
const char* FindControl(const char* at) {
  constexpr std::uint64_t kOnes = ~std::uint64_t{0} / 0xff;
  constexpr std::uint64_t kHigh = kOnes * 0x80;
  for (;;) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t low = (word - kOnes * 0x20) & ~word & kHigh;
    const std::uint64_t flipped = word ^ (kOnes * 0x7f);
    const std::uint64_t del = (flipped - kOnes) & ~flipped & kHigh;
    const std::uint64_t hits = low | del;
    if (hits == 0) {
      at += sizeof word;
      continue;
    }
    at += std::countr_zero(hits) / 8;
    if (*at != '\t') return at;
    ++at;
  }
}

// RFC 9110 section 7.2: uri-host [ ":" port ]. Only what could mean something
// else to another server is refused.
bool IsHost(std::string_view host) {
  bool valid = true;
  for (const char c : host) {
    valid = valid && c != ' ' && c != '\t' && c != '/' && c != '@' &&
            c != ',' && c != '?' && c != '#' && c != '\\';
  }
  return valid;
}

// RFC 9110 section 4.2: "A recipient SHOULD parse [userinfo] as an error"; an
// empty host is invalid.
bool IsHttpUri(std::string_view target) {
  const std::size_t colon = target.find("://");
  if (colon == std::string_view::npos) return false;
  const std::string_view scheme = target.substr(0, colon);
  if (!EqualsIgnoreCase(scheme, "http") && !EqualsIgnoreCase(scheme, "https")) {
    return false;
  }
  target.remove_prefix(colon + 3);
  const std::string_view authority =
      target.substr(0, target.find_first_of("/?"));
  return !authority.empty() && authority.front() != ':' && IsHost(authority);
}

// RFC 9112 section 3.2: origin-form, absolute-form, authority-form of CONNECT
// alone, asterisk-form of OPTIONS alone.
bool IsTarget(std::string_view method, std::string_view target) {
  // Bytes beyond ASCII harm nobody; a fragment would be another target to some.
  if (target.find('#') != std::string_view::npos) return false;
  if (method == "CONNECT") {
    const std::size_t colon = target.rfind(':');
    return IsHost(target) && colon != std::string_view::npos && colon > 0 &&
           colon + 1 < target.size();
  }
  return target.front() == '/' || (target == "*" && method == "OPTIONS") ||
         IsHttpUri(target);
}

class HeadParser {
 public:
  HeadParser(std::string_view block, RequestHead& head, HttpRefusal& refusal)
      : at_(block.data()),
        // Where the empty line begins.
        end_(block.data() + block.size() - 2),
        head_(head),
        refusal_(refusal) {}

  bool Parse() {
    if (!TakeRequestLine()) return false;
    while (at_ != end_) {
      if (!TakeField()) return false;
    }
    head_.keep_alive = !close_ && (head_.http11 || keep_alive_);
    return CheckFraming();
  }

 private:
  bool Refuse(int status, HttpReject reason, std::string_view detail) {
    refusal_ = {status, reason, detail};
    return false;
  }
  bool RefuseSyntax() {
    return Refuse(400, HttpReject::kBadRequest,
                  "the request is not valid HTTP");
  }

  // RFC 9112 section 3: method SP request-target SP HTTP-version CRLF
  bool TakeRequestLine() {
    const char* const method = at_;
    at_ = SkipToken(at_);
    if (at_ == method || *at_ != ' ') return RefuseSyntax();
    head_.method = {method, static_cast<std::size_t>(at_ - method)};

    const char* const target = ++at_;
    while (static_cast<unsigned char>(*at_) > ' ' && *at_ != 0x7f) ++at_;
    if (at_ == target || *at_ != ' ') return RefuseSyntax();
    head_.target = {target, static_cast<std::size_t>(at_ - target)};

    // The empty line behind it is there at least, and the padding.
    constexpr std::string_view kVersion = "HTTP/1.1\r\n";
    const std::string_view version(++at_, kVersion.size());
    head_.http11 = version == kVersion;
    if (!head_.http11 && version != "HTTP/1.0\r\n") {
      if (!version.starts_with("HTTP/")) return RefuseSyntax();
      return Refuse(505, HttpReject::kVersion,
                    "HTTP/1.0 and HTTP/1.1 are spoken");
    }
    at_ += kVersion.size();
    if (!IsTarget(head_.method, head_.target)) {
      return Refuse(400, HttpReject::kBadRequest,
                    "the request target is not valid");
    }
    return true;
  }

  // RFC 9112 section 5: field-name ":" OWS field-value OWS CRLF
  bool TakeField() {
    const char* const name = at_;
    at_ = SkipToken(at_);
    if (at_ == name || *at_ != ':') return RefuseSyntax();
    const std::string_view name_text(name,
                                     static_cast<std::size_t>(at_ - name));

    const char* const value = SkipBlanks(at_ + 1);
    at_ = FindControl(value);
    if (at_[0] != '\r' || at_[1] != '\n') return RefuseSyntax();
    const char* end = at_;
    while (end != value && (end[-1] == ' ' || end[-1] == '\t')) --end;
    at_ += 2;
    const std::string_view value_text(value,
                                      static_cast<std::size_t>(end - value));
    if (value_text.size() > kMaxValueBytes) {
      return Refuse(431, HttpReject::kHeaderTooLarge,
                    "a header value is too long");
    }
    head_.headers.push_back({name_text, value_text});
    return Note(name_text, value_text);
  }

  // The fields that mean something here, by the length of their names.
  bool Note(std::string_view name, std::string_view value) {
    switch (name.size()) {
      case 4:
        if (EqualsIgnoreCase(name, "host")) {
          ++hosts_;
          valid_host_ = valid_host_ && IsHost(value);
        }
        return true;
      case 6:
        if (EqualsIgnoreCase(name, "expect")) {
          unknown_expectation_ =
              unknown_expectation_ || !EqualsIgnoreCase(value, "100-continue");
          head_.expects_continue = head_.http11;
        }
        return true;
      case 10:
        if (EqualsIgnoreCase(name, "connection")) {
          NoteConnection(value);
        } else if (head_.tracestate.empty() &&
                   EqualsIgnoreCase(name, "tracestate")) {
          head_.tracestate = value;
        }
        return true;
      case 11:
        if (head_.traceparent.empty() &&
            EqualsIgnoreCase(name, "traceparent")) {
          head_.traceparent = value;
        }
        return true;
      case 14:
        return !EqualsIgnoreCase(name, "content-length") || TakeLength(value);
      case 17:
        if (EqualsIgnoreCase(name, "transfer-encoding")) {
          ++transfer_encodings_;
          head_.chunked = EqualsIgnoreCase(value, "chunked");
        }
        return true;
      case kRedriveHeader.size():
        if (EqualsIgnoreCase(name, kRedriveHeader)) {
          head_.redrive_function = value;
        }
        return true;
      default:
        return true;
    }
  }

  void NoteConnection(std::string_view list) {
    while (!list.empty()) {
      const std::size_t comma = list.find(',');
      std::string_view option = list.substr(0, comma);
      list.remove_prefix(comma == std::string_view::npos ? list.size()
                                                         : comma + 1);
      while (!option.empty() && (option[0] == ' ' || option[0] == '\t')) {
        option.remove_prefix(1);
      }
      option = option.substr(0, option.find_first_of(" \t"));
      close_ = close_ || EqualsIgnoreCase(option, "close");
      keep_alive_ = keep_alive_ || EqualsIgnoreCase(option, "keep-alive");
    }
  }

  // RFC 9112 section 6.3: digits, once, and nothing else.
  bool TakeLength(std::string_view text) {
    if (++content_lengths_ > 1) {
      return Refuse(400, HttpReject::kBadRequest, "Content-Length comes twice");
    }
    constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t length = 0;
    bool valid = !text.empty();
    for (const char c : text) {
      const auto digit = static_cast<std::uint64_t>(c - '0');
      valid = valid && c >= '0' && c <= '9' && length <= (kMax - digit) / 10;
      length = length * 10 + digit;
    }
    if (!valid) {
      return Refuse(400, HttpReject::kBadRequest,
                    "Content-Length is not valid");
    }
    head_.content_length = length;
    return true;
  }

  // RFC 9112 section 6: the ways to say a length that two servers could read
  // as two lengths.
  bool CheckFraming() {
    if (transfer_encodings_ != 0) {
      if (content_lengths_ != 0) {
        return Refuse(400, HttpReject::kBadRequest,
                      "the length of the body is ambiguous");
      }
      if (transfer_encodings_ > 1 || !head_.chunked || !head_.http11) {
        return Refuse(501, HttpReject::kTransferEncoding,
                      "the only Transfer-Encoding is one 'chunked', on "
                      "HTTP/1.1");
      }
    }
    // "A server MUST respond with a 400 status code to any HTTP/1.1 request
    // message that lacks a Host header field and to any request message that
    // contains more than one Host header field line or a Host header field
    // with an invalid field value." RFC 9112 section 3.2
    if (hosts_ > 1 || (hosts_ == 0 && head_.http11) || !valid_host_) {
      return Refuse(400, HttpReject::kBadRequest, "one valid Host is required");
    }
    if (unknown_expectation_) {
      return Refuse(417, HttpReject::kExpectation,
                    "only 100-continue is known");
    }
    return true;
  }

  const char* at_;
  const char* const end_;
  RequestHead& head_;
  HttpRefusal& refusal_;
  int hosts_ = 0;
  int content_lengths_ = 0;
  int transfer_encodings_ = 0;
  bool valid_host_ = true;
  bool unknown_expectation_ = false;
  bool close_ = false;
  bool keep_alive_ = false;
};

}  // namespace

bool ParseRequestHead(std::string_view block, RequestHead& head,
                      HttpRefusal& refusal) {
  head.headers.clear();
  head.traceparent = {};
  head.tracestate = {};
  head.redrive_function = {};
  head.content_length = 0;
  head.chunked = false;
  head.expects_continue = false;
  return HeadParser(block, head, refusal).Parse();
}

}  // namespace cirro::internal::http
