#include "sim/run/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "mta/base/text.h"
#include "sim/dns/dns_server.h"
#include "sim/peer/script.h"

namespace postproof::sim {

namespace {

// The error of zone text holds "line N: what", N being a line of that text, whose first line stands at `begin`.
Problem zone_problem(const Scenario& scenario, std::string_view key, SourcePosition begin, std::string_view what) {
  Problem problem{scenario.file, begin, fmt::format("{}: {}", key, what)};
  constexpr std::string_view kLine = "line ";
  const auto at = what.find(kLine);
  if (at == std::string_view::npos) return problem;
  const std::string_view rest = what.substr(at + kLine.size());
  const auto colon = rest.find(':');
  const auto line = colon == std::string_view::npos ? std::nullopt : parse_decimal(rest.substr(0, colon));
  if (!line || *line == 0) return problem;
  if (*line > 1) problem.position = {static_cast<std::uint32_t>(begin.line + *line - 1), 1};
  problem.what = fmt::format("{}: {}", key, trim(rest.substr(colon + 1)));
  return problem;
}

void check_zone_change(const Scenario& scenario, const ZoneChange& change, std::vector<Problem>& problems) {
  ZoneData text, removals;
  if (const auto added = text.add_text(change.zone); !added) {
    problems.push_back(
        zone_problem(scenario, "at.zone", {change.zone_line, change.zone_column}, added.error().what));
  }
  if (const auto removed = removals.change("", change.remove); !removed) {
    problems.push_back({scenario.file, change.remove_at, "at.remove: " + removed.error().what});
  }
}

std::string plain_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return ascii_lower(name);
}

// What a change takes away must be there: one change after the other, in the order of time.
void check_removals(const Scenario& scenario, std::vector<Problem>& problems) {
  std::set<std::string> there;  // "dest.example MX"; of hosts, whose addresses are there by themselves, "mx1.dest.example A"
  const auto add_text = [&](const std::string& text) {
    ZoneData zone;
    if (!zone.add_text(text)) return;  // complained of already
    for (std::string& one : zone.names()) there.insert(std::move(one));
  };
  const auto add_hosts = [&](const auto& hosts) {
    for (const HostPart& host : hosts) {
      for (const std::string& name : host.names) {
        for (const IpAddress& address : host.addresses) there.insert(plain_name(name) + (address.is_v4() ? " A" : " AAAA"));
      }
    }
  };
  add_text(scenario.dns.zone);
  add_hosts(scenario.mtas);
  add_hosts(scenario.peers);
  add_hosts(scenario.clients);
  for (const At& at : scenario.at) {
    const auto* change = std::get_if<ZoneChange>(&at.what);
    if (change == nullptr) continue;
    for (const std::string& text : change->remove) {
      const std::vector<std::string_view> words = split(text, ' ');
      const std::string name = plain_name(words.front()) + " ";
      const std::string prefix = words.size() < 2 ? name : name + ascii_upper(words[1]);
      const auto begin = there.lower_bound(prefix);
      auto end = begin;
      while (end != there.end() && (words.size() < 2 ? end->starts_with(prefix) : *end == prefix)) ++end;
      if (begin == end) problems.push_back({scenario.file, change->remove_at, fmt::format("at.remove: there is no \"{}\" to go", escape(text))});
      there.erase(begin, end);
    }
    add_text(change->zone);
  }
}

// Records of a fault need not fit to each other, nor to a zone.
void check_extra_records(const Scenario& scenario, const Fault& fault, std::vector<Problem>& problems) {
  if (fault.kind != "dns.extra") return;
  const auto checked = check_records(fault.records);
  if (checked) return;
  problems.push_back(zone_problem(scenario, "at.fault.records", {fault.records_line, fault.records_column},
                                  checked.error().what));
}

void check_script(const Scenario& scenario, std::string_view script, std::uint32_t line, std::uint32_t column,
                  std::vector<Problem>& problems) {
  if (script.empty()) return;
  const auto steps = parse_script(script, line);
  if (steps) return;
  const ScriptError& error = steps.error();
  const std::uint32_t shift = error.line == line ? column - 1 : 0;
  problems.push_back({scenario.file, {error.line, error.column + shift}, "script: " + error.what});
}

// What can never strike or match is complained of, unless it says that it may miss. That a run shows of what is left.
class NeverStrikes {
 public:
  NeverStrikes(const Scenario& scenario, std::vector<Problem>& problems) : scenario_(scenario), problems_(problems) {}

  void check() {
    for (const PeerPart& peer : scenario_.peers) {
      check_handshake(peer.tls, peer.line, "tls");
      if (!peer.like.empty()) continue;  // the rules are another's
      for (const Rule& rule : peer.rules) check_begin(rule.from, rule.line, "rules.from");
    }
    for (const ClientPart& client : scenario_.clients) {
      if (!client.script.empty()) check_begin(client.start, client.line, "start");
    }
    for (const At& at : scenario_.at) {
      if (const auto* fault = std::get_if<Fault>(&at.what); fault != nullptr && !fault->may_miss) check_fault(*fault, at.line);
    }
    for (const Expect& expect : scenario_.expects) {
      if (const auto* never = std::get_if<ExpectNever>(&expect.what)) check_begin(never->window.from, expect.line, "never.from");
      if (const auto* resource = std::get_if<ExpectResource>(&expect.what)) check_begin(resource->window.from, expect.line, "resource.from");
    }
  }

 private:
  void add(std::uint32_t line, std::string what) { problems_.push_back({scenario_.file, {line, 1}, std::move(what)}); }

  void check_begin(std::optional<Duration> from, std::uint32_t line, std::string_view key) {
    if (!from || *from < scenario_.limit) return;
    add(line, fmt::format("{}: {} is not before the run's limit of {}", key, format_duration(*from), format_duration(scenario_.limit)));
  }

  // A message that the version does not have (RFC 5246 section 7.4, RFC 8446 section 4), a suite of the other version.
  void check_handshake(const ServerTls& tls, std::uint32_t line, std::string_view key) {
    // Suites of 1.3 are for nothing else, and the others for all before it.
    const std::string_view of_cipher = tls.cipher.empty() ? "" : tls.cipher.starts_with("TLS_") ? "1.3" : "1.2";
    if (!tls.version.empty() && !of_cipher.empty() && (tls.version == "1.3") != (of_cipher == "1.3")) {
      return add(line, fmt::format("{}: {} is a suite of TLS {}, and version {} alone is spoken; expected one of the two to go", key,
                                   tls.cipher, of_cipher, tls.version));
    }
    const std::string_view version = tls.version.empty() ? of_cipher : std::string_view(tls.version);
    const bool only_13 = tls.message == "EncryptedExtensions";
    const bool only_12 = tls.message == "ServerKeyExchange" || tls.message == "ServerHelloDone" || tls.message == "ClientKeyExchange";
    if ((only_13 && !version.empty() && version != "1.3") || (only_12 && version == "1.3")) {
      add(line, fmt::format("{}: TLS {} has no {}; expected a message that comes, or another version", key, version, tls.message));
    }
  }

  void check_fault(const Fault& fault, std::uint32_t line) {
    const auto peer = std::ranges::find(scenario_.peers, fault.host, &PeerPart::name);
    if (peer == scenario_.peers.end()) return;
    if (fault.kind.starts_with("tls.")) {
      if (!peer->tls.offered && peer->script.empty()) {
        return add(line, fmt::format("{}: {} has no TLS; expected \"cert\" or \"tls\" there", fault.kind, peer->name));
      }
      ServerTls tls = peer->tls;
      if (!fault.version.empty()) tls.version = fault.version;
      if (!fault.cipher.empty()) tls.cipher = fault.cipher;
      if (!fault.message.empty()) tls.message = fault.message;
      if (tls != peer->tls) check_handshake(tls, line, fault.kind);
    }
    const auto* keywords = fault.peer ? std::get_if<KeywordChange>(&*fault.peer) : nullptr;
    if (keywords == nullptr) return;
    for (const std::string& removed : keywords->remove) {
      if (!offers(*peer, removed)) add(line, fmt::format("smtp.keywords: {} does not offer \"{}\", which is to go", peer->name, escape(removed)));
    }
  }

  static bool offers(const PeerPart& peer, std::string_view keyword) {
    if (peer.tls.offered && equal_ignoring_case(keyword, "STARTTLS")) return true;
    return std::ranges::any_of(peer.keywords, [&](std::string_view one) { return equal_ignoring_case(one.substr(0, one.find(' ')), keyword); });
  }

  const Scenario& scenario_;
  std::vector<Problem>& problems_;
};

// An MTA by itself is to come up. An open scenario is judged by the invariants alone, whatever is left of it.
bool says_anything(const Scenario& scenario) {
  return scenario.open || !scenario.mtas.empty() || !scenario.at.empty() || !scenario.expects.empty() ||
         std::ranges::any_of(scenario.clients, [](const ClientPart& client) { return !client.script.empty(); });
}

}  // namespace

std::vector<Problem> check_scenario(const Scenario& scenario) {
  std::vector<Problem> problems;
  if (!says_anything(scenario)) {
    problems.push_back({scenario.file, {1, 1}, "nothing happens in it and nothing is expected; expected an [[at]] or an [[expect]]"});
  }
  if (!scenario.dns.zone.empty()) {
    ZoneData zones;
    if (const auto added = zones.add_text(scenario.dns.zone); !added) {
      problems.push_back(zone_problem(scenario, "dns.zone", {scenario.dns.zone_line, scenario.dns.zone_column},
                                      added.error().what));
    }
  }
  for (const At& at : scenario.at) {
    if (const auto* change = std::get_if<ZoneChange>(&at.what)) check_zone_change(scenario, *change, problems);
    if (const auto* fault = std::get_if<Fault>(&at.what)) check_extra_records(scenario, *fault, problems);
  }
  check_removals(scenario, problems);
  for (const PeerPart& peer : scenario.peers) {
    if (!peer.like.empty()) continue;  // the script is another's
    check_script(scenario, peer.script, peer.script_line, peer.script_column, problems);
  }
  for (const ClientPart& client : scenario.clients) {
    check_script(scenario, client.script, client.script_line, client.script_column, problems);
  }
  NeverStrikes(scenario, problems).check();
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.position < b.position; });
  return problems;
}

}  // namespace postproof::sim
