// DNS messages (RFC 1035 section 4, EDNS: RFC 6891): writes a question, reads an answer to it. Pure functions;
// an answer is hostile input until it has been read here, and nothing in one can do more than make it useless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mta/base/time.h"
#include "mta/dns/resolver.h"

namespace postproof::dns {

inline constexpr std::uint16_t kUdpPayload = 1232;  // that we announce: fits unfragmented everywhere
inline constexpr std::size_t kAliasesMax = 8;       // CNAMEs that are followed for one question
inline constexpr std::size_t kRecordsMax = 256;     // of one answer that are kept, the first ones

struct Question {
  std::uint16_t id = 0;
  std::string name;  // as normal_name gives it
  Type type = Type::a;
  bool edns = true;
};

// RD, because we ask resolvers; AD, so that they tell what they have validated (RFC 6840 section 5.7).
std::string write_question(const Question& question);

struct Answer {
  enum class Kind : std::uint8_t {
    found,
    no_data,
    no_such_domain,
    alias,      // CNAMEs lead out of the answer: the last of `aliases` is to be asked for
    endless,    // they form a loop, or a chain that is too long: no other server will say better
    truncated,  // TC: to be asked again over TCP
    no_edns,    // the server does not know EDNS: to be asked again without
    failed,     // SERVFAIL, REFUSED, a referral, or something that makes no sense
    silent,     // nothing came: a timeout, or trouble with the network
  };
  Kind kind = Kind::failed;
  std::vector<Record> records;
  std::vector<std::string> aliases;  // the names that CNAMEs led to, in order
  Duration ttl{};                    // how long it holds; 0: not to be kept
  bool authentic = false;            // AD
  std::string text;                  // "noerror 2 records", "nxdomain", "servfail", "timed out"
};

// None: the octets are no answer to this question (another id, name, type or class; a question; too short),
// and waiting goes on, because anybody may have sent them.
std::optional<Answer> read_answer(std::string_view octets, const Question& question);

}  // namespace postproof::dns
