// The one vocabulary of what the MTA tells of itself. Log, metrics, queue history and the recording of
// a simulation all read these and nothing else. An event holds views: they are valid during emit only.
//
// Each event has a name (kName, as scenarios and logs write it) and visit(f), which calls f(key, value)
// for each field in its fixed order; values are std::string_view, std::int64_t, bool or Duration.
// The text and JSON forms are made from that (event_text.h): a new field appears everywhere by itself.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "mta/base/time.h"

namespace postproof {

namespace event {

// Direction of a session as seen by us: "in" is a client of ours, "out" a connection that we opened.
enum class Direction : std::uint8_t { in, out };
constexpr std::string_view to_string(Direction d) { return d == Direction::in ? "in" : "out"; }

// A connection stands (result "ok"), or could not be made (result says why).
struct Connect {
  static constexpr std::string_view kName = "connect";
  std::uint64_t session;  // counts from 1 within a process
  Direction direction;
  std::string_view host;  // outgoing: the name that was dialed; incoming: empty
  std::string_view peer;  // endpoint
  std::string_view result;
  template <class F> void visit(F&& f) const {
    f("session", static_cast<std::int64_t>(session)), f("direction", to_string(direction)), f("host", host);
    f("peer", peer), f("result", result);
  }
};

// A command line, without its CRLF, as it crossed the wire.
struct Command {
  static constexpr std::string_view kName = "command";
  std::uint64_t session;
  Direction direction;
  std::string_view line;
  template <class F> void visit(F&& f) const {
    f("session", static_cast<std::int64_t>(session)), f("direction", to_string(direction)), f("line", line);
  }
};

// A whole reply: its code, and its lines joined by " | ".
struct Reply {
  static constexpr std::string_view kName = "reply";
  std::uint64_t session;
  Direction direction;
  int code;
  std::string_view text;
  template <class F> void visit(F&& f) const {
    f("session", static_cast<std::int64_t>(session)), f("direction", to_string(direction));
    f("code", std::int64_t{code}), f("text", text);
  }
};

// Message content begins to cross the wire (after 354).
struct Data {
  static constexpr std::string_view kName = "data";
  std::uint64_t session;
  Direction direction;
  std::string_view message;  // queue id
  template <class F> void visit(F&& f) const {
    f("session", static_cast<std::int64_t>(session)), f("direction", to_string(direction)), f("message", message);
  }
};

// A message is ours: it is durable, and its 250 may be sent. A bounce of our own has session 0.
struct Accepted {
  static constexpr std::string_view kName = "accepted";
  std::uint64_t session;
  std::string_view message;
  std::string_view sender;  // reverse-path, empty for the null sender
  std::int64_t recipients;
  std::int64_t size;  // octets as they will be sent, without dot-stuffing
  std::string_view bounce_of;  // queue id of the message that this one reports about, else empty
  std::string_view login = {};  // whom the client has shown to be (RFC 4954), else empty
  template <class F> void visit(F&& f) const {
    f("session", static_cast<std::int64_t>(session)), f("message", message), f("sender", sender);
    f("recipients", recipients), f("size", size), f("bounce_of", bounce_of), f("login", login);
  }
};

// A recipient is dispatched to its site: one attempt, over as many hosts as it takes.
struct Attempt {
  static constexpr std::string_view kName = "attempt";
  std::string_view message;
  std::string_view recipient;
  std::int64_t number;  // counts from 1
  std::string_view site;
  template <class F> void visit(F&& f) const {
    f("message", message), f("recipient", recipient), f("number", number), f("site", site);
  }
};

struct Delivered {
  static constexpr std::string_view kName = "delivered";
  std::string_view message;
  std::string_view recipient;
  std::string_view host;   // "mx1.example.net [192.0.2.1]:25"
  std::string_view reply;  // to the final dot
  Duration delay;          // since acceptance
  std::string_view tls = "none";  // of the session: "none", or as Agreed::to_string of mta/tls
  template <class F> void visit(F&& f) const {
    f("message", message), f("recipient", recipient), f("host", host), f("reply", reply), f("delay", delay);
    f("tls", tls);
  }
};

struct Deferred {
  static constexpr std::string_view kName = "deferred";
  std::string_view message;
  std::string_view recipient;
  std::string_view host;
  std::string_view stage;
  std::string_view reason;
  Duration retry_in;
  template <class F> void visit(F&& f) const {
    f("message", message), f("recipient", recipient), f("host", host), f("stage", stage), f("reason", reason);
    f("retry_in", retry_in);
  }
};

// Failed for good. A DSN follows unless the sender is null.
struct Bounced {
  static constexpr std::string_view kName = "bounced";
  std::string_view message;
  std::string_view recipient;
  std::string_view host;
  std::string_view stage;
  std::string_view status;  // "5.1.1"
  std::string_view reason;
  template <class F> void visit(F&& f) const {
    f("message", message), f("recipient", recipient), f("host", host), f("stage", stage), f("status", status);
    f("reason", reason);
  }
};

// Given up after its lifetime: the last result was transient. A DSN follows unless the sender is null.
struct Expired {
  static constexpr std::string_view kName = "expired";
  std::string_view message;
  std::string_view recipient;
  std::string_view status;
  std::string_view reason;
  Duration age;
  template <class F> void visit(F&& f) const {
    f("message", message), f("recipient", recipient), f("status", status), f("reason", reason), f("age", age);
  }
};

struct DnsQuery {
  static constexpr std::string_view kName = "dns-query";
  std::string_view name;
  std::string_view type;
  std::string_view server;
  std::string_view result;  // "noerror 2 records", "nxdomain", "servfail", "timed out", ...
  template <class F> void visit(F&& f) const {
    f("name", name), f("type", type), f("server", server), f("result", result);
  }
};

// What became of TLS in a session that was to have it.
struct Tls {
  static constexpr std::string_view kName = "tls";
  std::uint64_t session;
  Direction direction;
  std::string_view result;       // "ok", or why there is none
  std::string_view version;      // "TLSv1.3"; this and what follows are empty without TLS
  std::string_view cipher;
  std::string_view server_name;  // SNI
  std::string_view verified;     // of the other side's certificate: "" not asked, "ok", or the reason why it is not
  template <class F> void visit(F&& f) const {
    f("session", static_cast<std::int64_t>(session)), f("direction", to_string(direction)), f("result", result);
    f("version", version), f("cipher", cipher), f("server_name", server_name), f("verified", verified);
  }
};

// What became of an attempt to log in (RFC 4954).
struct Auth {
  static constexpr std::string_view kName = "auth";
  std::uint64_t session;
  Direction direction;
  std::string_view peer;  // endpoint
  std::string_view mechanism;  // "SCRAM-SHA-256"
  std::string_view login;      // empty: it did not come to a name
  std::string_view result;     // "ok", or why not
  template <class F> void visit(F&& f) const {
    f("session", static_cast<std::int64_t>(session)), f("direction", to_string(direction)), f("peer", peer);
    f("mechanism", mechanism), f("login", login), f("result", result);
  }
};

struct Close {
  static constexpr std::string_view kName = "close";
  std::uint64_t session;
  Direction direction;
  std::string_view reason;  // "quit", "closed by peer", "timed out", ...
  template <class F> void visit(F&& f) const {
    f("session", static_cast<std::int64_t>(session)), f("direction", to_string(direction)), f("reason", reason);
  }
};

// The service itself: listening, recovered, stopping, stopped, and trouble that an operator must know of.
struct Service {
  static constexpr std::string_view kName = "service";
  std::string_view state;  // "listening", "recovered", "trouble", "stopping", "stopped"
  std::string_view detail;
  template <class F> void visit(F&& f) const { f("state", state), f("detail", detail); }
};

}  // namespace event

using Event = std::variant<event::Connect, event::Command, event::Reply, event::Data, event::Accepted, event::Attempt,
                           event::Delivered, event::Deferred, event::Bounced, event::Expired, event::DnsQuery,
                           event::Tls, event::Auth, event::Close, event::Service>;

std::string_view event_name(const Event& event);

}  // namespace postproof
