// Dovecot's client protocol, against a server that says what the case wants.
#include "mta/auth/dovecot.h"

#include <doctest/doctest.h>

#include "tests/mta/auth/exchanges.h"

using namespace postproof;
using namespace postproof::auth;
using namespace postproof::test;

namespace {

constexpr const char* kGreeting = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t2\nCOOKIE\tabc\nDONE\n";

// Sends its greeting, then one answer for each line of the client's behind its own greeting.
struct Script {
  std::string greeting = kGreeting;
  std::vector<std::string> answers;
  std::string heard{};
};

Task<void> serve_one(Env& env, Listener& listener, Script& script) {
  auto accepted = co_await listener.accept();
  if (!good(accepted)) co_return;
  Stream& stream = **accepted;
  const Deadline deadline = env.clock.mono() + 5s;
  static_cast<void>(co_await stream.write_all(script.greeting, deadline));
  constexpr int kOwnGreeting = 2;  // VERSION and CPID
  std::size_t answered = 0;
  for (;;) {
    char piece[1024];
    const auto got = co_await stream.read_some(std::span(piece), deadline);
    if (!got || *got == 0) co_return;
    script.heard.append(piece, *got);
    const auto lines = static_cast<std::size_t>(std::count(script.heard.begin(), script.heard.end(), '\n'));
    while (answered + kOwnGreeting < lines && answered < script.answers.size()) {
      const std::string answer = script.answers[answered++];
      if (answer == "close") co_return;
      static_cast<void>(co_await stream.write_all(answer, deadline));
    }
  }
}

// The outcome of each of these responses, joined by " / ".
std::string run_exchange(Script& script, Mechanism mechanism, std::vector<std::optional<std::string>> responses, Channel channel = {}) {
  const auto place = make_place();
  std::string outcome;
  place->run([&](Env& env) -> Task<void> {
    static_cast<void>(co_await env.disk.mkdir(place->folder()));
    const Endpoint at = Endpoint::unix_path(place->folder() + "/auth");
    auto listener = env.network.listen(at);
    if (!good(listener)) co_return;
    TaskGroup group(env.executor);
    group.spawn(serve_one(env, **listener, script));
    {
      Dovecot dovecot(env, at.path());
      const auto exchange = dovecot.begin(mechanism, channel, false);
      for (auto& response : responses) {
        const std::string step = co_await one_step(*exchange, std::move(response));
        outcome += (outcome.empty() ? "" : " / ") + step.substr(0, step.find(at.path()));
        if (!step.starts_with("challenge")) break;
      }
    }
    co_await group.join();
  });
  return outcome;
}

}  // namespace

TEST_CASE("dovecot: an initial response goes along, and the login is what Dovecot says") {
  Script script;
  script.answers = {"OK\t1\tuser=alice@example.org\toriginal_user=alice\n"};
  Channel channel;
  channel.local = *Endpoint::parse("192.0.2.1:587");
  channel.peer = *Endpoint::parse("[2001:db8::7]:40000");
  CHECK(run_exchange(script, Mechanism::plain, {with_nuls("|alice|pencil")}, channel) == "success alice@example.org");
  CHECK(script.heard.starts_with("VERSION\t1\t1\nCPID\t"));
  CHECK(script.heard.ends_with("\nAUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.1\tlport=587\trip=2001:db8::7\trport=40000\tsecured"
                               "\tresp=AGFsaWNlAHBlbmNpbA==\n"));
}

TEST_CASE("dovecot: challenges are passed through") {
  Script script;
  script.answers = {"CONT\t1\tVXNlcm5hbWU6\n", "CONT\t1\tUGFzc3dvcmQ6\n", "MECH\tX\nOK\t2\tuser=other\nOK\t1\tuser=bob\n"};
  CHECK(run_exchange(script, Mechanism::login, {std::nullopt, "bob", "pencil"}) ==
        "challenge Username: / challenge Password: / success bob");
  CHECK(script.heard.ends_with("\tsecured\nCONT\t1\tYm9i\nCONT\t1\tcGVuY2ls\n"));
}

TEST_CASE("dovecot: what is no success") {
  struct Case {
    const char* answer;
    const char* outcome;
  };
  for (const Case& one : {Case{"FAIL\t1\tuser=alice\n", "credentials refused by Dovecot"},
                          Case{"FAIL\t1\tuser=alice\treason=Locked\001tout\n", "credentials Locked\tout"},
                          Case{"FAIL\t1\tuser=alice\ttemp\n", "temporary "},
                          Case{"FAIL\t1\tuser=alice\tcode=temp_fail\n", "temporary "},
                          Case{"OK\t1\n", "temporary "}, Case{"OK\t1\tuser=\n", "temporary "},
                          Case{"OK\t1\tuser=al\001nice\n", "temporary "},
                          Case{"CONT\t1\t***\n", "temporary "}, Case{"close", "temporary "}}) {
    CAPTURE(one.answer);
    Script script;
    script.answers = {one.answer};
    CHECK(run_exchange(script, Mechanism::plain, {with_nuls("|alice|pencil")}) == one.outcome);
  }
}

TEST_CASE("dovecot: a greeting that is none, without our mechanism, or without an end") {
  Script other_version;
  other_version.greeting = "VERSION\t2\t0\nDONE\n";
  CHECK(run_exchange(other_version, Mechanism::plain, {"x"}) == "temporary ");
  Script other_mechanism;
  other_mechanism.greeting = "VERSION\t1\t2\nMECH\tCRAM-MD5\nDONE\n";
  CHECK(run_exchange(other_mechanism, Mechanism::plain, {"x"}) == "unsupported ");
  Script long_line;
  long_line.greeting = std::string(100'000, 'x');
  CHECK(run_exchange(long_line, Mechanism::plain, {"x"}) == "temporary ");
  Script many_lines;
  for (int i = 0; i < 1000; ++i) many_lines.greeting += "MECH\tPLAIN\n";
  CHECK(run_exchange(many_lines, Mechanism::plain, {"x"}) == "temporary ");
}

TEST_CASE("dovecot: no socket refuses for now") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    Dovecot dovecot(env, place->folder() + "/nobody");
    const auto exchange = dovecot.begin(Mechanism::plain, Channel{}, false);
    const std::string step = co_await one_step(*exchange, "x");
    CHECK(step.starts_with("temporary "));
  });
}
