#include "sim/scenario/load.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <limits>

#include "mta/base/text.h"
#include "sim/scenario/clause.h"
#include "sim/scenario/expects.h"
#include "sim/scenario/hosts.h"
#include "sim/scenario/network.h"
#include "sim/scenario/reading.h"
#include "sim/scenario/timeline.h"

namespace postproof::sim {

namespace {

// Far more than any scenario needs.
constexpr std::size_t kFileMax = 4 * 1024 * 1024;
// toml++ 3.3 bounds how deep values are nested and not how deep dotted keys are, which it walks by recursion.
constexpr std::size_t kDotsOfLineMax = 4096;

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  for (std::string_view line : split(text, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
  }
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

void read_head(TomlReader& top, Scenario& scenario) {
  scenario.title = top.string("title").value_or("");
  if (!top.has("title")) {
    top.problems().add({1, 1}, "title is missing; expected what the scenario shows, like title = \"MX failover\"");
  } else if (top.position("title").line != 0 && trim(scenario.title).empty()) {
    top.complain("title", "expected what the scenario shows");
  }
  scenario.covers = top.located_strings("covers").value_or(std::vector<LocatedString>{});
  for (const LocatedString& clause : scenario.covers) {
    if (parse_clause(clause.text)) continue;
    top.problems().add(clause.position, fmt::format("covers: \"{}\" is no clause; expected a document and its section, like "
                                                    "\"RFC5321#4.5.3.2\"", escape(clause.text)));
  }
  scenario.cases = top.located_strings("cases").value_or(std::vector<LocatedString>{});
  if (const auto seed = read_count(top, "seed", 0, std::numeric_limits<std::int64_t>::max())) scenario.seed = *seed;
  if (const auto start = read_wall_time(top, "start")) scenario.start = *start;
  if (const auto limit = read_positive(top, "limit")) scenario.limit = *limit;
  if (const auto open = top.boolean("open")) scenario.open = *open;
  refuse_later(top, {"matrix", "needs"});
}

}  // namespace

std::expected<Scenario, std::vector<Problem>> load_scenario(std::string_view file, std::string_view text) {
  Problems problems{std::string(file)};
  const auto refuse = [&](SourcePosition position, std::string what) {
    problems.add(position, std::move(what));
    return std::unexpected(problems.list());
  };
  if (text.size() > kFileMax) return refuse({}, fmt::format("{} octets; expected {} at the most", text.size(), kFileMax));

  Scenario scenario;
  scenario.file = file;
  scenario.source = lines_of(text);

  for (std::size_t i = 0; i < scenario.source.size(); ++i) {
    const auto dots = std::count(scenario.source[i].begin(), scenario.source[i].end(), '.');
    if (static_cast<std::size_t>(dots) > kDotsOfLineMax) {
      return refuse({static_cast<std::uint32_t>(i + 1), 1}, fmt::format("a line with {} dots; expected {} at the most", dots, kDotsOfLineMax));
    }
  }

  toml::table parsed;
  try {
    parsed = toml::parse(text, file);
  } catch (const toml::parse_error& error) {
    const toml::source_position& begin = error.source().begin;
    return refuse({begin.line, begin.column}, std::string(error.description()));
  }

  TomlReader top(parsed, "", problems);
  read_head(top, scenario);
  if (auto dns = top.table("dns")) scenario.dns = read_dns(*dns, scenario.source);
  Hosts hosts = read_hosts(top, scenario.source);
  if (auto links = top.table("link")) scenario.links = read_links(*links, hosts.names);
  scenario.at = read_timeline(top, hosts.names, scenario.limit, scenario.source);
  scenario.expects = read_expects(top, hosts.names);
  top.finish();

  if (!problems.empty()) {
    std::vector<Problem> list = problems.list();
    std::stable_sort(list.begin(), list.end(), [](const Problem& a, const Problem& b) { return a.position < b.position; });
    return std::unexpected(std::move(list));
  }
  scenario.mtas = std::move(hosts.mtas);
  scenario.peers = std::move(hosts.peers);
  scenario.clients = std::move(hosts.clients);
  return scenario;
}

}  // namespace postproof::sim
