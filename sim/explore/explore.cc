#include "sim/explore/explore.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <set>

#include "mta/base/check.h"
#include "mta/base/text.h"
#include "sim/explore/fault_draw.h"
#include "sim/explore/shrink.h"
#include "sim/explore/traffic.h"
#include "sim/explore/trial.h"
#include "sim/run/in_order.h"
#include "sim/run/report.h"
#include "sim/scenario/load.h"
#include "sim/view/failure_report.h"

namespace postproof::sim {

namespace {

using document::Document;

// Seeds between two looks at what has failed: results do not depend on the number of threads, memory not on the seeds.
constexpr std::uint64_t kBatch = 256;
// Runs that shrinking one failure may take.
constexpr std::size_t kShrinkRunsMax = 2000;
// Records that all these runs together may take: what fails by recording much would be shrunk for hours.
constexpr std::uint64_t kShrinkRecordsMax = 5'000'000;
// Without these a smaller scenario would fail for a reason of its own.
const std::vector<std::string_view> kKept = {"title", "limit", "open", "for"};

constexpr std::string_view kTraffic = "traffic";

// A scenario that faults are put into.
struct Source {
  std::string text;
  Duration life{};  // that mail may have by configurations that it names
};

// What is kept of a seed's run.
struct Outcome {
  std::vector<std::string> broken;  // invariants
  ProbeSet probes;
  Duration virtual_time{};
};

class Explorer {
 public:
  Explorer(const ExploreOptions& options, std::vector<Source> sources, const ExploreListener& listener)
      : options_(options), sources_(std::move(sources)), listener_(listener) {}

  Exploration explore();

 private:
  void run_batch(std::uint64_t first, std::uint64_t count);
  void shrink_new_ways();
  Outcome run_seed(std::uint64_t seed) const;
  Found shrink_seed(std::uint64_t seed, const std::string& invariant) const;

  std::string name_of(std::uint64_t seed, const std::string& invariant) const;
  std::string replay_of(std::uint64_t seed) const { return fmt::format("{} --from {} --seeds 1", options_.command, seed); }

  const ExploreOptions& options_;
  const std::vector<Source> sources_;
  const ExploreListener& listener_;
  Exploration exploration_;
  std::set<std::pair<std::string, std::string>> ways_;                // source and invariant
  std::vector<std::pair<std::uint64_t, std::string>> new_ways_;       // seed and invariant
};

std::size_t turns(const ExploreOptions& options) { return options.paths.size() + (options.traffic ? 1 : 0); }

std::string source_of(const ExploreOptions& options, std::uint64_t seed) {
  const std::size_t turn = seed % turns(options);
  return turn < options.paths.size() ? options.paths[turn] : std::string(kTraffic);
}

Document explored(const ExploreOptions& options, const std::vector<Source>& sources, std::uint64_t seed) {
  const std::size_t turn = seed % turns(options);
  Document document;
  Duration life{};
  if (turn < sources.size()) {
    auto parsed = document::parse(sources[turn].text);
    PP_CHECK(parsed.has_value(), "a scenario that loads is a document");
    document = std::move(*parsed);
    life = sources[turn].life;
  } else {
    Draw draw(seed, "traffic");
    document = draw_traffic(draw);
  }
  prepare(document, seed, life);
  Draw draw(seed, "faults");
  add_faults(document, draw);
  return document;
}

// Lines that say something.
std::size_t lines_of(std::string_view text) {
  const auto lines = split(text, '\n');
  return static_cast<std::size_t>(std::ranges::count_if(
      lines, [](std::string_view line) { return !trim(line).empty() && !trim(line).starts_with('#'); }));
}

// A file that a scenario names is looked for from the scenario's folder; what comes of the scenario stands in another.
void name_files_from_anywhere(Document& document, const std::string& path) {
  for (document::Section& section : document.sections) {
    const std::string named(section.kind == "mta" ? section.body.text("config") : "");
    if (!named.empty()) section.body.set("config", whole_path(path, named));
  }
}

Duration life_by_files(const Scenario& scenario) {
  Duration life{};
  for (const MtaPart& mta : scenario.mtas) {
    if (mta.configuration) life += mta.config.scheduler.retry.lifetime + mta.config.scheduler.retry.bounce_lifetime;
  }
  return life;
}

std::expected<std::vector<Source>, std::vector<Problem>> read_sources(const ExploreOptions& options) {
  std::vector<Source> sources;
  std::vector<Problem> problems;
  for (const std::string& path : options.paths) {
    const auto scenario = read_scenario(path);
    if (!scenario) {
      problems.insert(problems.end(), scenario.error().begin(), scenario.error().end());
      continue;
    }
    std::string text;
    for (const std::string& line : scenario->source) text += line + "\n";
    auto document = document::parse(text);
    PP_CHECK(document.has_value(), "a scenario that loads is a document");
    name_files_from_anywhere(*document, path);
    sources.push_back(Source{document::write(*document), life_by_files(*scenario)});
  }
  if (!problems.empty()) return std::unexpected(std::move(problems));
  return sources;
}

Exploration Explorer::explore() {
  const std::uint64_t end = options_.from + options_.seeds;
  for (std::uint64_t first = options_.from; first < end; first += kBatch) {
    run_batch(first, std::min(kBatch, end - first));
    shrink_new_ways();
    if (ways_.size() >= kFoundMax || !listener_.goes_on(exploration_)) break;
  }
  return std::move(exploration_);
}

void Explorer::run_batch(std::uint64_t first, std::uint64_t count) {
  std::vector<Outcome> outcomes(count);
  run_in_order(
      count, options_.jobs, [&](std::size_t i) { outcomes[i] = run_seed(first + i); },
      [&](std::size_t i) {
        const Outcome outcome = std::exchange(outcomes[i], {});
        ++exploration_.seeds;
        exploration_.virtual_time += outcome.virtual_time;
        exploration_.probes.add(outcome.probes);
        if (!outcome.broken.empty()) ++exploration_.failed;
        for (const std::string& invariant : outcome.broken) {
          if (ways_.size() < kFoundMax && ways_.emplace(source_of(options_, first + i), invariant).second) {
            new_ways_.emplace_back(first + i, invariant);
          }
        }
        listener_.ran(exploration_);
      });
}

void Explorer::shrink_new_ways() {
  std::vector<Found> found(new_ways_.size());
  run_in_order(
      new_ways_.size(), options_.jobs,
      [&](std::size_t i) { found[i] = shrink_seed(new_ways_[i].first, new_ways_[i].second); },
      [&](std::size_t i) {
        ++exploration_.found;
        listener_.found(found[i]);
        found[i] = Found{};
      });
  new_ways_.clear();
}

// "explored/seed-17-nothing-acknowledged-is-lost.toml"
std::string Explorer::name_of(std::uint64_t seed, const std::string& invariant) const {
  std::string words;
  for (const char c : invariant) words += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ? ascii_lower(c) : '-';
  return fmt::format("{}/seed-{}-{}.toml", options_.directory, seed, words);
}

Outcome Explorer::run_seed(std::uint64_t seed) const {
  const std::string replay = replay_of(seed);
  const Running running(replay.c_str());
  const std::string text = document::write(explored(options_, sources_, seed));
  const auto result = try_text(source_of(options_, seed), text);
  PP_CHECK(result.has_value(), "what an exploration draws is a valid scenario");
  return Outcome{broken_invariants(result->judgement), probes_reached(result->recording), result->virtual_time};
}

Found Explorer::shrink_seed(std::uint64_t seed, const std::string& invariant) const {
  const std::string replay = replay_of(seed);
  const Running running(replay.c_str());
  Found found{seed, source_of(options_, seed), invariant, {}, name_of(seed, invariant), 0, 0, {}, {}};
  std::uint64_t records = 0;
  const auto attempt = [&](const Document& candidate) {
    if (records >= kShrinkRecordsMax) return Attempt::spent;
    const auto result = try_text(found.file, document::write(candidate));
    if (!result) return Attempt::invalid;
    records += result->recording.records.size();
    const auto broken = broken_invariants(result->judgement);
    return std::ranges::find(broken, invariant) == broken.end() ? Attempt::other : Attempt::same;
  };
  Shrunk shrunk = shrink(explored(options_, sources_, seed), attempt, kShrinkRunsMax, kKept);
  found.runs = shrunk.runs;
  shrunk.document.head.set("title", "breaks: " + invariant);
  const std::string text = document::write(shrunk.document);
  found.lines = lines_of(text);

  const auto result = try_text(found.file, text);
  PP_CHECK(result.has_value(), "what was shrunk is a valid scenario");
  found.report = failure_report(result->recording);
  for (const Failure& failure : result->judgement.failures) {
    if (found.nearest.empty() && failure.expectation.ends_with(": " + invariant)) found.nearest = failure.nearest;
  }
  const std::string comment = fmt::format(
      "# Breaks an invariant: {}.\n# Found under random faults in {} by: {}\n# Shrunk in {} runs. Replay: postproof run {}\n",
      invariant, found.source, replay, found.runs, found.file);
  auto written = make_folder(options_.directory);
  if (written) written = write_text_file(found.file, comment + text);
  if (!written) found.trouble = written.error().what;
  return found;
}

}  // namespace

std::expected<std::string, std::vector<Problem>> explored_text(const ExploreOptions& options) {
  const auto sources = read_sources(options);
  if (!sources) return std::unexpected(sources.error());
  return document::write(explored(options, *sources, options.from));
}

std::expected<Exploration, std::vector<Problem>> explore(const ExploreOptions& options, const ExploreListener& listener) {
  auto sources = read_sources(options);
  if (!sources) return std::unexpected(std::move(sources.error()));
  return Explorer(options, std::move(*sources), listener).explore();
}

std::string exploration_json(const Exploration& exploration, const std::vector<Found>& found) {
  namespace json = boost::json;
  json::array failures;
  for (const Found& one : found) {
    failures.push_back(json::object{{"seed", one.seed},
                                    {"source", one.source},
                                    {"invariant", one.invariant},
                                    {"nearest", one.nearest},
                                    {"file", one.file},
                                    {"lines", one.lines},
                                    {"runs", one.runs}});
  }
  json::object probes;
  for (const std::string& probe : all_probes()) {
    const auto at = exploration.probes.runs().find(probe);
    probes[probe] = at == exploration.probes.runs().end() ? 0 : at->second;
  }
  const json::object object{{"seeds", exploration.seeds},
                            {"failed", exploration.failed},
                            {"virtual_time", format_duration(exploration.virtual_time)},
                            {"failures", std::move(failures)},
                            {"probes", std::move(probes)}};
  return json::serialize(object) + "\n";
}

}  // namespace postproof::sim
