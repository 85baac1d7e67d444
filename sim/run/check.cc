#include "sim/run/check.h"

#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

std::vector<Problem> check_scenario(const Scenario& scenario) {
  std::vector<Problem> problems;
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
  for (const PeerPart& peer : scenario.peers) {
    if (!peer.like.empty()) continue;  // the script is another's
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
