#include "sim/probe/probes.h"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

#include "mta/base/event.h"
#include "mta/queue/attempt_result.h"
#include "sim/scenario/faults.h"

namespace postproof::sim {

namespace {

using queue::Stage;

constexpr std::array kStages = {Stage::resolve, Stage::connect, Stage::greeting, Stage::ehlo, Stage::starttls,
                                Stage::mail,    Stage::rcpt,    Stage::data,     Stage::dot,  Stage::auth};

// No answer here is final for good (deliver/outcome): there is no bounce from these.
bool may_bounce(Stage stage) {
  return stage != Stage::connect && stage != Stage::ehlo && stage != Stage::starttls && stage != Stage::auth;
}

template <std::size_t... Is>
void add_event_names(std::vector<std::string>& list, std::index_sequence<Is...>) {
  (list.push_back(fmt::format("event {}", std::variant_alternative_t<Is, Event>::kName)), ...);
}

std::vector<std::string> make_list() {
  std::vector<std::string> list;
  for (const std::string_view kind : fault_kinds()) list.push_back(fmt::format("fault {}", kind));
  add_event_names(list, std::make_index_sequence<std::variant_size_v<Event>>{});
  for (const std::string_view where : {"greeting", "EHLO", "HELO", "MAIL", "RCPT", "DATA", "dot"}) {
    for (const std::string_view what : {where == "DATA" ? "3yz" : "2yz", "4yz", "5yz", "421", "broken", "none"}) {
      list.push_back(fmt::format("reply {} {}", where, what));
    }
  }
  for (const std::string_view where : {"greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"}) {
    for (const std::string_view what : {where == "DATA" ? "3yz" : "2yz", "4yz", "5yz"}) {
      if (where == "EHLO" && what != "2yz") continue;
      if (where == "greeting" && what == "5yz") continue;  // a client that is not wanted may come again: 421
      list.push_back(fmt::format("answer {} {}", where, what));
    }
  }
  list.push_back("answer 421");
  for (const Stage stage : kStages) list.push_back(fmt::format("deferred {}", to_string(stage)));
  for (const Stage stage : kStages) {
    if (may_bounce(stage)) list.push_back(fmt::format("bounced {}", to_string(stage)));
  }
  for (const std::string_view action : {"failed", "delayed", "delivered", "relayed", "expanded"}) {
    list.push_back(fmt::format("dsn {}", action));
  }
  for (const std::string_view answer : {"noerror", "nodata", "nxdomain", "servfail", "refused", "formerr", "silence"}) {
    list.push_back(fmt::format("dns {}", answer));
  }
  for (const std::string_view state : {"established", "failed", "closed", "truncated", "verified", "unverified"}) {
    list.push_back(fmt::format("tls {}", state));
  }
  for (const std::string_view operation :
       {"write", "sync", "read", "open", "allocate", "rename", "unlink", "sync_dir", "list"}) {
    list.push_back(fmt::format("disk {} fails", operation));
  }
  for (const std::string_view point : {"crash", "recovery", "torn tail", "trouble"}) {
    list.push_back(fmt::format("process {}", point));
  }
  return list;
}

}  // namespace

const std::vector<std::string>& all_probes() {
  static const std::vector<std::string> list = make_list();
  return list;
}

void ProbeCount::add(const ProbeSet& reached) {
  for (const std::string& probe : reached) ++runs_[probe];
}

std::vector<std::string> ProbeCount::never() const {
  std::vector<std::string> list;
  for (const std::string& probe : all_probes()) {
    if (!runs_.contains(probe)) list.push_back(probe);
  }
  return list;
}

std::string probes_text(const ProbeCount& count) {
  std::string text = fmt::format("{} of {} probes reached", count.reached(), all_probes().size());
  std::string_view group;
  const std::vector<std::string> never = count.never();
  for (const std::string& probe : never) {
    const std::size_t blank = probe.find(' ');
    const std::string_view its_group = std::string_view(probe).substr(0, blank);
    text += its_group == group ? ", " : fmt::format("\n  never  {:9} ", its_group);
    text += std::string_view(probe).substr(blank + 1);
    group = its_group;
  }
  return text + '\n';
}

}  // namespace postproof::sim
