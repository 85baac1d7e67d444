#include "sim/serve_command.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "mta/base/text.h"
#include "mta/os/loop.h"
#include "mta/os/workers.h"
#include "sim/run/report.h"
#include "sim/run/suite.h"
#include "sim/serve/announce.h"
#include "sim/world/sim_random.h"
#include "sim/world/tls_library.h"

namespace postproof::sim {

namespace {

constexpr int kExitFine = 0;
constexpr int kExitFailed = 1;
constexpr int kExitTrouble = 2;

// Nothing that runs here has events: those are an MTA's.
class NoEvents final : public EventSink {
  void emit(const Event&) override {}
};

void complain(std::string_view what) { fmt::print(stderr, "postproof: {}\n", what); }
void complain(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) fmt::print(stderr, "{}\n", problem.to_string());
}

void say(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);  // whoever reads it acts on it
}

// The error is a line for people.
Result<Placement> placement_of(const ServeArguments& arguments, const Scenario& scenario) {
  Placement placement;
  placement.loopback = arguments.loopback;
  placement.port_offset = arguments.port_offset;
  for (const std::string& text : arguments.mtas) {
    const std::size_t equals = text.find('=');
    std::string name = equals == std::string::npos ? "" : text.substr(0, equals);
    const auto endpoint = Endpoint::parse(equals == std::string::npos ? text : text.substr(equals + 1));
    if (!endpoint || endpoint->kind() != Endpoint::Kind::ip || endpoint->port() == 0) {
      return fail(Errc::invalid, fmt::format("--mta {}: expected ADDRESS:PORT or NAME=ADDRESS:PORT", escape(text)));
    }
    if (name.empty()) {
      if (scenario.mtas.size() != 1) {
        return fail(Errc::invalid, fmt::format("--mta {}: the scenario has {} MTAs; expected NAME=ADDRESS:PORT",
                                               escape(text), scenario.mtas.size()));
      }
      name = scenario.mtas.front().name;
    }
    placement.mtas[name] = *endpoint;
  }
  return placement;
}

std::string remedy(const Error& error, const ServeArguments& arguments) {
  switch (error.code) {
    case Errc::invalid:
      return arguments.loopback ? ""
                                : "; the scenario's addresses are not of this machine: give them to a network namespace "
                                  "(ip link set lo up; ip route add local 10.0.0.0/8 dev lo), or use --loopback";
    case Errc::permission:
      return "; --port-offset moves ports 25 and 53 to where everybody may listen";
    case Errc::in_use:
      return "; run in a network namespace of its own, or use --port-offset";
    default:
      return "";
  }
}

}  // namespace

int serve_command(const ServeArguments& arguments) {
  const auto scenario = read_scenario(arguments.path);
  if (!scenario) {
    complain(scenario.error());
    return kExitTrouble;
  }
  if (const auto writable = arguments.report ? check_folder(*arguments.report) : Result<void>{}; !writable) {
    complain("--report " + writable.error().what);
    return kExitTrouble;
  }
  const auto placement = placement_of(arguments, *scenario);
  if (!placement) {
    complain(placement.error().what);
    return kExitTrouble;
  }
  auto placed = place(*scenario, *placement);
  if (!placed) {
    complain(placed.error());
    return kExitTrouble;
  }
  ServeOptions options = arguments.options;
  if (!arguments.limit_given) options.limit = std::min(options.limit, scenario->limit);
  placed->scenario.limit = options.limit;

  NoEvents events;
  os::Workers workers;
  os::Loop loop(events, workers);
  const auto tell = [](std::string_view line) { fmt::print(stderr, "{}\n", line); };
  const auto announce = [&](std::string_view ca) -> Result<void> {
    if (arguments.ca) {
      if (auto left = write_text_file(*arguments.ca, ca); !left) return left;
    }
    say(arguments.json ? announcement_json(*placed, ca) : announcement_text(*placed, arguments.ca.value_or("")));
    return {};
  };
  // The seed gives the same keys in each run.
  world::SimEntropy entropy(scenario->seed, "", 0);
  const auto library = std::make_shared<world::TlsLibrary>(entropy.stream("world.tls"));
  ProcessTls tls({library, library->context()});
  Env& os = loop.env();
  Env env{os.executor, os.clock, os.network, os.disk, os.entropy, os.events, tls, os.work};
  Serve serve(env, *placed, options, announce, tell);
  loop.on_signal([&](os::Signal signal) {
    if (signal == os::Signal::terminate) serve.interrupt();
  });
  const Result<RunResult> result = loop.run(serve.run());
  if (!result) {
    complain(result.error().what + remedy(result.error(), arguments));
    return kExitTrouble;
  }
  say(arguments.json ? verdict_json(*result) : verdict_text(*result));
  if (arguments.report) {
    const auto written = write_report(*arguments.report, result->recording);
    if (!written) {
      complain(written.error().what);
      return kExitTrouble;
    }
  }
  return result->judgement.ok() ? kExitFine : kExitFailed;
}

}  // namespace postproof::sim
