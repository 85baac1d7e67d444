// postproof: the proving ground. Runs scenarios in a simulated internet, checks them without running them, and
// shows what a run has recorded.
//
// Exit status: 0 fine; 1 a scenario failed; 2 usage, an invalid file, or trouble with the operating system.
// Results go to standard output, complaints and progress to standard error.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <thread>

#include "mta/base/check.h"
#include "mta/base/text.h"
#include "sim/coverage/survey.h"
#include "sim/exit_status.h"
#include "sim/explore_command.h"
#include "sim/recording/recording_file.h"
#include "sim/run/report.h"
#include "sim/run/suite.h"
#include "sim/run/suite_report.h"
#include "sim/scenario/starter.h"
#include "sim/serve_command.h"
#include "sim/view/failure_report.h"
#include "sim/view/formats.h"

namespace {

using namespace postproof;
using namespace postproof::sim;

constexpr const char* kDefaultPath = "scenarios";

struct RunArguments {
  std::vector<std::string> paths;
  std::optional<std::uint64_t> seed;
  std::optional<std::string> filter, only, report, junit;
  std::size_t jobs = 0;
  bool list = false;
  bool verbose = false;
  bool probes = false;
};

struct ShowArguments {
  std::string recording;
  std::string as = "text";
  std::optional<std::string> output;
};

struct CoverageArguments {
  std::vector<std::string> paths;
  std::size_t jobs = 0;
  bool json = false;
};

void complain(const std::string& what) { fmt::print(stderr, "postproof: {}\n", what); }

void complain(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) fmt::print(stderr, "{}\n", problem.to_string());
}

std::size_t jobs_or_default(std::size_t asked) { return asked != 0 ? asked : std::max(1u, std::thread::hardware_concurrency()); }

// What a run of the suite has come to.
struct Totals {
  std::size_t passed = 0, failed = 0, skipped = 0, invalid = 0, variants = 0;
  Duration virtual_time{};
  ProbeCount probes;
  bool trouble = false;
};

std::string plural(std::size_t n, std::string_view noun) { return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s"); }

// Virtual time for people: no more than milliseconds.
std::string short_time(Duration duration) {
  return format_duration(std::chrono::duration_cast<std::chrono::milliseconds>(duration));
}

void tell_outcome(const ScenarioOutcome& outcome, bool tell_passed, Totals& totals) {
  complain(outcome.problems);
  if (!outcome.trouble.empty()) {
    complain(outcome.trouble);
    totals.trouble = true;
  }
  if (!outcome.problems.empty()) {
    ++totals.invalid;
    return;
  }
  if (outcome.variants.empty()) return;  // not of the variant that was asked for

  Duration virtual_time{};
  for (const VariantOutcome& variant : outcome.variants) {
    virtual_time += variant.virtual_time;
    totals.probes.add(variant.probes);
  }
  totals.variants += outcome.variants.size();
  totals.virtual_time += virtual_time;
  for (const VariantOutcome& variant : outcome.variants) {
    if (variant.skipped.empty()) continue;
    fmt::print("skip {}{}   {}\n", outcome.path, variant.variant.empty() ? "" : fmt::format(" [{}]", variant.variant), variant.skipped);
  }
  if (outcome.skipped()) {
    ++totals.skipped;
    return;
  }
  if (outcome.passed()) {
    ++totals.passed;
    if (tell_passed) {
      const std::string runs = outcome.variants.size() == 1 ? "" : plural(outcome.variants.size(), "variant") + "   ";
      fmt::print("ok   {}   {}{} virtual\n", outcome.path, runs, short_time(virtual_time));
    }
    return;
  }
  ++totals.failed;
  for (const VariantOutcome& variant : outcome.variants) {
    if (variant.passed) continue;
    fmt::print("{}{}\n", variant.failure, variant.failure.ends_with('\n') ? "" : "\n");
  }
}

bool write_suite_report(const RunArguments& arguments, const SuiteReport& report) {
  Result<void> written;
  if (arguments.report) written = write_report_file(*arguments.report, "index.html", report.index_page());
  if (written && arguments.report) written = write_report_file(*arguments.report, "summary.md", report.summary());
  if (written && arguments.junit) written = write_text_file(*arguments.junit, report.junit());
  if (!written) complain(written.error().what);
  return written.has_value();
}

int run(const RunArguments& arguments) {
  const auto paths = find_scenarios(arguments.paths, arguments.filter);
  if (!paths) {
    complain(paths.error());
    return kExitTrouble;
  }
  if (arguments.list) {
    for (const std::string& path : *paths) fmt::print("{}\n", path);
    return kExitFine;
  }

  if (arguments.report) {
    if (const auto writable = check_folder(*arguments.report); !writable) {
      complain("--report " + writable.error().what);
      return kExitTrouble;
    }
  }
  const bool to_terminal = isatty(STDOUT_FILENO) == 1;
  const bool progress = isatty(STDERR_FILENO) == 1;
  const SuiteOptions options{arguments.seed, arguments.only, jobs_or_default(arguments.jobs), arguments.report,
                             arguments.probes};

  Totals totals;
  SuiteReport report;
  std::size_t told = 0;
  const auto began = std::chrono::steady_clock::now();
  run_suite(*paths, options, [&](const ScenarioOutcome& outcome) {
    if (progress) fmt::print(stderr, "\r\033[K");
    tell_outcome(outcome, to_terminal || arguments.verbose, totals);
    if (arguments.report || arguments.junit) report.add(outcome);
    ++told;
    std::fflush(stdout);
    if (progress && told < paths->size()) fmt::print(stderr, "\r\033[K{}/{} ", told, paths->size());
  });
  const auto took = std::chrono::steady_clock::now() - began;
  if (!write_suite_report(arguments, report)) totals.trouble = true;

  std::string summary = fmt::format("{} passed, {} failed", totals.passed, totals.failed);
  if (totals.skipped != 0) summary += fmt::format(", {} skipped", totals.skipped);
  if (totals.invalid != 0) summary += fmt::format(", {} invalid", totals.invalid);
  summary += fmt::format("; {}, {} of virtual time", plural(totals.variants, "run"), short_time(totals.virtual_time));
  if (to_terminal || arguments.verbose) {
    summary += fmt::format(" in {:.2f} s", std::chrono::duration<double>(took).count());
  }
  fmt::print("{}\n", summary);

  if (arguments.probes) fmt::print("{}", probes_text(totals.probes));

  if (totals.invalid != 0 || totals.trouble) return kExitTrouble;
  if (totals.variants == 0) {
    complain(fmt::format("--only {}: no scenario here has a variant of that name", arguments.only.value_or("")));
    return kExitTrouble;
  }
  return totals.failed == 0 ? kExitFine : kExitFailed;
}

// Decimal digits and nothing else: CLI11 would take "010" as octal, and cut what is too large.
std::string seed_trouble(const std::string& text) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  const auto seed = parse_decimal(text);
  const bool plain = text.size() == 1 || !text.starts_with('0');
  return seed && plain && *seed <= kMax ? "" : fmt::format("{} is no seed; expected an integer from 0 to {}", text, kMax);
}

int check(const std::vector<std::string>& arguments) {
  const auto paths = find_scenarios(arguments, std::nullopt);
  if (!paths) {
    complain(paths.error());
    return kExitTrouble;
  }
  std::size_t invalid = 0;
  CaseChecker cases;
  for (const std::string& path : *paths) {
    const auto variants = read_variants(path);
    const std::vector<Problem> problems = variants ? cases.check(variants->front()) : variants.error();
    if (problems.empty()) continue;
    ++invalid;
    complain(problems);
  }
  fmt::print("{} valid, {} invalid\n", paths->size() - invalid, invalid);
  return invalid == 0 ? kExitFine : kExitTrouble;
}

int coverage(const CoverageArguments& arguments) {
  const auto paths = find_scenarios(arguments.paths, std::nullopt);
  if (!paths) {
    complain(paths.error());
    return kExitTrouble;
  }
  const SuiteOptions options{std::nullopt, std::nullopt, jobs_or_default(arguments.jobs), std::nullopt, false};
  bool passed = true;
  const auto books = survey(*paths, options, [&](const ScenarioOutcome& outcome) { passed = passed && (outcome.passed() || outcome.skipped()); });
  if (!books) {
    complain(books.error());
    return kExitTrouble;
  }
  fmt::print("{}", arguments.json ? coverage_json(*books) : coverage_text(*books));
  return passed ? kExitFine : kExitFailed;
}

// A terminal has a width, and colours unless they are not wanted (no-color.org).
ViewSurface surface_of(int descriptor) {
  ViewSurface surface;
  if (isatty(descriptor) != 1) return surface;
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) surface.width = size.ws_col;
  const auto value = [](const char* name) {
    const char* text = std::getenv(name);
    return std::string_view(text == nullptr ? "" : text);
  };
  surface.color = value("NO_COLOR").empty() && value("TERM") != "dumb";
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {  // the first that is set decides
    if (value(name).empty()) continue;
    surface.unicode = value(name).find("UTF-8") != std::string_view::npos;
    break;
  }
  return surface;
}

int write_starter(std::string path) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  if (name.empty() || name.starts_with('.') || escape(path) != path) {
    complain(fmt::format("\"{}\" is no name for a file; expected one like scenarios/retry/greylist-of-an-hour", escape(path)));
    return kExitTrouble;
  }
  if (!path.ends_with(".toml")) path += ".toml";
  if (const auto written = create_text_file(path, starter_scenario()); !written) {
    complain(written.error().what);
    return kExitTrouble;
  }
  fmt::print("{}: it passes as it stands; postproof run {}\n", path, shell_word(path));
  return kExitFine;
}

int show(const ShowArguments& arguments) {
  const auto text = read_text_file(arguments.recording);
  if (!text) {
    complain(text.error().what);
    return kExitTrouble;
  }
  const auto recording = recording_from_json_lines(*text);
  if (!recording) {
    complain(fmt::format("{}: {}", arguments.recording, recording.error().what));
    return kExitTrouble;
  }
  if (const std::string missing = what_is_missing(*recording); !missing.empty()) {
    complain(fmt::format("{}: this is no whole recording: {}", arguments.recording, missing));
    return kExitTrouble;
  }
  if (arguments.as == "pcap" && !arguments.output && isatty(STDOUT_FILENO) == 1) {
    complain("a capture is nothing for a terminal; write it to a file with -o FILE");
    return kExitTrouble;
  }
  const auto view = make_view(*recording, arguments.as, arguments.output ? ViewSurface{} : surface_of(STDOUT_FILENO));
  if (!view) {
    complain(fmt::format("{}: {}", arguments.recording, view.error().what));
    return kExitTrouble;
  }
  if (arguments.output) {
    if (const auto written = write_text_file(*arguments.output, *view); !written) {
      complain(written.error().what);
      return kExitTrouble;
    }
    return kExitFine;
  }
  std::fwrite(view->data(), 1, view->size(), stdout);
  return kExitFine;
}

CLI::App* add_run(CLI::App& app, RunArguments& arguments) {
  CLI::App* run = app.add_subcommand("run", "Run scenarios: files, or folders with all below them");
  run->add_option("PATH", arguments.paths, "Scenario files or folders (default: ./scenarios)")->type_name("");
  run->add_option("--seed", arguments.seed, "Seed of all randomness, in place of each scenario's own")
      ->type_name("N")
      ->check(CLI::Validator(seed_trouble, ""));
  run->add_option("-j,--jobs", arguments.jobs, "Scenarios run at once (default: one a core)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  run->add_option("--filter", arguments.filter, "Only scenarios whose whole path matches this pattern (* and ?)")->type_name("PATTERN");
  run->add_option("--only", arguments.only, "Only the variant of this name, such as disk_op=3")->type_name("VARIANT");
  run->add_flag("--list", arguments.list, "Print the paths of the scenarios, one a line, and run nothing");
  run->add_option("--report", arguments.report, "Write each run's recording and its views below this folder, and an index.html")->type_name("DIR");
  run->add_option("--junit", arguments.junit, "Write the results as JUnit XML")->type_name("FILE");
  run->add_flag("--probes", arguments.probes, "Tell which probes no run has reached");
  run->add_flag("-v,--verbose", arguments.verbose, "A line for each scenario that passes, too");
  run->footer(
      "Examples:\n"
      "  postproof run\n"
      "  postproof run scenarios/retry --filter '*greylist*' -v\n"
      "  postproof run scenarios/crash/accept.toml --only disk_op=3 --seed 7\n"
      "  postproof run --report report && postproof show report/scenarios/retry/greylist.jsonl");
  return run;
}

CLI::App* add_show(CLI::App& app, ShowArguments& arguments) {
  CLI::App* show = app.add_subcommand("show", "Show a recorded run");
  show->add_option("RECORDING", arguments.recording, "A file that run --report has written (.jsonl)")->required()->type_name("");
  show->add_option("--as", arguments.as, "Format: text, a transcript that reads like a conversation; sequence, a diagram for the terminal; html, a page; json, what the page is drawn from; pcap, a capture; keys, the key log to its TLS")
      ->type_name("FORMAT")
      ->check(CLI::IsMember(std::vector<std::string>(kViewFormats.begin(), kViewFormats.end())))
      ->capture_default_str();
  show->add_option("-o,--output", arguments.output, "Write to this file instead of standard output")->type_name("FILE");
  show->footer("Example:\n  postproof show report/scenarios/retry/greylisting.jsonl | less");
  return show;
}

// A duration as the scenario language writes it.
CLI::Option* add_duration(CLI::App* app, const std::string& name, Duration& into, const std::string& what) {
  return app->add_option_function<std::string>(name, [&into](const std::string& text) { into = *parse_duration(text); }, what)
      ->type_name("DURATION")
      ->check([](const std::string& text) {
        return parse_duration(text) ? "" : fmt::format("{}: expected a duration such as 30s or 1h30m", escape(text));
      });
}

CLI::App* add_serve(CLI::App& app, ServeArguments& arguments) {
  CLI::App* serve = app.add_subcommand("serve", "Play a scenario's DNS, peers and clients on real sockets, for an MTA that runs elsewhere");
  serve->add_option("FILE", arguments.path, "The scenario")->required()->type_name("");
  serve->add_option("--mta", arguments.mtas, "Where an MTA takes submissions (default: port 25 of its scenario's address)")
      ->type_name("[NAME=]ADDRESS:PORT");
  serve->add_flag("--loopback", arguments.loopback, "Hosts are at 127.x.y.z in place of their own addresses 10.x.y.z");
  serve->add_option("--port-offset", arguments.port_offset, "Added to the port of every server, 25 and 53 among them")->type_name("N");
  add_duration(serve, "--settle", arguments.options.settle, "Over when so long nothing has happened and nothing is owed (default: 3s)");
  add_duration(serve, "--for", arguments.options.limit, "Over after that in any case (default: 10m, or the scenario's limit)")
      ->each([&arguments](const std::string&) { arguments.limit_given = true; });
  add_duration(serve, "--wait", arguments.options.mta_wait, "So long an MTA may take to come up (default: 1m)");
  serve->add_flag("--stay", arguments.options.stay, "Not over before --for, or a signal");
  serve->add_option("--report", arguments.report, "Write the recording and its views below this folder")->type_name("DIR");
  serve->add_option("--ca", arguments.ca, "Leave the certificate of who has signed those of the peers here")->type_name("FILE");
  serve->add_flag("--json", arguments.json, "What the MTA must be told, and the verdict, as one object a line each");
  serve->footer(
      "The first output tells what the MTA must be told: whom to ask for DNS, where to listen. SIGINT and SIGTERM end in order.\n"
      "Examples:\n"
      "  postproof serve scenarios/smtp/busy-421-next-host.toml --loopback --port-offset 2500 --mta 127.0.0.1:2525\n"
      "  ip route add local 10.0.0.0/8 dev lo && postproof serve scenarios/smtp/busy-421-next-host.toml    # in a network namespace");
  return serve;
}

CLI::App* add_coverage(CLI::App& app, CoverageArguments& arguments) {
  CLI::App* coverage = app.add_subcommand("coverage", "Run scenarios, and tell which clauses and cases they show");
  coverage->add_option("PATH", arguments.paths, "Scenario files or folders (default: ./scenarios)")->type_name("");
  coverage->add_flag("--json", arguments.json, "As an object: cases and clauses, each with its scenarios and its result");
  coverage->add_option("-j,--jobs", arguments.jobs, "Scenarios run at once (default: one a core)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  coverage->footer("The cases are those of catalogue.toml in the scenarios' folder, or above, if there is one.");
  return coverage;
}

CLI::App* add_explore(CLI::App& app, ExploreArguments& arguments) {
  CLI::App* explore = app.add_subcommand("explore", "Run scenarios or drawn traffic under random faults, and shrink what fails");
  explore->add_option("PATH", arguments.paths, "Scenario files or folders that faults are put into (default: drawn traffic)")->type_name("");
  explore->add_flag("--generate", arguments.generate, "Draw traffic too where there are PATHs");
  explore->add_option("--seeds", arguments.seeds, "So many seeds, each a run")
      ->type_name("N")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}).description(""))
      ->capture_default_str();
  explore->add_option("--from", arguments.from, "The first seed")
      ->type_name("SEED")
      ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max() / 2).description(""))
      ->capture_default_str();
  explore->add_option("-j,--jobs", arguments.jobs, "Runs at once (default: one a core)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""));
  explore->add_option("--minutes", arguments.minutes, "End after so long, if the seeds last")
      ->type_name("M")
      ->check(CLI::Range(1, 100'000).description(""));
  explore->add_option("-o,--output", arguments.output, "Folder for the scenarios that fail")->type_name("DIR")->capture_default_str();
  explore->add_flag("--json", arguments.json, "One object instead of text: failures, probes, totals");
  explore->add_flag("--print", arguments.print, "Print the scenario of the first seed, and run nothing");
  explore->footer(
      "Examples:\n"
      "  postproof explore --seeds 5000\n"
      "  postproof explore scenarios --generate --minutes 10\n"
      "  postproof explore scenarios/retry --from 4711 --seeds 1");
  return explore;
}

int parse_and_do(int argc, char** argv) {
  CLI::App app("Proves a mail transfer agent: runs it in a simulated internet, in virtual time, by scenarios.", "postproof");
  app.set_version_flag("--version", "postproof " POSTPROOF_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 fine; 1 a scenario failed; 2 usage or an invalid file.\n"
      "'postproof COMMAND --help' tells more; docs/scenarios.md is the reference of the scenario language.");

  RunArguments run_arguments;
  ShowArguments show_arguments;
  std::vector<std::string> check_paths;
  CLI::App* run_command = add_run(app, run_arguments);
  CLI::App* check_command = app.add_subcommand("check", "Check scenarios without running them");
  check_command->add_option("PATH", check_paths, "Scenario files or folders")->required()->type_name("");
  check_command->footer("Complaints are FILE:LINE:COLUMN: what is wrong, and what was expected.\n"
                        "Example:\n  postproof check scenarios");
  std::string new_name;
  CLI::App* new_command = app.add_subcommand("new", "Write a commented scenario to start from");
  new_command->add_option("NAME", new_name, "The file, with or without .toml; it must not be there yet")->required()->type_name("");
  new_command->footer("Example:\n  postproof new scenarios/retry/greylist-of-an-hour");
  CoverageArguments coverage_arguments;
  CLI::App* coverage_command = add_coverage(app, coverage_arguments);
  ExploreArguments explore_arguments;
  CLI::App* explore_command_line = add_explore(app, explore_arguments);
  CLI::App* show_command = add_show(app, show_arguments);
  ServeArguments serve_arguments;
  CLI::App* serve_command_given = add_serve(app, serve_arguments);

  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    if (app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-') {
      complain(fmt::format("no command is called \"{}\"; expected run, check, new, coverage, explore, serve or show (--help tells more)", escape(argv[1])));
      return kExitTrouble;
    }
    app.exit(error);
    return kExitTrouble;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitFine : kExitTrouble;
  }
  if (run_command->parsed()) {
    if (run_arguments.paths.empty()) run_arguments.paths = {kDefaultPath};
    return run(run_arguments);
  }
  if (check_command->parsed()) return check(check_paths);
  if (coverage_command->parsed()) {
    if (coverage_arguments.paths.empty()) coverage_arguments.paths = {kDefaultPath};
    return coverage(coverage_arguments);
  }
  if (explore_command_line->parsed()) {
    explore_arguments.jobs = jobs_or_default(explore_arguments.jobs);
    return explore_command(explore_arguments);
  }
  if (serve_command_given->parsed()) return serve_command(serve_arguments);
  if (new_command->parsed()) return write_starter(new_name);
  PP_CHECK(show_command->parsed(), "a command that nobody carries out");
  return show(show_arguments);
}

}  // namespace

int main(int argc, char** argv) {
  const int status = parse_and_do(argc, argv);
  // A full disk or a closed pipe behind standard output is no success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    std::perror("postproof: standard output");
    return kExitTrouble;
  }
  return status;
}
