#include "sim/scenario/load.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <limits>

#include "mta/base/text.h"
#include "sim/scenario/clause.h"
#include "sim/scenario/expects.h"
#include "sim/scenario/hosts.h"
#include "sim/scenario/matrix.h"
#include "sim/scenario/network.h"
#include "sim/scenario/reading.h"
#include "sim/scenario/timeline.h"
#include "sim/scenario/variant.h"

namespace postproof::sim {

namespace {

// Each variant is the whole file, read anew.
constexpr std::size_t kOctetsOfVariantsMax = 128 * 1024 * 1024;
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
  scenario.needs = read_needs(top);
  if (const auto seeds = read_count(top, "seeds", 1, 100'000)) scenario.seeds = *seeds;
}

}  // namespace

namespace {

// Complaints of all variants, each once; of those that only some have, the first of these is named.
class AllProblems {
 public:
  void add(const std::vector<Problem>& problems, const std::string& variant) {
    ++variants_;
    for (const Problem& problem : problems) {
      auto at = std::ranges::find_if(list_, [&](const Entry& one) { return same(one.problem, problem); });
      if (at == list_.end()) at = list_.insert(list_.end(), Entry{problem, variant, 0, 0});
      if (at->last == variants_) continue;
      at->last = variants_;
      ++at->variants;
    }
  }

  std::vector<Problem> take() {
    std::vector<Problem> problems;
    for (Entry& one : list_) {
      if (one.variants < variants_) one.problem.what += fmt::format(" (variant {})", one.variant);
      problems.push_back(std::move(one.problem));
    }
    std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) { return a.position < b.position; });
    return problems;
  }

 private:
  struct Entry {
    Problem problem;
    std::string variant;   // the first that has it
    std::size_t variants;  // that have it
    std::size_t last;      // that was seen to have it, counted from 1
  };
  static bool same(const Problem& a, const Problem& b) {
    return a.file == b.file && a.position == b.position && a.what == b.what;
  }

  std::vector<Entry> list_;
  std::size_t variants_ = 0;
};

// What is wrong with a text before it is looked at as TOML.
std::optional<Problem> unreadable(std::string_view file, std::string_view text, const std::vector<std::string>& lines) {
  if (text.size() > kScenarioOctetsMax) {
    return Problem{std::string(file), {}, fmt::format("{} octets; expected {} at the most", text.size(), kScenarioOctetsMax)};
  }
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto dots = std::count(lines[i].begin(), lines[i].end(), '.');
    if (static_cast<std::size_t>(dots) > kDotsOfLineMax) {
      return Problem{std::string(file), {static_cast<std::uint32_t>(i + 1), 1},
                     fmt::format("a line with {} dots; expected {} at the most", dots, kDotsOfLineMax)};
    }
  }
  return std::nullopt;
}

bool crashes_at_each(const At& at) {
  const auto* fault = std::get_if<Fault>(&at.what);
  return fault != nullptr && fault->disk_op_each;
}

// What all variants of one file have in common.
struct File {
  std::string_view name, text;
  std::vector<std::string> lines;
  const FileReader& read_file;
};

// The nth variant, as far as it can be read; what is wrong goes into `problems`.
Scenario read_variant(const File& file, toml::table& parsed, const Matrix& matrix, std::size_t n, Problems& problems,
                      std::vector<Problem>& elsewhere) {
  matrix.fill_in(parsed, n, problems);
  const MatrixSettings settings = matrix.settings(n);
  TomlReader top(parsed, "", problems);
  top.raw("matrix");

  Scenario scenario;
  scenario.file = file.name;
  scenario.source = file.lines;
  scenario.variant = matrix.variant(n);
  read_head(top, scenario);
  if (auto dns = top.table("dns")) scenario.dns = read_dns(*dns, scenario.source);
  Hosts hosts = read_hosts(top, HostContext{scenario.source, settings, file.name, file.read_file});
  elsewhere = std::move(hosts.elsewhere);
  if (auto links = top.table("link")) scenario.links = read_links(*links, hosts.names);
  if (settings.segment) set_segment(top, scenario.links, *settings.segment);
  scenario.at = read_timeline(top, hosts.names, scenario.limit, scenario.source);
  scenario.expects = read_expects(top, hosts.names, scenario.seeds);
  if (scenario.seeds > 1 && std::ranges::any_of(scenario.at, crashes_at_each)) {
    top.complain("seeds", "expected none beside disk_op = \"each\": its runs are one for each disk operation");
  }
  top.finish();
  scenario.mtas = std::move(hosts.mtas);
  scenario.peers = std::move(hosts.peers);
  scenario.clients = std::move(hosts.clients);
  return scenario;
}

// `variants_max`: as many of them as are wanted.
std::expected<std::vector<Scenario>, std::vector<Problem>> load(std::string_view name, std::string_view text,
                                                                const FileReader& read_file, std::size_t variants_max) {
  const File file{name, text, lines_of(text), read_file};
  if (auto problem = unreadable(name, text, file.lines)) return std::unexpected(std::vector<Problem>{std::move(*problem)});

  std::vector<Scenario> scenarios;
  AllProblems all;
  Matrix matrix;
  std::size_t variants = 1;
  for (std::size_t n = 0; n < variants; ++n) {
    Problems problems{std::string(name)};
    std::vector<Problem> elsewhere;
    toml::table parsed;  // anew for each: copies of its nodes would not know their places in the file
    try {
      parsed = toml::parse(text, name);
    } catch (const toml::parse_error& error) {
      const toml::source_position& begin = error.source().begin;
      return std::unexpected(std::vector<Problem>{{std::string(name), {begin.line, begin.column}, std::string(error.description())}});
    }
    if (n == 0) {
      TomlReader top(parsed, "", problems);
      matrix = Matrix::read(top);
      variants = std::min(matrix.size(), variants_max);
      if (variants * text.size() > kOctetsOfVariantsMax) {
        top.complain("matrix", fmt::format("makes {} variants of a file of {} octets; expected {} octets together at the most",
                                           variants, text.size(), kOctetsOfVariantsMax));
        return std::unexpected(problems.list());
      }
    }
    Scenario scenario = read_variant(file, parsed, matrix, n, problems, elsewhere);
    std::vector<Problem> list = problems.list();
    list.insert(list.end(), elsewhere.begin(), elsewhere.end());
    all.add(list, variant_name(scenario.variant));
    scenarios.push_back(std::move(scenario));
  }
  if (auto problems = all.take(); !problems.empty()) return std::unexpected(std::move(problems));
  return scenarios;
}

}  // namespace

std::expected<std::vector<Scenario>, std::vector<Problem>> load_variants(std::string_view file, std::string_view text,
                                                                         const FileReader& read_file) {
  return load(file, text, read_file, kVariantsOfMatrixMax);
}

std::expected<Scenario, std::vector<Problem>> load_scenario(std::string_view file, std::string_view text,
                                                            const FileReader& read_file) {
  auto variants = load(file, text, read_file, 1);
  if (!variants) return std::unexpected(std::move(variants.error()));
  return std::move(variants->front());
}

}  // namespace postproof::sim
