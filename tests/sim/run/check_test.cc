// What is wrong with a scenario that its TOML does not show: above all, what could never strike or match.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <string>

#include "sim/run/check.h"
#include "sim/scenario/load.h"

namespace postproof::sim {

namespace {

std::string complaints(const std::string& text) {
  const auto scenario = load_scenario("s.toml", text);
  std::string all;
  for (const Problem& problem : scenario ? check_scenario(*scenario) : scenario.error()) all += problem.to_string() + "\n";
  return all;
}

// Line 1 is the title's; that of `text` begins with line 2.
std::string complaints_of(const std::string& text) { return complaints("title = 'x'\n" + text + "\n[[expect]]\nend = { queue = 0 }\n"); }

}  // namespace

TEST_CASE("a scenario in which nothing happens and nothing is expected") {
  CHECK(complaints("title = 'x'\n[peer.mx]\n").starts_with("s.toml:1:1: nothing happens"));
  CHECK(complaints("title = 'x'\n[mta.sut]\n").empty());
  CHECK(complaints("title = 'x'\n[[expect]]\nend = { queue = 0 }\n").empty());
  CHECK(complaints("title = 'x'\n[mta.sut]\n[client.a]\nto = 'sut'\nscript = '< 220'\n").empty());
}

TEST_CASE("faults that can never strike, unless they may miss") {
  struct Case {
    const char *peer, *fault, *what;  // empty: nothing is wrong
  };
  const Case cases[] = {
      {"", "kind = 'tls.expired'", "tls.expired: mx has no TLS"},
      {"cert = 'valid'", "kind = 'tls.expired'", ""},
      {"keywords = ['STARTTLS']", "kind = 'tls.hang', at = 'ServerHello'", ""},
      {"tls = { version = '1.3' }", "kind = 'tls.hang', at = 'ServerHelloDone'", "tls.hang: TLS 1.3 has no ServerHelloDone"},
      {"tls = { version = '1.2' }", "kind = 'tls.hang', at = 'ServerHelloDone'", ""},
      {"tls = { version = '1.2' }", "kind = 'tls.hang', at = 'EncryptedExtensions'", "TLS 1.2 has no EncryptedExtensions"},
      {"tls = { cipher = 'TLS_AES_128_GCM_SHA256' }", "kind = 'tls.version', version = '1.2'", "is a suite of TLS 1.3"},
      {"tls = { version = '1.3' }", "kind = 'tls.cipher', cipher = 'ECDHE-ECDSA-AES128-GCM-SHA256'", "is a suite of TLS 1.2"},
      {"", "kind = 'smtp.keywords', remove = ['DSN']", "mx does not offer \"DSN\""},
      {"", "kind = 'smtp.keywords', remove = ['size', 'PIPELINING']", ""},
      {"cert = 'valid'", "kind = 'smtp.keywords', remove = 'STARTTLS'", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.peer);
    CAPTURE(c.fault);
    const std::string peer = fmt::format("[peer.mx]\n{}\n[[at]]\nt = 0\nfault = {{ host = 'mx', {}", c.peer, c.fault);
    const std::string got = complaints_of(peer + " }");
    if (*c.what == '\0') {
      CHECK(got == "");
    } else {
      CHECK(got.starts_with("s.toml:6:1: "));
      CHECK(got.find(c.what) != std::string::npos);
    }
    CHECK(complaints_of(peer + ", may_miss = true }") == "");
  }
}

TEST_CASE("what begins when the run is over") {
  const std::string head = "limit = '1h'\n";
  CHECK(complaints_of(head + "[peer.mx]\nrules = [\n{ on = 'MAIL', from = '1h', reply = '450 x' }]").starts_with("s.toml:5:1: rules.from: 1h is not before"));
  CHECK(complaints_of(head + "[mta.sut]\n[client.c]\nto = 'sut'\nstart = '2h'\nscript = '< 220'").find("start: 2h is not before") != std::string::npos);
  CHECK(complaints_of(head + "[[expect]]\nnever = { event = 'service', from = '90m' }").starts_with("s.toml:4:1: never.from: 1h30m"));
  CHECK(complaints_of(head + "[[expect]]\nresource = { of = 'octets', max = 1, from = '90m' }").find("resource.from") != std::string::npos);
  CHECK(complaints_of(head + "[[expect]]\nnever = { event = 'service', from = '59m' }").empty());
}

TEST_CASE("what a change of the zone takes away must be there") {
  const std::string zone = "[dns]\nzone = 'dest.example. MX 10 mx.dest.example.'\n[peer.mx]\nnames = ['mx.dest.example']\n";
  const auto remove = [&](const std::string& names) { return complaints_of(zone + "[[at]]\nt = 0\nremove = " + names); };
  CHECK(remove("['dest.example MX', 'MX.dest.example.']").empty());
  CHECK(remove("'mx.dest.example A'").empty());
  CHECK(remove("'mx.dest.example MX'").starts_with("s.toml:8:10: at.remove: there is no \"mx.dest.example MX\" to go"));
  CHECK(remove("['dest.example', 'dest.example MX']").find("there is no \"dest.example MX\"") != std::string::npos);
  CHECK(remove("'mx2.dest.example'").find("there is no \"mx2.dest.example\"") != std::string::npos);
  CHECK(complaints_of(zone + "[[at]]\nt = '1s'\nremove = 'new.example'\n[[at]]\nt = 0\nzone = 'new.example. A 192.0.2.1'").empty());
}

TEST_CASE("a TLS of a peer that cannot be") {
  CHECK(complaints_of("[peer.mx]\ntls = { version = '1.3', at = 'ClientKeyExchange', act = 'hang' }").find("TLS 1.3 has no ClientKeyExchange") != std::string::npos);
  CHECK(complaints_of("[peer.mx]\ntls = { version = '1.2', cipher = 'TLS_AES_128_GCM_SHA256' }").find("suite of TLS 1.3") != std::string::npos);
}

TEST_CASE("thousands of records of one name are read, not compared each with each") {
  std::string zone = "[dns]\nzone = '''\n";
  for (int i = 0; i < 20'000; ++i) zone += fmt::format("dest.example. MX {} mx{}.dest.example.\n", i, i);
  CHECK(complaints_of(zone + "'''\n").empty());
}

}  // namespace postproof::sim
