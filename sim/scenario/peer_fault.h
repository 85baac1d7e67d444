// What a peer does otherwise than a correct receiver, as values: the rules of a scenario, and the faults that stand
// around them (keys of [peer.NAME], or smtp.* of an [[at]]). docs/scenarios.md describes them; sim/peer carries them out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "mta/base/time.h"

namespace postproof::sim {

// What is wrong with the form of a reply.
enum class ReplyForm : std::uint8_t {
  normal,
  mixed_codes,  // its lines have different codes
  unfinished,   // its last line says that more follow
  lf, cr,       // lines end so
  blank,        // an empty line stands in front of it
  junk,         // octets that are no reply stand in front of it
  long_line,    // a line of 5000 octets (RFC 5321 section 4.5.3.1.5: 512)
  eight_bit,    // text that is no ASCII
  nul,          // a NUL in its text
  two_digits,   // the code lacks a digit
  endless,      // 900 lines
};

// Part of a peer's rules: first match wins; what no rule names is normal.
struct Rule {
  std::string on;                      // "connect", a verb, "content", "dot"; "*": any but content
  std::string match = "*";             // glob, ignoring case: over the address (MAIL, RCPT) or the argument
  std::string line_match = "*";        // glob, ignoring case: over the whole command line
  std::optional<std::uint64_t> nth;    // only the nth time that this rule matches otherwise, from 1
  std::optional<std::uint64_t> times;  // only the first so many times
  std::optional<Duration> first_seen;  // until so long after the triplet (client, sender, argument) was first seen
  std::optional<Duration> from, until; // only within this virtual time
  std::vector<std::string> reply;      // lines; "550 5.1.1 no such user", or "250-a" and "250 b"
  std::string raw;                     // octets instead of a reply
  ReplyForm form = ReplyForm::normal;  // of the answer, whichever it is
  std::uint64_t split = 0;             // the answer goes out in so many pieces
  Duration every{};                    // one each so often
  std::vector<std::string> extra;      // one more reply, behind the answer
  std::vector<std::string> early;      // the reply to what comes next, before it comes
  std::uint64_t octets = 0;            // on = "content": strikes when so many octets of content have come
  Duration delay{};
  enum class Act : std::uint8_t { reply, silence, close, reset } act = Act::reply;
  bool take = true;                    // on = "dot" with close, reset or silence: the message was taken all the same
  std::uint32_t line = 0;
};

// A mailbox that is full after so much mail: RCPT for it is refused.
struct Quota {
  std::string match = "*";                // mailboxes; each has a quota of its own
  std::optional<std::uint64_t> messages;
  std::optional<std::uint64_t> octets;
  std::vector<std::string> reply;
  std::uint32_t line = 0;
};

// A token bucket.
struct RateLimit {
  std::string on = "MAIL";                // what takes a token: connect, MAIL, RCPT
  std::uint64_t count = 1;                // tokens that come
  Duration per{};                         // in this time, evenly
  std::uint64_t burst = 1;                // that the bucket holds; it is full at first
  bool each_client = false;               // a bucket for each client's address
  std::vector<std::string> reply;         // while it is empty
  std::uint32_t line = 0;
};

// What is really taken, whatever SIZE says: more is refused at the dot.
struct SizeLimit {
  std::uint64_t octets = 0;
  std::vector<std::string> reply;
  std::uint32_t line = 0;
};

// What EHLO offers instead.
struct KeywordChange {
  std::vector<std::string> add;           // "SIZE 10"
  std::vector<std::string> remove;        // keywords
  bool garble = false;                    // every keyword is spoilt
  std::uint32_t line = 0;
};

using PeerFault = std::variant<Rule, Quota, RateLimit, SizeLimit, KeywordChange>;

}  // namespace postproof::sim
