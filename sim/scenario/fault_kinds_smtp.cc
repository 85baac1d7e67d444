// Faults of SMTP: what a peer does from a moment on, around whatever it does otherwise. Most are a rule: where it
// applies is said by the keys of rules, what it does by the kind.
#include "sim/scenario/fault_keys.h"
#include "sim/scenario/peer_faults.h"
#include "sim/scenario/reading.h"
#include "sim/scenario/rules.h"

namespace postproof::sim {

namespace {

void read_peer(const FaultReading& reading, Fault& fault) {
  fault.host = reading.hosts.read(reading.table, "host", {HostKind::peer}).value_or("");
  if (reading.hosts.is_scripted(fault.host)) {
    reading.table.complain("host", "follows its script alone; expected a peer without \"script\"");
  }
}

// Read by `settle`, all together.
void read_later(const FaultReading&, Fault&) {}

constexpr FaultKey kPeer{"host", read_peer};
constexpr FaultKey key(std::string_view name) { return FaultKey{name, read_later}; }

// Without `on` it is as the kind's `place` says.
void settle_rule(const FaultReading& reading, Fault& fault, Rule::Act act, std::string_view place) {
  Rule rule = read_rule_keys(reading.table, place);
  rule.act = act;
  fault.peer = std::move(rule);
}

void settle_answer(const FaultReading& reading, Fault& fault) {
  TomlReader& table = reading.table;
  settle_rule(reading, fault, Rule::Act::reply, "");
  if (fault.kind == "smtp.reply" && !table.has("reply") && !table.has("raw")) {
    table.complain("reply", "missing; expected what the peer answers: \"reply\" or \"raw\"");
  }
}
void settle_silence(const FaultReading& reading, Fault& fault) { settle_rule(reading, fault, Rule::Act::silence, ""); }
void settle_close(const FaultReading& reading, Fault& fault) { settle_rule(reading, fault, Rule::Act::close, ""); }
void settle_reset(const FaultReading& reading, Fault& fault) { settle_rule(reading, fault, Rule::Act::reset, ""); }
void settle_tarpit(const FaultReading& reading, Fault& fault) { settle_rule(reading, fault, Rule::Act::reply, "*"); }

void settle_greylist(const FaultReading& reading, Fault& fault) {
  Rule rule = read_rule_keys(reading.table, "RCPT");
  if (const auto wait = read_positive(reading.table, "wait")) rule.first_seen = *wait;
  if (rule.reply.empty()) rule.reply = {"450 4.7.1 greylisted"};
  fault.peer = std::move(rule);
}

void settle_quota(const FaultReading& reading, Fault& fault) { fault.peer = read_quota(reading.table); }
void settle_rate(const FaultReading& reading, Fault& fault) { fault.peer = read_rate_limit(reading.table); }
void settle_size(const FaultReading& reading, Fault& fault) { fault.peer = read_size_limit(reading.table, "octets"); }

void settle_keywords(const FaultReading& reading, Fault& fault) {
  TomlReader& table = reading.table;
  fault.peer = read_keyword_change(table);
  if (!table.has("add") && !table.has("remove") && !table.has("garble")) {
    table.complain("add", "missing; expected what becomes of the keywords: \"add\", \"remove\" or \"garble\"");
  }
}

std::vector<FaultKey> with_place(std::vector<FaultKey> more) {
  for (const std::string_view name : {"on", "match", "line", "nth", "times", "first_seen"}) more.push_back(key(name));
  more.push_back(kFor);
  return more;
}

}  // namespace

std::vector<FaultKind> smtp_fault_kinds() {
  return {
      {"smtp.reply", {kPeer}, with_place({key("reply"), key("raw"), key("delay")}), settle_answer},
      {"smtp.malformed", {kPeer, key("form")}, with_place({key("reply")}), settle_answer},
      {"smtp.split", {kPeer, key("split")}, with_place({key("every"), key("reply")}), settle_answer},
      {"smtp.extra", {kPeer, key("extra")}, with_place({key("reply")}), settle_answer},
      {"smtp.early", {kPeer, key("early")}, with_place({key("reply")}), settle_answer},
      {"smtp.delay", {kPeer, key("delay")}, with_place({}), settle_answer},
      {"smtp.silence", {kPeer}, with_place({key("take")}), settle_silence},
      {"smtp.close", {kPeer}, with_place({key("reply"), key("raw"), key("delay"), key("take"), key("octets")}), settle_close},
      {"smtp.reset", {kPeer}, with_place({key("reply"), key("raw"), key("delay"), key("take"), key("octets")}), settle_reset},
      {"smtp.tarpit", {kPeer, key("delay")}, {kFor}, settle_tarpit},
      {"smtp.greylist", {kPeer, key("wait")}, {key("match"), key("reply"), kFor}, settle_greylist},
      {"smtp.quota", {kPeer}, {key("messages"), key("octets"), key("match"), key("reply"), kFor}, settle_quota},
      {"smtp.rate", {kPeer, key("count"), key("per")}, {key("on"), key("burst"), key("each"), key("reply"), kFor}, settle_rate},
      {"smtp.size", {kPeer, key("octets")}, {key("reply"), kFor}, settle_size},
      {"smtp.keywords", {kPeer}, {key("add"), key("remove"), key("garble"), kFor}, settle_keywords},
  };
}

}  // namespace postproof::sim
