// The run itself: it ended because nothing was left to do, its world came up, its dialogues were followed.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "mta/base/text.h"
#include "sim/judge/invariants.h"
#include "sim/judge/moments.h"

namespace postproof::sim {

namespace {

// A scenario may ask for work that is left: then the queues, and what MTAs are about, may stand open at the limit.
bool queue_wanted(const Scenario& scenario) {
  return std::ranges::any_of(scenario.expects, [](const Expect& expect) {
    if (const auto* end = std::get_if<ExpectEnd>(&expect.what)) return end->queue.value_or(0) > 0;
    if (const auto* queue = std::get_if<ExpectQueue>(&expect.what)) return !queue->t && queue->depth.value_or(0) > 0;
    return false;
  });
}

bool only_queues_pending(std::string_view pending) {
  const auto lines = split(pending, '\n');
  return std::ranges::all_of(lines, [](std::string_view line) { return line.empty() || line.starts_with("MTA "); });
}

void check_end(const Evidence& evidence, std::vector<Failure>& failures) {
  const auto add = [&](std::string wanted, std::string found) {
    const std::size_t last = evidence.recording().records.size();
    failures.push_back(Failure{0, "invariant: the run comes to an end", std::move(wanted), std::move(found),
                               last == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{last - 1}});
  };
  const record::End* end = evidence.end();
  if (end == nullptr) return add("a recording with an end", "it breaks off");
  if (end->reason == "done") return;
  std::string pending;
  for (const std::string_view line : split(end->pending, '\n')) {
    if (!line.empty()) pending += (pending.empty() ? "" : "; ") + std::string(line);
  }
  if (end->reason == "events")
    return add("an end before 10 million events", "makes 10 million events; pending: " + pending);
  if (end->reason == "recording")
    return add("a recording of less than 1 GiB", "records more; pending: " + pending);
  if (end->reason == "interrupted") return add("an end of its own", "interrupted; pending: " + pending);
  if (end->reason == "limit") {
    if (queue_wanted(evidence.scenario()) && only_queues_pending(end->pending)) return;
    return add(fmt::format("nothing pending at the limit of {}", format_duration(evidence.scenario().limit)), pending);
  }
  add("nothing pending when nothing can happen any more", pending);
}

// The wire of a script's host shows what it said last.
std::vector<std::size_t> last_said(const Evidence& evidence, std::size_t record, std::string_view node) {
  const auto& records = evidence.recording().records;
  for (std::size_t i = record; i-- > 0;) {
    const auto* octets = std::get_if<record::Octets>(&records[i].what);
    if (octets == nullptr) continue;
    const Conversation* conversation = evidence.conversation(octets->connection);
    if (conversation != nullptr && (conversation->opener == node || conversation->acceptor == node)) {
      std::vector<std::size_t> list = evidence.around(i);
      add_records(list, {record});
      return list;
    }
  }
  return {record};
}

// A disk that fails may keep a program from coming up: it ends and says why, as it must. Whose disk did, in this life?
bool disk_failed_before(const Evidence& evidence, std::size_t record, std::string_view node) {
  const auto& records = evidence.recording().records;
  for (std::size_t i = record; i-- > 0;) {
    if (const auto* operation = std::get_if<record::DiskOperation>(&records[i].what)) {
      if (operation->node == node && operation->result != "ok") return true;
    } else if (const auto* state = std::get_if<record::NodeState>(&records[i].what)) {
      if (state->node == node && state->state == "start") return false;
    }
  }
  return false;
}

// So may a limit of its descriptors.
bool descriptors_short(const Evidence& evidence, std::size_t record, std::string_view node) {
  const auto& records = evidence.recording().records;
  for (std::size_t i = record; i-- > 0;) {
    const auto* fault = std::get_if<record::Fault>(&records[i].what);
    if (fault != nullptr && fault->kind == "process.descriptors" && fault->where == node) {
      return fault->detail != "ends";  // begins, or strikes
    }
  }
  return false;
}

// A server's dialogue may fail in every connection: the first one is told, the others of that step are counted.
void check_scripts(const Evidence& evidence, std::vector<Failure>& failures) {
  struct Told {
    std::size_t failure = 0, times = 0;
  };
  std::map<std::pair<std::string_view, std::uint32_t>, Told> told;
  const auto& records = evidence.recording().records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto* script = std::get_if<record::ScriptFailure>(&records[i].what);
    if (script == nullptr) continue;
    Told& step = told[{script->node, script->line}];
    if (++step.times > 1) continue;
    step.failure = failures.size();
    failures.push_back(Failure{script->line, "script of " + script->node, escape(script->wanted), escape(script->got),
                               last_said(evidence, i, script->node)});
  }
  for (const auto& [step, seen] : told) {
    if (seen.times > 1) failures[seen.failure].nearest += fmt::format("; and {} times more", seen.times - 1);
  }
}

// A fault has struck when the recording tells more of it than that it stood there. Pauses and clocks are felt at once.
bool is_strike(const record::Fault& told) {
  if (told.detail == "ends" || told.detail.starts_with("finds ")) return false;
  return !told.detail.starts_with("begins") || told.kind == "process.pause" || told.kind.starts_with("clock.");
}

std::string describe(const Fault& fault) {
  std::string text = fault.host.empty() ? fault.name : fault.host;
  if (fault.port) text += fmt::format(":{}", *fault.port);
  if (!fault.with.empty()) text += " | " + fault.with;
  if (fault.disk_op) text += fmt::format(", at disk operation {}", *fault.disk_op);
  if (!fault.event.empty()) text += fmt::format(", at event {}{}", fault.event, fault.match == "*" ? "" : " with " + fault.match);
  if (fault.octet) text += fmt::format(", behind {} octets", *fault.octet);
  if (!fault.at_line.empty()) text += fmt::format(", at a line like \"{}\"", escape(fault.at_line));
  return text;
}

// A fault that strikes nothing makes a test of nothing. A crash at "each" operation ends that way, and says so itself.
void check_strikes(const Evidence& evidence, std::vector<Failure>& failures) {
  const auto& records = evidence.recording().records;
  std::map<std::uint32_t, std::vector<std::size_t>> told;  // by line
  std::set<std::uint32_t> struck;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto* fault = std::get_if<record::Fault>(&records[i].what);
    if (fault == nullptr || fault->line == 0) continue;
    if (is_strike(*fault)) struck.insert(fault->line);
    told[fault->line].push_back(i);
  }
  for (const At& at : evidence.scenario().at) {
    const auto* fault = std::get_if<Fault>(&at.what);
    if (fault == nullptr || fault->may_miss || fault->disk_op_each || struck.contains(at.line)) continue;
    std::string last = "nothing is told of it";
    std::vector<std::size_t> around;
    if (const auto seen = told.find(at.line); seen != told.end()) {
      around = seen->second;
      last = std::get<record::Fault>(records[around.back()].what).detail;
    }
    failures.push_back(Failure{at.line, "fault " + fault->kind, fmt::format("it strikes: {} (or may_miss = true)", describe(*fault)),
                               "it never struck; the last of it: " + escape(last), std::move(around)});
  }
}

// A message that was never handed over, since the MTA was down for good, is none that the scenario speaks of.
void check_submissions(const Evidence& evidence, std::vector<Failure>& failures) {
  for (const Handover& handover : evidence.handovers()) {
    const record::ClientMessage& message = *handover.message;
    if (message.connection != 0 || handover.mta == nullptr || !evidence.is_down(message.to, handover.at)) continue;
    failures.push_back(Failure{0, "submission to " + message.to, fmt::format("{} hands over a message from <{}>", message.client, message.sender),
                               fmt::format("{} was down, and nothing brings it up{}", message.to, event_reference(handover.record)),
                               evidence.around(handover.record)});
  }
}

}  // namespace

void check_run(const Evidence& evidence, std::vector<Failure>& failures) {
  check_scripts(evidence, failures);
  // What a resolver's cache or a real MTA does out there is not to be foreseen.
  if (evidence.sight() == Sight::everything) {
    check_strikes(evidence, failures);
    check_submissions(evidence, failures);
  }
  const auto& records = evidence.recording().records;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (const auto* fault = std::get_if<record::Fault>(&records[i].what); fault && fault->kind == kTrouble) {
      if (evidence.disk_lies(fault->where) || disk_failed_before(evidence, i, fault->where)) continue;
      if (descriptors_short(evidence, i, fault->where)) continue;
      failures.push_back(Failure{fault->line,
                                 "invariant: every part of the world comes up",
                                 fault->where + " runs",
                                 escape(fault->detail),
                                 {i}});
    }
  }
  check_end(evidence, failures);
}

}  // namespace postproof::sim
