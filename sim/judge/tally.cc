#include "sim/judge/tally.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/judge/expect.h"

namespace postproof::sim {

namespace {

// The hosts that it fell on in one run, in the order of time.
std::vector<std::string> fallen_on(const ExpectDistribution& distribution, const Evidence& evidence) {
  std::vector<std::string> hosts;
  if (distribution.of == "delivered") {
    for (const Arrival& arrival : evidence.arrivals()) {
      for (std::size_t i = 0; i < arrival.message->recipients.size(); ++i) hosts.push_back(arrival.message->peer);
    }
  } else {
    for (const Conversation& conversation : evidence.conversations()) {
      if (conversation.smtp && evidence.is_mta(conversation.opener)) hosts.push_back(conversation.acceptor);
    }
  }
  std::erase_if(hosts, [&](const std::string& host) { return std::ranges::find(distribution.over, host) == distribution.over.end(); });
  if (distribution.first && hosts.size() > 1) hosts.resize(1);
  return hosts;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Tally::Tally(const Scenario& scenario) : scenario_(scenario) {
  for (const Expect& expect : scenario.expects) {
    if (!is_of_group(expect)) continue;
    const auto* distribution = std::get_if<ExpectDistribution>(&expect.what);
    counts_.push_back(Count{&expect, 0, {}, std::vector<std::uint64_t>(distribution == nullptr ? 0 : distribution->over.size())});
  }
}

void Tally::add(const Recording& recording) {
  ++runs_;
  const Evidence evidence(scenario_, recording);
  for (Count& count : counts_) {
    if (const auto* rate = std::get_if<ExpectRate>(&count.expect->what)) {
      if (!check(*rate->of, evidence)) {
        ++count.held;
      } else if (!count.first_not) {
        count.first_not = recording.seed;
      }
    } else if (const auto* distribution = std::get_if<ExpectDistribution>(&count.expect->what)) {
      for (const std::string& host : fallen_on(*distribution, evidence)) {
        ++count.fell[static_cast<std::size_t>(std::ranges::find(distribution->over, host) - distribution->over.begin())];
      }
    }
  }
}

void Tally::judge(Judgement& judgement) const {
  for (const Count& count : counts_) {
    Failure failure;
    failure.line = count.expect->line;
    bool good = true;
    if (const auto* rate = std::get_if<ExpectRate>(&count.expect->what)) {
      const double held = share(count.held, runs_);
      good = held >= rate->min && held <= rate->max;
      failure.expectation = "expect rate";
      failure.wanted = fmt::format("holds in {:.1f} to {:.1f} % of the runs", rate->min * 100, rate->max * 100);
      failure.nearest = fmt::format("{:.1f} %: {} of {} seeds", held * 100, count.held, runs_);
      if (count.first_not) failure.nearest += fmt::format("; not with seed {}", *count.first_not);
    } else if (const auto* distribution = std::get_if<ExpectDistribution>(&count.expect->what)) {
      std::uint64_t all = 0;
      for (const std::uint64_t one : count.fell) all += one;
      failure.expectation = "expect distribution";
      failure.wanted = fmt::format("{} over", distribution->of);
      failure.nearest = fmt::format("{} in {} runs:", all, runs_);
      good = all > 0;
      for (std::size_t i = 0; i < distribution->over.size(); ++i) {
        const double got = share(count.fell[i], all);
        good = good && got >= distribution->shares[i] - distribution->tolerance && got <= distribution->shares[i] + distribution->tolerance;
        failure.wanted += fmt::format("{} {} {:.1f} %", i == 0 ? "" : ",", distribution->over[i], distribution->shares[i] * 100);
        failure.nearest += fmt::format("{} {} {:.1f} %", i == 0 ? "" : ",", distribution->over[i], got * 100);
      }
      failure.wanted += fmt::format(", each ±{:.1f} %", distribution->tolerance * 100);
    }
    if (good) {
      ++judgement.passed;
    } else {
      judgement.failures.push_back(std::move(failure));
    }
  }
}

}  // namespace postproof::sim
