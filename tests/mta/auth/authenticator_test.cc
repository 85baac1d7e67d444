// What is offered and taken over which connection.
#include "mta/auth/authenticator.h"

#include <doctest/doctest.h>

#include "tests/mta/auth/exchanges.h"

using namespace postproof;
using namespace postproof::auth;
using namespace postproof::test;

namespace {

constexpr const char* kScramLine =
    "alice:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n";

std::string names_of(const std::vector<Mechanism>& list) {
  std::string text;
  for (const Mechanism mechanism : list) text += (text.empty() ? "" : " ") + std::string(to_string(mechanism));
  return text;
}

}  // namespace

TEST_CASE("authenticator: what is offered depends on the connection, the backend and the configuration") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    static_cast<void>(co_await env.disk.mkdir(place->folder()));
    Settings settings;
    settings.password_file = place->folder() + "/users";
    co_await put_file(env, settings.password_file, kScramLine);
    Authenticator logins(env, settings, make_verifier(env, settings));
    good(co_await logins.load());
    Channel clear;
    Channel tls;
    tls.tls = true;
    Channel bound = tls;
    bound.tls_server_end_point = "x";
    Channel certified = bound;
    certified.certificate_names = {"client.example", "alice@example.org"};
    CHECK(names_of(logins.offered(clear)).empty());
    CHECK(names_of(logins.offered(tls)) == "SCRAM-SHA-256 PLAIN LOGIN");
    CHECK(names_of(logins.offered(bound)) == "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN");
    CHECK(names_of(logins.offered(certified)) == "SCRAM-SHA-256-PLUS SCRAM-SHA-256 EXTERNAL PLAIN LOGIN");

    CHECK(logins.begin("PLAIN", clear).error() == Denial::needs_tls);
    CHECK(logins.begin("CRAM-MD5", tls).error() == Denial::unknown);
    CHECK(logins.begin("", tls).error() == Denial::unknown);
    CHECK(logins.begin("SCRAM-SHA-256-PLUS", tls).error() == Denial::unknown);
    CHECK(logins.begin("EXTERNAL", tls).error() == Denial::unknown);
    CHECK(logins.begin("plain", tls).has_value());

    settings.mechanisms = {Mechanism::scram_sha_256, Mechanism::external};
    CHECK(logins.begin("PLAIN", tls).error() == Denial::too_weak);
    CHECK(names_of(logins.offered(certified)) == "SCRAM-SHA-256 EXTERNAL");
    settings.mechanisms.reset();
    settings.without_tls = true;
    CHECK(names_of(logins.offered(clear)) == "SCRAM-SHA-256 PLAIN LOGIN");
    CHECK(logins.begin("PLAIN", clear).has_value());

    Settings none;
    Authenticator nobody(env, none, make_verifier(env, none));
    good(co_await nobody.load());
    CHECK(names_of(nobody.offered(bound)).empty());
    CHECK(names_of(nobody.offered(certified)) == "EXTERNAL");
    CHECK(nobody.begin("PLAIN", tls).error() == Denial::unknown);
  });
}

TEST_CASE("authenticator: EXTERNAL is who the certificate names, and may act for nobody else") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    const Settings settings;
    Authenticator logins(env, settings, make_verifier(env, settings));
    Channel channel;
    channel.tls = true;
    channel.certificate_names = {"client.example", "alice@example.org"};
    struct Case {
      std::optional<std::string> response;
      const char* outcome;
    };
    for (const Case& one : {Case{"", "success client.example"}, Case{"client.example", "success client.example"},
                            Case{"alice@example.org", "success alice@example.org"}, Case{std::nullopt, "challenge "},
                            Case{"bob@example.org", "credentials may not act for another"},
                            Case{std::string("alice@example.org\0x", 19), "credentials may not act for another"}}) {
      const auto exchange = logins.begin("EXTERNAL", channel);
      CHECK(exchange.has_value());
      const std::string outcome = co_await one_step(**exchange, one.response);
      CHECK(outcome == one.outcome);
    }
  });
}

TEST_CASE("authenticator: each failure of an address makes the next answer later, and in the end none is heard") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    Settings settings;
    settings.failures_per_client_max = 12;
    Authenticator logins(env, settings, make_verifier(env, settings));
    const Endpoint client = *Endpoint::parse("192.0.2.7:1");
    for (int i = 1; i <= 12; ++i) {
      CHECK(!logins.shut_out(client));
      CHECK(logins.note_failure(client) == std::min(i, 10) * settings.failure_delay);
    }
    CHECK(logins.shut_out(client));
    CHECK(!logins.shut_out(*Endpoint::parse("192.0.2.8:1")));
    co_return;
  });
}
