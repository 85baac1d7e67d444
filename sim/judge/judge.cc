#include "sim/judge/judge.h"

#include "sim/judge/evidence.h"
#include "sim/judge/expect.h"
#include "sim/judge/invariants.h"

namespace postproof::sim {

Judgement judge(const Scenario& scenario, const Recording& recording) {
  Judgement judgement;
  Evidence evidence(scenario, recording);
  check_run(evidence, judgement.failures);
  for (const Expect& expect : scenario.expects) {
    auto failure = std::visit([&](const auto& what) { return check(what, evidence); }, expect.what);
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
  check_events(evidence, judgement.failures);
  check_closed_world(evidence, judgement.failures);
  return judgement;
}

}  // namespace postproof::sim
