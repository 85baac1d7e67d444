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
