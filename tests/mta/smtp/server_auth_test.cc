// AUTH in a server's session (RFC 4954): CONFORMANCE S01 to S05, S07, N16. What mechanisms do is tests/mta/auth's.
#include <doctest/doctest.h>

#include "mta/auth/authenticator.h"
#include "mta/auth/plain.h"
#include "mta/base/base64.h"
#include "mta/base/limits.h"
#include "mta/smtp/server_session.h"
#include "tests/mta/smtp/test_intake.h"
#include "tests/mta/smtp/test_world.h"

using namespace postproof;
using namespace postproof::smtp;

namespace {

// alice has the password "pencil"; of "later" nothing is known now; PLAIN and LOGIN alone.
class OneUser final : public auth::Verifier {
 public:
  std::vector<auth::Mechanism> mechanisms() const override { return {auth::Mechanism::plain, auth::Mechanism::login}; }
  std::unique_ptr<auth::Exchange> begin(auth::Mechanism mechanism, const auth::Channel&, bool) override {
    return std::make_unique<Asking>(mechanism);
  }

 private:
  class Asking final : public auth::Exchange {
   public:
    explicit Asking(auth::Mechanism mechanism) : mechanism_(mechanism) {}
    Task<auth::Step> step(std::optional<std::string> response) override {
      if (!response) co_return auth::Challenge{mechanism_ == auth::Mechanism::login ? "Username:" : ""};
      if (mechanism_ == auth::Mechanism::plain) {
        const auto said = auth::parse_plain(*response);
        if (!said) co_return auth::Failure{auth::Refusal::malformed, {}, "malformed"};
        co_return judge(said->login, said->password);
      }
      if (!login_.empty()) co_return judge(login_, *response);
      login_ = *response;
      co_return auth::Challenge{"Password:"};
    }

   private:
    static auth::Step judge(const std::string& login, const std::string& password) {
      if (login == "later") return auth::Failure{auth::Refusal::temporary, login, "no answer"};
      if (login == "alice" && password == "pencil") return auth::Success{login};
      return auth::Failure{auth::Refusal::credentials, login, "wrong user or password"};
    }
    auth::Mechanism mechanism_;
    std::string login_;
  };
};

struct Server {
  explicit Server(auth::Settings with = clear_allowed())
      : logins_settings(std::move(with)),
        logins(world.env(), logins_settings, std::make_unique<OneUser>()),
        group(world.env().executor) {
    settings.hostname = "mx.example.org";
    connect();
  }
  ~Server() {
    wire->fin();
    world.advance(10min);
    CHECK(group.size() == 0);
  }
  static auth::Settings clear_allowed() {
    auth::Settings settings;
    settings.without_tls = true;
    return settings;
  }
  // A session, past EHLO.
  void connect() {
    if (wire) {
      wire->fin();
      world.settle();
    }
    auto [stream, end] = world.open();
    wire.emplace(end);
    session.emplace(world.env(), settings, std::move(stream), std::make_unique<test::TestIntake>(store), 7, &logins);
    group.spawn(session->run());
    world.settle();
    wire->received();
    greeting = wire->say("EHLO client.example\r\n");
  }
  // The reply to a line, with what it waits for.
  std::string say(std::string_view line) {
    std::string reply = wire->say(std::string(line) + "\r\n");
    if (reply.empty()) {
      world.advance(10s);
      reply = wire->received();
    }
    return reply.substr(0, reply.find("\r\n"));
  }
  // Its code and status alone.
  std::string code(std::string_view line) {
    const std::string reply = say(line);
    return reply.substr(0, reply.find(' ', 4));
  }
  bool log_has(std::string_view text) const {
    return std::any_of(world.events.begin(), world.events.end(), [&](const std::string& e) { return e.contains(text); });
  }

  test::TestWorld world;
  ServerSettings settings;
  auth::Settings logins_settings;
  auth::Authenticator logins;
  test::Store store;
  TaskGroup group;
  std::optional<test::TestWorld::Wire> wire;
  std::optional<ServerSession> session;
  std::string greeting;
};

std::string plain(std::string_view login, std::string_view password) {
  return base64_encode(auth::plain_message(login, password));
}

}  // namespace

TEST_CASE("AUTH: with an initial response, without, and in two answers") {
  Server server;
  CHECK(server.greeting.contains("\r\n250-AUTH PLAIN LOGIN\r\n"));
  CHECK(server.say("AUTH PLAIN " + plain("alice", "pencil")) == "235 2.7.0 welcome");
  server.connect();
  CHECK(server.say("auth plain") == "334 ");
  CHECK(server.code(plain("alice", "pencil")) == "235 2.7.0");
  server.connect();
  CHECK(server.say("AUTH LOGIN") == "334 " + base64_encode("Username:"));
  CHECK(server.say(base64_encode("alice")) == "334 " + base64_encode("Password:"));
  CHECK(server.code(base64_encode("pencil")) == "235 2.7.0");
  CHECK(server.code("MAIL FROM:<a@client.example> AUTH=<>") == "250 2.1.0");
  CHECK(server.store.sessions.back().login == "alice");
}

TEST_CASE("AUTH: cancelled, no base64, too long; and the session goes on: S01") {
  Server server;
  CHECK(server.say("AUTH PLAIN") == "334 ");
  CHECK(server.code("*") == "501 5.7.0");
  CHECK(server.say("AUTH LOGIN") == "334 " + base64_encode("Username:"));
  CHECK(server.code("not base64") == "501 5.5.2");
  CHECK(server.code("AUTH PLAIN Zg=") == "501 5.5.2");
  CHECK(server.code("AUTH PLAIN *") == "501 5.5.2");
  CHECK(server.code("AUTH PLAIN =") == "501 5.5.2");  // an empty message, which PLAIN does not have
  CHECK(server.say("AUTH PLAIN") == "334 ");
  CHECK(server.code("") == "501 5.5.2");  // likewise
  CHECK(server.code("AUTH") == "501 5.5.4");
  CHECK(server.code("NOOP") == "250 2.0.0");
  // RFC 4954 section 4: 12,288 octets, line end included.
  const std::string start = "AUTH PLAIN ";
  const std::string fits(limits::kAuthLine - 2 - start.size(), 'A');
  CHECK(server.code(start + fits.substr(0, fits.size() / 4 * 4)) == "501 5.5.2");
  CHECK(server.code(start + fits + "AAAA") == "500 5.5.6");
  CHECK(server.say("AUTH PLAIN") == "334 ");
  CHECK(server.code(std::string(limits::kAuthLine, 'A')) == "500 5.5.6");
  CHECK(server.code("NOOP " + std::string(limits::kCommandLine, 'x')) == "500 5.5.2");
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pencil")) == "235 2.7.0");
}

TEST_CASE("AUTH: out of order, and what is not there: S02") {
  Server server;
  CHECK(server.code("AUTH CRAM-MD5") == "504 5.5.4");
  CHECK(server.code("AUTH SCRAM-SHA-256 biws") == "504 5.5.4");
  CHECK(server.code("MAIL FROM:<a@client.example>") == "250 2.1.0");
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pencil")) == "503 5.5.1");
  CHECK(server.code("RSET") == "250 2.0.0");
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pencil")) == "235 2.7.0");
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pencil")) == "503 5.5.1");
  CHECK(server.code("EHLO again").starts_with("250"));
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pencil")) == "503 5.5.1");
  server.connect();
  CHECK(server.code("HELO client.example").starts_with("250"));
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pencil")) == "503 5.5.1");
}

TEST_CASE("AUTH: each refusal has its code: S03") {
  Server server;
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pen")) == "535 5.7.8");
  CHECK(server.code("AUTH PLAIN " + plain("later", "pencil")) == "454 4.7.0");
  server.logins_settings.mechanisms = {auth::Mechanism::login};
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pencil")) == "534 5.7.9");
  server.logins_settings.required = true;
  CHECK(server.code("MAIL FROM:<a@client.example>") == "530 5.7.0");
  server.logins_settings.without_tls = false;
  CHECK(server.code("AUTH LOGIN") == "538 5.7.11");
  server.connect();
  CHECK(!server.greeting.contains("AUTH"));
  CHECK(server.code("MAIL FROM:<a@client.example> AUTH=<>") == "555 5.5.4");
  CHECK(server.store.mails.empty());
}

TEST_CASE("AUTH: failures cost time, more each time, and in the end the session: S07") {
  Server server;
  const std::string guess = "AUTH PLAIN " + plain("alice", "guess") + "\r\n";
  CHECK(server.wire->say(guess).empty());
  server.world.advance(999ms);
  CHECK(server.wire->received().empty());
  server.world.advance(1ms);
  CHECK(server.wire->received().starts_with("535 5.7.8 "));
  CHECK(server.wire->say(guess).empty());
  server.world.advance(1999ms);
  CHECK(server.wire->received().empty());
  server.world.advance(1ms);
  CHECK(server.wire->received().starts_with("535 5.7.8 "));
  CHECK(server.wire->say(guess).empty());
  server.world.advance(3s);
  CHECK(server.wire->received().starts_with("421 4.7.0 "));
  CHECK(server.wire->closed());
  // Another session of the same client does not begin anew.
  server.logins_settings.failures_per_client_max = 4;
  server.connect();
  CHECK(server.wire->say(guess).empty());
  server.world.advance(4s);
  CHECK(server.wire->received().starts_with("535 5.7.8 "));
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pencil")) == "421 4.7.0");
  CHECK(server.wire->closed());
  server.world.advance(auth::Failures::kMemory);
  server.connect();
  CHECK(server.code("AUTH PLAIN " + plain("alice", "pencil")) == "235 2.7.0");
}

TEST_CASE("AUTH: what stands behind a command or an answer ends the session, and is not read") {
  const std::string mail = "MAIL FROM:<a@client.example>\r\n";
  for (const std::string& dialogue : {"AUTH PLAIN " + plain("alice", "pencil") + "\r\n" + mail, "AUTH PLAIN\r\n" + plain("alice", "pencil") + "\r\n",
                                      "AUTH FOO\r\n" + mail, std::string("AUTH LOGIN\r\nYQ")}) {
    CAPTURE(dialogue);
    Server server;
    CHECK(server.wire->say(dialogue) == "421 4.7.0 octets behind AUTH\r\n");
    CHECK(server.wire->closed());
    CHECK(server.store.mails.empty());
  }
  Server server;
  server.say("AUTH PLAIN");
  CHECK(server.wire->say(plain("alice", "pencil") + "\r\n" + mail) == "421 4.7.0 octets behind an answer\r\n");
  CHECK(server.wire->closed());
  CHECK(server.store.mails.empty());
}

TEST_CASE("AUTH: nothing that a client says in it reaches the log but its name") {
  Server server;
  server.say("AUTH PLAIN " + plain("alice", "guess"));
  server.say("AUTH LOGIN " + base64_encode("alice"));
  server.say(base64_encode("pencil"));
  server.connect();
  server.say("AUTH PLAIN " + std::string(limits::kAuthLine, 'A'));
  for (const std::string& secret : {plain("alice", "guess"), base64_encode("pencil"), std::string("pencil"), std::string("guess"), std::string("AAAA")}) {
    CAPTURE(secret);
    CHECK(!server.log_has(secret));
  }
  CHECK(server.log_has("command session=7 direction=in line=\"AUTH PLAIN (hidden)\""));
  CHECK(server.log_has("auth session=7 direction=in peer=192.0.2.1:40000 mechanism=PLAIN login=alice result=\"wrong user or password\""));
  CHECK(server.log_has("auth session=7 direction=in peer=192.0.2.1:40000 mechanism=LOGIN login=alice result=ok"));
}

TEST_CASE("AUTH: a client that goes away, falls silent, or is told to go, in the middle") {
  Server server;
  server.say("AUTH LOGIN");
  server.wire->fin();
  server.world.settle();
  CHECK(server.group.size() == 0);
  server.connect();
  server.say("AUTH LOGIN");
  server.world.advance(6min);
  CHECK(server.wire->received().starts_with("421 4.4.2 "));
  server.connect();
  server.say("AUTH LOGIN");
  server.session->stop();
  CHECK(server.wire->received().starts_with("421 4.3.2 "));
  CHECK(server.group.size() == 0);
  // A stop does not wait for what a wrong password costs.
  server.connect();
  CHECK(server.wire->say("AUTH PLAIN " + plain("alice", "guess") + "\r\n").empty());
  server.session->stop();
  const std::string last = server.wire->received();
  CHECK(last.starts_with("535 5.7.8 "));
  CHECK(last.contains("\r\n421 4.3.2 "));
  CHECK(server.group.size() == 0);
}
