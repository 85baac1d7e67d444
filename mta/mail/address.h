// Mail addresses as SMTP writes them (RFC 5321 section 4.1.2), in US-ASCII, or in UTF-8 where SMTPUTF8 was said (RFC 6531
// section 3.3). No I/O.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace postproof {

// local-part "@" domain. The local-part is kept as it was written, quotes and case included, because
// only the final host may give it a meaning (RFC 5321 section 2.4).
struct Address {
  std::string local_part;  // "bob", "\"a b\""
  std::string domain;      // as written: "Dest.Example", "[192.0.2.1]"; empty only for <Postmaster>

  // Reads a mailbox without angle brackets; the error says what is wrong with it. UTF-8 must be valid, and is kept as it
  // is: no form of it is made into another (RFC 6531 section 3.3). Control octets belong to nobody. What parses is at most
  // 64 + 1 + 255 octets long, and to_string() gives it back unchanged.
  static std::expected<Address, std::string> parse(std::string_view text);

  bool is_ascii() const;  // in every octet; otherwise the address needs SMTPUTF8
  bool has_literal_domain() const { return domain.starts_with('['); }
  std::string domain_key() const;  // see below
  std::string to_string() const;   // "bob@dest.example"

  bool operator==(const Address&) const = default;
};

// Where bounces go. None is the null sender "<>".
using ReversePath = std::optional<Address>;

std::string to_string(const ReversePath& path);  // without brackets; empty for the null sender

// What domains are compared and looked up by: lower case, U-labels as the A-labels that DNS has (RFC 6531 section 3.2,
// RFC 5891), without a trailing dot.
std::string domain_key(std::string_view domain);

// What is wrong with a domain name as an address has it; none: nothing. Labels of 1 to 63 letters, digits and
// hyphens, no hyphen at either end; an underscore is tolerated, because DNS has no objection and such names are in
// use. U-labels are such that an A-label stands for them. One label is enough. A trailing dot is refused: RFC 5321 has
// none, and one domain needs no two spellings.
std::optional<std::string> domain_trouble(std::string_view domain);

// What is wrong with an address literal, brackets included: "[192.0.2.1]" or "[IPv6:2001:db8::1]" (RFC 5321
// section 4.1.3). No other tag is registered. None: nothing.
std::optional<std::string> address_literal_trouble(std::string_view literal);

}  // namespace postproof
