#include "mta/tls/context.h"

#include <doctest/doctest.h>

#include "mta/os/loop.h"
#include "tests/mta/os/no_events.h"
#include "tests/mta/tls/identity.h"

namespace postproof::tls {

namespace {

using test::kTestRoot;
using test::test_identity;

struct Fixture {
  os::NoEvents events;
  os::Workers workers{1};
  os::Loop loop{events, workers};
  Env& env = loop.env();
};

TEST_CASE("a certificate, its chain and its key make a server") {
  Fixture f;
  Identity identity = test_identity();
  CHECK(Context::server(f.env, identity));
  identity.chain += kTestRoot;
  CHECK(Context::server(f.env, identity));
}

TEST_CASE("what makes no server is told") {
  Fixture f;
  struct Case {
    std::string chain, key;
    std::string_view wanted;
  };
  const Identity good = test_identity();
  std::string broken = good.chain;
  broken.replace(broken.find('\n') + 20, 4, "!!!!");
  const Case cases[] = {
      {"", good.key, "no certificate is there"},
      {good.key, good.key, "no certificate is there"},
      {broken, good.key, "a certificate that cannot be read"},
      {good.chain, "", "no private key is there"},
      {good.chain, good.chain, "no private key is there"},
      {kTestRoot, good.key, "the private key is not the certificate's"},
  };
  for (const Case& c : cases) {
    const auto context = Context::server(f.env, Identity{c.chain, c.key});
    REQUIRE_FALSE(context);
    CHECK(context.error().code == Errc::invalid);
    CHECK_MESSAGE(context.error().what.find(c.wanted) != std::string::npos, context.error().what);
  }
}

TEST_CASE("what is spoken is asked of OpenSSL") {
  Fixture f;
  struct Case {
    Terms terms;
    std::string_view wanted;  // empty: it will do
  };
  const Case cases[] = {
      {{false, "ECDHE+AESGCM", "TLS_AES_128_GCM_SHA256", "P-256"}, ""},
      {{true, "FANCY", "TLS_AES_128_GCM_SHA256", "P-256"}, "ciphers: no cipher of TLS 1.2 in \"FANCY\""},
      {{true, "ECDHE+AESGCM", "TLS_FANCY", "P-256"}, "suites: \"TLS_FANCY\" are no suites of TLS 1.3"},
      {{true, "ECDHE+AESGCM", "", "P-256"}, "suites: \"\" are no suites of TLS 1.3"},
      {{true, "ECDHE+AESGCM", "TLS_AES_128_GCM_SHA256", "FANCY"}, "groups: \"FANCY\" are no groups"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.wanted);
    for (const bool server : {false, true}) {
      const auto context = server ? Context::server(f.env, test_identity(), {}, {}, c.terms)
                                  : Context::client(f.env, kTestRoot, Context::Verify::note, c.terms);
      CHECK(context.has_value() == c.wanted.empty());
      if (!context) CHECK_MESSAGE(context.error().what.find(c.wanted) != std::string::npos, context.error().what);
    }
  }
}

TEST_CASE("each of several identities must be whole") {
  Fixture f;
  const Identity other = test::other_identity();
  CHECK(Context::server(f.env, test_identity(), {}, {other}));
  const auto context = Context::server(f.env, test_identity(), {}, {other, Identity{other.chain, test_identity().key}});
  REQUIRE_FALSE(context);
  CHECK(context.error().what.starts_with("the private key is not the certificate's"));
}

TEST_CASE("a client trusts the roots that it is given, or nobody") {
  Fixture f;
  const auto some = Context::client(f.env, kTestRoot, Context::Verify::note);
  REQUIRE(some);
  CHECK((*some)->verifies());
  const auto none = Context::client(f.env, "", Context::Verify::note);
  REQUIRE(none);
  CHECK_FALSE((*none)->verifies());
  std::string broken = kTestRoot;
  broken.resize(broken.size() / 2);
  CHECK_FALSE(Context::client(f.env, broken, Context::Verify::note));
}

}  // namespace

}  // namespace postproof::tls
