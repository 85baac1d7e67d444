// Every wrong key, type and value is told with its place, what was expected, and the nearest known word.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/load.h"

namespace postproof::sim {

namespace {

std::string complaints(std::string_view text) {
  const auto scenario = load_variants("s.toml", text);
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

TEST_CASE("of many complaints the first are told, and of the others how many") {
  std::string keys = "title = 'x'\n";
  for (int i = 0; i < 40'000; ++i) keys += fmt::format("key{} = 1\n", i);
  const std::string got = complaints(keys);
  CHECK(std::count(got.begin(), got.end(), '\n') == 101);
  CHECK(got.find("and 39900 more complaints of this file") != std::string::npos);
}

TEST_CASE("a matrix of a large file is refused before it is read so often") {
  std::string text = "title = 'x'\nmatrix = { a = [";
  for (int i = 0; i < 4096; ++i) text += fmt::format("{}{}", i == 0 ? "" : ",", i);
  text += "] }\n#" + std::string(1'000'000, 'x') + "\n";
  CHECK(complaints(text).find("s.toml:2:10: matrix: makes 4096 variants of a file of ") == 0);
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
      {"[[expect]]\nmetric = ^{}", "cannot carry out yet"},
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
  rule("on = 'connect', match = ^'x'", "no command");
  rule("on = 'content', act = 'reset'", "octets: missing");
  rule("on = 'RCPT', octets = ^3", "only with on = \"content\"");
  rule("on = 'content', octets = 3, early = ^'250 x'", "does not take it");
  rule("on = 'RCPT', every = ^'1s'", "together with \"split\"");
  rule("on = 'RCPT', split = ^1", "out of range");
  rule("on = 'RCPT', extra = ^'no'", "is no reply");
  rule("on = 'RCPT', form = ^'mixed'", "mixed-codes");
  rule("on = 'dot', line = ^'x'", "no command");
  rule("on = 'RCPT', nth = ^0", "out of range");
  rule("on = 'RCPT', nth = 1, times = ^2", "only one of nth and times");
  rule("on = 'RCPT', from = '2m', until = ^'1m'", "after \"from\"");
  rule("on = 'connect', first_seen = ^'2m'", "RCPT");
}

TEST_CASE("expectations of the wire, the header, the log, the resolver, resources, and of groups") {
  const auto expect = [](std::string_view kind, std::string_view keys, std::string_view what) {
    const bool group = kind == "rate" || kind == "distribution";
    const std::string text = fmt::format("{}[mta.sut]\n[peer.mx]\n[client.pc]\n[[expect]]\n{} = {}", group ? "seeds = 2\n" : "", kind, braced(keys));
    check(Case{text, what});
  };
  expect("reply", "verb = 'RCPT'", "code: missing");
  expect("reply", "verb = ^'RCTP', code = '250'", "did you mean \"RCPT\"?");
  expect("reply", "code = ^'25x'", "expected a code");
  expect("reply", "code = '250', match = ^'x'", "together with a \"verb\"");
  expect("reply", "code = '250', client = ^'mx'", "is a peer; did you mean \"pc\"?");
  expect("reply", "code = '250', nth = ^0", "out of range");
  expect("wire", "from = 'sut'", "lines: missing");
  expect("wire", "lines = ^['EHLO']", "is no line of a connection");
  expect("wire", "lines = ^[]", "at least one line");
  expect("wire", "forbid = '> x', skip = ^true", "together with \"lines\"");
  expect("wire", "lines = '> x', from = ^'sutt'", "did you mean \"sut\"?");
  expect("header", "rcpt = 'a@b'", "name: missing");
  expect("header", "name = ^'a:', count = 1", "name of a header field");
  expect("header", "hops = 1, value = ^'x'", "together with \"name\"");
  expect("header", "hops = ^2, received = [{}]", "2 where \"received\" has 1");
  expect("header", "received = [{ ^wiht = 'x' }]", "did you mean \"with\"?");
  expect("log", "match = 'x'", "event: missing");
  expect("log", "event = ^'defered'", "did you mean \"deferred\"?");
  expect("log", "event = 'deferred', fields = { recipent = ^'x' }", "did you mean \"recipient\"?");
  expect("dns", "order = ^'dest.example'", "is no question");
  expect("dns", "order = 'a.example MX', name = ^'x'", "expected one of the two");
  expect("dns", "transport = ^'tls'", "expected udp, tcp");
  expect("resource", "max = 1", "of: missing");
  expect("resource", "of = ^'conections', max = 1", "did you mean \"connections\"?");
  expect("resource", "of = 'connections'", "max: missing");
  expect("resource", "of = 'connections', min = 3, max = ^2", "less than");
  expect("resource", "of = 'syncs', host = ^'mx', max = 1", "expected an MTA");
  expect("resource", "of = 'syncs', to = ^'mx', max = 1", "no other side");
  expect("never", "event = 'accepted', by = ^'sut'", "who opened the connection");
  expect("never", "event = 'data', from = '2m', until = ^'1m'", "after \"from\"");
  expect("queue", "depth = 1, slack = ^'1s'", "\"next\" or \"age\"");
  expect("dsn", "ret = ^'hdrs'", "expected full, headers, none");
  expect("dsn", "arrival = ^'noon'", "expected a duration");
  expect("rate", "min = 1", "a rate of nothing");
  expect("rate", "end = { queue = 0 }", "min: missing");
  expect("rate", "end = { ^qeue = 0 }, min = 1", "did you mean \"queue\"?");
  expect("rate", "end = { queue = 0 }, min = ^2", "out of range");
  expect("rate", "end = { queue = 0 }, min = 0.6, max = ^0.5", "less than");
  expect("rate", "end = { queue = 0 }, min = ^0", "nothing is expected");
  expect("rate", "end = { queue = 0 }, max = ^1", "nothing is expected");
  expect("distribution", "over = ^['mx', 'mx']", "\"mx\" twice");
  expect("distribution", "over = ['mx', 'sut'], tolerance = ^0.5", "nothing is expected");
  expect("dns", "order = ^[]", "at least one question");
  expect("dns", "type = ^'MXX', count = 0", "is no type of record");
  expect("dns", "order = ^'dest.example MXX'", "is no type of record");
  expect("wire", "from = ^'mx', lines = '> x'", "\"mx\" is a peer");
  expect("wire", "from = ^'dns', lines = '> x'", "opens no connection");
  expect("wire", "to = ^'pc', forbid = '> x'", "\"pc\" is a client");
  expect("wire", "from = 'sut', to = ^'sut', forbid = '> x'", "no connection to itself");
  expect("tls", "from = ^'mx', count = 0", "\"mx\" is a peer");
  expect("never", "event = 'attempt', at = ^'mx'", "expected an MTA");
  expect("never", "event = 'expired', at = ^'mx'", "expected an MTA");
  expect("never", "event = 'bounced', at = ^'pc'", "\"pc\" is a client");
  expect("never", "event = 'data', at = ^'pc'", "\"pc\" is a client");
  expect("never", "event = 'data', at = 'mx', by = ^'mx'", "\"mx\" is a peer");
  expect("never", "event = 'dns-query', at = ^'client'", "asks nothing");
  expect("never", "event = 'close', at = ^'dns'", "nobody speaks SMTP there");
  expect("distribution", "over = ^['mx']", "at least two hosts");
  expect("distribution", "over = ['mx', 'sut'], shares = ^[0.5, 0.6]", "1 together");
  expect("distribution", "over = ['mx', 'sut'], shares = ^'half'", "list of numbers");
  check(Case{"[mta.a]\n[mta.b]\n[[expect]]\ndistribution = ^{ over = ['a', 'b'] }", "needs \"seeds\""});
}

TEST_CASE("limits of peers, and peers like others") {
  const Case cases[] = {
      {"[peer.a]\nlike = ^'b'", "no host is named \"b\""},
      {"[peer.a]\nlike = ^'a'", "is not like itself"},
      {"[peer.a]\nlike = ^'b'\n[peer.b]\nlike = 'a'", "round in a circle"},
      {"[mta.sut]\n[peer.a]\nlike = ^'sut'", "\"sut\" is an MTA; expected a peer"},
      {"[peer.b]\n[peer.a]\nlike = 'b'\nrules = ^[]", "expected one of the two"},
      {"[peer.b]\n[peer.a]\nlike = 'b'\nsize_max = ^3", "expected one of the two"},
      {"[peer.a]\nscript = '< x'\nquota = ^{ messages = 1 }", "script alone"},
      {"[peer.a]\nquota = ^{}", "messages: missing"},
      {"[peer.a]\nquota = { ^message = 1 }", "did you mean \"messages\"?"},
      {"[peer.a]\nquota = ^3", "expected an array of tables"},
      {"[peer.a]\nrate = { count = 1, per = ^'1' }", "expected a duration"},
      {"[peer.a]\nrate = { count = 1, per = '1m', on = ^'RSET' }", "expected connect, MAIL, RCPT"},
      {"[peer.a]\nsize_max = ^'big'", "expected a size"},
      {"[peer.a]\nend_of_data = ^'lf'", "ends no content"},
  };
  for (const Case& one : cases) check(one);
}

TEST_CASE("a matrix and what it stands for") {
  const Case cases[] = {
      {"matrix = ^{}", "at least one axis"},
      {"matrix = ^3", "expected a table"},
      {"matrix = { ip = ^'v4' }", "expected a list"},
      {"matrix = { ip = ['v4', ^'v5'] }", "has \"v4\" and \"v6\""},
      {"matrix = { segment = [^'all'] }", "\"whole\" and octets"},
      {"matrix = { segment = [^0] }", "\"whole\" and octets"},
      {"matrix = { pipelining = [^'true'] }", "true and false"},
      {"matrix = { a = [1, ^1] }", "twice"},
      {"matrix = { a = [^1.5] }", "expected text"},
      {"matrix = { a = [^''] }", "expected text of one line"},
      {"matrix = { disk_op = ^[1] }", "expected another"},
      {"matrix = { 'a b' = ^[1] }", "expected a name"},
      {"matrix = { verb = ['a'] }\n[mta.sut]\nhostname = ^'${vreb}.example'", "did you mean \"verb\"?"},
      {"[mta.sut]\nhostname = ^'${x}.example'", "has no matrix"},
      {"matrix = { segment = [1] }\n^[link.default]\nsegment = 3", "expected one of the two"},
      {"matrix = { pipelining = [true] }\n[mta.sut]\ndelivery = ^{ pipelining = true }", "expected one of the two"},
      // The place of a value that was put in is that of its key; of text, its own.
      {"matrix = { f = ['4m', 'x'] }\n[mta.sut]\nconnect_timeout = ^'${f}'", "expected a duration like \"30s\", \"15m\", \"2h30m\" or \"5d\" (variant f=x)"},
      {"matrix = { n = [0] }\n[mta.sut.delivery]\n^lanes_max = '${n}'", "out of range"},
      {"matrix = { a = [1] }\n[[expect]]\nend = { queue = 0, ^conections = '${a}' }", "did you mean \"connections\"?"},
  };
  for (const Case& one : cases) check(one);
}

TEST_CASE("needs and configurations of production") {
  const Case cases[] = {
      {"needs = ^['dns']", "did you mean \"dsn\"?"},
      {"needs = ^['teleport']", "expected pipelining, size"},
      {"[mta.sut]\nneeds = ^'ds'", "did you mean"},
      {"[mta.sut]\nconfig = ^'nowhere.toml'", "files cannot be read here"},
      {"[mta.sut]\nconfig = ^3", "expected a string"},
      {"[mta.sut]\nfiles = { x = ^'y' }", "whole path"},
      {"[mta.sut]\nfiles = { '/etc/x' = ^3 }", "expected a string"},
      {"[mta.sut]\nfiles = { '/a' = 'x', '/a/b/c' = ^'y' }", "lies below \"/a\", which is a file"},
      {"[mta.sut]\nfiles = { '/a/b' = ^'y', '/a' = 'x', '/a-' = 'x' }", "lies below \"/a\", which is a file"},
      {"[mta.sut]\nfiles = { '/a//b' = ^'y' }", "whole path"},
      {"[mta.sut]\nfiles = { '/../b' = ^'y' }", "whole path"},
      {"[mta.sut]\nfiles = { '/.' = ^'y' }", "whole path"},
      {"seeds = ^0", "out of range"},
  };
  for (const Case& one : cases) check(one);
}

TEST_CASE("a complaint about a configuration names its file") {
  const FileReader reader = [](const std::string& path) -> std::expected<std::string, std::string> {
    if (path != "deep/relay.toml") return std::unexpected("no such file or directory");
    return "hostname = 'a.example'\nretry.jitter = 9\n";
  };
  const auto problems = [&](std::string_view config) {
    const auto scenario = load_scenario("deep/s.toml", fmt::format("title = 'x'\n[mta.sut]\nconfig = '{}'\n", config), reader);
    return scenario ? std::string() : scenario.error().front().to_string();
  };
  CHECK(problems("relay.toml") == "deep/relay.toml:2:16: retry.jitter: 9 is out of range; expected 0 to 0.5");
  CHECK(problems("../x.toml").find("deep/s.toml:3:10: mta.sut.config: deep/../x.toml: no such file or directory") == 0);
}

TEST_CASE("faults") {
  const auto fault = [](std::string_view keys, std::string_view what) {
    const std::string text = "[mta.sut]\n[peer.mx]\n[[at]]\nt = '0s'\nfault = " + braced(keys);
    check(Case{text, what});
  };
  fault("host = 'mx'", "kind: missing");
  fault("kind = ^'tcp.blackhol', host = 'mx'", "did you mean \"tcp.blackhole\"?");
  fault("kind = ^'dns.xyzzyx'", "expected dns.nxdomain, dns.nodata");
  fault("kind = 'smtp.reply', host = 'mx', reply = '450 x'", "on: missing");
  fault("kind = 'smtp.reply', host = 'mx', on = 'RCPT'", "reply: missing");
  fault("kind = 'smtp.reply', host = ^'sut', on = 'RCPT', reply = '450 x'", "\"sut\" is an MTA; expected a peer");
  fault("kind = 'smtp.reply', host = 'mx', on = ^'RCTP', reply = '450 x'", "did you mean \"RCPT\"?");
  fault("kind = ^'smtp.repli', host = 'mx'", "did you mean \"smtp.reply\"?");
  fault("kind = 'smtp.reply', host = 'mx', on = 'RCPT', reply = '450 x', form = ^'lf'", "smtp.reply does not take it");
  fault("kind = 'smtp.malformed', host = 'mx', on = 'RCPT'", "form: missing");
  fault("kind = 'smtp.malformed', host = 'mx', on = 'RCPT', form = ^'unfinishd'", "did you mean \"unfinished\"?");
  fault("kind = 'smtp.rate', host = 'mx', count = ^0, per = '1m'", "out of range");
  fault("kind = 'smtp.rate', host = 'mx', count = 1", "per: missing");
  fault("kind = 'smtp.quota', host = 'mx'", "messages: missing");
  fault("kind = 'smtp.quota', host = 'mx', messages = 1, reply = ^'250 ok'", "expected a refusal");
  fault("kind = 'smtp.size', host = 'mx', octets = ^'much'", "expected a size");
  fault("kind = 'smtp.keywords', host = 'mx'", "add: missing");
  fault("kind = 'smtp.keywords', host = 'mx', add = ^['']", "is no keyword");
  fault("kind = 'smtp.greylist', host = 'mx', wait = ^0", "over zero");
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
  check({"seeds = ^2\n[mta.a]\n[[at]]\nt='0s'\nfault={kind='process.crash', host='a', disk_op='each'}", "one for each disk operation"});
  check({"[mta.a]\n[[at]]\nt='0s'\nfault={kind='process.crash', host='a', disk_op='each'}\n"
         "[[at]]\nt='0s'\nfault={kind='process.crash', host='a', disk_op=^'each'}", "line 5 has \"each\" already"});
}

TEST_CASE("TLS") {
  const Case cases[] = {
      {"[peer.mx]\ncert = ^'expird'", "did you mean \"expired\"?"},
      {"[mta.a]\ncert = ^'good'", "expected valid, expired"},
      {"[peer.mx]\ntls = ^true", "expected a table"},
      {"[peer.mx]\ntls = { version = ^'1.4' }", "expected 1.0, 1.1, 1.2, 1.3"},
      {"[peer.mx]\ntls = { cipher = ^'AES' }", "\"AES\" is not known"},
      {"[peer.mx]\ntls = { record_size = ^1 }", "out of range; expected 512 to 16384"},
      {"[peer.mx]\ntls = { at = ^'Certificate' }", "expected both or none"},
      {"[peer.mx]\ntls = { at = ^'certificate', act = 'hang' }", "did you mean \"Certificate\"?"},
      {"[[expect]]\ndelivered = { rcpt = 'a@b', tls = ^'yes' }", "expected none, encrypted, verified"},
      {"[[expect]]\nnever = { event = 'dns-query', tls = ^'none' }", "expected only with the events"},
      {"[[expect]]\ntls = { result = ^'ok' }", "expected established, failed"},
  };
  for (const Case& one : cases) check(one);
  const auto fault = [](std::string_view keys, std::string_view what) {
    const std::string text = "[mta.sut]\n[peer.mx]\n[[at]]\nt = '0s'\nfault = " + braced(keys);
    check(Case{text, what});
  };
  fault("kind = 'tls.expired', host = ^'sut'", "\"sut\" is an MTA; expected a peer: mx");
  fault("kind = 'tls.hang', host = 'mx'", "at: missing; tls.hang needs it");
  fault("kind = 'tls.alert', host = 'mx', at = ^'Certificate'", "expected ClientHello, ServerHello");
  fault("kind = 'tls.certificate', host = 'mx', cert = ^'bad'", "expected valid, expired");
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
  submit("to = 'sut', from = '', rcpt = 'a@b', size = ^'1GiB'", "64MiB");
  submit("to = 'sut', from = '', rcpt = 'b<n>@c', rcpt_count = ^0", "out of range");
  submit("to = 'sut', from = '', rcpt = ^'b <n>@c', rcpt_count = 2", "is no address");
  submit("to = 'sut', from = '', rcpt = 'a@b', repeat = ^{ text = 'x', count = 2 }", "<repeat>");
  submit("to = 'sut', from = '', rcpt = 'a@b', data = '<repeat>', repeat = ^{ count = 2 }", "a \"text\"");
  submit("to = 'sut', from = '', rcpt = 'a@b', data = '<repeat>', repeat = ^{ text = 'x' }", "\"count\"");
  submit("to = 'sut', from = '', rcpt = 'a@b', data = '<repeat>', repeat = ^{ text = '" + std::string(1000, 'x') +
             "', count = 1000000 }", "64 MiB");
  submit("to = 'sut', from = '', rcpt = 'a@b', tls = true, tls_version = ^'1.4'", "1.0, 1.1, 1.2, 1.3");
  submit("to = 'sut', from = '', rcpt = 'a@b', tls_cipher = ^'AES128-SHA'", "tls = true");
  submit("to = 'sut', from = '', rcpt = 'a@b', count = 100, size = ^'1MiB'", "all \"count\" messages together");
  submit("to = 'sut', from = '', rcpt = 'a@b', auth = ^{ login = 'x' }", "password: missing");
  submit("to = 'sut', from = '', rcpt = 'a@b', auth = { login = 'x', password = 'y', mechanism = ^'PLAN' }", "did you mean \"PLAIN\"?");
}

TEST_CASE("logins of a peer") {
  const auto peer = [](std::string_view keys, std::string_view what) { check({"[peer.mx]\nauth = " + braced(keys), what}); };
  peer("login = 'x'", "password: missing");
  peer("password = 'x'", "login: missing");
  peer("login = 'x', password = 'y', mechanisms = ^['CRAM-MD5']", "is no mechanism of a peer");
  peer("login = 'x', password = 'y', mechanisms = ^[]", "at least one");
  peer("login = 'x', password = 'y', slip = ^'once'", "did you mean \"nonce\"?");
  check({"[peer.mx]\nscript = '< EHLO'\nauth = ^{ login = 'x', password = 'y' }", "follows its script alone"});
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
