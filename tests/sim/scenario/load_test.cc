// What a good scenario becomes, part by part.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/faults.h"
#include "sim/scenario/load.h"
#include "sim/scenario/variant.h"

namespace postproof::sim {

namespace {

Scenario load(std::string_view text) {
  auto scenario = load_scenario("s.toml", text);
  if (!scenario) {
    std::string all;
    for (const Problem& problem : scenario.error()) all += problem.to_string() + "\n";
    FAIL(all);
  }
  return std::move(*scenario);
}

constexpr std::string_view kWhole = R"(title  = "everything at once"
covers = ["RFC5321#5.1"]
cases  = "G01"
seed   = 7
limit  = "6d"
open   = true

[dns]
secure = ["Dest.Example."]
zone = '''
dest.example.   MX 10 mx1.dest.example.
dest.example.   MX 20 mx2.dest.example.
'''

[link.default]
latency = "20ms"
segment = 1000
[link.far]
between = ["sut", "mx2"]
latency = "300ms"

[mta.sut]
hostname = "mail.src.example"
addresses = ["v4", "v6", "192.0.2.7"]
retry.schedule = ["15m", "1h"]
retry.jitter = 0
dns.servers = "10.0.0.53"

[peer.mx1]
names = ["mx1.dest.example", "alias.dest.example"]
rules = [
  { on = "rcpt", match = "gone@*", reply = "550 5.1.1 no such user", times = 2 },
  { on = "EHLO", reply = ["250-mx1", "250 SIZE 10"] },
  { on = "dot", act = "reset", take = false, delay = "3s", from = "1m", until = "2m", nth = 3 },
  { on = "connect", raw = '220 \xff\r\n' },
  { on = "RCPT", first_seen = "10m", reply = "450 4.2.0 greylisted" },
]

[peer.mx2]
port = 2525
script = '''
> 220 mx2
< EHLO
'''

[client.raw]
to = "sut"
start = "5s"
script = '< 220'

[client.lender]

[[at]]
t = "10m"
fault = { kind = "tcp.blackhole", host = "mx1", for = "10h", port = 25 }
[[at]]
t = "0s"
[at.submit]
to = "sut"
from = "alice@src.example RET=HDRS ENVID=e1"
rcpt = ['"a b"@dest.example', "gone@dest.example NOTIFY=NEVER"]
data = "Subject: hi\n\nbody\n"
from_host = "lender"
count = 2
size = "1MiB"
[[at]]
t = "10m"
submit = { to = "sut", from = "", rcpt = "b@dest.example" }

[[expect]]
delivered = { rcpt = "b@dest.example", at = "mx1", when = ["15m30s", "1h"], slack = "2s", header = "Subject: hi", body = "" }
[[expect]]
dsn = { to = "alice@src.example", count = 1, action = "failed", status = "5.1.*" }
[[expect]]
attempts = { rcpt = "b@dest.example", when = "0s" }
[[expect]]
queue = { mta = "sut", rcpt = "b@dest.example", t = "1h", depth = 1, next = "2h" }
[[expect]]
never = { event = "data", at = "mx2" }
[[expect]]
end = { queue = 0, connections = 0, when = "1d" }
)";

}  // namespace

TEST_CASE("the head") {
  const Scenario scenario = load(kWhole);
  CHECK(scenario.file == "s.toml");
  CHECK(scenario.source.front() == "title  = \"everything at once\"");
  CHECK(scenario.title == "everything at once");
  CHECK(scenario.covers == std::vector<LocatedString>{{"RFC5321#5.1", {2, 11}}});
  CHECK(scenario.cases == std::vector<LocatedString>{{"G01", {3, 10}}});
  CHECK(scenario.seed == 7);
  CHECK(scenario.limit == 6 * 24h);
  CHECK(scenario.open);
}

TEST_CASE("what is not said has its default") {
  const Scenario scenario = load("title = 'x'\n[mta.sut]\n[peer.mx]\n[link.default]\n");
  CHECK(scenario.seed == 1);
  CHECK(scenario.limit == 240h);
  CHECK_FALSE(scenario.open);
  CHECK(scenario.mtas[0].names == std::vector<std::string>{"sut.example"});
  CHECK(scenario.mtas[0].config.hostname == "sut.example");
  CHECK(scenario.mtas[0].given.empty());
  CHECK_FALSE(scenario.mtas[0].resolver_given);
  CHECK(scenario.peers[0].port == 25);
  CHECK(scenario.peers[0].keywords ==
        std::vector<std::string>{"PIPELINING", "SIZE 52428800", "8BITMIME", "ENHANCEDSTATUSCODES"});
  CHECK_FALSE(scenario.links[0].latency);
}

TEST_CASE("every client may relay unless the scenario says who") {
  const auto may = [](std::string_view keys, std::string_view address) {
    const MtaPart mta = load(fmt::format("title = 'x'\n[mta.sut]\n{}\n", keys)).mtas.at(0);
    return std::any_of(mta.config.intake.relay_clients.begin(), mta.config.intake.relay_clients.end(),
                       [&](const IpNetwork& network) { return network.contains(*IpAddress::parse(address)); });
  };
  CHECK(may("", "192.0.2.1"));
  CHECK(may("", "2001:db8::1"));
  CHECK_FALSE(may("relay.clients = '10.0.0.0/8'", "192.0.2.1"));
  CHECK_FALSE(may("relay.domains = 'dest.example'", "192.0.2.1"));
}

TEST_CASE("DNS and links") {
  const Scenario scenario = load(kWhole);
  CHECK(scenario.dns.zone.starts_with("dest.example.   MX 10"));
  CHECK(scenario.dns.zone_line == 11);
  CHECK(scenario.dns.secure == std::vector<std::string>{"dest.example"});
  REQUIRE(scenario.links.size() == 2);
  CHECK(scenario.links[0].latency == 20ms);
  CHECK(scenario.links[0].segment == 1000);
  CHECK(scenario.links[1].between == std::vector<std::string>{"sut", "mx2"});
  CHECK(scenario.links[1].latency == 300ms);
}

TEST_CASE("hosts draw addresses from their place in the file") {
  const Scenario scenario = load(kWhole);
  const auto address = [](std::string_view text) { return IpAddress::parse(text).value(); };
  REQUIRE(scenario.mtas.size() == 1);
  const MtaPart& mta = scenario.mtas[0];
  CHECK(mta.names == std::vector<std::string>{"mail.src.example"});
  CHECK(mta.addresses == std::vector<IpAddress>{address("10.0.1.1"), address("2001:db8:0:1::1"), address("192.0.2.7")});
  CHECK(mta.config.hostname == "mail.src.example");
  CHECK(mta.config.scheduler.retry.schedule == std::vector<Duration>{15min, 1h});
  CHECK(mta.given == std::vector<std::string>{"dns.servers", "hostname", "retry.jitter", "retry.schedule"});
  CHECK(mta.resolver_given);
  CHECK(scenario.peers[0].addresses == std::vector<IpAddress>{address("10.0.2.1")});
  CHECK(scenario.peers[0].names == std::vector<std::string>{"mx1.dest.example", "alias.dest.example"});
  CHECK(scenario.clients[1].name == "lender");
  CHECK(scenario.clients[1].addresses == std::vector<IpAddress>{address("10.0.5.1")});
}

TEST_CASE("rules") {
  const std::vector<Rule> rules = load(kWhole).peers[0].rules;
  REQUIRE(rules.size() == 5);
  CHECK(rules[0].on == "RCPT");
  CHECK(rules[0].match == "gone@*");
  CHECK(rules[0].reply == std::vector<std::string>{"550 5.1.1 no such user"});
  CHECK(rules[0].times == 2);
  CHECK(rules[0].line == 32);
  CHECK(rules[1].reply.size() == 2);
  CHECK(rules[2].act == Rule::Act::reset);
  CHECK_FALSE(rules[2].take);
  CHECK(rules[2].nth == 3);
  CHECK(rules[2].from == 1min);
  CHECK(rules[2].until == 2min);
  CHECK(rules[2].delay == 3s);
  CHECK(rules[3].raw == "220 \xff\r\n");
  CHECK(rules[4].first_seen == 10min);
}

TEST_CASE("dialogues have their place in the file") {
  const Scenario scenario = load(kWhole);
  CHECK(scenario.peers[1].script == "> 220 mx2\n< EHLO\n");
  CHECK(scenario.peers[1].script_line == 42);
  CHECK(scenario.peers[1].script_column == 1);
  CHECK(scenario.peers[1].port == 2525);
  CHECK(scenario.clients[0].script == "< 220");
  CHECK(scenario.clients[0].script_line == 49);
  CHECK(scenario.clients[0].script_column == 11);
  CHECK(scenario.clients[0].start == 5s);
}

TEST_CASE("the timeline is sorted, equals in the order of the file") {
  const std::vector<At> at = load(kWhole).at;
  REQUIRE(at.size() == 3);
  const auto& submit = std::get<Submit>(at[0].what);
  CHECK(submit.from == "alice@src.example RET=HDRS ENVID=e1");
  CHECK(submit.rcpt.size() == 2);
  CHECK(submit.count == 2);
  CHECK(submit.size == 1024 * 1024);
  CHECK(submit.from_host == "lender");
  const auto& fault = std::get<Fault>(at[1].what);
  CHECK(fault.kind == "tcp.blackhole");
  CHECK(fault.host == "mx1");
  CHECK(fault.lasts == 10h);
  CHECK(fault.port == 25);
  CHECK(at[1].line == 55);
  CHECK(at[2].t == 10min);
  CHECK(std::get<Submit>(at[2].what).from.empty());
  CHECK(std::get<Submit>(at[2].what).data.starts_with("Subject: "));
}

TEST_CASE("expectations") {
  const std::vector<Expect> expects = load(kWhole).expects;
  REQUIRE(expects.size() == 6);
  const auto& delivered = std::get<ExpectDelivered>(expects[0].what);
  REQUIRE(delivered.when.size() == 2);
  CHECK(delivered.when[0].at == 15min + 30s);
  CHECK(delivered.when[1].slack == 2s);
  CHECK(delivered.header == std::vector<std::string>{"Subject: hi"});
  CHECK(delivered.body == "");
  CHECK_FALSE(delivered.count);
  CHECK(std::get<ExpectDsn>(expects[1].what).status == "5.1.*");
  CHECK(std::get<ExpectAttempts>(expects[2].what).when[0].slack == 1s);
  CHECK(std::get<ExpectQueue>(expects[3].what).next->at == 2h);
  CHECK(std::get<ExpectNever>(expects[4].what).event == "data");
  CHECK(std::get<ExpectEnd>(expects[5].what).when->at == 24h);
  CHECK(expects[5].line == 81);
}

TEST_CASE("each kind of fault, with all that it takes") {
  struct Case {
    std::string_view keys;
    std::string_view kind;
  };
  const Case cases[] = {
      {R"(kind = "tcp.refuse", host = "mx", port = 25, for = "1m")", "tcp.refuse"},
      {R"(kind = "tcp.unreachable", host = "dns")", "tcp.unreachable"},
      {R"(kind = "tcp.silent", host = "client")", "tcp.silent"},
      {R"(kind = "tcp.reset", host = "sut")", "tcp.reset"},
      {R"(kind = "tcp.reset", host = "mx", with = "sut", port = 25, way = "to", octet = 0, times = 1)", "tcp.reset"},
      {R"(kind = "tcp.fin", host = "mx", line = "RCPT*", nth = 2, passes = false, for = "1m")", "tcp.fin"},
      {R"(kind = "tcp.half-close", host = "mx", way = "from")", "tcp.half-close"},
      {R"(kind = "tcp.backlog", host = "mx", port = 25, for = "1m")", "tcp.backlog"},
      {R"(kind = "tcp.hold", host = "mx", with = "sut", way = "to", for = "1m")", "tcp.hold"},
      {R"(kind = "tcp.zero-window", host = "mx", with = "sut", for = "1m")", "tcp.zero-window"},
      {R"(kind = "tcp.drip", host = "mx", rate = "10B/s")", "tcp.drip"},
      {R"(kind = "tcp.bandwidth", host = "mx", bandwidth = "10KiB/s")", "tcp.bandwidth"},
      {R"(kind = "tcp.segment", host = "mx", segment = 1)", "tcp.segment"},
      {R"(kind = "tcp.delay", host = "mx", by = "1s", jitter = "20ms")", "tcp.delay"},
      {R"(kind = "tcp.loss", host = "mx", loss = 0.5)", "tcp.loss"},
      {R"(kind = "tcp.partition", host = "sut", with = "mx", for = "1m")", "tcp.partition"},
      {R"(kind = "dns.servfail")", "dns.servfail"},
      {R"(kind = "dns.wrong-id", name = "dest.example.", for = "1m")", "dns.wrong-id"},
      {R"(kind = "tls.expired", host = "mx", for = "1m")", "tls.expired"},
      {R"(kind = "tls.reset", host = "mx", at = "ServerHello")", "tls.reset"},
      {R"(kind = "tls.version", host = "mx", version = "1.2")", "tls.version"},
      {R"(kind = "tls.cipher", host = "mx", cipher = "TLS_AES_128_GCM_SHA256")", "tls.cipher"},
      {R"(kind = "tls.record-size", host = "mx", size = 512)", "tls.record-size"},
      {R"(kind = "tls.truncate", host = "mx", octet = 7)", "tls.truncate"},
      {R"(kind = "disk.enospc", host = "sut")", "disk.enospc"},
      {R"(kind = "disk.eio", host = "sut", operation = "sync", path = "*journal*", nth = 2, for = "1m")", "disk.eio"},
      {R"(kind = "dns.lame", name = "dest.example", for = "1m")", "dns.lame"},
      {R"(kind = "dns.cname-loop")", "dns.cname-loop"},
      {R"(kind = "dns.delay", by = "2s", name = "dest.example")", "dns.delay"},
      {R"(kind = "dns.insecure", for = "1m")", "dns.insecure"},
      {R"(kind = "dns.ttl", ttl = "0s")", "dns.ttl"},
      {R"(kind = "dns.extra", records = "a.example. A 192.0.2.1", section = "authority")", "dns.extra"},
      {R"(kind = "disk.short-write", host = "sut", octets = 3, nth = 1, path = "*", for = "1m")", "disk.short-write"},
      {R"(kind = "disk.slow", host = "sut", by = "1s", operation = "sync", nth = 2)", "disk.slow"},
      {R"(kind = "disk.read-only", host = "sut", for = "1m")", "disk.read-only"},
      {R"(kind = "disk.rename-not-durable", host = "sut", path = "*", for = "1m")", "disk.rename-not-durable"},
      {R"(kind = "disk.bit-rot", host = "sut", path = "*", offset = 0, bits = 2)", "disk.bit-rot"},
      {R"(kind = "disk.bit-rot", host = "sut", on = "read", nth = 2, for = "1m")", "disk.bit-rot"},
      {R"(kind = "process.pause", host = "mx", for = "1m")", "process.pause"},
      {R"(kind = "process.descriptors", host = "sut", limit = 0, for = "1m")", "process.descriptors"},
      {R"(kind = "clock.set", host = "sut", to = "2038-01-19T03:14:00Z")", "clock.set"},
      {R"(kind = "clock.drift", host = "sut", ppm = -100, for = "1d")", "clock.drift"},
      {R"(kind = "clock.freeze", host = "sut", for = "1d")", "clock.freeze"},
      {R"(kind = "process.crash", host = "sut")", "process.crash"},
      {R"(kind = "process.crash", host = "sut", event = "accepted", match = "*x*", restart = "1s")", "process.crash"},
      {R"(kind = "process.crash", host = "sut", disk_op = "each", from = "connect", restart = "1s", loss = "lose")", "process.crash"},
      {R"(kind = "process.crash", host = "sut", disk_op = 3)", "process.crash"},
      {R"(kind = "clock.step", host = "sut", by = "-1h")", "clock.step"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.keys);
    const Scenario scenario = load(fmt::format("title='x'\n[mta.sut]\n[peer.mx]\n[[at]]\nt='0s'\nfault = {{ {} }}\n", one.keys));
    REQUIRE(scenario.at.size() == 1);
    CHECK(std::get<Fault>(scenario.at[0].what).kind == one.kind);
  }
}

TEST_CASE("a peer offers STARTTLS with a certificate, terms, or the keyword") {
  const auto tls = [](std::string_view keys) {
    return load(fmt::format("title='x'\n[mta.sut]\n[peer.mx]\n{}\n", keys)).peers.at(0).tls;
  };
  CHECK_FALSE(tls("").offered);
  CHECK(tls("cert = 'self-signed'").offered);
  CHECK(tls("cert = 'self-signed'").cert == "self-signed");
  const ServerTls terms = tls("tls = { version = '1.2', at = 'ServerHello', act = 'alert', close_notify = false }");
  CHECK(terms.offered);
  CHECK(terms.version == "1.2");
  CHECK(terms.message == "ServerHello");
  CHECK(terms.act == ServerTls::Act::alert);
  CHECK_FALSE(terms.close_notify);
  const Scenario keyword = load("title='x'\n[mta.sut]\n[peer.mx]\nkeywords = ['SIZE', 'starttls']\n");
  CHECK(keyword.peers.at(0).tls.offered);
  CHECK(keyword.peers.at(0).keywords == std::vector<std::string>{"SIZE"});
}

TEST_CASE("values of faults") {
  const auto fault = [](std::string_view keys) {
    const Scenario scenario = load(fmt::format("title='x'\n[mta.sut]\n[peer.mx]\n[[at]]\nt='0s'\nfault = {{ {} }}\n", keys));
    return std::get<Fault>(scenario.at.at(0).what);
  };
  CHECK(fault(R"(kind = "clock.step", host = "sut", by = "-1h")").by == -1h);
  CHECK(fault(R"(kind = "clock.step", host = "sut", by = "90s")").by == 90s);
  CHECK(fault(R"(kind = "process.crash", host = "sut", disk_op = "each")").disk_op_each);
  CHECK(fault(R"(kind = "process.crash", host = "sut", disk_op = 3)").disk_op == 3);
  CHECK(fault(R"(kind = "process.crash", host = "sut")").loss == "torn");
  CHECK(fault(R"(kind = "disk.eio", host = "sut")").operation == "write");
  CHECK(fault(R"(kind = "dns.servfail")").name == "*");
  CHECK(fault(R"(kind = "disk.slow", host = "sut", by = "1s")").operation == "*");
  CHECK(fault(R"(kind = "disk.bit-rot", host = "sut")").instant);
  CHECK_FALSE(fault(R"(kind = "disk.bit-rot", host = "sut", on = "read")").instant);
  for (const std::string_view to : {R"("2038-01-19T03:14:00.5Z")", R"("2038-01-19T05:14:00.5+02:00")", "2038-01-19T03:14:00.5Z"}) {
    CHECK(fault(fmt::format(R"(kind = "clock.set", host = "sut", to = {})", to)).to == WallTime{2'147'483'640'500ms});
  }
  CHECK(fault(R"(kind = "tcp.drip", host = "mx")").bandwidth == 1);
  CHECK(fault(R"(kind = "tcp.bandwidth", host = "mx", bandwidth = "10KiB/s")").bandwidth == 10240);
  CHECK(fault(R"(kind = "tcp.bandwidth", host = "mx", bandwidth = "10B/s")").bandwidth == 10);
  CHECK(fault(R"(kind = "tcp.reset", host = "mx")").instant);
  CHECK_FALSE(fault(R"(kind = "tcp.reset", host = "mx", octet = 3)").instant);
  CHECK(fault(R"(kind = "tcp.hold", host = "mx", way = "to")").way == FaultWay::to);
  CHECK(fault(R"(kind = "dns.nxdomain", name = "Dest.Example.")").name == "dest.example");
}

TEST_CASE("files with CRLF line ends keep their places") {
  const Scenario scenario = load("title='x'\r\n[peer.mx]\r\nscript = '''\r\n> 220 mx\r\n'''\r\n");
  CHECK(scenario.peers[0].script == "> 220 mx\n");
  CHECK(scenario.peers[0].script_line == 4);
  CHECK(scenario.source[1] == "[peer.mx]");
}

TEST_CASE("where calendars begin, and changes of the zone") {
  const Scenario scenario = load(R"(title = "x"
start = 2000-02-29T00:00:00Z
[mta.sut]
[[at]]
t      = "1m"
remove = ["old.example", "dest.example MX"]
[[at]]
t    = "2m"
zone = '''
dest.example. MX 10 mx.dest.example.
'''
)");
  CHECK(scenario.start == WallTime{951'782'400s});
  REQUIRE(scenario.at.size() == 2);
  CHECK(std::get<ZoneChange>(scenario.at[0].what).remove == std::vector<std::string>{"old.example", "dest.example MX"});
  CHECK(std::get<ZoneChange>(scenario.at[1].what).zone == "dest.example. MX 10 mx.dest.example.\n");
  CHECK(std::get<ZoneChange>(scenario.at[1].what).zone_line == 10);
  CHECK(load("title = 'x'\n").start == kUsualStart);
}

TEST_CASE("a matrix makes a scenario of each combination, the last axis fastest") {
  const auto variants = load_variants("s.toml", R"(title = "of ${who}"
matrix = { ip = ["v4", "v6"], segment = ["whole", 3], pipelining = [false], who = ["a", "b"], lanes = [5] }
[link.default]
latency = "2s"
[mta.sut]
delivery.lanes_max = "${lanes}"
[peer.mx]
names = ["${who}.example"]
addresses = ["v4"]
[[at]]
t = "0s"
submit = { to = "sut", from = "", rcpt = "$${who}@${who}.example" }
)");
  REQUIRE(variants);
  REQUIRE(variants->size() == 8);
  const Scenario& first = variants->front();
  CHECK(variant_name(first.variant) == "ip=v4 segment=whole pipelining=false who=a lanes=5");
  CHECK(first.title == "of a");
  CHECK(first.mtas[0].addresses[0].is_v4());
  CHECK(first.mtas[0].config.scheduler.lanes_max == 5);
  CHECK_FALSE(first.mtas[0].config.client.pipelining);
  CHECK_FALSE(first.mtas[0].config.server.pipelining);
  CHECK_FALSE(first.links[0].segment);
  CHECK(std::get<Submit>(first.at[0].what).rcpt[0] == "${who}@a.example");
  const Scenario& last = variants->back();
  CHECK(variant_name(last.variant) == "ip=v6 segment=3 pipelining=false who=b lanes=5");
  CHECK_FALSE(last.mtas[0].addresses[0].is_v4());
  CHECK(last.peers[0].addresses[0].is_v4());
  CHECK(last.peers[0].names[0] == "b.example");
  CHECK(last.links[0].segment == 3);
  CHECK(last.links[0].latency == 2s);
  CHECK(variant_name((*variants)[1].variant) == "ip=v4 segment=whole pipelining=false who=b lanes=5");
}

TEST_CASE("--only asks by name, by values, or by some axes") {
  const std::vector<VariantValue> variant = {{"ip", "v6"}, {"segment", "1"}, {"pipelining", "true"}};
  for (const char* only : {"ip=v6 segment=1 pipelining=true", "v6,1,true", "ip=v6", "pipelining=true segment=1"}) {
    CAPTURE(only);
    CHECK(asks_for(only, variant));
  }
  for (const char* only : {"ip=v4 segment=1 pipelining=true", "v6,1", "v6,1,false", "ip=v", "other", "true"}) {
    CAPTURE(only);
    CHECK_FALSE(asks_for(only, variant));
  }
  CHECK(last_number("v6,true,12") == 12);
  CHECK(last_number("ip=v6 disk_op=3") == 3);
  CHECK_FALSE(last_number("v6"));
}

TEST_CASE("a peer that is like another has its rules, and what it does not say itself") {
  const Scenario scenario = load(R"(title = "x"
[peer.c]
like = "b"
[peer.b]
like = "a"
port = 26
cert = "expired"
[peer.a]
banner = "hello"
tls = { version = "1.2" }
port = 27
rules = [{ on = "RCPT", reply = "450 later" }]
quota = { messages = 1 }
)");
  for (const PeerPart& peer : scenario.peers) {
    CAPTURE(peer.name);
    CHECK(peer.rules.size() == 1);
    CHECK(peer.faults.size() == 1);
    CHECK(peer.banner == "hello");
  }
  CHECK(scenario.peers[0].like == "a");
  CHECK(scenario.peers[0].port == 27);
  CHECK(scenario.peers[1].port == 26);
  CHECK(scenario.peers[0].tls.offered);
  CHECK(scenario.peers[0].tls.version == "1.2");
  CHECK(scenario.peers[1].tls.cert == "expired");
  CHECK(scenario.peers[1].tls.version == "");
}

TEST_CASE("a configuration of production is taken as it stands; the table's keys come before its own") {
  const FileReader reader = [](const std::string& path) -> std::expected<std::string, std::string> {
    REQUIRE(path == "dir/../etc/relay.toml");
    return R"(hostname = "relay.example"
listen = ["192.0.2.1:587", "[2001:db8::9]:25"]
connect_timeout = "7s"
[spool]
directory = "/var/spool/x"
[dns]
servers = ["192.0.2.53"]
[retry]
jitter = 0.2
schedule = ["1m"]
)";
  };
  const auto scenario = load_scenario("dir/s.toml", R"(title = "x"
[mta.sut]
config = "../etc/relay.toml"
retry.jitter = 0
files = { "/etc/b" = "2", "/etc/a" = "1" }
)", reader);
  REQUIRE(scenario);
  const MtaPart& mta = scenario->mtas[0];
  CHECK(mta.names == std::vector<std::string>{"relay.example"});
  CHECK(mta.config.hostname == "relay.example");
  CHECK(mta.config.client.connect_timeout == 7s);
  CHECK(mta.config.scheduler.retry.jitter == 0);
  CHECK(mta.config.scheduler.retry.schedule == std::vector<Duration>{1min});
  CHECK(mta.config.resolver.servers.empty());
  CHECK(mta.config.intake.relay_clients.size() == 2);
  REQUIRE(mta.configuration);
  CHECK(mta.configuration->path == "dir/../etc/relay.toml");
  REQUIRE(mta.files.size() == 2);
  CHECK(mta.files[0].path == "/etc/a");
  CHECK(mta.files[1].content == "2");
}

}  // namespace postproof::sim
