#include "sim/scenario/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "mta/base/text.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

// Names that answers are marked for; a trailing dot is taken, and dropped.
std::vector<std::string> read_domains(TomlReader& table, std::string_view key) {
  std::vector<std::string> list;
  for (std::string name : table.strings(key).value_or(std::vector<std::string>{})) {
    if (name.ends_with('.')) name.pop_back();
    if (!is_domain(name)) {
      table.complain(key, fmt::format("\"{}\" is no domain; expected a name like \"dest.example\"", escape(name)));
    }
    list.push_back(ascii_lower(name));
  }
  return list;
}

LinkPart read_link(const std::string& name, TomlReader& table, const HostNames& hosts) {
  LinkPart link;
  link.line = table.position().line;
  link.latency = read_up_to(table, "latency", kLatencyMax);
  link.jitter = read_up_to(table, "jitter", kLatencyMax);
  link.bandwidth = read_rate(table, "bandwidth");
  link.loss = table.number("loss", 0, kLossMax);
  link.segment = read_count(table, "segment", 1, kSegmentMax);

  if (name == "default") {
    if (table.has("between")) {
      table.raw("between");
      table.complain("between", "[link.default] is for every pair of hosts; expected a link of another name");
    }
    table.finish();
    return link;
  }
  if (auto between = table.strings("between")) {
    bool good = between->size() == 2 && between->front() != between->back();
    if (!good) table.complain("between", "expected two hosts, like [\"sut\", \"mx1\"]");
    for (const std::string& host : *between) good = hosts.check(table, "between", host, {}) && good;
    if (good) link.between = std::move(*between);
  } else if (!table.has("between")) {
    table.complain("between", "missing; expected the link's two hosts, like [\"sut\", \"mx1\"]");
  }
  table.finish();
  return link;
}

}  // namespace

DnsPart read_dns(TomlReader table, const std::vector<std::string>& source) {
  DnsPart dns;
  if (auto zone = read_block(table, "zone", source)) {
    dns.zone = std::move(zone->text);
    dns.zone_line = zone->line;
    dns.zone_column = zone->column;
  }
  dns.secure = read_domains(table, "secure");
  dns.bogus = read_domains(table, "bogus");
  dns.servfail = read_domains(table, "servfail");
  dns.timeout = read_domains(table, "timeout");
  table.finish();
  return dns;
}

void set_segment(TomlReader& top, std::vector<LinkPart>& links, std::size_t octets) {
  auto standing = std::ranges::find_if(links, [](const LinkPart& link) { return link.between.empty(); });
  if (standing == links.end()) standing = links.insert(links.begin(), LinkPart{});
  if (standing->segment) {
    top.problems().add({standing->line, 1}, "link.default.segment: the matrix has an axis of this name; expected one of the two");
  }
  if (octets != 0) standing->segment = octets;
}

std::vector<LinkPart> read_links(TomlReader links, const HostNames& hosts) {
  std::vector<LinkPart> list;
  std::map<std::pair<std::string, std::string>, std::uint32_t> seen;
  for (auto& [name, table] : links.entries()) {
    LinkPart link = read_link(name, table, hosts);
    if (!link.between.empty()) {
      const auto pair = std::minmax(link.between[0], link.between[1]);
      const auto [at, fresh] = seen.emplace(std::pair<std::string, std::string>(pair), link.line);
      if (!fresh) table.complain("between", fmt::format("line {} has a link between these two already", at->second));
    }
    list.push_back(std::move(link));
  }
  return list;
}

}  // namespace postproof::sim
