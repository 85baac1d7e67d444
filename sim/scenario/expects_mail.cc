// Expectations about what peers were handed: delivered, dsn, header.
#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/expect_keys.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

// A clause of a Received field, as a pattern.
ExpectHeader::Hop read_hop(TomlReader& table) {
  ExpectHeader::Hop hop;
  hop.from = read_pattern(table, "from");
  hop.by = read_pattern(table, "by");
  hop.with = read_pattern(table, "with");
  hop.id = read_pattern(table, "id");
  hop.for_ = read_pattern(table, "for");
  table.finish();
  return hop;
}

}  // namespace

ExpectDelivered read_delivered(TomlReader& table, const HostNames& hosts) {
  ExpectDelivered expect;
  expect.rcpt = read_pattern(table, "rcpt");
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
  expect.tls = table.word("tls", {"none", "encrypted", "verified"}).value_or("");
  return expect;
}

ExpectDsn read_dsn(TomlReader& table, const HostNames& hosts) {
  ExpectDsn expect;
  expect.to = read_pattern(table, "to");
  expect.at = hosts.read(table, "at", {HostKind::peer}).value_or("");
  expect.count = read_count(table, "count", 0);
  expect.action = read_pattern(table, "action");
  if (!expect.action.empty() && expect.action.find_first_of("*?") == std::string::npos) {
    table.word("action", {"failed", "delayed", "delivered", "relayed", "expanded"});  // RFC 3464 section 2.3.3
  }
  expect.final = read_pattern(table, "final");
  expect.original = read_pattern(table, "original");
  expect.reporting = read_pattern(table, "reporting");
  expect.envid = read_pattern(table, "envid");
  expect.arrival = read_moment(table, "arrival");
  expect.last_attempt = read_moment(table, "last_attempt");
  expect.retry_until = read_moment(table, "retry_until");
  expect.ret = table.word("ret", {"full", "headers", "none"}).value_or("");
  expect.status = read_pattern(table, "status");
  expect.remote = read_pattern(table, "remote");
  expect.diagnostic = read_pattern(table, "diagnostic");
  expect.when = read_when(table, {"arrival", "last_attempt", "retry_until"});
  check_count(table, expect.count, expect.when);
  expect.contains = read_texts(table, "contains");
  return expect;
}

ExpectHeader read_header(TomlReader& table, const HostNames& hosts) {
  ExpectHeader expect;
  expect.rcpt = read_pattern(table, "rcpt");
  expect.at = hosts.read(table, "at", {HostKind::peer}).value_or("");
  expect.name = table.string("name").value_or("");
  if (table.has("name") && (expect.name.empty() || expect.name.find_first_of(": \t") != std::string::npos)) {
    table.complain("name", "expected the name of a header field, like \"Subject\"");
  }
  expect.value = read_pattern(table, "value");
  expect.count = read_count(table, "count", 0);
  for (const std::string_view key : {"value", "count"}) {
    if (table.has(key) && !table.has("name")) table.complain(key, "expected only together with \"name\"");
  }
  expect.hops = read_count(table, "hops", 0);
  for (TomlReader& hop : table.tables("received")) expect.received.push_back(read_hop(hop));
  if (table.has("received")) {
    if (expect.hops && *expect.hops != expect.received.size()) {
      table.complain("hops", fmt::format("{} where \"received\" has {}", *expect.hops, expect.received.size()));
    }
    expect.hops = expect.received.size();  // all of them: an empty list is none
  }
  if (!table.has("name") && !table.has("hops") && !table.has("received")) {
    table.complain("name", "missing; expected \"name\", \"hops\" (the number of Received fields) or \"received\"");
  }
  return expect;
}

}  // namespace postproof::sim
