#include "sim/scenario/expects.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

const std::vector<std::string_view> kKinds = {"delivered", "dsn", "attempts", "queue", "never", "end"};

std::string pattern(TomlReader& table, std::string_view key) { return read_glob(table, key).value_or(""); }

// Texts of which none is empty.
std::vector<std::string> read_texts(TomlReader& table, std::string_view key) {
  auto list = table.strings(key).value_or(std::vector<std::string>{});
  if (std::any_of(list.begin(), list.end(), [](const std::string& text) { return text.empty(); })) {
    table.complain(key, "expected text, not \"\"");
  }
  return list;
}

// `count` and the number of moments say the same, or one of them says nothing.
void check_count(TomlReader& table, const std::optional<std::uint64_t>& count, const std::vector<When>& when) {
  if (count && !when.empty() && *count != when.size()) {
    table.complain("count", fmt::format("{} where \"when\" has {}", *count, when.size()));
  }
}

ExpectDelivered read_delivered(TomlReader& table, const HostNames& hosts) {
  ExpectDelivered expect;
  expect.rcpt = pattern(table, "rcpt");
  if (auto from = table.string("from")) expect.from = from->empty() ? "<>" : std::move(*from);
  expect.at = hosts.read(table, "at", {HostKind::peer}).value_or("");
  expect.count = read_count(table, "count", 0);
  expect.when = read_when(table);
  check_count(table, expect.count, expect.when);
  expect.contains = read_texts(table, "contains");
  expect.header = read_texts(table, "header");
  for (const std::string& header : expect.header) {
    const auto colon = header.find(':');
    if (colon == 0 || colon == std::string::npos || header.find_first_of(" \t") < colon) {
      table.complain("header", fmt::format("\"{}\" is no header field; expected \"Name: text\"", escape(header)));
    }
  }
  expect.body = table.string("body");
  refuse_later(table, {"tls", "verified", "sni"});
  return expect;
}

ExpectDsn read_dsn(TomlReader& table, const HostNames& hosts) {
  ExpectDsn expect;
  expect.to = pattern(table, "to");
  expect.at = hosts.read(table, "at", {HostKind::peer}).value_or("");
  expect.count = read_count(table, "count", 0);
  expect.action = pattern(table, "action");
  if (!expect.action.empty() && expect.action.find_first_of("*?") == std::string::npos) {
    table.word("action", {"failed", "delayed", "delivered", "relayed", "expanded"});  // RFC 3464 section 2.3.3
  }
  expect.final = pattern(table, "final");
  expect.status = pattern(table, "status");
  expect.remote = pattern(table, "remote");
  expect.diagnostic = pattern(table, "diagnostic");
  expect.when = read_when(table);
  check_count(table, expect.count, expect.when);
  expect.contains = read_texts(table, "contains");
  refuse_later(table, {"envid", "original"});
  return expect;
}

ExpectAttempts read_attempts(TomlReader& table, const HostNames& hosts) {
  ExpectAttempts expect;
  expect.rcpt = pattern(table, "rcpt");
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
  expect.rcpt = pattern(table, "rcpt");
  expect.t = table.duration("t");
  expect.depth = read_count(table, "depth", 0);
  const Duration slack = table.duration("slack").value_or(std::chrono::seconds{1});
  if (const auto next = table.duration("next")) {
    expect.next = When{*next, slack};
    if (!table.has("rcpt")) table.complain("rcpt", "missing; \"next\" is the next attempt of a recipient");
  } else if (table.has("slack") && !table.has("next")) {
    table.complain("slack", "expected only together with \"next\"");
  }
  if (!table.has("depth") && !table.has("next")) table.complain("depth", "missing; expected \"depth\" (messages) or \"next\"");
  return expect;
}

ExpectNever read_never(TomlReader& table, const HostNames& hosts) {
  ExpectNever expect;
  expect.event = read_event_name(table, "event").value_or("");
  if (!table.has("event")) table.complain("event", "missing; expected what must not happen, like \"data\"");
  expect.at = hosts.read(table, "at", {}).value_or("");
  expect.match = read_glob(table, "match").value_or("*");
  refuse_later(table, {"tls"});
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

}  // namespace

std::vector<Expect> read_expects(TomlReader& top, const HostNames& hosts) {
  std::vector<Expect> list;
  for (TomlReader& table : top.tables("expect")) {
    std::vector<std::string_view> said;
    for (const std::string_view kind : kKinds) {
      auto inner = table.table(kind);
      if (!table.has(kind)) continue;
      said.push_back(kind);
      if (!inner) continue;
      Expect expect;
      expect.line = inner->position().line;
      if (kind == "delivered") expect.what = read_delivered(*inner, hosts);
      if (kind == "dsn") expect.what = read_dsn(*inner, hosts);
      if (kind == "attempts") expect.what = read_attempts(*inner, hosts);
      if (kind == "queue") expect.what = read_queue(*inner, hosts);
      if (kind == "never") expect.what = read_never(*inner, hosts);
      if (kind == "end") expect.what = read_end(*inner);
      inner->finish();
      list.push_back(std::move(expect));
    }
    refuse_later(table, {"reply", "tls", "wire", "header", "log", "metric", "dns", "resource", "rate", "distribution"});
    if (said.size() > 1) {
      const auto later = std::max_element(said.begin(), said.end(), [&](std::string_view a, std::string_view b) {
        return table.position(a) < table.position(b);
      });
      table.complain(*later, fmt::format("expected an [[expect]] of its own: each has one of {}", fmt::join(kKinds, ", ")));
    } else if (said.empty() && table.keys().empty()) {
      table.problems().add(table.position(), fmt::format("an [[expect]] that expects nothing; expected one of {}", fmt::join(kKinds, ", ")));
    }
    table.finish();
  }
  return list;
}

}  // namespace postproof::sim
