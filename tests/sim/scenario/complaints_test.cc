// Every wrong key, type and value is told with its place, what was expected, and the nearest known word.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/load.h"

namespace postproof::sim {

namespace {

std::string complaints(std::string_view text) {
  const auto scenario = load_scenario("s.toml", text);
  std::string all;
  if (!scenario) {
    for (const Problem& problem : scenario.error()) all += problem.to_string() + "\n";
  }
  return all;
}

// The text stands behind "title = 'x'" on line 1; a ^ in it, which is taken out, marks the place of the complaint.
struct Case {
  std::string_view text;
  std::string_view what;  // somewhere in the complaint
};

void check(const Case& one) {
  CAPTURE(one.text);
  std::string text = "title = 'x'\n" + std::string(one.text);
  const std::size_t mark = text.find('^');
  REQUIRE(mark != std::string::npos);
  text.erase(mark, 1);
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(mark), '\n');
  const auto column = mark - text.rfind('\n', mark - 1);
  const std::string place = fmt::format("s.toml:{}:{}: ", line, column);

  const std::string got = complaints(text);
  CAPTURE(got);
  bool found = false;
  for (std::size_t at = 0; at < got.size();) {
    const auto end = got.find('\n', at);
    const std::string complaint = got.substr(at, end - at);
    found = found || (complaint.starts_with(place) && complaint.find(one.what) != std::string::npos);
    at = end + 1;
  }
  CHECK_MESSAGE(found, fmt::format("expected {}... {} ...", place, one.what));
}

// An inline table; where no key is marked, the table itself is.
std::string braced(std::string_view keys) {
  return fmt::format("{}{{ {} }}", keys.find('^') == std::string_view::npos ? "^" : "", keys);
}

}  // namespace

TEST_CASE("the file as a whole") {
  CHECK(complaints("title = 'x'\n").empty());
  CHECK(complaints("").find("s.toml:1:1: title is missing") == 0);
  CHECK(complaints("title = ' '\n").find("s.toml:1:9: title: ") == 0);
  CHECK(complaints("title = 3\n").find("expected a string, not an integer") != std::string::npos);
  CHECK(complaints("title = 'x'\n[dns\n").find("s.toml:2:") == 0);
  CHECK(complaints("title = 'x'\nsubmit = {\n").find("s.toml:2:") == 0);
  CHECK(complaints("\xff\xfe").find("s.toml:1:") == 0);
  CHECK(complaints(std::string("title = 'x'\0\n", 13)).find("s.toml:1:") == 0);
}

TEST_CASE("nesting without end is refused, not followed") {
  std::string dots = "a";
  for (int i = 0; i < 500'000; ++i) dots += ".a";
  CHECK(complaints(dots + " = 1\n").find("dots") != std::string::npos);
  CHECK(complaints("a = " + std::string(500'000, '[')).find("s.toml:1:") == 0);
  CHECK(complaints(std::string(5 * 1024 * 1024, '\n')).find("expected 4194304 at the most") != std::string::npos);
}

TEST_CASE("unknown keys, with the nearest known") {
  const Case cases[] = {
      {"^titel = 'y'", "did you mean \"title\"?"},
      {"[peer.mx]\n^rule = []", "did you mean \"rules\"?"},
      {"[mta.sut]\nretry.^shedule = '1m'", "did you mean \"schedule\"?"},
      {"[mta.sut]\n^conect_timeout = '1m'", "did you mean \"connect_timeout\"?"},
      {"[peer.mx]\nrules = [ { on = 'RCPT', ^repply = '550 no' } ]", "did you mean \"reply\"?"},
      {"[mta.a]\n[[at]]\nt = '0s'\nsubmit = { to = 'a', from = '', rcpt = 'b@c', ^rpct = '' }", "did you mean \"rcpt\"?"},
      {"[[expect]]\n^deliverd = {}", "did you mean \"delivered\"?"},
      {"[[expect]]\nend = { ^qeue = 0 }", "did you mean \"queue\"?"},
      {"[dns]\n^zones = ''", "did you mean \"zone\"?"},
      {"[link.default]\n^latncy = '1s'", "did you mean \"latency\"?"},
      {"[[^peers]]\n", "did you mean \"peer\"?"},
  };
  for (const Case& one : cases) check(one);
}

TEST_CASE("words that come later are told apart from unknown ones") {
  const Case cases[] = {
      {"matrix = ^{ ip = ['v4'] }", "cannot carry out yet"},
      {"needs = ^['dsn']", "cannot carry out yet"},
      {"[peer.mx]\nlike = ^'y'", "cannot carry out yet"},
      {"[peer.mx]\ncert = ^'expired'", "cannot carry out yet"},
      {"[mta.a]\nconfig = ^'f.toml'", "cannot carry out yet"},
      {"[[expect]]\nwire = ^{}", "cannot carry out yet"},
      {"[[expect]]\ndelivered = { rcpt = 'a@b', tls = ^'none' }", "cannot carry out yet"},
  };
  for (const Case& one : cases) check(one);
}

TEST_CASE("types and values") {
  const Case cases[] = {
      {"seed = ^-1", "out of range"},
      {"covers = ['RFC5321#5.1', ^'RFC5321']", "\"RFC5321\" is no clause; expected a document and its section"},
      {"covers = ^'RFC 5321#5.1'", "is no clause"},
      {"covers = ^'RFC5321#5..1'", "is no clause"},
      {"cases = ['G01', ^1]", "expected a string, not an integer"},
      {"seed = ^'x'", "expected an integer, not a string"},
      {"limit = ^'0s'", "over zero"},
      {"limit = ^10", "expected a duration"},
      {"open = ^1", "expected true or false"},
      {"dns = ^1", "expected a table"},
      {"at = ^1", "expected an array of tables"},
      {"[dns]\nsecure = ^['a b']", "\"a b\" is no domain"},
      {"[dns]\nzone = ^\"a. A 1.2.3.4\\nb. A 1.2.3.4\"", "'''"},
      {"[link.default]\nsegment = ^0", "out of range"},
      {"[link.x]\nbetween = ['dns', 'client']\nsegment = ^0", "out of range"},
      {"[link.default]\njitter = ^'2h'", "expected \"0s\" to \"1h\""},
      {"[link.default]\nbandwidth = ^'10KiB'", "octets a second"},
      {"[link.default]\nbandwidth = ^'0B/s'", "octets a second"},
      {"[link.default]\nloss = ^1", "out of range"},
      {"[link.x]\nbetween = ['dns', 'client']\n[link.y]\nbetween = ^['client', 'dns']", "line 2 has a link"},
      {"^[link.x]\nlatency = '1s'", "between: missing"},
      {"[link.x]\nbetween = ^['dns', 'cleint']", "did you mean \"client\"?"},
      {"[link.default]\nbetween = ^['dns', 'client']", "every pair"},
      {"[mta.sut]\nretry.jitter = ^2", "out of range"},
      {"^[[at]]\nfault = { kind = 'tcp.reset', host = 'dns' }", "at.t: missing"},
      {"^[[at]]\nt = '0s'", "expected one of submit, fault and zone"},
      {"[[at]]\nt = ^'11d'\nfault = { kind = 'tcp.reset', host = 'dns' }", "after the run's limit of 10d"},
      {"^[[expect]]", "expects nothing"},
      {"[[expect]]\nend = { queue = 0 }\nnever = ^{ event = 'data' }", "an [[expect]] of its own"},
  };
  for (const Case& one : cases) check(one);
}

TEST_CASE("hosts") {
  const Case cases[] = {
      {"^[peer.dns]", "the world's resolver"},
      {"[mta.a]\n^[peer.a]", "name of another host"},
      {"^[peer.\"a b\"]", "no name for a host"},
      {"[peer.a]\nnames = ['x.example']\n[peer.b]\nnames = ^['X.example']", "a name of host \"a\" already"},
      {"[peer.a]\nnames = ^['x y']", "no host name"},
      {"[peer.a]\nnames = ^[]", "at least one name"},
      {"[peer.a]\naddresses = ^['192.0.2.300']", "no address"},
      {"[peer.a]\naddresses = ^['10.0.0.53']", "cannot be a host's"},
      {"[peer.a]\naddresses = ^['2001:db8::1']", "cannot be a host's"},
      {"[peer.a]\naddresses = ^['127.0.0.1']", "cannot be a host's"},
      {"[peer.a]\naddresses = ['192.0.2.1']\n[peer.b]\naddresses = ^['192.0.2.1']", "of host \"a\" already"},
      {"[peer.a]\naddresses = ['10.0.2.1']\n^[peer.b]", "10.0.2.1 is an address of host \"a\" already"},
      {"[peer.a]\nport = ^0", "out of range"},
      {"[peer.a]\nscript = '> 220'\nrules = ^[]", "follows its script alone"},
      {"[peer.a]\nscript = ^' '", "at least one step"},
      {"[peer.a]\nkeywords = ^['']", "is no keyword"},
      {"[client.c]\nto = ^'sut'\nscript = '< 220'", "no host is named \"sut\""},
      {"^[client.c]\nscript = '< 220'", "to: missing"},
      {"[peer.p]\n[client.c]\nto = ^'p'", "nothing without \"script\""},
  };
  for (const Case& one : cases) check(one);
}

TEST_CASE("rules") {
  const auto rule = [](std::string_view keys, std::string_view what) {
    const std::string text = "[peer.mx]\nrules = [\n" + braced(keys) + " ]";
    check(Case{text, what});
  };
  rule("reply = '550 no'", "on: missing");
  rule("on = ^'RCTP', reply = '550 no'", "did you mean \"RCPT\"?");
  rule("on = 'RCPT', reply = ^'150 no'", "is no reply");
  rule("on = 'RCPT', reply = ^'650 no'", "is no reply");
  rule("on = 'RCPT', reply = ^'no'", "is no reply");
  rule("on = 'RCPT', reply = ^'550-no'", "a blank behind the code of the last line");
  rule("on = 'RCPT', reply = ^['550 a', '550 b']", "a hyphen behind the code");
  rule("on = 'RCPT', reply = ^['550-a', '551 b']", "another code");
  rule("on = 'RCPT', reply = ^[]", "at least one line");
  rule("on = 'RCPT', reply = ^\"550 a\\r\\n\"", "control octet");
  rule("on = 'RCPT', reply = '550 a', raw = ^'b'", "only one of reply and raw");
  rule("on = 'RCPT', raw = ^'\\q'", "backslash");
  rule("on = 'RCPT', act = ^'drop'", "expected reply, silence, close, reset");
  rule("on = 'RCPT', act = 'silence', reply = ^'250 a'", "silent peer");
  rule("on = 'RCPT', act = 'close', take = ^false", "on = \"dot\"");
  rule("on = 'dot', take = ^false", "act");
  rule("on = 'dot', match = ^'x'", "no argument");
  rule("on = 'RCPT', nth = ^0", "out of range");
  rule("on = 'RCPT', nth = 1, times = ^2", "only one of nth and times");
  rule("on = 'RCPT', from = '2m', until = ^'1m'", "after \"from\"");
  rule("on = 'connect', first_seen = ^'2m'", "RCPT");
}

TEST_CASE("faults") {
  const auto fault = [](std::string_view keys, std::string_view what) {
    const std::string text = "[mta.sut]\n[peer.mx]\n[[at]]\nt = '0s'\nfault = " + braced(keys);
    check(Case{text, what});
  };
  fault("host = 'mx'", "kind: missing");
  fault("kind = ^'tcp.blackhol', host = 'mx'", "did you mean \"tcp.blackhole\"?");
  fault("kind = ^'dns.xyzzyx'", "expected dns.nxdomain, dns.nodata");
  fault("kind = ^'smtp.reply', host = 'mx'", "rules of a peer");
  fault("kind = 'tcp.refuse'", "host: missing; tcp.refuse needs it");
  fault("kind = 'tcp.refuse', host = ^'mx1'", "did you mean \"mx\"?");
  fault("kind = 'tcp.refuse', host = 'mx', with = ^'sut'", "tcp.refuse does not take it; it takes host, port, for");
  fault("kind = 'tcp.reset', host = 'mx', for = ^'1m'", "together with \"octet\" or \"line\"");
  fault("kind = 'tcp.fin', host = 'mx', octet = 1, line = ^'x'", "only one of octet and line");
  fault("kind = 'tcp.fin', host = 'mx', octet = 1, passes = ^false", "together with \"line\"");
  fault("kind = 'tcp.fin', host = 'mx', octet = 1, nth = ^2", "together with \"line\"");
  fault("kind = 'tcp.hold', host = 'mx', way = ^'in'", "expected both, to, from");
  fault("kind = 'tcp.drip', host = 'mx', rate = ^'x'", "octets a second");
  fault("kind = 'tcp.bandwidth', host = 'mx'", "bandwidth: missing");
  fault("kind = 'tcp.delay', host = 'mx', by = ^'2h'", "expected \"0s\" to \"1h\"");
  fault("kind = 'tcp.loss', host = 'mx', loss = ^0.95", "out of range");
  fault("kind = ^'process.reload', host = 'sut'", "cannot carry out yet");
  fault("kind = 'dns.delay'", "by: missing");
  fault("kind = 'dns.ttl', ttl = ^'for ever'", "expected a duration");
  fault("kind = 'dns.extra', records = 'a. A 192.0.2.1', section = ^'question'", "expected answer, authority, additional");
  fault("kind = 'disk.slow', host = 'sut', by = ^'0s'", "over zero");
  fault("kind = 'disk.bit-rot', host = 'sut', nth = ^2", "on = \"read\"");
  fault("kind = 'disk.bit-rot', host = 'sut', on = 'read', offset = ^2", "on = \"read\"");
  fault("kind = 'disk.bit-rot', host = 'sut', on = ^'write'", "expected store, read");
  fault("kind = 'process.pause', host = 'mx'", "for: missing");
  fault("kind = 'process.descriptors', host = 'sut'", "limit: missing");
  fault("kind = 'clock.set', host = 'sut', to = ^'tomorrow'", "2038-01-19T03:14:00Z");
  fault("kind = 'clock.set', host = 'sut', to = ^'2038-01-19T03:14:00'", "2038-01-19T03:14:00Z");
  fault("kind = 'clock.set', host = 'sut', to = ^'3000-01-19T03:14:00Z'", "1970 to 2261");
  fault("kind = 'clock.drift', host = 'sut', ppm = ^200000", "out of range");
  check({"[[at]]\nt='0s'\nremove = ^['a..b MX']", "dest.example MX"});
  check({"[mta.a]\n[[at]]\nt='0s'\nzone = ^''\nsubmit = { to = 'a', from = '', rcpt = 'b@c' }", "one of submit, fault and zone"});
  fault("kind = 'tcp.partition', host = 'mx', with = ^'mx'", "another host");
  fault("kind = 'dns.servfail', name = ^'a b'", "expected a domain");
  fault("kind = 'disk.eio', host = ^'mx'", "\"mx\" is a peer; expected an MTA: sut");
  fault("kind = 'disk.eio', host = 'sut', operation = ^'fsync'", "did you mean \"sync\"?");
  fault("kind = 'disk.eio', host = 'sut', disk_op = ^3", "does not take it");
  fault("kind = 'process.crash', host = 'sut', disk_op = ^'all'", "each");
  fault("kind = 'process.crash', host = 'sut', disk_op = ^0", "out of range");
  fault("kind = 'process.crash', host = 'sut', event = ^'acepted'", "did you mean \"accepted\"?");
  fault("kind = 'process.crash', host = 'sut', event = ^'data', disk_op = 2", "only one of event and disk_op");
  fault("kind = 'process.crash', host = 'sut', match = ^'x'", "together with \"event\"");
  fault("kind = 'process.crash', host = 'sut', from = ^'data'", "together with \"disk_op\"");
  fault("kind = 'process.crash', host = 'sut', loss = ^'all'", "expected torn, lose, keep");
  fault("kind = 'clock.step', host = 'sut', by = ^'x'", "how far");
  fault("kind = 'tcp.refuse', host = 'mx', for = ^'0s'", "over zero");
  check({"[mta.a]\n[[at]]\nt='0s'\nfault={kind='process.crash', host='a', disk_op='each'}\n"
         "[[at]]\nt='0s'\nfault={kind='process.crash', host='a', disk_op=^'each'}", "line 5 has \"each\" already"});
}

TEST_CASE("submissions") {
  const auto submit = [](std::string_view keys, std::string_view what) {
    const std::string text = "[mta.sut]\n[peer.mx]\n[[at]]\nt = '0s'\nsubmit = " + braced(keys);
    check(Case{text, what});
  };
  submit("from = '', rcpt = 'a@b'", "to: missing");
  submit("to = 'sut', rcpt = 'a@b'", "from: missing");
  submit("to = 'sut', from = ''", "rcpt: missing");
  submit("to = ^'mx', from = '', rcpt = 'a@b'", "\"mx\" is a peer");
  submit("to = ^'stu', from = '', rcpt = 'a@b'", "did you mean \"sut\"?");
  submit("to = 'sut', from = ^'alice', rcpt = 'a@b'", "is no address");
  submit("to = 'sut', from = '', rcpt = ^[]", "at least one recipient");
  submit("to = 'sut', from = '', rcpt = ^['a@b', 'c d@e']", "is no address");
  submit("to = 'sut', from = '', rcpt = ^\"a@b\\r\\nc\"", "one line");
  submit("to = 'sut', from = '', rcpt = 'a@b', count = ^0", "out of range");
  submit("to = 'sut', from = '', rcpt = 'a@b', from_host = ^'mx'", "\"mx\" is a peer");
  submit("to = 'sut', from = '', rcpt = 'a@b', size = ^'1GiB'", "256MiB");
}

TEST_CASE("expectations") {
  const auto expect = [](std::string_view keys, std::string_view what) {
    const std::string text = fmt::format("[mta.sut]\n[peer.mx]\n[[expect]]\n{}", keys);
    check(Case{text, what});
  };
  expect("delivered = { rcpt = 'a@b', at = ^'sut' }", "\"sut\" is an MTA");
  expect("delivered = { rcpt = 'a@b', at = ^'mx1' }", "did you mean \"mx\"?");
  expect("delivered = { rcpt = ^'' }", "expected a pattern");
  expect("delivered = { rcpt = 'a@b', count = ^-1 }", "out of range");
  expect("delivered = { rcpt = 'a@b', count = ^1, when = ['1m', '2m'] }", "1 where \"when\" has 2");
  expect("delivered = { rcpt = 'a@b', when = ^['2m', '1m'] }", "in order of time");
  expect("delivered = { rcpt = 'a@b', when = ^[] }", "at least one moment");
  expect("delivered = { rcpt = 'a@b', slack = ^'1s' }", "together with \"when\"");
  expect("delivered = { rcpt = 'a@b', header = ^'Subject' }", "no header field");
  expect("delivered = { rcpt = 'a@b', contains = ^[''] }", "expected text");
  expect("dsn = { action = ^'fail' }", "did you mean \"failed\"?");
  expect("attempts = ^{ when = '0s' }", "rcpt: missing");
  expect("attempts = ^{ rcpt = 'a@b' }", "expected \"when\"");
  expect("attempts = { rcpt = 'a@b', count = 1, mta = ^'mx' }", "\"mx\" is a peer");
  expect("queue = ^{ mta = 'sut' }", "depth: missing");
  expect("queue = ^{ next = '1h' }", "rcpt: missing");
  expect("never = ^{ at = 'mx' }", "event: missing");
  expect("never = { event = ^'dat' }", "did you mean \"data\"?");
  expect("end = ^{}", "at least one of");
  expect("end = { when = ^['1h', '2h'] }", "one moment");
}

TEST_CASE("all that is wrong is told, in the order of the file") {
  const std::string got = complaints("title = 'x'\nseed = 'y'\n[[expect]]\nend = { queue = -1 }\n[peer.mx]\nport = 0\n");
  const auto seed = got.find("s.toml:2:8:");
  const auto end = got.find("s.toml:4:17:");
  const auto port = got.find("s.toml:6:8:");
  CHECK(seed != std::string::npos);
  CHECK(end != std::string::npos);
  CHECK(port != std::string::npos);
  CHECK(seed < end);
  CHECK(end < port);
}

}  // namespace postproof::sim
