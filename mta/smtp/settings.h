// What an operator may set of SMTP sessions, with the defaults of RFC 5321 section 4.5.3.2.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "mta/auth/credentials.h"
#include "mta/base/endpoint.h"
#include "mta/base/time.h"
#include "mta/tls/policy.h"

namespace postproof::tls {
class Context;
}

namespace postproof::smtp {

using TlsLevel = tls::Level;

struct ServerSettings {
  std::string hostname;
  std::uint64_t message_size_max = 50 * 1024 * 1024;  // announced by SIZE (RFC 1870)
  unsigned recipients_max = 1000;       // of one message; more get 452 (section 4.5.3.1.8 asks for 100)
  unsigned sessions_max = 1000;         // more get 421 4.3.2
  unsigned sessions_per_client_max = 100;
  unsigned transactions_max = 0;        // of one session, then 421 4.5.3; announced by LIMITS (RFC 9422); 0: any number
  unsigned errors_max = 20;             // commands refused in one session, then 421 4.7.0
  Duration error_delay = 1s;            // of each reply to a client that is half-way to that, or idles as much
  Duration command_timeout = 5min;      // section 4.5.3.2.7: between commands, then 421
  Duration data_timeout = 5min;         // between two pieces of content
  std::uint64_t data_rate_min = 0;      // octets of content a second, see ContentPace; 0: any rate
  Duration session_timeout = 2h;        // of a whole session
  Duration greeting_delay = 0s;         // before the greeting; a client that speaks meanwhile is refused
  std::vector<IpNetwork> refused_clients;  // greeted by 554 (section 3.1)
  std::vector<IpNetwork> xclient_from;  // may tell by XCLIENT whom they speak for; nobody else sees that it is there
  std::vector<IpNetwork> proxy_from;    // begin with a PROXY header, and are not served without; of others none is read
  bool pipelining = true;               // offer it (RFC 2920)
  bool chunking = true;                 // offer it (RFC 3030)
  Duration hold_max = 7 * 24h;          // how far ahead FUTURERELEASE may hold a message (RFC 4865 section 4)
  bool bare_newline_ok = false;         // false: a bare CR or LF in content is refused after its dot
  TlsLevel tls = TlsLevel::may;
  std::shared_ptr<const tls::Context> tls_context;  // null: STARTTLS is not offered
  bool implicit_tls = false;            // TLS from the first octet (RFC 8314 section 3.3)
  // People's programs, not other servers, come here (RFC 6409): DELIVERBY, FUTURERELEASE and MT-PRIORITY are offered, and
  // what a message lacks is put in.
  bool submission = false;
};

struct ClientSettings {
  std::string hostname;                 // of EHLO
  Duration connect_timeout = 30s;       // an address
  Duration greeting_timeout = 5min;     // section 4.5.3.2.1
  Duration ehlo_timeout = 5min;
  Duration mail_timeout = 5min;         // section 4.5.3.2.2
  Duration rcpt_timeout = 5min;         // section 4.5.3.2.3
  Duration data_timeout = 2min;         // section 4.5.3.2.4
  Duration block_timeout = 3min;        // section 4.5.3.2.5
  Duration dot_timeout = 10min;         // section 4.5.3.2.6
  Duration quit_timeout = 5s;           // our own bound: nothing depends on the answer
  Duration rset_timeout = 20s;
  bool pipelining = true;               // use it where it is offered
  bool chunking = true;                 // BDAT where it is offered (RFC 3030)
  // Which a session takes, and whether it says STARTTLS, is told to it for each connection. Null where no destination's
  // policy can want it.
  std::shared_ptr<const tls::Context> tls_context;         // whatever the certificate
  std::shared_ptr<const tls::Context> tls_verify_context;  // a certificate that does not check out ends the handshake
  Duration tls_timeout = 1min;          // of a handshake: our own bound
  std::optional<auth::Credentials> credentials;  // who we are at each host that we dial (RFC 4954)
  bool auth_without_tls = false;        // false: nothing of them is said in the clear, be it ever so well hidden
};

}  // namespace postproof::smtp
