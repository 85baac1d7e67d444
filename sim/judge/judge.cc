#include "sim/judge/judge.h"

#include "sim/judge/evidence.h"
#include "sim/judge/expect.h"
#include "sim/judge/invariants.h"

namespace postproof::sim {

Judgement judge(const Scenario& scenario, const Recording& recording, Sight sight) {
  Judgement judgement;
  Evidence evidence(scenario, recording, sight);
  check_run(evidence, judgement.failures);
  for (const Expect& expect : scenario.expects) {
    if (is_of_group(expect)) continue;
    if (std::string why = sight == Sight::wire ? beyond_the_wire(expect) : ""; !why.empty()) {
      judgement.unjudged.push_back(Unjudged{expect.line, expectation_name(expect), std::move(why)});
      continue;
    }
    auto failure = check(expect, evidence);
    if (!failure) {
      ++judgement.passed;
      continue;
    }
    failure->line = expect.line;
    judgement.failures.push_back(std::move(*failure));
  }
  check_fate(evidence, judgement.failures);
  check_null_sender(evidence, judgement.failures);
  check_newlines(evidence, judgement.failures);
  check_extensions(evidence, judgement.failures);
  if (sight == Sight::everything) check_events(evidence, judgement.failures);
  if (sight == Sight::everything) check_finality(evidence, judgement.failures);
  check_tls(evidence, judgement.failures);
  check_closed_world(evidence, judgement.failures);
  return judgement;
}

}  // namespace postproof::sim
