// Logging in as a client.
#include "mta/auth/client_exchange.h"

#include <doctest/doctest.h>

#include "mta/auth/scram.h"
#include "tests/mta/auth/exchanges.h"

using namespace postproof;
using namespace postproof::auth;
using namespace postproof::test;

TEST_CASE("client: the strongest that both speak") {
  CHECK(choose_mechanism({"LOGIN", "PLAIN"}) == Mechanism::plain);
  CHECK(choose_mechanism({"login"}) == Mechanism::login);
  CHECK(choose_mechanism({"PLAIN", "GSSAPI", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"}) == Mechanism::scram_sha_256);
  CHECK(!choose_mechanism({"CRAM-MD5", "EXTERNAL", "SCRAM-SHA-256-PLUS"}).has_value());
  CHECK(!choose_mechanism({}).has_value());
}

TEST_CASE("client: PLAIN and LOGIN say what they must, and nothing more") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    const Credentials alice{"alice", "pencil"};
    const auto plain = begin_as_client(env, Mechanism::plain, alice);
    CHECK(plain->initial() == with_nuls("|alice|pencil"));
    const auto more = co_await plain->answer("");
    failed_with(Errc::protocol, more);
    good(plain->finish());
    const auto login = begin_as_client(env, Mechanism::login, alice);
    CHECK(!login->initial().has_value());
    const auto name = co_await login->answer("anything");
    CHECK(name == "alice");
    const auto word = co_await login->answer("");
    CHECK(word == "pencil");
    const auto third = co_await login->answer("");
    failed_with(Errc::protocol, third);
  });
}

TEST_CASE("client: SCRAM ends only when the server has shown that it knows the password") {
  const auto place = make_place();
  place->run([&](Env& env) -> Task<void> {
    const auto talk = [&](const char* servers_password, bool shows) -> Task<std::string> {
      const Credentials alice{"alice", "pencil"};
      const auto client = begin_as_client(env, Mechanism::scram_sha_256, alice);
      ScramServer server(Channel{}, false, false);
      const bool begun = server.first(*client->initial()).has_value();
      CHECK(begun);
      const auto proof = co_await client->answer(server.challenge(make_scram_verifier(servers_password, "salt", 4096), "nonce"));
      if (!good(proof)) co_return "";
      if (!shows) co_return client->finish() ? "done" : "not shown";
      const auto signature = server.final(*proof);
      const auto last = co_await client->answer(signature.value_or("v=AAAA"));
      if (!last) co_return "refused";
      CHECK(last->empty());
      co_return client->finish() ? "done" : "not shown";
    };
    const std::string right = co_await talk("pencil", true);
    CHECK(right == "done");
    const std::string other = co_await talk("eraser", true);
    CHECK(other == "refused");
    const std::string silent = co_await talk("pencil", false);
    CHECK(silent == "not shown");
  });
}
