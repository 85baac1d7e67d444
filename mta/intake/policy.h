// Who may send what through us.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mta/base/endpoint.h"
#include "mta/mail/address.h"

namespace postproof::intake {

// Which senders a client that has logged in may name.
enum class Senders : std::uint8_t {
  any,
  own,  // its login, where that is an address, and what sender_login lists
};

struct Policy {
  std::string hostname;                     // of the Received header's by-clause
  std::vector<IpNetwork> relay_clients;     // may send to any domain; default: loopback
  std::vector<std::string> relay_domains;   // any client may send to these, by domain_key(); "*": everywhere
  bool refuse_null_mx_senders = true;       // of clients that are not relay_clients: 550 5.7.27 (RFC 7505 section 4.2)
  std::optional<Address> postmaster;        // where mail for our own postmaster goes; none: nobody reads it, it is refused
  Senders senders = Senders::any;
  std::map<std::string, std::vector<std::string>> sender_login;  // by login: addresses, and "@domain" for all of one
  unsigned received_max = 100;              // Received headers; more is a loop: 554 5.4.6 (RFC 5321 section 6.3)
  std::size_t header_size_max = 2 * 1024 * 1024;  // octets of header; more is refused: 552 5.3.4
};

}  // namespace postproof::intake
