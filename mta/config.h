// The configuration of postproof-mta: TOML, read once, then immutable. The same keys stand in the
// [mta.NAME] tables of scenarios. docs/relay.example.toml lists them all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mta/auth/settings.h"
#include "mta/base/toml_reader.h"
#include "mta/deliver/settings.h"
#include "mta/dns/resolver.h"
#include "mta/intake/policy.h"
#include "mta/queue/scheduler.h"
#include "mta/queue/settings.h"
#include "mta/route/router.h"
#include "mta/smtp/settings.h"
#include "mta/tls/context.h"

namespace postproof {

// What stands behind tls.* of the configuration: files, read when the MTA comes up, and what is spoken.
struct TlsSettings {
  struct Pair {
    std::string certificate, key;
  };
  Pair own;                      // PEM, of our server; both or none
  std::vector<Pair> others;      // for clients that ask for a name of theirs
  std::string trusted;           // PEM: roots that our client trusts; empty: nobody
  std::string client_roots;      // PEM: roots of client certificates; empty: none is asked for
  tls::Terms terms;
};

// Who we are at the smarthost: the password is the first line of a file, read when the MTA comes up.
struct SmarthostLogin {
  std::string login;  // empty: nobody
  std::string password_file;
};

// Where people's programs hand mail in (RFC 6409): who has not logged in sends nothing, and nothing goes in the clear.
struct Submission {
  std::vector<Endpoint> listen;      // STARTTLS; commonly port 587
  std::vector<Endpoint> listen_tls;  // TLS from the first octet; commonly port 465

  bool any() const { return !listen.empty() || !listen_tls.empty(); }
};

struct Config {
  std::string hostname;               // ours, in greeting, EHLO, Received and Reporting-MTA
  std::vector<Endpoint> listen;       // default 0.0.0.0:25 and [::]:25
  Submission submission;
  unsigned session_threads = 0;       // 0: sessions run on the queue's own thread
  smtp::ServerSettings server;
  smtp::ClientSettings client;
  intake::Policy intake;
  dns::ResolverSettings resolver;     // servers: default from /etc/resolv.conf, read by serve
  route::RouterSettings router;
  queue::SpoolSettings spool;
  queue::SchedulerSettings scheduler;
  deliver::Settings deliver;
  TlsSettings tls;
  auth::Settings auth;
  SmarthostLogin smarthost_login;

  // Somebody could log in: by a password, or by a certificate.
  bool logs_in() const { return !auth.password_file.empty() || !auth.dovecot_socket.empty() || !tls.client_roots.empty(); }
};

// What holds where a configuration says nothing.
Config default_config();

// Reads the keys that the configuration has over `base`, and complains of wrong values. The caller, who may have read
// keys of its own from the same table, calls table.finish(), and checks that what it needs is there.
Config read_config(TomlReader& table, Config base = default_config());

// A configuration file's text, complete: complains of unknown keys, and of a missing hostname or
// spool.directory too. The problems' file is the name to complain under.
Config parse_config(std::string_view toml_text, Problems& problems);

// Sets our name everywhere that it is told.
void set_hostname(Config& config, std::string name);

}  // namespace postproof
