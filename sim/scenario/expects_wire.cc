// Expectations about what crossed wires: reply, wire, dns, resource, never, tls. Those that nothing could ever meet, or
// break, are complained of.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/expect_keys.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

const std::vector<std::string_view> kVerbs = {"connect", "HELO", "EHLO", "MAIL", "RCPT", "DATA",     "BDAT", "dot",
                                              "RSET",    "NOOP", "QUIT", "VRFY", "EXPN", "STARTTLS", "AUTH", "HELP"};

// What may stand in a question. Patterns may match others.
const std::vector<std::string_view> kRecordTypes = {"A",   "AAAA", "ANY", "CAA", "CNAME", "DNSKEY", "DS",  "HINFO",
                                                    "MX",  "NAPTR", "NS", "PTR", "SOA",   "SRV",    "SVCB", "TLSA", "TXT"};

void check_record_type(TomlReader& table, std::string_view key, std::string_view type) {
  const bool pattern = type.find_first_of("*?") != std::string_view::npos;
  if (type.empty() || pattern || std::ranges::find(kRecordTypes, type) != kRecordTypes.end()) return;
  table.complain(key, fmt::format("\"{}\" is no type of record; expected one of {}, or a pattern", escape(type), fmt::join(kRecordTypes, ", ")));
}

// "> EHLO *" or "< 250*".
std::vector<ExpectWire::Line> read_lines(TomlReader& table, std::string_view key) {
  std::vector<ExpectWire::Line> lines;
  for (const std::string& text : table.strings(key).value_or(std::vector<std::string>{})) {
    const bool good = text.size() > 2 && (text[0] == '>' || text[0] == '<') && text[1] == ' ';
    if (!good) {
      table.complain(key, fmt::format("\"{}\" is no line of a connection; expected \"> EHLO *\" (from who opened it) or "
                                      "\"< 250*\"", escape(text)));
      continue;
    }
    lines.push_back(ExpectWire::Line{text[0] == '>', text.substr(2)});
  }
  if (table.has(key) && lines.empty()) table.complain(key, "expected at least one line, like \"> EHLO *\" or \"< 250*\"");
  return lines;
}

// Who opens connections on which SMTP is spoken: MTAs, clients, and the host that submissions come from.
std::string read_opener(TomlReader& table, const HostNames& hosts, std::string_view key) {
  std::string host = hosts.read(table, key, {HostKind::mta, HostKind::client, HostKind::world}).value_or("");
  if (host == kResolverHost) table.complain(key, "the resolver opens no connection; expected an MTA or a client");
  return host;
}

// `at` of `never`: a host at which the event can be. One that never comes there would be expected in vain.
std::string read_place_of_event(TomlReader& table, const HostNames& hosts, std::string_view event, bool on_wire) {
  const auto one_of = [&](std::initializer_list<HostKind> kinds) { return hosts.read(table, "at", kinds).value_or(""); };
  if (on_wire) return one_of({HostKind::mta, HostKind::peer});
  if (event == "dns-query") {
    std::string host = one_of({HostKind::mta, HostKind::world});
    if (host == kSubmitHost) table.complain("at", "that host asks nothing; expected an MTA or \"dns\"");
    return host;
  }
  // Of those that tell no other host, only the MTA is known.
  if (event == "attempt" || event == "expired" || event == "service") return one_of({HostKind::mta});
  if (event == "delivered" || event == "deferred" || event == "bounced") return one_of({HostKind::mta, HostKind::peer});
  std::string host = one_of({});
  if (host == kResolverHost) table.complain("at", "nobody speaks SMTP there; expected an MTA, a peer or a client");
  return host;
}

}  // namespace

ExpectReply read_reply_expectation(TomlReader& table, const HostNames& hosts) {
  ExpectReply expect;
  expect.client = hosts.read(table, "client", {HostKind::client, HostKind::world}).value_or("");
  expect.mta = hosts.read(table, "mta", {HostKind::mta}).value_or("");
  if (const auto verb = table.string("verb")) {
    const auto at = std::ranges::find_if(kVerbs, [&](std::string_view one) { return equal_ignoring_case(one, *verb); });
    if (at != kVerbs.end()) {
      expect.verb = *at;
    } else {
      table.word("verb", kVerbs);  // complains
    }
  }
  expect.match = table.string("match").value_or("*");
  if (table.has("match") && (expect.verb.empty() || expect.verb == "connect" || expect.verb == "dot")) {
    table.complain("match", "expected only together with a \"verb\" that has an argument");
  }
  expect.code = read_pattern(table, "code");
  if (!expect.code.empty() && expect.code != "none" &&
      (expect.code.size() > 3 || expect.code.find_first_not_of("0123456789*?") != std::string::npos)) {
    table.complain("code", "expected a code or a pattern of one, like \"550\" or \"5*\", or \"none\" for no reply");
  }
  expect.text = read_pattern(table, "text");
  if (!table.has("code") && !table.has("text")) table.complain("code", "missing; expected what was answered: \"code\", \"text\" or both");
  expect.nth = read_count(table, "nth", 1);
  expect.count = read_count(table, "count", 0);
  expect.when = read_when(table);
  check_count(table, expect.count, expect.when);
  return expect;
}

ExpectWire read_wire(TomlReader& table, const HostNames& hosts) {
  ExpectWire expect;
  expect.from = read_opener(table, hosts, "from");
  expect.to = hosts.read(table, "to", {HostKind::mta, HostKind::peer}).value_or("");
  if (!expect.to.empty() && expect.from == expect.to) table.complain("to", "a host opens no connection to itself; expected another host");
  expect.nth = read_count(table, "nth", 1);
  expect.lines = read_lines(table, "lines");
  expect.skip = table.boolean("skip").value_or(false);
  expect.forbid = read_lines(table, "forbid");
  if (table.has("skip") && !table.has("lines")) table.complain("skip", "expected only together with \"lines\"");
  if (!table.has("lines") && !table.has("forbid")) {
    table.complain("lines", "missing; expected \"lines\" in their order, like [\"> EHLO *\", \"< 250*\"], or \"forbid\"");
  }
  return expect;
}

ExpectDns read_dns_expectation(TomlReader& table, const HostNames& hosts) {
  ExpectDns expect;
  expect.by = hosts.read(table, "by", {}).value_or("");
  expect.name = ascii_lower(read_pattern(table, "name"));
  if (expect.name.ends_with('.')) expect.name.pop_back();
  expect.type = ascii_upper(read_pattern(table, "type"));
  check_record_type(table, "type", expect.type);
  expect.transport = table.word("transport", {"udp", "tcp"}).value_or("");
  expect.answer = read_pattern(table, "answer");
  expect.count = read_count(table, "count", 0);
  expect.when = read_when(table);
  check_count(table, expect.count, expect.when);
  for (const std::string& text : table.strings("order").value_or(std::vector<std::string>{})) {
    const std::size_t blank = text.find(' ');
    if (blank == 0 || blank == std::string::npos || blank + 1 == text.size()) {
      table.complain("order", fmt::format("\"{}\" is no question; expected name and type, like \"dest.example MX\"", escape(text)));
      continue;
    }
    check_record_type(table, "order", ascii_upper(text.substr(blank + 1)));
    expect.order.emplace_back(ascii_lower(text.substr(0, blank)), ascii_upper(text.substr(blank + 1)));
  }
  if (table.has("order")) {
    if (expect.order.empty()) table.complain("order", "expected at least one question, like \"dest.example MX\"");
    for (const std::string_view key : {"name", "type", "count", "when"}) {
      if (table.has(key)) table.complain(key, "\"order\" has the questions; expected one of the two");
    }
  }
  return expect;
}

ExpectResource read_resource(TomlReader& table, const HostNames& hosts) {
  ExpectResource expect;
  expect.of = table.word("of", {"connections", "lanes", "dials", "datagrams", "octets", "disk_operations", "syncs"}).value_or("");
  if (!table.has("of")) table.complain("of", "missing; expected what is counted, like \"connections\"");
  const bool of_disk = expect.of == "disk_operations" || expect.of == "syncs";
  const bool of_mta = of_disk || expect.of == "lanes";
  expect.host = (of_mta ? hosts.read(table, "host", {HostKind::mta}) : hosts.read(table, "host", {})).value_or("");
  expect.to = table.strings("to").value_or(std::vector<std::string>{});
  for (const std::string& host : expect.to) hosts.check(table, "to", host, {});
  if (table.has("to") && of_disk) table.complain("to", "a disk has no other side; expected \"host\" alone");
  expect.window = read_window(table, "from");
  expect.min = read_count(table, "min", 0, 1'000'000'000'000);
  expect.max = read_count(table, "max", 0, 1'000'000'000'000);
  if (!table.has("min") && !table.has("max")) table.complain("max", "missing; expected \"min\", \"max\" or both");
  if (expect.min && expect.max && *expect.min > *expect.max) table.complain("max", "less than \"min\"");
  return expect;
}

ExpectNever read_never(TomlReader& table, const HostNames& hosts) {
  ExpectNever expect;
  expect.event = read_event_name(table, "event").value_or("");
  if (!table.has("event")) table.complain("event", "missing; expected what must not happen, like \"data\"");
  const bool on_wire = expect.event == "connect" || expect.event == "command" || expect.event == "reply" || expect.event == "data";
  expect.at = read_place_of_event(table, hosts, expect.event, on_wire);
  if (table.has("by") && table.has("event") && !on_wire) {
    hosts.read(table, "by", {});
    table.complain("by", "expected only with connect, command, reply and data: who opened the connection");
  } else {
    expect.by = read_opener(table, hosts, "by");
  }
  if (!expect.at.empty() && expect.at == expect.by) table.complain("by", "a host opens no connection to itself; expected another host");
  expect.match = read_glob(table, "match").value_or("*");
  expect.window = read_window(table, "from");
  expect.tls = table.word("tls", {"none", "encrypted", "verified"}).value_or("");
  if (!expect.tls.empty() && expect.event != "data" && expect.event != "command") {
    table.complain("tls", "expected only with the events \"data\" and \"command\"");
  }
  return expect;
}

ExpectTls read_tls(TomlReader& table, const HostNames& hosts) {
  ExpectTls expect;
  expect.at = hosts.read(table, "at", {HostKind::mta, HostKind::peer}).value_or("");
  expect.from = read_opener(table, hosts, "from");
  expect.version = read_pattern(table, "version");
  expect.cipher = read_pattern(table, "cipher");
  expect.sni = read_pattern(table, "sni");
  expect.verified = read_pattern(table, "verified");
  expect.result = table.word("result", {"established", "failed"}).value_or("");
  expect.detail = read_pattern(table, "detail");
  expect.count = read_count(table, "count", 0);
  return expect;
}

}  // namespace postproof::sim
