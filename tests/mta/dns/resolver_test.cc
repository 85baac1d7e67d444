#include "mta/dns/resolver.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <set>
#include <string>

#include "mta/base/text.h"
#include "mta/env/wakeup.h"
#include "tests/mta/dns/packet.h"
#include "tests/sim/dns/dns_world.h"

using namespace postproof;
using namespace postproof::dns;
using postproof::sim::DnsFault;
using postproof::sim::DnsFaultKind;
using postproof::sim::DnsServer;
using postproof::sim::test::DnsWorld;
using postproof::sim::test::ip;
using postproof::sim::test::zone;

namespace {

constexpr const char* kZone = R"(
dest.example.     3600 MX 10 mx1.dest.example.
dest.example.     3600 MX 20 mx2.dest.example.
mx1.dest.example. 600  A 192.0.2.1
mx1.dest.example. 600  AAAA 2001:db8::1
dest.example.     TXT "v=spf1 " "-all"
alias.example.    60 CNAME dest.example.
loop.example.     CNAME loop2.example.
loop2.example.    CNAME loop.example.
)";

Endpoint server(std::string_view address) { return Endpoint(ip(address), 53); }

ResolverSettings settings(std::vector<Endpoint> servers) {
  ResolverSettings all;
  all.servers = std::move(servers);
  return all;
}

ResolverSettings one_server() { return settings({server("192.0.2.53")}); }

std::string text(const Lookup& lookup) {
  switch (lookup.outcome) {
    case Outcome::no_data: return lookup.authentic ? "no data ad" : "no data";
    case Outcome::no_such_domain: return lookup.authentic ? "no such domain ad" : "no such domain";
    case Outcome::temporary: return "temporary: " + lookup.detail;
    case Outcome::found: break;
  }
  std::string all;
  for (const Record& record : lookup.records) {
    if (!all.empty()) all += ", ";
    if (const auto* mx = std::get_if<Mx>(&record))
      all += fmt::format("{} {}", mx->preference, mx->host);
    else if (const auto* address = std::get_if<IpAddress>(&record))
      all += address->to_string();
    else
      all += std::get<std::string>(record);
  }
  return lookup.authentic ? all + " ad" : all;
}

// Asks one question, in a world as it stands, and closes the resolver again.
std::string ask(DnsWorld& world, std::string name, Type type, ResolverSettings how = one_server()) {
  std::string answer;
  world.run([&](Env& env) -> Task<void> {
    Resolver resolver(env, how);
    const Lookup lookup = co_await resolver.query(name, type);
    answer = text(lookup);
    co_await resolver.close();
  });
  return answer;
}

// The id of a question, and what stands behind it: to make answers by hand from.
std::string answer_to(const std::string& question, std::vector<std::string> answers, unsigned flags = 0x8180) {
  // Header of ours, question as it came (without its OPT), answers.
  std::size_t end = 12;
  while (question[end] != '\0') end += static_cast<unsigned char>(question[end]) + 1U;
  end += 5;
  std::string octets = question.substr(0, 2) + test::u16(flags) + test::u16(1) +
                       test::u16(static_cast<unsigned>(answers.size())) + test::u32(0) + question.substr(12, end - 12);
  for (const std::string& one : answers) octets += one;
  return octets;
}

}  // namespace

TEST_CASE("answers of every type, and the names as they may be written") {
  struct Case {
    const char* name;
    Type type;
    const char* answer;
  } cases[] = {
      {"dest.example", Type::mx, "10 mx1.dest.example, 20 mx2.dest.example ad"},
      {"DEST.Example.", Type::mx, "10 mx1.dest.example, 20 mx2.dest.example ad"},
      {"mx1.dest.example", Type::a, "192.0.2.1 ad"},
      {"mx1.dest.example", Type::aaaa, "2001:db8::1 ad"},
      {"dest.example", Type::txt, "v=spf1 -all ad"},
      {"dest.example", Type::a, "no data ad"},
      {"gone.dest.example", Type::a, "no such domain ad"},
      {"alias.example", Type::mx, "10 mx1.dest.example, 20 mx2.dest.example"},
      {"alias.example", Type::cname, "dest.example"},
      {"nowhere.test", Type::mx, "no such domain"},
      {"loop.example", Type::mx, "temporary: SERVFAIL from 192.0.2.53:53"},
  };
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone), {"dest.example"});
  for (const Case& c : cases) {
    CAPTURE(std::string(c.name));
    CHECK(ask(world, c.name, c.type) == c.answer);
  }
}

TEST_CASE("what is no domain name is not asked for") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone));
  for (const char* name : {"", ".", "a..b", "a b.example", "[192.0.2.1]"})
    CHECK(ask(world, name, Type::mx) == "no such domain");
  CHECK(world.asked().empty());
}

TEST_CASE("an exchange is told as an event, and nothing else is") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone));
  world.run([&](Env& env) -> Task<void> {
    Resolver resolver(env, one_server());
    for (const char* name : {"dest.example", "dest.example", "gone.example"}) {
      const Lookup lookup = co_await resolver.query(name, Type::mx);
      CHECK(lookup.outcome != Outcome::temporary);
    }
    co_await resolver.close();
  });
  CHECK(world.events("dns-query") == std::vector<std::string>{"dest.example MX 192.0.2.53:53 noerror 2 records",
                                                              "gone.example MX 192.0.2.53:53 nxdomain"});
  CHECK(world.asked().size() == 2);
}

TEST_CASE("answers are kept for their TTL in virtual time, and not longer (G16)") {
  DnsWorld world;
  DnsServer& dns = world.serve("dns1", "192.0.2.53", zone("dest.example. 600 MX 10 old.example.\n"));
  world.run([&](Env& env) -> Task<void> {
    Resolver resolver(env, one_server());
    const MonoTime start = env.clock.mono();
    Lookup lookup = co_await resolver.query("dest.example", Type::mx);
    const MonoTime learned = env.clock.mono();
    CHECK(text(lookup) == "10 old.example");
    dns.set_zones(zone("dest.example. 600 MX 10 new.example.\n"));
    co_await sleep_until(env, start + 600s);
    lookup = co_await resolver.query("dest.example", Type::mx);
    CHECK(text(lookup) == "10 old.example");
    co_await sleep_until(env, learned + 600s);
    lookup = co_await resolver.query("dest.example", Type::mx);
    CHECK(text(lookup) == "10 new.example");
    co_await resolver.close();
  });
  CHECK(world.asked().size() == 2);
}

TEST_CASE("negative answers are kept for the SOA's minimum; failures are not kept") {
  DnsWorld world;
  DnsServer& dns = world.serve("dns1", "192.0.2.53", zone("dest.example. A 192.0.2.1\nd. SOA n. h. 1 2 3 4 120\n"));
  const auto with_mx = [] { return zone("dest.example. MX 10 mx.example.\nx.d. MX 10 mx.example.\n"); };
  world.run([&](Env& env) -> Task<void> {
    Resolver resolver(env, one_server());
    Lookup lookup = co_await resolver.query("x.d", Type::mx);
    CHECK(lookup.outcome == Outcome::no_such_domain);
    lookup = co_await resolver.query("d", Type::mx);
    CHECK(lookup.outcome == Outcome::no_data);
    dns.set_zones(with_mx());
    lookup = co_await resolver.query("x.d", Type::mx);
    CHECK(lookup.outcome == Outcome::no_such_domain);
    co_await sleep_until(env, env.clock.mono() + 119s);
    lookup = co_await resolver.query("x.d", Type::mx);
    CHECK(lookup.outcome == Outcome::no_such_domain);
    co_await sleep_until(env, env.clock.mono() + 1s);
    lookup = co_await resolver.query("x.d", Type::mx);
    CHECK(text(lookup) == "10 mx.example");

    const auto fault = dns.add_fault(DnsFault{DnsFaultKind::servfail, "dest.example", 0});
    lookup = co_await resolver.query("dest.example", Type::mx);
    CHECK(text(lookup) == "temporary: SERVFAIL from 192.0.2.53:53");
    dns.remove_fault(fault);
    lookup = co_await resolver.query("dest.example", Type::mx);
    CHECK(text(lookup) == "10 mx.example");
    co_await resolver.close();
  });
}

TEST_CASE("a TTL over the ceiling is cut; TTL 0 is not kept") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53",
              zone("long.example. 604800 MX 10 mx.example.\nzero.example. 0 MX 10 mx.example.\n"));
  world.run(
      [&](Env& env) -> Task<void> {
        Resolver resolver(env, one_server());
        for (int i = 0; i < 3; ++i) {
          Lookup lookup = co_await resolver.query("zero.example", Type::mx);
          CHECK(lookup.outcome == Outcome::found);
        }
        CHECK(world.asked().size() == 3);
        for (const Duration wait : {0s, 86'300s, 200s}) {
          co_await sleep_until(env, env.clock.mono() + wait);
          Lookup lookup = co_await resolver.query("long.example", Type::mx);
          CHECK(lookup.outcome == Outcome::found);
        }
        CHECK(world.asked().size() == 5);
        co_await resolver.close();
      },
      48h);
}

TEST_CASE("equal questions at once share one exchange") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone));
  int found = 0;
  world.run([&](Env& env) -> Task<void> {
    Resolver resolver(env, one_server());
    const auto ask_one = [&](std::string name, Type type) -> Task<void> {
      const Lookup lookup = co_await resolver.query(std::move(name), type);
      if (lookup.outcome == Outcome::found) ++found;
    };
    TaskGroup group(env.executor);
    for (int i = 0; i < 20; ++i) group.spawn(ask_one(i % 2 == 0 ? "dest.example" : "Dest.example.", Type::mx));
    group.spawn(ask_one("dest.example", Type::txt));
    co_await group.join();
    co_await resolver.close();
  });
  CHECK(found == 21);
  CHECK(world.asked().size() == 2);
}

TEST_CASE("silence: the next server, then another round, then a temporary failure at the exact time (G09)") {
  const std::vector<Endpoint> both{server("192.0.2.53"), server("192.0.2.54")};
  SUBCASE("the second answers, and is the first to be asked from then on") {
    DnsWorld world;
    world.serve("dns1", "192.0.2.53", zone(kZone), {}, {DnsFault{DnsFaultKind::timeout, "*", 0}});
    world.serve("dns2", "192.0.2.54", zone(kZone));
    world.run([&](Env& env) -> Task<void> {
      Resolver resolver(env, settings(both));
      const MonoTime start = env.clock.mono();
      Lookup lookup = co_await resolver.query("dest.example", Type::mx);
      CHECK(text(lookup) == "10 mx1.dest.example, 20 mx2.dest.example");
      const Duration took = env.clock.mono() - start;
      CHECK(took >= 5s);
      CHECK(took < 5100ms);
      lookup = co_await resolver.query("mx1.dest.example", Type::a);
      CHECK(text(lookup) == "192.0.2.1");
      CHECK(env.clock.mono() - start < 5200ms);
      co_await resolver.close();
    });
    CHECK(world.events("dns-query").front() == "dest.example MX 192.0.2.53:53 timed out");
  }
  SUBCASE("nobody answers") {
    DnsWorld world;
    world.serve("dns1", "192.0.2.53", zone(kZone), {}, {DnsFault{DnsFaultKind::timeout, "*", 0}});
    world.run([&](Env& env) -> Task<void> {
      Resolver resolver(env, settings(both));  // nothing at all is at the second address
      const MonoTime start = env.clock.mono();
      const Lookup lookup = co_await resolver.query("dest.example", Type::mx);
      CHECK(lookup.outcome == Outcome::temporary);
      CHECK(lookup.detail.find("timed out at 192.0.2.53:53") != std::string::npos);
      const Duration took = env.clock.mono() - start;
      CHECK(took >= 10s);
      CHECK(took < 20100ms);
      co_await resolver.close();
    });
  }
  SUBCASE("SERVFAIL and REFUSED: the next at once, and no second round for them") {
    DnsWorld world;
    world.serve("dns1", "192.0.2.53", zone(kZone), {}, {DnsFault{DnsFaultKind::servfail, "*", 0}});
    world.serve("dns2", "192.0.2.54", zone(kZone), {}, {DnsFault{DnsFaultKind::refused, "*", 0}});
    CHECK(ask(world, "dest.example", Type::mx, settings(both)) ==
          "temporary: SERVFAIL from 192.0.2.53:53; REFUSED from 192.0.2.54:53");
    CHECK(world.asked().size() == 2);
    CHECK(world.world.now() < 1s);
  }
}

TEST_CASE("no server at all") {
  DnsWorld world;
  CHECK(ask(world, "dest.example", Type::mx, settings({})) == "temporary: no DNS server is configured");
}

TEST_CASE("truncation leads to TCP; without TCP it is temporary (G17)") {
  const DnsFault truncate{DnsFaultKind::truncate, "*", 0};
  SUBCASE("TCP answers") {
    DnsWorld world;
    world.serve("dns1", "192.0.2.53", zone(kZone), {"dest.example"}, {truncate});
    CHECK(ask(world, "dest.example", Type::mx) == "10 mx1.dest.example, 20 mx2.dest.example ad");
    CHECK(world.events("dns-query") ==
          std::vector<std::string>{"dest.example MX 192.0.2.53:53 truncated",
                                   "dest.example MX 192.0.2.53:53 noerror 2 records over TCP"});
  }
  SUBCASE("a large answer, by itself") {
    std::string text_of_zone;
    for (int i = 0; i < 200; ++i)
      text_of_zone += fmt::format("big.example. MX {} mx{}.long-provider-name.example.\n", i, i);
    DnsWorld world;
    world.serve("dns1", "192.0.2.53", zone(text_of_zone));
    CHECK(ask(world, "big.example", Type::mx).starts_with("0 mx0.long-provider-name.example, 1 mx1."));
    CHECK(world.asked().size() == 2);
  }
  SUBCASE("nobody listens on TCP") {
    DnsWorld world;
    world.serve("dns1", "192.0.2.53", zone(kZone), {}, {truncate, DnsFault{DnsFaultKind::tcp_refuse, "*", 0}});
    const std::string answer = ask(world, "dest.example", Type::mx);
    CHECK(answer == "temporary: connection refused at 192.0.2.53:53");
    CHECK(world.world.now() < 1s);
  }
  SUBCASE("TCP is reset") {
    DnsWorld world;
    world.serve("dns1", "192.0.2.53", zone(kZone), {},
                {truncate, DnsFault{DnsFaultKind::tcp_refuse, "dest.example", 0}});
    CHECK(ask(world, "dest.example", Type::mx) == "temporary: connection reset at 192.0.2.53:53");
  }
}

TEST_CASE("servers without EDNS are asked plainly (G18)") {
  SUBCASE("FORMERR") {
    DnsWorld world;
    world.serve("dns1", "192.0.2.53", zone(kZone), {}, {DnsFault{DnsFaultKind::formerr, "*", 0}});
    CHECK(ask(world, "dest.example", Type::mx) == "10 mx1.dest.example, 20 mx2.dest.example");
    CHECK(world.world.now() < 1s);
  }
  SUBCASE("silence") {
    DnsWorld world;
    world.serve("dns1", "192.0.2.53", zone(kZone), {}, {DnsFault{DnsFaultKind::edns_drop, "*", 0}});
    CHECK(ask(world, "dest.example", Type::mx) == "10 mx1.dest.example, 20 mx2.dest.example");
    CHECK(world.world.now() > 5s);
  }
}

TEST_CASE("answers with a wrong id are not taken; waiting goes on to the deadline") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone), {}, {DnsFault{DnsFaultKind::wrong_id, "*", 0}});
  CHECK(ask(world, "dest.example", Type::mx) == "temporary: timed out at 192.0.2.53:53");
  CHECK(world.world.now() >= 10s);
}

TEST_CASE("the true answer is taken from among false ones") {
  DnsWorld world;
  world.serve_by_hand("dns1", "192.0.2.53", [](const std::string& question) {
    std::string wrong_id = answer_to(question, {test::mx("dest.example", 60, 1, "evil.example")});
    wrong_id[1] = static_cast<char>(wrong_id[1] ^ 1);
    std::string wrong_name = answer_to(question, {test::mx("dest.example", 60, 1, "evil.example")});
    wrong_name[13] = 'x';
    return std::vector<std::string>{
        "",         "junk",   wrong_id,
        wrong_name, question, answer_to(question, {test::mx("dest.example", 60, 10, "mx1.dest.example")})};
  });
  CHECK(ask(world, "dest.example", Type::mx) == "10 mx1.dest.example");
}

TEST_CASE("an answer from elsewhere is not taken") {
  DnsWorld world;
  // A stranger who knows id and port: everything but the address is right.
  sim::Node& stranger = world.world.add_node("stranger", {ip("192.0.2.66")});
  world.serve_by_hand("dns1", "192.0.2.53", [](const std::string&) { return std::vector<std::string>{}; });
  world.run([&](Env& env) -> Task<void> {
    ResolverSettings once = one_server();
    once.rounds = 1;
    Resolver resolver(env, once);
    TaskGroup group(env.executor);
    std::string answer;
    const auto ask_it = [&]() -> Task<void> {
      const Lookup lookup = co_await resolver.query("dest.example", Type::mx);
      answer = text(lookup);
    };
    group.spawn(ask_it());
    co_await sleep_until(env, env.clock.mono() + 100ms);
    sim::record::Datagram question{};
    for (const sim::Record& record : world.recording.records) {
      if (const auto* datagram = std::get_if<sim::record::Datagram>(&record.what)) question = *datagram;
    }
    REQUIRE_FALSE(question.octets.empty());
    const std::string forged = answer_to(question.octets, {test::mx("dest.example", 60, 1, "evil.example")});
    const Endpoint to = question.from;
    stranger.start([forged, to](Env& there) -> Task<void> {
      auto socket = there.network.open_datagram(Endpoint(ip("192.0.2.66"), 53));
      REQUIRE(socket.has_value());
      const Result<void> sent = co_await (*socket)->send_to(forged, to, kNever);
      CHECK(sent.has_value());
    });
    co_await group.join();
    CHECK(answer == "temporary: timed out at 192.0.2.53:53");
    co_await resolver.close();
  });
}

TEST_CASE("a flood of false answers leads to TCP") {
  DnsWorld world;
  world.serve_by_hand("dns1", "192.0.2.53", [](const std::string& question) {
    std::string wrong = answer_to(question, {});
    wrong[0] = static_cast<char>(wrong[0] ^ 0x55);
    return std::vector<std::string>(60, wrong);
  });
  const std::string answer = ask(world, "dest.example", Type::mx);
  CHECK(answer == "temporary: connection refused at 192.0.2.53:53");  // nobody is there on TCP
}

TEST_CASE("every question has an id and a port of its own") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone("zero.example. 0 MX 10 mx.example.\n"));
  world.run([&](Env& env) -> Task<void> {
    Resolver resolver(env, one_server());
    for (int i = 0; i < 50; ++i) {
      const Lookup lookup = co_await resolver.query("zero.example", Type::mx);
      CHECK(lookup.outcome == Outcome::found);
    }
    co_await resolver.close();
  });
  std::set<std::string> ids;
  std::set<std::uint16_t> ports;
  for (const sim::Record& record : world.recording.records) {
    const auto* datagram = std::get_if<sim::record::Datagram>(&record.what);
    if (datagram == nullptr || datagram->to.port() != 53) continue;
    ids.insert(datagram->octets.substr(0, 2));
    ports.insert(datagram->from.port());
  }
  CHECK(ids.size() > 45);
  CHECK(ports.size() > 45);
}

TEST_CASE("CNAME chains that answers do not follow are asked along, to 8 links and no loops (G06, G11)") {
  // n0.example -> n1.example -> ... one link an answer, records at the last.
  const auto chained = [](int links, std::string end) {
    return [links, end](const std::string& question) {
      std::string name;
      for (std::size_t at = 12; question[at] != '\0';) {
        const auto size = static_cast<unsigned char>(question[at]);
        name += (name.empty() ? "" : ".") + question.substr(at + 1, size);
        at += size + 1U;
      }
      const int here = name[1] - '0';
      std::vector<std::string> answers;
      if (name == end)
        answers = {test::mx(name, 60, 10, "mx1.dest.example")};
      else if (here < links)
        answers = {test::cname(name, 60, here + 1 == links ? end : fmt::format("n{}.example", here + 1))};
      return std::vector<std::string>{answer_to(question, answers, 0x81a0)};
    };
  };
  struct Case {
    int links;
    const char* end;
    const char* answer;
  } cases[] = {
      {1, "e.example", "10 mx1.dest.example ad"},
      {8, "e.example", "10 mx1.dest.example ad"},
      {9, "e.example", "temporary: CNAME loop or chain of over 8 at e.example"},
      {3, "n1.example", "10 mx1.dest.example ad"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.links);
    DnsWorld world;
    world.serve_by_hand("dns1", "192.0.2.53", chained(c.links, c.end));
    CHECK(ask(world, "n0.example", Type::mx) == c.answer);
  }
  DnsWorld world;
  world.serve_by_hand("dns1", "192.0.2.53", [](const std::string& question) {
    const bool first = question[13] == 'a';
    return std::vector<std::string>{
        answer_to(question, {test::cname(first ? "a.example" : "b.example", 60, first ? "b.example" : "a.example")})};
  });
  CHECK(ask(world, "a.example", Type::mx) == "temporary: CNAME loop or chain of over 8 at a.example");
  CHECK(world.world.now() < 1s);
}

TEST_CASE("a chain is authentic only if every answer along it is") {
  for (const bool first_secure : {true, false}) {
    DnsWorld world;
    world.serve_by_hand("dns1", "192.0.2.53", [&](const std::string& question) {
      const bool first = question[13] == 'a';
      const unsigned flags = first == first_secure ? 0x81a0 : 0x8180;
      return std::vector<std::string>{answer_to(
          question,
          {first ? test::cname("a.example", 60, "b.example") : test::mx("b.example", 60, 10, "mx1.dest.example")},
          flags)};
    });
    CHECK(ask(world, "a.example", Type::mx) == "10 mx1.dest.example");
  }
}

TEST_CASE("close ends what is under way, and what comes later, as temporary") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone), {}, {DnsFault{DnsFaultKind::timeout, "*", 0}});
  world.run([&](Env& env) -> Task<void> {
    Resolver resolver(env, one_server());
    std::vector<std::string> answers;
    const auto ask_it = [&](std::string name) -> Task<void> {
      const Lookup lookup = co_await resolver.query(std::move(name), Type::mx);
      answers.push_back(text(lookup));
    };
    TaskGroup group(env.executor);
    group.spawn(ask_it("dest.example"));
    group.spawn(ask_it("dest.example"));
    group.spawn(ask_it("src.example"));
    co_await sleep_until(env, env.clock.mono() + 1s);
    CHECK(answers.empty());
    co_await resolver.close();
    co_await group.join();
    CHECK(answers.size() == 3);
    for (const std::string& answer : answers) CHECK(answer.starts_with("temporary: "));
    const Lookup lookup = co_await resolver.query("dest.example", Type::mx);
    CHECK(text(lookup) == "temporary: the resolver is closed");
    co_await resolver.close();
  });
  CHECK(world.world.now() < 2s);
}

TEST_CASE("a crash ends every lookup") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone), {}, {DnsFault{DnsFaultKind::timeout, "*", 0}});
  world.world.at(2s, [&] { world.mta.crash(); });
  int ended = 0;
  world.run([&](Env& env) -> Task<void> {
    Resolver resolver(env, one_server());
    const auto ask_it = [&]() -> Task<void> {
      const Lookup lookup = co_await resolver.query("dest.example", Type::mx);
      CHECK(lookup.outcome == Outcome::temporary);
      ++ended;
    };
    TaskGroup group(env.executor);
    for (int i = 0; i < 3; ++i) group.spawn(ask_it());
    co_await group.join();
    co_await resolver.close();
  });
  CHECK(ended == 3);
  CHECK(world.world.now() < 3s);
}

TEST_CASE("the cache has its bound") {
  DnsWorld world;
  world.serve("dns1", "192.0.2.53", zone(kZone));
  ResolverSettings small = one_server();
  small.cache_entries_max = 1;
  world.run([&](Env& env) -> Task<void> {
    Resolver resolver(env, small);
    for (const Type type : {Type::mx, Type::mx, Type::txt, Type::mx}) {
      const Lookup lookup = co_await resolver.query("dest.example", type);
      CHECK(lookup.outcome == Outcome::found);
    }
    co_await resolver.close();
  });
  CHECK(world.asked().size() == 3);
}
