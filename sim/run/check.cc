#include "sim/run/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "mta/base/text.h"
#include "sim/dns/dns_server.h"
#include "sim/peer/script.h"

namespace postproof::sim {

namespace {

// A zone's error holds "line N: what", N being a line of the zone's own text.
Problem zone_problem(const Scenario& scenario, std::string_view what) {
  Problem problem{scenario.file, {scenario.dns.zone_line, scenario.dns.zone_column}, "dns.zone: " + std::string(what)};
  constexpr std::string_view kLine = "line ";
  const auto at = what.find(kLine);
  if (at == std::string_view::npos) return problem;
  const std::string_view rest = what.substr(at + kLine.size());
  const auto colon = rest.find(':');
  const auto line = colon == std::string_view::npos ? std::nullopt : parse_decimal(rest.substr(0, colon));
  if (!line || *line == 0) return problem;
  if (*line > 1) problem.position = {static_cast<std::uint32_t>(scenario.dns.zone_line + *line - 1), 1};
  problem.what = "dns.zone: " + std::string(trim(rest.substr(colon + 1)));
  return problem;
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

}  // namespace

std::vector<Problem> check_scenario(const Scenario& scenario) {
  std::vector<Problem> problems;
  if (!scenario.dns.zone.empty()) {
    ZoneData zones;
    if (const auto added = zones.add_text(scenario.dns.zone); !added) problems.push_back(zone_problem(scenario, added.error().what));
  }
  for (const PeerPart& peer : scenario.peers) {
    check_script(scenario, peer.script, peer.script_line, peer.script_column, problems);
  }
  for (const ClientPart& client : scenario.clients) {
    check_script(scenario, client.script, client.script_line, client.script_column, problems);
  }
  std::stable_sort(problems.begin(), problems.end(),
                   [](const Problem& a, const Problem& b) { return a.position < b.position; });
  return problems;
}

}  // namespace postproof::sim
