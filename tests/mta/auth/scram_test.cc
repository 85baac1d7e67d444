// SCRAM-SHA-256: RFC 7677's exchange on both sides, bindings, and everything that must not pass.
#include "mta/auth/scram.h"

#include <doctest/doctest.h>

#include "mta/base/base64.h"

using namespace postproof;
using namespace postproof::auth;

namespace {

// RFC 7677 section 3.
constexpr const char* kClientNonce = "rOprNGfwEbeRWgbNEkqO";
constexpr const char* kServerNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
constexpr const char* kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr const char* kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr const char* kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr const char* kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramVerifier pencil() { return make_scram_verifier("pencil", *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096); }

// A client-final for the server's challenge, with what it binds to.
std::string final_for(std::string_view challenge, std::string_view bare, std::string_view binding, const std::string& password) {
  const auto said = parse_server_first(challenge);
  REQUIRE(said.has_value());
  const std::string salted = salted_password(password, said->salt, static_cast<std::uint32_t>(said->iterations));
  const std::string without = "c=" + base64_encode(binding) + ",r=" + said->nonce;
  const std::string message = std::string(bare) + "," + std::string(challenge) + "," + without;
  const std::string key = hmac_sha256(salted, "Client Key");
  return without + ",p=" + base64_encode(exclusive_or(key, hmac_sha256(sha256(key), message)));
}

}  // namespace

TEST_CASE("scram: the exchange of RFC 7677 section 3, as a server") {
  ScramServer server(Channel{}, false, false);
  REQUIRE(server.first(kClientFirst).has_value());
  CHECK(server.user() == "user");
  CHECK(server.challenge(pencil(), kServerNonce) == kServerFirst);
  CHECK(server.final(kClientFinal) == kServerFinal);
}

TEST_CASE("scram: the exchange of RFC 7677 section 3, as a client") {
  ScramClient client("user", "pencil", kClientNonce);
  CHECK(client.first() == kClientFirst);
  const auto final = client.final(kServerFirst);
  REQUIRE(final.has_value());
  CHECK(*final == kClientFinal);
  CHECK(client.verify(kServerFinal).has_value());
}

TEST_CASE("scram: a client does not take a server that is none") {
  ScramClient client("user", "pencil", kClientNonce);
  CHECK(!client.verify(kServerFinal).has_value());  // nothing has been shown yet
  for (const char* first : {
           "r=somebodyElse%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",  // not our nonce
           "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",                        // ours, and nothing of its own
           "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",                       // too cheap
           "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4000000000",                 // too dear
           "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999",
           "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ=,i=4096",
           "r=rOprNGfwEbeRWgbNEkqOx,s=,i=4096",
           "m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
           "e=unknown-user",
           "",
       }) {
    CAPTURE(first);
    const auto final = client.final(first);
    REQUIRE(!final.has_value());
    CHECK(final.error().code == Errc::protocol);
  }
  REQUIRE(client.final(kServerFirst).has_value());
  for (const char* last : {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "v=", "", "e=invalid-proof", "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
                           "v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="}) {
    CAPTURE(last);
    CHECK(!client.verify(last).has_value());
  }
}

TEST_CASE("scram: a server tells each fault from the others") {
  const auto fault_of = [](const std::string& final) {
    ScramServer server(Channel{}, false, false);
    REQUIRE(server.first(kClientFirst).has_value());
    static_cast<void>(server.challenge(pencil(), kServerNonce));
    const auto done = server.final(final);
    REQUIRE(!done.has_value());
    return done.error();
  };
  const std::string nonce = std::string(",r=") + kClientNonce + kServerNonce;
  const std::string proof = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
  CHECK(fault_of("c=biws,r=rOprNGfwEbeRWgbNEkqO" + proof) == ScramFault::wrong_nonce);
  CHECK(fault_of("c=biws,r=another" + proof) == ScramFault::wrong_nonce);
  CHECK(fault_of("c=eSws" + nonce + proof) == ScramFault::binding);  // "y,,"
  CHECK(fault_of("c=biws" + nonce + ",p=" + base64_encode(std::string(32, 'x'))) == ScramFault::wrong_proof);
  CHECK(fault_of("c=biws" + nonce + ",p=" + base64_encode("short")) == ScramFault::malformed);
  CHECK(fault_of("c=biws" + nonce) == ScramFault::malformed);
  CHECK(fault_of("c=biws" + nonce + ",p=") == ScramFault::malformed);
  CHECK(fault_of("") == ScramFault::malformed);
  // An extension stands in what is signed: the proof above is not for it.
  CHECK(fault_of("c=biws" + nonce + ",x=1" + proof) == ScramFault::wrong_proof);
}

TEST_CASE("scram: first messages that are none") {
  for (const char* text : {"", "n", "n,", "n,,", "n,,n=user", "n,,n=,r=x", "n,,r=x,n=user", "x,,n=user,r=x", "n,b=x,n=user,r=x", "n,a=,n=user,r=x",
                           "n,,n=us=er,r=x", "n,,n=user=2,r=x", "n,,n=user=2c,r=x", "n,,m=must,n=user,r=x", "n,,n=user,r=", "n,,n=user,r=a b",
                           "p,,n=user,r=x", "p=,,n=user,r=x", "p=tls unique,,n=user,r=x", "nn,,n=user,r=x", "N,,n=user,r=x"}) {
    CAPTURE(text);
    CHECK(!parse_client_first(text).has_value());
  }
  const auto named = parse_client_first("n,a=o=2Cther,n=us=3Der,r=x,future=1");
  REQUIRE(named.has_value());
  CHECK(named->authzid == "o,ther");
  CHECK(named->user == "us=er");
  CHECK(named->nonce == "x");
  CHECK(named->gs2_header == "n,a=o=2Cther,");
  CHECK(named->bare == "n=us=3Der,r=x,future=1");
  CHECK(scram_name("us=e,r") == "us=3De=2Cr");
}

TEST_CASE("scram: bound to the channel") {
  Channel channel;
  channel.tls = true;
  channel.tls_exporter = std::string(32, 'e');
  channel.tls_server_end_point = std::string(32, 's');
  const std::string bare = "n=user,r=fyko";
  struct Case {
    const char* name;
    std::string data;
  };
  for (const Case& one : {Case{"tls-exporter", channel.tls_exporter}, Case{"tls-server-end-point", channel.tls_server_end_point}}) {
    CAPTURE(one.name);
    const std::string header = std::string("p=") + one.name + ",,";
    ScramServer server(channel, true, true);
    REQUIRE(server.first(header + bare).has_value());
    const std::string challenge = server.challenge(pencil(), "server");
    CHECK(server.final(final_for(challenge, bare, header + one.data, "pencil")).has_value());
    // Somebody in between has a connection of its own.
    CHECK(server.final(final_for(challenge, bare, header + std::string(32, 'x'), "pencil")).error() == ScramFault::binding);
    CHECK(server.final(final_for(challenge, bare, header, "pencil")).error() == ScramFault::binding);
    CHECK(server.final(final_for(challenge, bare, header + one.data, "pencils")).error() == ScramFault::wrong_proof);
  }

  const auto first = [&](bool plus, bool offered, const char* header) {
    ScramServer server(channel, plus, offered);
    return server.first(header + bare);
  };
  CHECK(first(true, true, "p=tls-unique,,").error() == ScramFault::binding);  // not to be had
  CHECK(first(true, true, "n,,").error() == ScramFault::binding);             // -PLUS without a binding
  CHECK(first(true, true, "y,,").error() == ScramFault::binding);
  CHECK(first(false, true, "p=tls-exporter,,").error() == ScramFault::binding);  // a binding without -PLUS
  CHECK(first(false, true, "y,,").error() == ScramFault::binding);  // somebody took our offer away
  CHECK(first(false, false, "y,,").has_value());
  CHECK(first(false, true, "n,,").has_value());
  channel.tls_exporter.clear();
  CHECK(first(true, true, "p=tls-exporter,,").error() == ScramFault::binding);
}

TEST_CASE("scram: verifiers as text") {
  const ScramVerifier verifier = pencil();
  const std::string text = to_string(verifier);
  CHECK(text == "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  CHECK(parse_scram_verifier(text) == verifier);
  CHECK(scram_matches(verifier, "pencil"));
  CHECK(!scram_matches(verifier, "Pencil"));
  for (const char* bad : {"", "SCRAM-SHA-256$", "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==", "SCRAM-SHA-1$4096:W22ZaJ0SNY7soEsUEjb6gQ==$a:b",
                          "SCRAM-SHA-256$0:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
                          "SCRAM-SHA-256$4096:$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
                          "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$c2hvcnQ=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="}) {
    CAPTURE(bad);
    CHECK(!parse_scram_verifier(bad).has_value());
  }
}
