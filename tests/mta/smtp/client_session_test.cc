// The client's session against peers that behave and peers that do not: CONFORMANCE groups D, E, K, L.
#include "mta/smtp/client_session.h"

#include <doctest/doctest.h>

#include <vector>

#include "mta/base/limits.h"
#include "tests/mta/smtp/test_world.h"

using namespace postproof;
using namespace postproof::smtp;

namespace {

class Pieces final : public ContentSource {
 public:
  explicit Pieces(std::vector<std::string> pieces, std::optional<Errc> error = {})
      : pieces_(std::move(pieces)), error_(error) {}
  Task<Result<std::string>> next() override {
    ++asked;
    if (at_ < pieces_.size()) co_return pieces_[at_++];
    if (error_) co_return fail(*error_, "bad disk");
    co_return std::string();
  }
  unsigned asked = 0;

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
  std::optional<Errc> error_;
};

// "rcpt: 550 5.1.1 x", "data: timed out: DATA: no reply within 2m".
std::string told(const ClientResult& result) {
  std::string text = std::string(to_string(result.stage)) + ": ";
  if (const auto* reply = std::get_if<Reply>(&result.what)) return text + reply->to_string();
  const Error& error = std::get<Error>(result.what);
  return text + std::string(to_string(error.code)) + ": " + error.what;
}

constexpr std::string_view kPlain = "250-mx\r\n250-SIZE 1000\r\n250 8BITMIME\r\n";
constexpr std::string_view kPipelining = "250-mx\r\n250-PIPELINING\r\n250-SIZE\r\n250 8BITMIME\r\n";

struct Client {
  Client() : group(world.env().executor) {
    settings.hostname = "us.example.org";
    session.emplace(world.env(), settings, 9, "mx.dest.example");
  }
  ~Client() {
    session->close();
    world.advance(1h);
    CHECK(group.size() == 0);
  }

  void connect() {
    group.spawn(run_connect());
    world.settle();
  }
  // Past EHLO.
  Client& hello(std::string_view capabilities) {
    connect();
    say("220 mx\r\n");
    say(capabilities);
    REQUIRE(connected == "ok");
    return *this;
  }
  void deliver(std::vector<std::string> recipients, std::vector<std::string> pieces = {"x\r\n"}) {
    content.emplace(std::move(pieces));
    Transaction transaction;
    transaction.message = "0001000000000001";
    transaction.envelope = envelope;
    transaction.envelope.sender = Address{"a", "src.example"};
    for (const std::string& r : recipients) transaction.envelope.recipients.push_back(Recipient{*Address::parse(r)});
    transaction.size = size;
    results.clear();
    done = false;
    group.spawn(run_deliver(std::move(transaction)));
    world.settle();
  }
  void quit() {
    group.spawn(session->quit());
    world.settle();
  }
  test::TestWorld::Wire& wire() { return world.dialed.at(0); }
  std::string say(std::string_view octets) { return wire().say(octets); }
  std::string sent() { return wire().received(); }
  bool said(std::string_view event) const {
    for (const std::string& e : world.events) {
      if (e == event) return true;
    }
    return false;
  }

  test::TestWorld world;
  ClientSettings settings;
  TaskGroup group;
  std::optional<ClientSession> session;
  std::optional<Pieces> content;
  Envelope envelope;  // but for sender and recipients
  std::uint64_t size = 3;
  std::string connected;
  std::vector<std::string> results;
  bool done = false;

 private:
  Task<void> run_connect() {
    const auto result = co_await session->connect(test::TestWorld::endpoint("198.51.100.1:25"), TlsLevel::none);
    connected = result ? "ok" : told(result.error());
  }
  Task<void> run_deliver(Transaction transaction) {
    const auto all = co_await session->deliver(std::move(transaction), *content);
    for (const ClientResult& result : all) results.push_back(told(result));
    done = true;
  }
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("one message, step by step, without pipelining") {
  Client c;
  c.connect();
  CHECK(c.sent() == "");
  CHECK(c.say("220-mx\r\n220 hello\r\n") == "EHLO us.example.org\r\n");
  CHECK(c.say(kPlain) == "");
  CHECK(c.connected == "ok");
  CHECK(c.session->usable());
  CHECK(c.session->capabilities().size_max == 1000);
  c.deliver({"b@dest.example", "\"c d\"@dest.example"}, {".one\r\n..", "two\r\n", "end"});
  CHECK(c.sent() == "MAIL FROM:<a@src.example> SIZE=3\r\n");
  CHECK(c.say("250 ok\r\n") == "RCPT TO:<b@dest.example>\r\n");
  CHECK(c.say("251 will forward\r\n") == "RCPT TO:<\"c d\"@dest.example>\r\n");  // D07
  CHECK(c.say("250 ok\r\n") == "DATA\r\n");
  CHECK(c.say("354 go\r\n") == "..one\r\n...two\r\nend\r\n.\r\n");
  CHECK_FALSE(c.done);
  c.say("250 2.0.0 queued\r\n");
  CHECK(c.results == Words{"dot: 250 2.0.0 queued", "dot: 250 2.0.0 queued"});
  CHECK(c.session->usable());
  // A further transaction needs no RSET.
  c.deliver({"b@dest.example"});
  CHECK(c.sent() == "MAIL FROM:<a@src.example> SIZE=3\r\n");
  c.say("250 ok\r\n");
  c.say("250 ok\r\n");
  c.say("354 go\r\n");
  c.say("250 ok\r\n");
  CHECK(c.results == Words{"dot: 250 ok"});
  c.quit();
  CHECK(c.sent() == "QUIT\r\n");
  CHECK_FALSE(c.wire().closed());
  c.say("221 bye\r\n");
  CHECK(c.wire().closed());
  CHECK_FALSE(c.session->usable());
  CHECK(c.world.events.front() ==
        "connect session=9 direction=out host=mx.dest.example peer=198.51.100.1:25 result=ok");
  CHECK(c.said("command session=9 direction=out line=\"RCPT TO:<b@dest.example>\""));
  CHECK(c.said("reply session=9 direction=out code=220 text=\"mx | hello\""));
  CHECK(c.said("data session=9 direction=out message=0001000000000001"));
  CHECK(c.world.events.back() == "close session=9 direction=out reason=quit");
}

TEST_CASE("one message, in a group: L10, L11") {
  Client c;
  c.hello(kPipelining).deliver({"b@dest.example", "c@dest.example"});
  CHECK(c.sent() ==
        "MAIL FROM:<a@src.example> SIZE=3\r\nRCPT TO:<b@dest.example>\r\nRCPT TO:<c@dest.example>\r\nDATA\r\n");
  CHECK(c.say("250 ok\r\n250 ok\r\n550 5.1.1 no\r\n") == "");
  CHECK(c.say("354 go\r\n") == "x\r\n.\r\n");
  c.say("250 done\r\n");
  CHECK(c.results == Words{"dot: 250 done", "rcpt: 550 5.1.1 no"});
  CHECK(c.session->usable());

  // By octets, and with the whole of it at once up to the 354.
  Client octets;
  octets.hello(kPipelining).deliver({"b@d", "c@d"});
  octets.sent();
  octets.wire().send_by_octet("250-a\r\n250 b\r\n450 4.2.0 later\r\n250\r\n354 go\r\n");
  CHECK(octets.sent() == "x\r\n.\r\n");
  octets.say("250 done\r\n");
  CHECK(octets.results == Words{"rcpt: 450 4.2.0 later", "dot: 250 done"});

  // Switched off.
  Client off;
  off.settings.pipelining = false;
  off.hello(kPipelining).deliver({"b@d"});
  CHECK(off.sent() == "MAIL FROM:<a@src.example> SIZE=3\r\n");
}

TEST_CASE("getting to a session: D09 to D11, D18, E01") {
  struct Case {
    std::string greeting, ehlo, helo;  // "" : the peer closes
    std::string connected;
  };
  const std::vector<Case> cases = {
      {"220 mx\r\n", "250 mx\r\n", "", "ok"},
      {"220 mx\r\n", "250 mx\n", "", "ok"},
      {"299 mx\r\n", "298 mx\r\n", "", "ok"},
      {"220 mx\r\n", "502 what\r\n", "250 mx\r\n", "ok"},
      {"220 mx\r\n", "550 5.7.1 no\r\n", "550 no\r\n", "ehlo: 550 no"},
      {"220 mx\r\n", "554 5.7.1 go away\r\n", "", "ehlo: 554 5.7.1 go away"},
      {"220 mx\r\n", "450 later\r\n", "", "ehlo: 450 later"},
      {"220 mx\r\n", "421 bye\r\n", "", "ehlo: 421 bye"},
      {"220 mx\r\n", "354 go\r\n", "", "ehlo: protocol error: EHLO: reply out of place: 354 go"},
      {"220 mx\r\n", "", "", "ehlo: connection closed by peer: EHLO: connection closed by peer"},
      {"220 mx\r\n", "250-mx\r\n251 x\r\n", "", "ehlo: protocol error: EHLO: a reply of 250 goes on with '251 x'"},
      {"554 no service\r\n", "", "", "greeting: 554 no service"},
      {"421 busy\r\n", "", "", "greeting: 421 busy"},
      {"450 later\r\n", "", "", "greeting: 450 later"},
      {"250 mx\r\n", "", "", "greeting: protocol error: greeting: reply out of place: 250 mx"},
      {"354 hm\r\n", "", "", "greeting: protocol error: greeting: reply out of place: 354 hm"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "", "", "greeting: protocol error: greeting: not a reply: 'SSH-2.0-OpenSSH_9.2'"},
      {"", "", "", "greeting: connection closed by peer: greeting: connection closed by peer"},
      {"220 mx\r\n250 early\r\n", "", "", "ehlo: protocol error: unasked reply: 250 early"},
      {"220 mx\r\n421 early\r\n", "", "", "ehlo: 421 early"},
  };
  for (const Case& k : cases) {
    CAPTURE(k.greeting);
    CAPTURE(k.ehlo);
    Client c;
    c.connect();
    for (const std::string& reply : {k.greeting, k.ehlo, k.helo}) {
      if (reply.empty()) {
        c.wire().fin();
        break;
      }
      c.wire().send(reply);
    }
    CHECK(c.connected == k.connected);
    CHECK(c.session->usable() == (k.connected == "ok"));
  }

  Client refused;
  refused.world.connect_error = Errc::refused;
  refused.connect();
  CHECK(refused.connected == "connect: connection refused: connect 198.51.100.1:25");
  CHECK(refused.world.events == Words{"connect session=9 direction=out host=mx.dest.example peer=198.51.100.1:25 "
                                      "result=\"connection refused\""});
  refused.quit();
  CHECK(refused.group.size() == 0);

  // A host that refuses the session still hears QUIT (RFC 5321 section 3.1).
  Client polite;
  polite.connect();
  polite.say("554 no service\r\n");
  polite.quit();
  CHECK(polite.sent() == "QUIT\r\n");
  polite.world.advance(polite.settings.quit_timeout);
  CHECK(polite.wire().closed());
}

// What becomes of two recipients when the peer answers so, command by command and in a group. "FIN" and "RST" end
// the connection. In a group all of it comes in one segment.
TEST_CASE("hostile and failing transactions: D01 to D20, L12, L15, both ways") {
  struct Case {
    std::vector<std::string> replies;
    Words results;
    bool usable;
    bool in_group_only = false;
    Words in_group{};  // where the results differ in a group
  };
  const std::string eof = "connection closed by peer: ";
  const auto eof_at = [](std::string stage, std::string name) {
    return stage + ": connection closed by peer: " + name + ": connection closed by peer";
  };
  const std::vector<Case> cases = {
      {{"250 m", "250 r", "250 r", "354 go", "250 ok"}, {"dot: 250 ok", "dot: 250 ok"}, true},
      {{"250 m", "250 r", "452 4.5.3 many", "354 go", "250 ok"}, {"dot: 250 ok", "rcpt: 452 4.5.3 many"}, true},
      {{"250 m", "250 r", "552 5.5.3 many", "354 go", "250 ok"}, {"dot: 250 ok", "rcpt: 552 5.5.3 many"}, true},
      {{"250 m", "550 r", "250 r", "354 go", "450 later"}, {"rcpt: 550 r", "dot: 450 later"}, true},
      {{"250 m", "250 r", "250 r", "354 go", "554 no"}, {"dot: 554 no", "dot: 554 no"}, true},
      {{"250 m", "250 r", "250 r", "450 no"}, {"data: 450 no", "data: 450 no"}, true},
      {{"250 m", "550 r", "250 r", "554 no"}, {"rcpt: 550 r", "data: 554 no"}, true},
      // 421 at each point.
      {{"421 bye"}, {"mail: 421 bye", "mail: 421 bye"}, false},
      {{"250 m", "421 bye"}, {"rcpt: 421 bye", "rcpt: 421 bye"}, false},
      {{"250 m", "550 r", "421 bye"}, {"rcpt: 550 r", "rcpt: 421 bye"}, false},
      {{"250 m", "250 r", "250 r", "421 bye"}, {"data: 421 bye", "data: 421 bye"}, false},
      {{"250 m", "250 r", "550 r", "354 go", "421 bye"}, {"dot: 421 bye", "rcpt: 550 r"}, false},
      // The connection ends at each point: what was told stands.
      {{"FIN"}, {eof_at("mail", "MAIL"), eof_at("mail", "MAIL")}, false},
      {{"250 m", "FIN"}, {eof_at("rcpt", "RCPT"), eof_at("rcpt", "RCPT")}, false},
      {{"250 m", "550 r", "FIN"}, {"rcpt: 550 r", eof_at("rcpt", "RCPT")}, false},
      {{"250 m", "250 r", "FIN"}, {eof_at("rcpt", "RCPT"), eof_at("rcpt", "RCPT")}, false},
      {{"250 m", "550 r", "250 r", "FIN"}, {"rcpt: 550 r", eof_at("data", "DATA")}, false},
      {{"250 m", "250 r", "250 r", "354 go", "FIN"}, {eof_at("dot", "final dot"), eof_at("dot", "final dot")}, false},
      // Replies out of place.
      {{"354 go"},
       {"mail: protocol error: MAIL: reply out of place: 354 go",
        "mail: protocol error: MAIL: reply out of place: 354 go"},
       false},
      // Of a group nobody knows then whose the replies before it were.
      {{"250 m", "550 r", "354 go"},
       {"rcpt: 550 r", "rcpt: protocol error: RCPT: reply out of place: 354 go"},
       false,
       false,
       {"rcpt: protocol error: RCPT: reply out of place: 354 go", "rcpt: protocol error: RCPT: reply out of place: 354 go"}},
      {{"250 m", "550 r", "250 r", "250 what"},
       {"rcpt: 550 r", "data: protocol error: DATA: reply out of place: 250 what"},
       false,
       false,
       {"data: protocol error: DATA: reply out of place: 250 what",
        "data: protocol error: DATA: reply out of place: 250 what"}},
      {{"250 m", "550 r", "250 r", "354 go", "354 go"},
       {"rcpt: 550 r", "dot: protocol error: final dot: reply out of place: 354 go"},
       false},
      {{"250 m", "550 r", "garbage"},
       {"rcpt: 550 r", "rcpt: protocol error: RCPT: not a reply: 'garbage'"},
       false,
       false,
       {"rcpt: protocol error: RCPT: not a reply: 'garbage'", "rcpt: protocol error: RCPT: not a reply: 'garbage'"}},
      // Class decides (D01).
      {{"299 m", "299 r", "499 r", "399 go", "299 ok"}, {"dot: 299 ok", "rcpt: 499 r"}, true},
      // MAIL refused: in a group the rest is read, whatever it says.
      {{"550 m", "503 r", "503 r", "503 d"}, {"mail: 550 m", "mail: 550 m"}, true, true},
      {{"550 m", "FIN"}, {"mail: 550 m", "mail: 550 m"}, false, true},
      {{"550 m", "421 bye"}, {"mail: 550 m", "mail: 550 m"}, false, true},
      {{"550 m", "250 r", "250 r", "354 go", "250 ok"}, {"mail: 550 m", "mail: 550 m"}, true, true},
      // All recipients refused: a lone dot, and its reply means nothing (L12).
      {{"250 m", "550 r", "450 r", "554 d"}, {"rcpt: 550 r", "rcpt: 450 r"}, true, true},
      {{"250 m", "550 r", "450 r", "354 go", "554 d"}, {"rcpt: 550 r", "rcpt: 450 r"}, true, true},
      {{"250 m", "550 r", "450 r", "354 go", "250 d"}, {"rcpt: 550 r", "rcpt: 450 r"}, true, true},
      {{"250 m", "550 r", "450 r", "354 go", "FIN"}, {"rcpt: 550 r", "rcpt: 450 r"}, false, true},
      {{"250 m", "550 r", "450 r", "FIN"}, {"rcpt: 550 r", "rcpt: 450 r"}, false, true},
  };
  for (const Case& k : cases) {
    for (const bool in_group : {true, false}) {
      if (!in_group && k.in_group_only) continue;
      std::string all;
      for (const std::string& reply : k.replies) all += reply + " / ";
      CAPTURE(all);
      CAPTURE(in_group);
      Client c;
      c.hello(in_group ? kPipelining : kPlain).deliver({"b@d", "c@d"});
      std::string sent = c.sent();
      for (const std::string& reply : k.replies) {
        if (reply == "FIN") {
          c.wire().fin();
        } else {
          sent += c.say(reply + "\r\n");
        }
      }
      CHECK(c.done);
      CHECK(c.results == (in_group && !k.in_group.empty() ? k.in_group : k.results));
      CHECK(c.session->usable() == k.usable);
      CHECK(c.wire().closed() == !k.usable);
      // Content goes out exactly when somebody's dot is waited for.
      bool content = false;
      for (const std::string& result : c.results) content |= result.starts_with("dot: ");
      CHECK(sent.contains("x\r\n.\r\n") == content);
    }
  }
}

TEST_CASE("a reset instead of a close: D19") {
  for (const bool in_group : {true, false}) {
    Client c;
    c.hello(in_group ? kPipelining : kPlain).deliver({"b@d", "c@d"});
    c.say("250 m\r\n");
    c.say("550 5.1.1 r\r\n");
    c.wire().rst();
    CHECK(c.results == Words{"rcpt: 550 5.1.1 r", "rcpt: connection reset: RCPT: connection reset"});
    CHECK(c.world.events.back() == "close session=9 direction=out reason=\"connection reset\"");
  }
}

TEST_CASE("a lone dot is all that is sent when nobody takes the message: L12") {
  Client c;
  c.hello(kPipelining).deliver({"b@d"});
  c.sent();
  CHECK(c.say("250 m\r\n550 r\r\n354 go\r\n") == ".\r\n");
  CHECK_FALSE(c.done);
  c.say("250 ok\r\n");
  CHECK(c.results == Words{"rcpt: 550 r"});
  CHECK(c.content->asked == 0);
  c.deliver({"b@d"});
  CHECK(c.sent().starts_with("MAIL "));
}

TEST_CASE("RSET only where a transaction stands open: D14") {
  Client c;
  c.hello(kPlain).deliver({"b@d"});
  c.sent();
  c.say("250 m\r\n");
  CHECK(c.say("550 r\r\n") == "");  // no DATA
  CHECK(c.done);
  c.deliver({"c@d"});
  CHECK(c.sent() == "RSET\r\n");
  CHECK(c.say("250 ok\r\n") == "MAIL FROM:<a@src.example> SIZE=3\r\n");
  c.say("250 m\r\n");
  c.say("550 r\r\n");
  // A RSET that fails ends the session, and is the next transaction's result.
  for (const std::string reply : {"421 bye", "500 what"}) {
    Client k;
    k.hello(kPlain).deliver({"b@d"});
    k.say("250 m\r\n");
    k.say("550 r\r\n");
    k.deliver({"b@d"});
    k.say(reply + "\r\n");
    CHECK(k.results == Words{reply.starts_with("421") ? "mail: 421 bye"
                                                      : "mail: protocol error: RSET: reply out of place: 500 what"});
    CHECK_FALSE(k.session->usable());
    k.deliver({"b@d"});
    CHECK(k.results == Words{"mail: closed: the session is at its end"});
  }
}

TEST_CASE("what the peer cannot take is not sent: K04, L01") {
  Client c;
  c.hello(kPlain);
  c.sent();
  c.size = 1001;
  c.deliver({"b@d", "c@d"});
  CHECK(c.results == Words{"mail: too large: message of 1001 octets is over the peer's limit of 1000",
                           "mail: too large: message of 1001 octets is over the peer's limit of 1000"});
  CHECK(c.sent() == "");
  CHECK(c.session->usable());
  c.size = 1000;
  c.envelope.body = BodyType::eight_bit;
  c.deliver({"b@d"});
  CHECK(c.sent() == "MAIL FROM:<a@src.example> SIZE=1000 BODY=8BITMIME\r\n");

  Client plain;
  plain.hello("250 mx\r\n");
  plain.sent();
  plain.envelope.body = BodyType::eight_bit;
  plain.deliver({"b@d"});
  CHECK(plain.results == Words{"mail: invalid: peer does not offer 8BITMIME"});
  plain.envelope.body = BodyType::seven_bit;
  plain.deliver({"b@d"});
  CHECK(plain.sent() == "MAIL FROM:<a@src.example>\r\n");  // D25: no SIZE
}

TEST_CASE("a group against a peer that does not read: L13") {
  Client c;
  c.hello(kPipelining);
  c.sent();
  c.wire().set_window(0);
  std::vector<std::string> recipients;
  for (int i = 0; i < 200; ++i) recipients.push_back("r" + std::to_string(i) + "@dest.example");
  c.deliver(recipients);
  CHECK(c.sent() == "");
  // Its replies come before it has read anything but what they answer; ours are written as it takes them.
  std::string got;
  c.wire().set_window(10);
  std::size_t answered = 0;
  for (int i = 0; i < 100'000 && !c.done && c.group.size() > 0; ++i) {
    got += c.sent();
    std::size_t lines = 0;
    for (const char octet : got) lines += octet == '\n';
    for (; answered < lines && answered < 202; ++answered) c.wire().send(answered == 201 ? "354 go\r\n" : "250 ok\r\n");
    if (got.ends_with("x\r\n.\r\n")) c.wire().send("250 done\r\n");
  }
  CHECK(c.done);
  CHECK(c.results == Words(200, "dot: 250 done"));
}

TEST_CASE("replies to a group that the peer has not read end it") {
  Client c;
  c.hello(kPipelining);
  c.sent();
  c.wire().set_window(5);
  c.deliver({"b@d"});
  c.wire().send("250 m\r\n250 r\r\n354 go\r\n");
  CHECK_FALSE(c.done);
  c.world.advance(c.settings.mail_timeout);
  CHECK(c.results == Words{"data: timed out: DATA: timed out"});
  CHECK_FALSE(c.session->usable());
}

TEST_CASE("replies that nobody asked for: nothing is credited to the next command") {
  Client c;
  c.hello(kPlain).deliver({"b@d"});
  c.sent();
  CHECK(c.say("250 m\r\n250 r\r\n") == "");
  CHECK(c.results == Words{"rcpt: protocol error: unasked reply: 250 r"});
  // Behind the 354, where it would be taken for the reply to the dot.
  Client dot;
  dot.hello(kPlain).deliver({"b@d"});
  dot.say("250 m\r\n");
  dot.say("250 r\r\n");
  CHECK(dot.say("354 go\r\n250 ok\r\n") == "");
  CHECK(dot.results == Words{"data: protocol error: unasked reply: 250 ok"});
}

TEST_CASE("timeouts, one by one: E01 to E06, E09") {
  struct Case {
    std::vector<std::string> replies;
    Duration limit;
    std::string result;
  };
  const ClientSettings defaults;
  const std::vector<Case> cases = {
      {{}, defaults.greeting_timeout, "greeting: timed out: greeting: no reply within 5m"},
      {{"220 mx"}, defaults.ehlo_timeout, "ehlo: timed out: EHLO: no reply within 5m"},
      {{"220 mx", "250 mx"}, defaults.mail_timeout, "mail: timed out: MAIL: no reply within 5m"},
      {{"220 mx", "250 mx", "250 m"}, defaults.rcpt_timeout, "rcpt: timed out: RCPT: no reply within 5m"},
      {{"220 mx", "250 mx", "250 m", "250 r"}, defaults.data_timeout, "data: timed out: DATA: no reply within 2m"},
      {{"220 mx", "250 mx", "250 m", "250 r", "354 go"},
       defaults.dot_timeout,
       "dot: timed out: final dot: no reply within 10m"},
  };
  const std::vector<std::string> good = {"220 mx", "250 mx", "250 m", "250 r", "354 go", "250 ok"};
  for (const Case& k : cases) {
    for (const bool dripping : {false, true}) {
      CAPTURE(k.result);
      CAPTURE(dripping);
      Client c;
      const auto play = [&](const std::vector<std::string>& replies) {
        c.connect();
        for (std::size_t i = 0; i < replies.size(); ++i) {
          c.wire().send(replies[i] + "\r\n");
          if (i == 1) c.deliver({"b@d"});
        }
      };
      play(k.replies);
      const auto result = [&] { return c.done ? c.results.at(0) : c.connected == "ok" ? "" : c.connected; };
      c.world.advance(k.limit - 1s);
      CHECK(result() == "");
      if (dripping) c.wire().send("250-never ends\r\n250");
      c.world.advance(1s);
      CHECK(result() == k.result);
      CHECK(c.wire().closed());

      // An answer at limit - 1 s is in time.
      Client in_time;
      in_time.connect();
      for (std::size_t i = 0; i < good.size(); ++i) {
        if (i == k.replies.size()) in_time.world.advance(k.limit - 1s);
        in_time.wire().send(good[i] + "\r\n");
        if (i == 1) in_time.deliver({"b@d"});
      }
      CHECK(in_time.results == Words{"dot: 250 ok"});
    }
  }
}

TEST_CASE("a peer that stops reading in the middle of content: E05") {
  Client c;
  c.hello(kPlain).deliver({"b@d"}, {std::string(50'000, 'x'), std::string(50'000, 'y')});
  c.sent();
  c.say("250 m\r\n");
  c.say("250 r\r\n");
  c.wire().set_window(1000);
  c.wire().send("354 go\r\n");
  c.world.advance(c.settings.block_timeout - 1s);
  CHECK_FALSE(c.done);
  c.world.advance(2s);
  CHECK(c.results == Words{"data: timed out: sending the message: timed out"});

  // The same, and it has said why: the reply tells.
  Client why;
  why.hello(kPlain).deliver({"b@d"}, {std::string(50'000, 'x'), std::string(50'000, 'y')});
  why.say("250 m\r\n");
  why.say("250 r\r\n");
  why.wire().set_window(1000);
  why.wire().send("354 go\r\n");
  why.wire().send("552 5.3.4 too big\r\n");
  why.wire().fin();
  why.world.advance(why.settings.block_timeout + 1s);
  CHECK(why.results == Words{"data: 552 5.3.4 too big"});
  CHECK_FALSE(why.session->usable());
}

TEST_CASE("content that cannot be read never gets its dot") {
  Client c;
  c.hello(kPlain);
  c.content.emplace(std::vector<std::string>{"half\r\n"}, Errc::io);
  // deliver() replaces the source: give it one that fails.
  struct Failing final : ContentSource {
    Task<Result<std::string>> next() override {
      if (first) {
        first = false;
        co_return std::string("half\r\n");
      }
      co_return fail(Errc::io, "bad disk");
    }
    bool first = true;
  } failing;
  std::vector<ClientResult> results;
  Transaction transaction;
  transaction.envelope.recipients = {Recipient{Address{"b", "d"}}};
  const auto run = [](ClientSession& session, Transaction t, ContentSource& source,
                      std::vector<ClientResult>& into) -> Task<void> {
    into = co_await session.deliver(std::move(t), source);
  };
  c.group.spawn(run(*c.session, transaction, failing, results));
  c.world.settle();
  c.sent();
  c.say("250 m\r\n");
  c.say("250 r\r\n");
  const std::string sent = c.say("354 go\r\n");
  REQUIRE(results.size() == 1);
  CHECK(told(results[0]) == "data: input/output error: reading the message: bad disk");
  CHECK_FALSE(sent.contains(".\r\n"));
  CHECK(c.wire().closed());
}

TEST_CASE("endless replies: D02, D05, E09") {
  // Long lines are cut, many are dropped: still a reply.
  Client c;
  c.hello(kPlain).deliver({"b@d"});
  c.sent();
  CHECK(c.say("250-" + std::string(5000, 'x') + "\r\n250 ok\r\n").starts_with("RCPT "));
  std::string many;
  for (int i = 0; i < 200; ++i) many += "250-line\r\n";
  CHECK(c.say(many + "250 ok\r\n") == "DATA\r\n");

  for (const std::string& piece : {std::string("250-more\r\n"), std::string(1000, 'x')}) {
    Client endless;
    endless.hello(kPlain).deliver({"b@d"});
    endless.sent();
    std::size_t size = 0;
    while (!endless.done && size < 10 * limits::kReplyOctets) {
      endless.wire().send(piece);
      size += piece.size();
    }
    CHECK(endless.results == Words{"mail: protocol error: MAIL: endless reply"});
    CHECK(size < limits::kReplyOctets + 10'000);
  }
}

TEST_CASE("QUIT is bounded, and closing ends what is under way: E08, D21") {
  Client c;
  c.hello(kPlain);
  c.quit();
  CHECK_FALSE(c.wire().closed());
  c.world.advance(c.settings.quit_timeout);
  CHECK(c.wire().closed());
  CHECK(c.world.events.back() == "close session=9 direction=out reason=quit");

  Client closing;
  closing.hello(kPlain).deliver({"b@d"});
  closing.session->close();
  closing.world.settle();
  CHECK(closing.results == Words{"mail: closed: MAIL: closed"});
  std::size_t closes = 0;
  for (const std::string& event : closing.world.events) closes += event.starts_with("close ");
  CHECK(closes == 1);
}

TEST_CASE("a session that is closed while it dials does not come to life") {
  Client c;
  c.world.connect_takes = 10s;
  c.connect();
  c.session->close();
  c.world.advance(10s);
  CHECK(c.connected == "connect: closed: closed while dialing");
  CHECK(c.wire().closed());
  CHECK(c.world.events.empty());
}

TEST_CASE("an address with a control octet never reaches a wire") {
  Client c;
  c.hello(kPlain);
  c.sent();
  Transaction transaction;
  transaction.envelope.recipients = {Recipient{Address{"b>\r\nRCPT TO:<evil", "d"}}};
  std::vector<ClientResult> results;
  Pieces content({"x\r\n"});
  const auto run = [](ClientSession& session, Transaction t, ContentSource& source,
                      std::vector<ClientResult>& into) -> Task<void> {
    into = co_await session.deliver(std::move(t), source);
  };
  c.group.spawn(run(*c.session, transaction, content, results));
  CHECK(c.sent() == "");
  REQUIRE(results.size() == 1);
  CHECK(told(results[0]) == "mail: corrupt: control octet in the envelope");
}

constexpr std::string_view kChunking = "250-mx\r\n250-PIPELINING\r\n250 CHUNKING\r\n";

TEST_CASE("content in chunks: sent ahead of their replies, but for the last: L09") {
  Client c;
  c.hello(kChunking).deliver({"b@d", "c@d"}, {"one\r\n.\r\n", "two\r\n", "three"});
  CHECK(c.sent() == "MAIL FROM:<a@src.example>\r\nRCPT TO:<b@d>\r\nRCPT TO:<c@d>\r\n");
  CHECK(c.say("250 m\r\n250 r\r\n550 5.1.1 no\r\n") == "BDAT 8\r\none\r\n.\r\nBDAT 5\r\ntwo\r\n");
  CHECK(c.say("250 1\r\n") == "");
  CHECK(c.say("250 2\r\n") == "BDAT 5 LAST\r\nthree");
  c.say("250 2.0.0 queued\r\n");
  CHECK(c.results == Words{"dot: 250 2.0.0 queued", "rcpt: 550 5.1.1 no"});
  CHECK(c.session->usable());

  Client one_by_one;
  one_by_one.settings.pipelining = false;
  one_by_one.hello(kChunking).deliver({"b@d"}, {"one\r\n", "two\r\n"});
  one_by_one.sent();
  CHECK(one_by_one.say("250 m\r\n") == "RCPT TO:<b@d>\r\n");
  CHECK(one_by_one.say("250 r\r\n") == "BDAT 5\r\none\r\n");
  CHECK(one_by_one.say("250 1\r\n") == "BDAT 5 LAST\r\ntwo\r\n");
  one_by_one.say("451 4.3.0 later\r\n");
  CHECK(one_by_one.results == Words{"dot: 451 4.3.0 later"});

  Client empty;
  empty.hello(kChunking).deliver({"b@d"}, {});
  empty.sent();
  CHECK(empty.say("250 m\r\n250 r\r\n") == "BDAT 0 LAST\r\n");
  empty.say("250 ok\r\n");

  Client nobody;
  nobody.hello(kChunking).deliver({"b@d"});
  nobody.sent();
  CHECK(nobody.say("250 m\r\n550 no\r\n") == "");
  CHECK(nobody.results == Words{"rcpt: 550 no"});

  Client off;
  off.settings.chunking = false;
  off.hello(kChunking).deliver({"b@d"});
  CHECK(off.sent().ends_with("DATA\r\n"));
  off.session->close();
  off.world.settle();
}

TEST_CASE("a refused chunk: its fellows are answered, no last one follows, RSET does") {
  Client c;
  c.hello(kChunking).deliver({"b@d"}, {"one\r\n", "two\r\n", "three\r\n", "four\r\n"});
  c.sent();
  CHECK(c.say("250 m\r\n250 r\r\n") == "BDAT 5\r\none\r\nBDAT 5\r\ntwo\r\nBDAT 7\r\nthree\r\n");
  CHECK(c.say("250 1\r\n554 5.6.0 no\r\n") == "");
  CHECK_FALSE(c.done);
  CHECK(c.say("503 5.5.1 RSET first\r\n") == "");
  CHECK(c.results == Words{"data: 554 5.6.0 no"});
  c.deliver({"x@d"});
  CHECK(c.sent() == "RSET\r\n");
  CHECK(c.say("250 ok\r\n").starts_with("MAIL "));

  Client closing;
  closing.hello(kChunking).deliver({"b@d"}, {"one\r\n", "two\r\n", "three\r\n"});
  closing.sent();
  closing.say("250 m\r\n250 r\r\n");
  closing.say("421 4.3.2 bye\r\n");
  CHECK(closing.results == Words{"data: 421 4.3.2 bye"});
  CHECK(closing.wire().closed());

  Client lost;
  lost.hello(kChunking).deliver({"b@d"}, {"one\r\n"});
  lost.sent();
  lost.say("250 m\r\n250 r\r\n");
  lost.world.advance(lost.settings.dot_timeout);
  CHECK(lost.results == Words{"dot: timed out: last chunk: no reply within 10m"});
}

TEST_CASE("LMTP: LHLO and nothing else, and one reply to each accepted recipient: AA01") {
  Client c;
  c.session.emplace(c.world.env(), c.settings, 9, "store.example", Protocol::lmtp);
  c.connect();
  CHECK(c.say("220 store\r\n") == "LHLO us.example.org\r\n");
  c.say("250-store\r\n250 PIPELINING\r\n");
  REQUIRE(c.connected == "ok");
  c.deliver({"a@d", "b@d", "c@d", "d@d"});
  c.sent();
  CHECK(c.say("250 m\r\n250 a\r\n550 5.1.1 b\r\n250 c\r\n250 d\r\n354 go\r\n") == "x\r\n.\r\n");
  c.say("250 a\r\n452 4.2.2 c\r\n");
  CHECK_FALSE(c.done);
  c.say("554 5.6.0 d\r\n");
  CHECK(c.results == Words{"dot: 250 a", "rcpt: 550 5.1.1 b", "dot: 452 4.2.2 c", "dot: 554 5.6.0 d"});
  CHECK(c.session->usable());

  // The connection is lost in the middle: what was said counts, of the others nobody knows.
  c.deliver({"a@d", "b@d"});
  c.sent();
  c.say("250 m\r\n250 a\r\n250 b\r\n354 go\r\n");
  c.say("250 a\r\n");
  c.wire().fin();
  REQUIRE(c.results.size() == 2);
  CHECK(c.results[0] == "dot: 250 a");
  CHECK(c.results[1].starts_with("dot: "));

  Client refused;
  refused.session.emplace(refused.world.env(), refused.settings, 9, "store.example", Protocol::lmtp);
  refused.connect();
  refused.say("220 store\r\n");
  CHECK(refused.say("500 5.5.1 what?\r\n") == "");
  CHECK(refused.connected == "ehlo: 500 5.5.1 what?");
}

// RFC 4954, from the client's side. SCRAM is tests/mta/auth's.
TEST_CASE("logging in: what is said, and that nothing of it is said in the clear or to the log: N16") {
  const auto with_login = [](bool clear) {
    auto client = std::make_unique<Client>();
    client->settings.credentials = auth::Credentials{"alice", "pencil"};
    client->settings.auth_without_tls = clear;
    client->connect();
    client->say("220 mx\r\n");
    return client;
  };
  {
    const auto client = with_login(false);
    CHECK(client->say("250-mx\r\n250 AUTH PLAIN\r\n").empty());
    CHECK(client->connected == "auth: invalid: the login is not said in the clear, and there is no TLS");
    CHECK(client->said("auth session=9 direction=out peer=198.51.100.1:25 mechanism=\"\" login=alice result=\"no TLS\""));
  }
  {
    const auto client = with_login(true);
    CHECK(client->say("250-mx\r\n250 AUTH CRAM-MD5\r\n").empty());
    CHECK(client->connected == "auth: invalid: peer offers no mechanism to log in by that we know");
  }
  {
    const auto client = with_login(true);
    CHECK(client->say("250-mx\r\n250 AUTH LOGIN PLAIN\r\n") == "AUTH PLAIN AGFsaWNlAHBlbmNpbA==\r\n");
    client->say("235 2.7.0 ok\r\n");
    CHECK(client->connected == "ok");
    CHECK(client->said("command session=9 direction=out line=\"AUTH PLAIN (hidden)\""));
    CHECK(client->said("auth session=9 direction=out peer=198.51.100.1:25 mechanism=PLAIN login=alice result=ok"));
    for (const std::string& event : client->world.events) {
      CHECK(!event.contains("AGFsaWNl"));
      CHECK(!event.contains("pencil"));
    }
  }
  {
    const auto client = with_login(true);
    CHECK(client->say("250-mx\r\n250 AUTH LOGIN\r\n") == "AUTH LOGIN\r\n");
    CHECK(client->say("334 VXNlcm5hbWU6\r\n") == "YWxpY2U=\r\n");
    CHECK(client->say("334 UGFzc3dvcmQ6\r\n") == "cGVuY2ls\r\n");
    client->say("535 5.7.8 no\r\n");
    CHECK(client->connected == "auth: 535 5.7.8 no");
    CHECK(!client->session->usable());
  }
  // Servers that are out of step with the mechanism.
  for (const char* reply : {"334 not base64\r\n", "334-Zg==\r\n334 Zg==\r\n", "354 go ahead\r\n", "334 \r\n"}) {
    CAPTURE(reply);
    const auto client = with_login(true);
    client->say("250-mx\r\n250 AUTH PLAIN\r\n");
    CHECK(client->say(reply).empty());
    CHECK(client->connected.starts_with("auth: protocol error: "));
    CHECK(client->wire().closed());
  }
}
