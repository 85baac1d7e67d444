#include "sim/dns/responder.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "mta/base/text.h"
#include "mta/dns/ldns_handle.h"

using namespace postproof;
using namespace postproof::sim;

namespace {

constexpr const char* kZone = R"(
src.example.     MX 10 home.src.example.
dest.example.    SOA ns.dest.example. hm.dest.example. 7 2 3 4 120
dest.example.    MX 20 mx2.dest.example.
dest.example.    MX 10 mx1.dest.example.
mx1.dest.example. 60 A 192.0.2.1
mx1.dest.example. AAAA 2001:db8::1
a.b.dest.example. TXT "deep"
alias.dest.example. CNAME Src.example.
far.dest.example.   CNAME nowhere.other.example.
loop.dest.example.  CNAME loop2.dest.example.
loop2.dest.example. CNAME loop.dest.example.
*.wild.example.  MX 10 mx.wild.example.
mx.wild.example. A 192.0.2.7
x.sub.wild.example. A 192.0.2.8
*.cw.example. CNAME dest.example.
)";

Responder responder(std::vector<std::string> secure = {}) {
  ZoneData zones;
  REQUIRE(zones.add_text(kZone));
  zones.add_host("home.src.example", *IpAddress::parse("192.0.2.50"));
  zones.add_host("home.src.example", *IpAddress::parse("2001:db8::50"));
  zones.add_host("mx1.dest.example", *IpAddress::parse("192.0.2.99"));
  return Responder(std::move(zones), secure);
}

struct Ask {
  bool ad = false, cd = false, dnssec = false;
  std::size_t edns = 0;  // UDP size; 0: no EDNS
  DnsTransport transport = DnsTransport::udp;
};

std::string question(const char* name, const char* type, Ask ask) {
  const dns::LdnsPacket packet(
      ldns_pkt_query_new(ldns_dname_new_frm_str(name), ldns_get_rr_type_by_name(type), LDNS_RR_CLASS_IN, LDNS_RD));
  ldns_pkt_set_id(packet.get(), 77);
  ldns_pkt_set_ad(packet.get(), ask.ad);
  ldns_pkt_set_cd(packet.get(), ask.cd);
  if (ask.edns != 0) ldns_pkt_set_edns_udp_size(packet.get(), static_cast<std::uint16_t>(ask.edns));
  if (ask.dnssec) ldns_pkt_set_edns_do(packet.get(), true);
  return dns::ldns_octets(packet.get());
}

std::string section(const ldns_rr_list* list) {
  std::string all;
  for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i) {
    const std::unique_ptr<char, dns::LdnsFree> text(ldns_rr2str(ldns_rr_list_rr(list, i)));
    std::string line = text.get();
    line.pop_back();
    std::replace(line.begin(), line.end(), '\t', ' ');
    all += (all.empty() ? "" : "; ") + line;
  }
  return all;
}

// "NOERROR ad: answer section | authority section", compression gives names the question's case.
std::string ask(const Responder& from, const char* name, const char* type, Ask how = {}) {
  const auto response = from.respond(question(name, type, how), how.transport);
  REQUIRE(response.has_value());
  if (response->act == DnsResponse::Act::silence) return "silence";
  if (response->act == DnsResponse::Act::reset) return "reset";
  ldns_pkt* parsed = nullptr;
  REQUIRE(ldns_wire2pkt(&parsed, reinterpret_cast<const std::uint8_t*>(response->octets.data()),
                        response->octets.size()) == LDNS_STATUS_OK);
  const dns::LdnsPacket packet(parsed);
  CHECK(ldns_pkt_qr(parsed));
  const std::unique_ptr<char, dns::LdnsFree> rcode(ldns_pkt_rcode2str(ldns_pkt_get_rcode(parsed)));
  std::string text = rcode.get();
  if (ldns_pkt_id(parsed) != 77) text += " id";
  if (!ldns_pkt_ra(parsed)) text += " no-ra";
  if (ldns_pkt_ad(parsed)) text += " ad";
  if (ldns_pkt_tc(parsed)) text += " tc";
  if (ldns_pkt_edns(parsed)) text += " edns";
  std::string sections = section(ldns_pkt_answer(parsed));
  if (ldns_pkt_nscount(parsed) > 0) sections += " | " + section(ldns_pkt_authority(parsed));
  if (ldns_pkt_arcount(parsed) > 0) sections += " || " + section(ldns_pkt_additional(parsed));
  return text + ": " + sections;
}

constexpr const char* kMadeUp = "IN SOA ns.{0} hostmaster.{0} 1 7200 900 1209600 300";
std::string made_up_soa(std::string_view zone) {
  return fmt::format("{0} 300 {1}", zone, fmt::format(fmt::runtime(kMadeUp), zone));
}

}  // namespace

TEST_CASE("answers that mislead") {
  Responder server = responder({"dest.example"});
  const auto with = [&](DnsFaultKind kind, auto set) {
    DnsFault fault{kind, "dest.example", 1};
    set(fault);
    const auto id = server.faults().add(std::move(fault));
    const std::string answer = ask(server, "mx1.dest.example", "A", Ask{.ad = true});
    server.faults().remove(id);
    return answer;
  };
  const auto nothing = [](DnsFault&) {};
  const std::string right = "NOERROR ad: mx1.dest.example. 60 IN A 192.0.2.1";
  CHECK(with(DnsFaultKind::delay, nothing) == right);
  CHECK(with(DnsFaultKind::lame, nothing) == "NOERROR no-ra:  | . 518400 IN NS a.root-servers.example.");
  CHECK(with(DnsFaultKind::cname_loop, nothing) ==
        "NOERROR: mx1.dest.example. 300 IN CNAME alias.mx1.dest.example.; "
        "alias.mx1.dest.example. 300 IN CNAME mx1.dest.example.");
  CHECK(with(DnsFaultKind::insecure, nothing) == "NOERROR: mx1.dest.example. 60 IN A 192.0.2.1");
  CHECK(with(DnsFaultKind::ttl, [](DnsFault& fault) { fault.ttl = 7; }) ==
        "NOERROR ad: mx1.dest.example. 7 IN A 192.0.2.1");
  CHECK(with(DnsFaultKind::extra, [](DnsFault& fault) { fault.records = "a. A 192.0.2.66\nb. MX 0 a."; }) ==
        right + "; a. 3600 IN A 192.0.2.66; b. 3600 IN MX 0 a.");
  CHECK(with(DnsFaultKind::extra, [](DnsFault& fault) {
          fault.records = "a. A 192.0.2.66";
          fault.section = DnsSection::additional;
        }) == right + " || a. 3600 IN A 192.0.2.66");
  CHECK(ask(server, "mx1.dest.example", "A", Ask{.ad = true}) == right);
}

TEST_CASE("what changes answers goes together, and with what decides them; a negative answer has the TTL too") {
  Responder server = responder({"dest.example"});
  DnsFault ttl{DnsFaultKind::ttl, "*", 1};
  ttl.ttl = 9;
  server.faults().add(ttl);
  DnsFault delay{DnsFaultKind::delay, "*", 2};
  delay.by = 3s;
  server.faults().add(delay);
  server.faults().add(DnsFault{DnsFaultKind::nxdomain, "mx1.dest.example", 3});
  CHECK(ask(server, "mx1.dest.example", "A") ==
        "NXDOMAIN:  | dest.example. 9 IN SOA ns.dest.example. hm.dest.example. 7 2 3 4 9");
  const auto response = server.respond(question("mx1.dest.example", "A", {}), DnsTransport::udp);
  REQUIRE(response);
  CHECK(response->delay == 3s);
  CHECK(response->struck.size() == 3);
}

TEST_CASE("answers, aliases, wildcards and what there is not") {
  const Responder server = responder();
  const std::string dest_soa = "dest.example. 120 IN SOA ns.dest.example. hm.dest.example. 7 2 3 4 120";
  struct Case {
    const char* goal;
    const char* name;
    const char* type;
    std::string answer;
  } cases[] = {
      {"in the order of the text", "dest.example", "MX",
       "NOERROR: dest.example. 3600 IN MX 20 mx2.dest.example.; dest.example. 3600 IN MX 10 mx1.dest.example."},
      {"ignoring case", "DEST.Example", "SOA",
       "NOERROR: dest.example. 3600 IN SOA ns.dest.example. hm.dest.example. 7 2 3 4 120"},
      {"with the text's TTL; its address goes before the host's", "mx1.dest.example", "A",
       "NOERROR: mx1.dest.example. 60 IN A 192.0.2.1"},
      {"of a host", "home.src.example", "AAAA", "NOERROR: home.src.example. 3600 IN AAAA 2001:db8::50"},
      {"no data: the zone's SOA, its minimum as TTL", "dest.example", "TXT", "NOERROR:  | " + dest_soa},
      {"no data: between names", "b.dest.example", "TXT", "NOERROR:  | " + dest_soa},
      {"no data: a made-up SOA", "src.example", "A", "NOERROR:  | " + made_up_soa("src.example.")},
      {"no such name", "gone.dest.example", "A", "NXDOMAIN:  | " + dest_soa},
      {"no such name below one that has records", "x.mx1.dest.example", "A", "NXDOMAIN:  | " + dest_soa},
      {"no such name in no zone: the root's", "nowhere.test", "MX",
       "NXDOMAIN:  | . 300 IN SOA ns.invalid. hostmaster.invalid. 1 7200 900 1209600 300"},
      {"an alias into another zone", "alias.dest.example", "MX",
       "NOERROR: alias.dest.example. 3600 IN CNAME Src.example.; src.example. 3600 IN MX 10 home.src.example."},
      {"an alias to a name without such data", "alias.dest.example", "TXT",
       "NOERROR: alias.dest.example. 3600 IN CNAME Src.example. | " + made_up_soa("src.example.")},
      {"an alias to nowhere", "far.dest.example", "MX",
       "NXDOMAIN: far.dest.example. 3600 IN CNAME nowhere.other.example. | . 300 IN SOA ns.invalid. "
       "hostmaster.invalid. 1 7200 900 1209600 300"},
      {"the alias itself", "alias.dest.example", "CNAME", "NOERROR: alias.dest.example. 3600 IN CNAME Src.example."},
      {"a loop", "loop.dest.example", "MX", "SERVFAIL: "},
      {"a wildcard", "any.wild.example", "MX", "NOERROR: any.wild.example. 3600 IN MX 10 mx.wild.example."},
      {"a wildcard, deep", "a.b.wild.example", "MX", "NOERROR: a.b.wild.example. 3600 IN MX 10 mx.wild.example."},
      {"a wildcard without such data", "any.wild.example", "A", "NOERROR:  | " + made_up_soa("wild.example.")},
      {"no wildcard for a name that exists", "mx.wild.example", "MX", "NOERROR:  | " + made_up_soa("wild.example.")},
      {"no wildcard below a name that exists", "y.sub.wild.example", "MX",
       "NXDOMAIN:  | " + made_up_soa("wild.example.")},
      {"nor for one between names", "sub.wild.example", "MX", "NOERROR:  | " + made_up_soa("wild.example.")},
      {"a wildcard alias", "q.cw.example", "SOA",
       "NOERROR: q.cw.example. 3600 IN CNAME dest.example.; dest.example. 3600 IN SOA ns.dest.example. "
       "hm.dest.example. 7 2 3 4 120"},
      {"a made-up SOA, asked for", "src.example", "SOA", "NOERROR: " + made_up_soa("src.example.")},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(c.goal));
    CHECK(ascii_lower(ask(server, c.name, c.type)) == ascii_lower(c.answer));
  }
}

TEST_CASE("AD for secure zones, to those who ask for it") {
  const Responder server = responder({"dest.example"});
  const auto flags = [&](const char* name, const char* type, Ask how) {
    const std::string text = ask(server, name, type, how);
    return text.substr(0, text.find(':'));
  };
  CHECK(flags("dest.example", "MX", {}) == "NOERROR");
  CHECK(flags("dest.example", "MX", {.ad = true}) == "NOERROR ad");
  CHECK(flags("dest.example", "MX", {.dnssec = true, .edns = 1232}) == "NOERROR ad edns");
  CHECK(flags("mx1.dest.example", "A", {.ad = true}) == "NOERROR ad");
  CHECK(flags("gone.dest.example", "A", {.ad = true}) == "NXDOMAIN ad");
  CHECK(flags("src.example", "MX", {.ad = true}) == "NOERROR");
  CHECK(flags("alias.dest.example", "MX", {.ad = true}) == "NOERROR");  // it ends in a zone that is not
  CHECK(flags("xdest.example", "MX", {.ad = true}) == "NXDOMAIN");
}

TEST_CASE("what does not fit is truncated over UDP, not over TCP") {
  ZoneData zones;
  std::string text;
  for (int i = 0; i < 60; ++i) text += fmt::format("many.example. A 192.0.2.{}\n", i);
  REQUIRE(zones.add_text(text));
  const Responder server(std::move(zones), {});
  CHECK(ask(server, "many.example", "A") == "NOERROR tc: ");
  CHECK(ask(server, "many.example", "A", {.edns = 600}) == "NOERROR tc edns: ");
  CHECK(
      ask(server, "many.example", "A", {.edns = 1232}).starts_with("NOERROR edns: many.example. 3600 IN A 192.0.2.0;"));
  CHECK(ask(server, "many.example", "A", {.transport = DnsTransport::tcp}).starts_with("NOERROR: many.example."));
}

TEST_CASE("faults") {
  struct Case {
    DnsFaultKind kind;
    Ask how;
    std::string answer;  // of dest.example MX, up to the colon
  } cases[] = {
      {DnsFaultKind::nxdomain, {.ad = true}, "NXDOMAIN ad"},
      {DnsFaultKind::nodata, {}, "NOERROR"},
      {DnsFaultKind::servfail, {}, "SERVFAIL"},
      {DnsFaultKind::refused, {}, "REFUSED"},
      {DnsFaultKind::timeout, {}, "silence"},
      {DnsFaultKind::timeout, {.transport = DnsTransport::tcp}, "silence"},
      {DnsFaultKind::truncate, {}, "NOERROR tc"},
      {DnsFaultKind::truncate, {.transport = DnsTransport::tcp}, "NOERROR"},
      {DnsFaultKind::tcp_refuse, {}, "NOERROR"},
      {DnsFaultKind::tcp_refuse, {.transport = DnsTransport::tcp}, "reset"},
      {DnsFaultKind::wrong_id, {}, "NOERROR id"},
      {DnsFaultKind::wrong_id, {.transport = DnsTransport::tcp}, "NOERROR"},
      {DnsFaultKind::bogus, {.ad = true}, "SERVFAIL"},
      {DnsFaultKind::bogus, {.ad = true, .cd = true}, "NOERROR"},
      {DnsFaultKind::formerr, {}, "NOERROR"},
      {DnsFaultKind::formerr, {.edns = 1232}, "FORMERR"},
      {DnsFaultKind::edns_drop, {}, "NOERROR"},
      {DnsFaultKind::edns_drop, {.edns = 1232}, "silence"},
  };
  for (const Case& c : cases) {
    CAPTURE(std::string(to_string(c.kind)));
    Responder server = responder({"dest.example"});
    server.faults().add({c.kind, "Dest.Example.", 12});
    const std::string answer = ask(server, "dest.example", "MX", c.how);
    CHECK(answer.substr(0, answer.find(':')) == c.answer);
    CHECK(ask(server, "src.example", "MX", c.how).starts_with("NOERROR"));
    CHECK(dns_fault_kind(to_string(c.kind)) == c.kind);
  }
  CHECK_FALSE(dns_fault_kind("tcp_refuse").has_value());
  CHECK_FALSE(dns_fault_kind("").has_value());
}

TEST_CASE("the longest name wins, then the newest; a fault is for what is below, too, until it is taken away") {
  Responder server = responder();
  const auto rcode = [&](const char* name) {
    const std::string text = ask(server, name, "A");
    return text.substr(0, text.find(':'));
  };
  const auto all = server.faults().add({DnsFaultKind::refused, "*", 0});
  CHECK(rcode("mx1.dest.example") == "REFUSED");
  const auto zone = server.faults().add({DnsFaultKind::servfail, "dest.example", 0});
  CHECK(rcode("mx1.dest.example") == "SERVFAIL");
  CHECK(rcode("xdest.example") == "REFUSED");
  const auto name = server.faults().add({DnsFaultKind::nxdomain, "mx1.dest.example", 0});
  CHECK(rcode("mx1.dest.example") == "NXDOMAIN");
  server.faults().add({DnsFaultKind::nodata, "mx1.dest.example", 0});
  CHECK(rcode("mx1.dest.example").starts_with("NOERROR"));
  const auto newest = server.faults().add({DnsFaultKind::refused, "example", 0});
  CHECK(rcode("mx1.dest.example").starts_with("NOERROR"));
  CHECK(rcode("gone.dest.example") == "SERVFAIL");
  server.faults().remove(newest);
  server.faults().remove(zone);
  CHECK(rcode("gone.dest.example") == "REFUSED");
  server.faults().remove(all);
  server.faults().remove(name);
  CHECK(rcode("gone.dest.example") == "NXDOMAIN");
}

TEST_CASE("a fault behind an alias spoils the answer") {
  Responder server = responder();
  server.faults().add({DnsFaultKind::timeout, "src.example", 0});
  CHECK(ask(server, "alias.dest.example", "MX") == "SERVFAIL: ");
  server.faults().add({DnsFaultKind::nxdomain, "src.example", 0});
  CHECK(ask(server, "alias.dest.example", "MX").starts_with("NXDOMAIN: alias.dest.example. 3600 IN CNAME"));
  const auto response = server.respond(question("alias.dest.example", "MX", {}), DnsTransport::udp);
  REQUIRE(response);
  CHECK(response->struck.size() == 1);
}

TEST_CASE("what is no question") {
  const Responder server = responder();
  const std::string good = question("dest.example", "MX", {});
  CHECK_FALSE(server.respond("", DnsTransport::udp).has_value());
  CHECK_FALSE(server.respond(good.substr(0, 11), DnsTransport::udp).has_value());
  std::string answer = good;
  answer[2] = static_cast<char>(answer[2] | 0x80);
  CHECK_FALSE(server.respond(answer, DnsTransport::udp).has_value());

  const auto rcode = [&](const std::string& octets) {
    const auto response = server.respond(octets, DnsTransport::udp);
    REQUIRE(response.has_value());
    CHECK(response->octets.substr(0, 2) == octets.substr(0, 2));
    return response->octets.at(3) & 0x0f;
  };
  CHECK(rcode(good.substr(0, good.size() - 3)) == LDNS_RCODE_FORMERR);
  std::string none = good;
  none[5] = 0;
  CHECK(rcode(none) == LDNS_RCODE_FORMERR);
  std::string update = good;
  update[2] = static_cast<char>(update[2] | 0x28);
  CHECK(rcode(update) == LDNS_RCODE_NOTIMPL);
  std::string chaos = good;
  chaos.back() = 3;
  CHECK(rcode(chaos) == LDNS_RCODE_REFUSED);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    for (const int flip : {0x01, 0x80, 0xff}) {
      changed[i] = static_cast<char>(good[i] ^ flip);
      (void)server.respond(changed, DnsTransport::udp);
    }
  }
}

TEST_CASE("other zones may take the place of the first, and stay secure") {
  Responder server = responder({"dest.example"});
  ZoneData zones;
  REQUIRE(zones.add_text("dest.example. 60 MX 5 new.dest.example.\n"));
  server.set_zones(std::move(zones));
  CHECK(ask(server, "dest.example", "MX", {.ad = true}) == "NOERROR ad: dest.example. 60 IN MX 5 new.dest.example.");
  CHECK(ask(server, "src.example", "MX", {.ad = true}).starts_with("NXDOMAIN: "));
}

TEST_CASE("the text of the recording") {
  const Responder server = responder({"dest.example"});
  const auto text = [&](const char* name, const char* type) {
    const auto response = server.respond(question(name, type, {.ad = true}), DnsTransport::udp);
    REQUIRE(response.has_value());
    return response->name + " " + response->type + " = " + response->text;
  };
  CHECK(text("dest.example", "MX") == "dest.example MX = noerror: MX 20 mx2.dest.example, MX 10 mx1.dest.example [ad]");
  CHECK(text("dest.example", "TXT") == "dest.example TXT = nodata [ad]");
  CHECK(text("src.example", "TXT") == "src.example TXT = nodata");
  CHECK(text("gone.example", "A") == "gone.example A = nxdomain");
}
