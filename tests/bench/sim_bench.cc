// How fast the proving ground is, on one core, recording on:
//
//   plain scenarios    one MTA, two peers, MX, one retry; reading the file's text included
//   deliveries         accept, journal, DNS from the cache, one transaction each, all in one world
//
//   bench_sim [SECONDS]      tests/bench describes it; figures stand in docs/performance.md
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "sim/run/run.h"
#include "sim/scenario/load.h"
#include "sim/view/failure_report.h"

using namespace postproof;
using namespace postproof::sim;

namespace {

constexpr std::string_view kPlain = R"(title = "plain: the first MX is down, the second greylists once"
[dns]
zone = '''
dest.example.   MX 10 mx1.dest.example.
dest.example.   MX 20 mx2.dest.example.
'''
[mta.sut]
retry.jitter = 0
[peer.mx1]
names = ["mx1.dest.example"]
rules = [{ on = "connect", reply = "421 4.3.2 not now" }]
[peer.mx2]
names = ["mx2.dest.example"]
rules = [{ on = "RCPT", times = 1, reply = "450 4.2.0 later" }]
[[at]]
t = "0s"
submit = { to = "sut", from = "alice@src.example", rcpt = ["bob@dest.example"] }
[[expect]]
delivered = { rcpt = "bob@dest.example", at = "mx2", count = 1, when = "5m" }
)";

std::string deliveries_text(unsigned count) {
  return fmt::format(R"(title = "deliveries"
[dns]
zone = '''
dest.example.   MX 10 mx1.dest.example.
'''
[mta.sut]
smtp.sessions_per_client_max = 1000
[peer.mx1]
names = ["mx1.dest.example"]
[[at]]
t = "0s"
submit = {{ to = "sut", from = "alice@src.example", rcpt = ["bob@dest.example"], size = "4KiB", count = {} }}
[[expect]]
delivered = {{ rcpt = "bob@dest.example", count = {} }}
)",
                     count, count);
}

// Processor time: other work on the machine does not count.
double now() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Loads and runs once; ends the program if it does not pass: a broken run is no figure.
void run(std::string_view text) {
  auto scenario = load_scenario("bench.toml", text);
  if (!scenario) {
    std::fprintf(stderr, "%s\n", scenario.error().front().to_string().c_str());
    std::exit(1);
  }
  const RunResult result = run_once(*scenario, RunOptions{});
  if (!result.judgement.ok()) {
    std::fputs(failure_report(result.recording).c_str(), stderr);
    std::exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 5;
  run(kPlain);
  unsigned runs = 0;
  double began = now();
  while (now() - began < seconds) {
    run(kPlain);
    ++runs;
  }
  std::printf("plain scenarios a second and core:       %8.0f\n", runs / (now() - began));

  constexpr unsigned kBatch = 500;
  const std::string text = deliveries_text(kBatch);
  run(text);
  unsigned delivered = 0;
  began = now();
  while (now() - began < seconds) {
    run(text);
    delivered += kBatch;
  }
  std::printf("simulated deliveries a second and core:  %8.0f   (4 KB each, %u a world)\n", delivered / (now() - began), kBatch);
  return 0;
}
