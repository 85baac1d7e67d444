#include "sim/scenario/expects.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/expect_keys.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

// Of one run; what looks at a group of seeds comes behind them.
const std::vector<std::string_view> kRunKinds = {"delivered", "dsn",    "header", "reply", "wire",     "dns",
                                                 "attempts",  "queue",  "log",    "never", "resource", "tls", "end"};
const std::vector<std::string_view> kGroupKinds = {"rate", "distribution"};

void read_run_kind(std::string_view kind, TomlReader& table, const HostNames& hosts, Expect& expect) {
  if (kind == "delivered") expect.what = read_delivered(table, hosts);
  if (kind == "dsn") expect.what = read_dsn(table, hosts);
  if (kind == "header") expect.what = read_header(table, hosts);
  if (kind == "reply") expect.what = read_reply_expectation(table, hosts);
  if (kind == "wire") expect.what = read_wire(table, hosts);
  if (kind == "dns") expect.what = read_dns_expectation(table, hosts);
  if (kind == "attempts") expect.what = read_attempts(table, hosts);
  if (kind == "queue") expect.what = read_queue(table, hosts);
  if (kind == "log") expect.what = read_log(table, hosts);
  if (kind == "never") expect.what = read_never(table, hosts);
  if (kind == "resource") expect.what = read_resource(table, hosts);
  if (kind == "tls") expect.what = read_tls(table, hosts);
  if (kind == "end") expect.what = read_end(table);
}

// { delivered = { ... }, min = 0.4, max = 0.6 }
ExpectRate read_rate(TomlReader& table, const HostNames& hosts) {
  ExpectRate rate;
  std::size_t said = 0;
  for (const std::string_view kind : kRunKinds) {
    auto inner = table.table(kind);
    if (!inner) continue;
    if (++said > 1) table.complain(kind, "expected one expectation: a rate is the share of runs in which it holds");
    Expect of;
    of.line = inner->position().line;
    read_run_kind(kind, *inner, hosts, of);
    inner->finish();
    rate.of = std::make_shared<const Expect>(std::move(of));
  }
  if (said == 0) {
    table.problems().add(table.position(), fmt::format("{}: a rate of nothing; expected one of {} in it", table.path(), fmt::join(kRunKinds, ", ")));
  }
  rate.min = table.number("min", 0, 1).value_or(0);
  rate.max = table.number("max", 0, 1).value_or(1);
  if (!table.has("min") && !table.has("max")) table.complain("min", "missing; expected \"min\", \"max\" or both, from 0 to 1");
  if (rate.min <= 0 && rate.max >= 1) {
    table.complain(table.has("min") ? "min" : "max", "any share will do, and nothing is expected; expected a \"min\" above 0 or a \"max\" below 1");
  }
  if (rate.min > rate.max) table.complain("max", "less than \"min\"");
  return rate;
}

// { of = "connect", over = ["mx1", "mx2"], shares = [0.5, 0.5], tolerance = 0.1 }
ExpectDistribution read_distribution(TomlReader& table, const HostNames& hosts) {
  ExpectDistribution distribution;
  distribution.of = table.word("of", {"connect", "delivered"}).value_or("connect");
  distribution.first = table.boolean("first").value_or(false);
  distribution.over = table.strings("over").value_or(std::vector<std::string>{});
  for (const std::string& host : distribution.over) hosts.check(table, "over", host, {HostKind::peer, HostKind::mta});
  for (auto host = distribution.over.begin(); host != distribution.over.end(); ++host) {
    if (std::find(distribution.over.begin(), host, *host) != host) table.complain("over", fmt::format("\"{}\" twice", escape(*host)));
  }
  if (distribution.over.size() < 2) table.complain("over", "expected at least two hosts, like [\"mx1\", \"mx2\"]");
  distribution.shares = read_numbers(table, "shares", 0, 1);
  double sum = 0;
  for (const double share : distribution.shares) sum += share;
  if (distribution.shares.empty()) {
    distribution.shares.assign(distribution.over.size(), distribution.over.empty() ? 0.0 : 1.0 / static_cast<double>(distribution.over.size()));
  } else if (distribution.shares.size() != distribution.over.size() || sum < 0.999 || sum > 1.001) {
    table.complain("shares", "expected one for each host of \"over\", 1 together");
  }
  distribution.tolerance = table.number("tolerance", 0, 1).value_or(0.05);
  const bool any_will_do = std::ranges::all_of(distribution.shares, [&](double one) {
    return one - distribution.tolerance <= 0 && one + distribution.tolerance >= 1;
  });
  if (table.has("tolerance") && any_will_do) {
    table.complain("tolerance", "any share of any host is within it, and nothing is expected; expected a smaller one");
  }
  return distribution;
}

void read_kind(std::string_view kind, TomlReader& table, const HostNames& hosts, Expect& expect) {
  if (kind == "rate") {
    expect.what = read_rate(table, hosts);
  } else if (kind == "distribution") {
    expect.what = read_distribution(table, hosts);
  } else {
    read_run_kind(kind, table, hosts, expect);
  }
}

}  // namespace

std::string read_pattern(TomlReader& table, std::string_view key) { return read_glob(table, key).value_or(""); }

std::vector<std::string> read_texts(TomlReader& table, std::string_view key) {
  auto list = table.strings(key).value_or(std::vector<std::string>{});
  if (std::any_of(list.begin(), list.end(), [](const std::string& text) { return text.empty(); })) {
    table.complain(key, "expected text, not \"\"");
  }
  return list;
}

void check_count(TomlReader& table, const std::optional<std::uint64_t>& count, const std::vector<When>& when) {
  if (count && !when.empty() && *count != when.size()) {
    table.complain("count", fmt::format("{} where \"when\" has {}", *count, when.size()));
  }
}

std::optional<When> read_moment(TomlReader& table, std::string_view key) {
  const auto at = table.duration(key);
  const Duration slack = table.duration("slack").value_or(std::chrono::seconds{1});
  if (!at) return std::nullopt;
  return When{*at, slack};
}

Window read_window(TomlReader& table, std::string_view from_key) {
  Window window{table.duration(from_key), table.duration("until")};
  if (window.from && window.until && *window.from >= *window.until) table.complain("until", fmt::format("expected a moment after \"{}\"", from_key));
  return window;
}

std::vector<Expect> read_expects(TomlReader& top, const HostNames& hosts, std::uint64_t seeds) {
  std::vector<std::string_view> kinds = kRunKinds;
  kinds.insert(kinds.end(), kGroupKinds.begin(), kGroupKinds.end());
  std::vector<Expect> list;
  for (TomlReader& table : top.tables("expect")) {
    std::vector<std::string_view> said;
    for (const std::string_view kind : kinds) {
      auto inner = table.table(kind);
      if (!table.has(kind)) continue;
      said.push_back(kind);
      if (!inner) continue;
      Expect expect;
      expect.line = inner->position().line;
      read_kind(kind, *inner, hosts, expect);
      if (seeds < 2 && std::ranges::find(kGroupKinds, kind) != kGroupKinds.end()) {
        table.complain(kind, "needs \"seeds\" in the head: one run has no share");
      }
      inner->finish();
      list.push_back(std::move(expect));
    }
    refuse_later(table, {"metric"});
    if (said.size() > 1) {
      const auto later = std::max_element(said.begin(), said.end(), [&](std::string_view a, std::string_view b) {
        return table.position(a) < table.position(b);
      });
      table.complain(*later, fmt::format("expected an [[expect]] of its own: each has one of {}", fmt::join(kinds, ", ")));
    } else if (said.empty() && table.keys().empty()) {
      table.problems().add(table.position(), fmt::format("an [[expect]] that expects nothing; expected one of {}", fmt::join(kinds, ", ")));
    }
    table.finish();
  }
  return list;
}

}  // namespace postproof::sim
