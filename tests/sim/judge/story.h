// Recordings made by hand, for tests of the judge: one MTA "sut" between the client "client" and the peers
// "mx" and "home". What a story tells is right unless a test bends it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/judge/judge.h"
#include "sim/recording/record.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim::test {

inline constexpr Duration kLatency = std::chrono::milliseconds{1};

// A message on its way over one connection, and where it may go wrong.
struct Transfer {
  std::string from_node = "sut", to_node = "mx";
  std::string sender = "alice@src.example";
  std::vector<std::string> recipients = {"bob@dest.example"};
  std::string content = "Subject: hi\r\n\r\nbody\r\n";
  std::string ehlo_reply = "250-mx\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n";
  std::string mail_parameters;                                         // " SIZE=20"
  std::string rcpt_parameters;                                         // " NOTIFY=NEVER"
  bool pipelined = false;                                              // MAIL, RCPT and DATA in one write
  std::string dot_reply = "250 2.0.0 queued as 0001000000000001\r\n";  // empty: none comes
  bool dot_reply_lost = false;                                         // it is sent, and never arrives
  bool taken = true;                                                   // by a peer
  bool tell = true;                                                    // ClientMessage and PeerMessage are recorded
};

class Story {
 public:
  Story() {
    scenario.file = "test.toml";
    scenario.limit = std::chrono::hours{240};
    MtaPart sut;
    sut.name = "sut";
    sut.names = {"sut.example"};
    scenario.mtas.push_back(sut);
    for (const char* name : {"mx", "home"}) {
      PeerPart peer;
      peer.name = name;
      peer.names = {std::string(name) + ".example"};
      scenario.peers.push_back(peer);
    }
    add(record::NodeState{"sut", "start"});
  }

  Scenario scenario;
  Recording recording;
  Duration now{};

  template <class What>
  std::size_t add(What what) {
    recording.records.push_back(Record{now, std::move(what)});
    return recording.records.size() - 1;
  }

  void pass(Duration time) { now += time; }

  ConnectionId dial(const std::string& from, const std::string& to, std::uint16_t port = 25) {
    const ConnectionId id = ++connections_;
    add(record::Dial{id, from, to, Endpoint(*IpAddress::parse("10.0.0.1"), static_cast<std::uint16_t>(40000 + id)),
                     Endpoint(*IpAddress::parse("10.0.0.2"), port)});
    pass(2 * kLatency);
    add(record::Established{id});
    return id;
  }
  std::size_t say(ConnectionId id, Side from, std::string octets, bool lost = false) {
    const std::size_t index =
        add(record::Octets{id, from, std::move(octets), lost ? std::nullopt : std::optional(now + kLatency)});
    pass(kLatency);
    return index;
  }
  // Within TLS: what is said, and octets that carry it.
  std::size_t whisper(ConnectionId id, Side from, std::string octets) {
    const std::size_t index = add(record::Plain{id, from, std::move(octets), now + kLatency});
    say(id, from, "\x17\x03\x03\n");
    return index;
  }
  // From STARTTLS to a TLS of which both sides tell.
  void secure(ConnectionId id, const std::string& opener, const std::string& acceptor, const std::string& verified) {
    say(id, Side::opener, "STARTTLS\r\n");
    say(id, Side::acceptor, "220 go\r\n");
    say(id, Side::opener, "\x16\x03\x01\n");
    say(id, Side::acceptor, "\x16\x03\x03\n");
    for (const Side side : {Side::acceptor, Side::opener}) {
      const bool opens = side == Side::opener;
      add(record::Tls{id, side, opens ? opener : acceptor, "established", "TLSv1.3", "TLS_AES_256_GCM_SHA384",
                      acceptor + ".example", opens ? verified : "", ""});
    }
  }
  void hang_up(ConnectionId id) {
    say(id, Side::opener, "QUIT\r\n");
    say(id, Side::acceptor, "221 bye\r\n");
    add(record::Fin{id, Side::acceptor});
    add(record::Fin{id, Side::opener});
    pass(kLatency);
  }

  std::size_t event(std::string name, std::vector<std::pair<std::string, std::string>> fields) {
    return add(record::MtaEvent{"sut", std::move(name), std::move(fields)});
  }
  void accepted(std::string id, std::string sender, std::string session = "1", std::string bounce_of = "") {
    event("accepted", {{"session", std::move(session)},
                       {"message", std::move(id)},
                       {"sender", std::move(sender)},
                       {"recipients", "1"},
                       {"size", "20"},
                       {"bounce_of", std::move(bounce_of)}});
  }
  void attempt(std::string recipient) {
    event("attempt", {{"message", "0001000000000001"}, {"recipient", std::move(recipient)}});
  }
  void delivered(std::string recipient) {
    event("delivered",
          {{"message", "0001000000000001"}, {"recipient", std::move(recipient)}, {"host", "mx.example [10.0.0.2]:25"}});
  }
  void bounced(std::string id, std::string recipient) {
    event("bounced", {{"message", std::move(id)}, {"recipient", std::move(recipient)}, {"reason", "550 no"}});
  }

  // The whole session; the dialogue's own fields are as they should be.
  ConnectionId transfer(const Transfer& t) {
    const ConnectionId id = dial(t.from_node, t.to_node);
    say(id, Side::acceptor, "220 mx ESMTP\r\n");
    say(id, Side::opener, "EHLO sut.example\r\n");
    say(id, Side::acceptor, t.ehlo_reply);
    std::vector<std::string> commands = {"MAIL FROM:<" + t.sender + ">" + t.mail_parameters + "\r\n"};
    std::vector<std::string> replies = {"250 ok\r\n"};
    for (const std::string& recipient : t.recipients) {
      commands.push_back("RCPT TO:<" + recipient + ">" + t.rcpt_parameters + "\r\n");
      replies.push_back("250 ok\r\n");
    }
    commands.push_back("DATA\r\n");
    replies.push_back("354 go\r\n");
    if (t.pipelined) {
      for (const std::string& command : commands) add(record::Octets{id, Side::opener, command, now + kLatency});
      pass(kLatency);
      for (const std::string& reply : replies) say(id, Side::acceptor, reply);
    } else {
      for (std::size_t i = 0; i < commands.size(); ++i) {
        say(id, Side::opener, commands[i]);
        say(id, Side::acceptor, replies[i]);
      }
    }
    say(id, Side::opener, t.content + ".\r\n");
    const bool positive = t.dot_reply.starts_with("2");
    if (t.tell && t.to_node != "sut") {
      add(record::PeerMessage{t.to_node, id, "sut.example", t.mail_parameters, t.sender, t.recipients, t.content,
                              t.dot_reply, t.taken && (positive || t.dot_reply.empty())});
    }
    if (!t.dot_reply.empty()) say(id, Side::acceptor, t.dot_reply, t.dot_reply_lost);
    if (t.tell && t.from_node != "sut") {
      const bool heard = !t.dot_reply.empty() && !t.dot_reply_lost;
      add(record::ClientMessage{t.from_node, t.to_node, id, t.sender, t.recipients, t.content, heard ? t.dot_reply : "",
                                heard && positive});
    }
    hang_up(id);
    return id;
  }

  // As an MTA would send on what it was handed: its Received field on top.
  static std::string relayed(const std::string& content) {
    return "Received: from client by sut.example\r\n with ESMTP id 1; Thu, 1 Jan 2026 00:00:00 +0000\r\n" + content;
  }

  static std::string report(const std::string& to, const std::string& final_recipient,
                            const std::string& original_header, const std::string& status = "5.1.1") {
    return "From: MAILER-DAEMON@sut.example\r\nTo: <" + to +
           ">\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"b1\"\r\n\r\npreamble\r\n"
           "--b1\r\nContent-Type: text/plain\r\n\r\nno\r\n"
           "--b1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; sut.example\r\n\r\n"
           "Final-Recipient: rfc822; " +
           final_recipient + "\r\nAction: failed\r\nStatus: " + status +
           "\r\nRemote-MTA: dns; mx.example\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n"
           "--b1\r\nContent-Type: text/rfc822-headers\r\n\r\n" +
           relayed(original_header) + "\r\n--b1--\r\n";
  }

  void hand_over(Transfer t = {}) {
    t.from_node = "client";
    t.to_node = "sut";
    transfer(t);
  }

  // A message from the client through sut to mx, with the events that belong to it.
  void simple_delivery() {
    accepted("0001000000000001", "alice@src.example");
    hand_over();
    attempt("bob@dest.example");
    Transfer t;
    t.content = relayed(t.content);
    transfer(t);
    delivered("bob@dest.example");
  }
  // A message for gone@dest.example that ends in a report to Alice at home.
  void simple_bounce() {
    accepted("0001000000000001", "alice@src.example");
    Transfer t;
    t.recipients = {"gone@dest.example"};
    hand_over(t);
    attempt("gone@dest.example");
    bounced("0001000000000001", "gone@dest.example");
    accepted("0001000000000002", "", "0", "0001000000000001");
    Transfer dsn;
    dsn.to_node = "home";
    dsn.sender = "";
    dsn.recipients = {"alice@src.example"};
    dsn.content = report("alice@src.example", "gone@dest.example", "Subject: hi\r\n");
    transfer(dsn);
    delivered("alice@src.example");
  }
  void queued(std::string recipient, std::optional<Duration> due, std::string sender = "alice@src.example") {
    add(record::QueueState{"sut", "0001000000000001", std::move(sender), std::move(recipient), "pending", 1, due});
  }
  void crash() { add(record::NodeState{"sut", "crash"}); }
  void start() { add(record::NodeState{"sut", "start"}); }
  void end(std::string reason = "done", std::string pending = "") {
    add(record::End{std::move(reason), std::move(pending)});
  }

  template <class Expectation>
  void expect(Expectation what, std::uint32_t line = 10) {
    scenario.expects.push_back(Expect{std::move(what), line});
  }
  Judgement judged() const { return judge(scenario, recording); }

 private:
  ConnectionId connections_ = 0;
};

// The expectations that failed, one a line: "expect dsn", "invariant: closed world".
inline std::string failed(const Judgement& judgement) {
  std::string text;
  for (const Failure& failure : judgement.failures) text += failure.expectation + "\n";
  return text;
}

inline ExpectDelivered delivered_to(std::string rcpt) {
  ExpectDelivered expect;
  expect.rcpt = std::move(rcpt);
  return expect;
}
inline ExpectDsn dsn_to(std::string to) {
  ExpectDsn expect;
  expect.to = std::move(to);
  return expect;
}

}  // namespace postproof::sim::test
