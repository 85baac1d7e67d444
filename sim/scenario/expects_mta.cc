// Expectations about MTAs and the end of the run: attempts, queue, log, end.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/expect_keys.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

ExpectAttempts read_attempts(TomlReader& table, const HostNames& hosts) {
  ExpectAttempts expect;
  expect.rcpt = read_pattern(table, "rcpt");
  if (!table.has("rcpt")) table.complain("rcpt", "missing; expected whose attempts are meant");
  expect.mta = hosts.read(table, "mta", {HostKind::mta}).value_or("");
  expect.when = read_when(table);
  expect.count = read_count(table, "count", 0);
  check_count(table, expect.count, expect.when);
  if (!table.has("when") && !table.has("count")) table.complain("when", "missing; expected \"when\" (a list) or \"count\"");
  return expect;
}

ExpectQueue read_queue(TomlReader& table, const HostNames& hosts) {
  ExpectQueue expect;
  expect.mta = hosts.read(table, "mta", {HostKind::mta}).value_or("");
  expect.rcpt = read_pattern(table, "rcpt");
  expect.t = table.duration("t");
  expect.depth = read_count(table, "depth", 0);
  expect.next = read_moment(table, "next");
  expect.age = read_moment(table, "age");
  if (table.has("next") && !table.has("rcpt")) table.complain("rcpt", "missing; \"next\" is the next attempt of a recipient");
  if (table.has("slack") && !table.has("next") && !table.has("age")) {
    table.complain("slack", "expected only together with \"next\" or \"age\"");
  }
  if (!table.has("depth") && !table.has("next") && !table.has("age")) {
    table.complain("depth", "missing; expected \"depth\" (messages), \"next\" or \"age\"");
  }
  return expect;
}

ExpectLog read_log(TomlReader& table, const HostNames& hosts) {
  ExpectLog expect;
  expect.mta = hosts.read(table, "mta", {HostKind::mta}).value_or("");
  expect.event = read_event_name(table, "event").value_or("");
  if (!table.has("event")) table.complain("event", "missing; expected the name of an event, like \"deferred\"");
  expect.match = read_glob(table, "match").value_or("*");
  if (auto fields = table.table("fields")) {
    const std::vector<std::string_view> known = event_field_names(expect.event);
    for (const std::string& name : fields->keys()) {
      auto pattern = fields->string(name);
      if (!expect.event.empty() && std::ranges::find(known, name) == known.end()) {
        const std::string_view near = nearest_word(name, known);
        fields->complain(name, near.empty() ? fmt::format("{} has no such field; expected {}", expect.event, fmt::join(known, ", "))
                                            : fmt::format("{} has no such field; did you mean \"{}\"?", expect.event, near));
      } else if (pattern) {
        expect.fields.emplace_back(name, std::move(*pattern));
      }
    }
  }
  expect.count = read_count(table, "count", 0);
  expect.when = read_when(table);
  check_count(table, expect.count, expect.when);
  return expect;
}

ExpectEnd read_end(TomlReader& table) {
  ExpectEnd expect;
  expect.queue = read_count(table, "queue", 0);
  expect.connections = read_count(table, "connections", 0);
  const std::vector<When> when = read_when(table);
  if (when.size() > 1) table.complain("when", "expected one moment: a run ends once");
  if (!when.empty()) expect.when = when.front();
  if (table.keys().empty()) table.complain("queue", "missing; expected at least one of queue, connections and when");
  return expect;
}

}  // namespace postproof::sim
