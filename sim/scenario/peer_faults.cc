#include "sim/scenario/peer_faults.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/reading.h"
#include "sim/scenario/rules.h"

namespace postproof::sim {

namespace {

constexpr Duration kPerMax = std::chrono::hours{24 * 365};

// A refusal: a reply of 4yz or 5yz.
std::vector<std::string> read_refusal(TomlReader& table, std::string otherwise) {
  std::vector<std::string> reply = read_reply(table, "reply");
  if (!table.has("reply")) return {std::move(otherwise)};
  if (!reply.empty() && !reply.front().starts_with('4') && !reply.front().starts_with('5')) {
    table.complain("reply", "expected a refusal, a code of 400 to 599");
  }
  return reply;
}

// One table, or an array of them.
std::vector<TomlReader> one_or_more(TomlReader& table, std::string_view key) {
  const toml::node* node = table.raw(key);
  if (node != nullptr && node->is_table()) return {*table.table(key)};
  return table.tables(key);
}

std::optional<FinalDot> parse_ending(std::string_view text) {
  const auto end_of = [](std::string_view word) -> std::optional<LineMark> {
    if (word == "crlf") return LineMark::crlf;
    if (word == "lf") return LineMark::lf;
    if (word == "cr") return LineMark::cr;
    return std::nullopt;
  };
  const auto parts = split(text, '.');
  if (parts.size() != 2) return std::nullopt;
  const auto before = end_of(parts[0]);
  const auto after = end_of(parts[1]);
  if (!before || !after) return std::nullopt;
  return FinalDot{*before, *after};
}

}  // namespace

Quota read_quota(TomlReader& table) {
  Quota quota;
  quota.line = table.position().line;
  quota.match = read_glob(table, "match").value_or("*");
  quota.messages = read_count(table, "messages", 0);
  quota.octets = table.size("octets");
  if (!table.has("messages") && !table.has("octets")) {
    table.complain("messages", "missing; expected what fills a mailbox: \"messages\", \"octets\" or both");
  }
  quota.reply = read_refusal(table, "452 4.2.2 mailbox full");
  return quota;
}

RateLimit read_rate_limit(TomlReader& table) {
  RateLimit rate;
  rate.line = table.position().line;
  rate.on = table.word("on", {"connect", "MAIL", "RCPT"}).value_or("MAIL");
  rate.count = read_count(table, "count", 1).value_or(1);
  rate.per = read_positive(table, "per").value_or(std::chrono::minutes{1});
  if (rate.per > kPerMax) table.complain("per", "out of range; expected \"365d\" at the most");
  for (const std::string_view key : {"count", "per"}) {
    if (!table.has(key)) table.complain(key, "missing; a rate is so many (\"count\") in a time (\"per\")");
  }
  rate.burst = read_count(table, "burst", 1).value_or(rate.count);
  rate.each_client = table.word("each", {"client", "peer"}).value_or("peer") == "client";
  rate.reply = read_refusal(table, rate.on == "connect" ? "421 4.7.0 too many connections" : "450 4.7.1 too fast, come back later");
  return rate;
}

SizeLimit read_size_limit(TomlReader& table, std::string_view key) {
  SizeLimit limit;
  limit.octets = table.size(key).value_or(0);
  limit.reply = read_refusal(table, "552 5.3.4 message too big");
  limit.line = table.position(key).line;
  return limit;
}

KeywordChange read_keyword_change(TomlReader& table) {
  KeywordChange change;
  change.line = table.position().line;
  change.add = table.strings("add").value_or(std::vector<std::string>{});
  change.remove = table.strings("remove").value_or(std::vector<std::string>{});
  change.garble = table.boolean("garble").value_or(false);
  for (const std::string_view key : {"add", "remove"}) {
    for (const std::string& keyword : key == "add" ? change.add : change.remove) {
      if (!keyword.empty() && keyword.find_first_of("\r\n") == std::string::npos) continue;
      table.complain(key, fmt::format("\"{}\" is no keyword; expected one like \"SIZE 1000\"", escape(keyword)));
    }
  }
  return change;
}

std::vector<PeerFault> read_peer_faults(TomlReader& peer) {
  std::vector<PeerFault> faults;
  for (TomlReader& table : one_or_more(peer, "quota")) {
    faults.emplace_back(read_quota(table));
    table.finish();
  }
  for (TomlReader& table : one_or_more(peer, "rate")) {
    faults.emplace_back(read_rate_limit(table));
    table.finish();
  }
  if (peer.has("size_max")) faults.emplace_back(read_size_limit(peer, "size_max"));
  return faults;
}

std::vector<FinalDot> read_end_of_data(TomlReader& peer) {
  std::vector<FinalDot> endings;
  for (const std::string& text : peer.strings("end_of_data").value_or(std::vector<std::string>{})) {
    if (const auto kind = parse_ending(text)) {
      endings.push_back(*kind);
    } else {
      peer.complain("end_of_data", fmt::format("\"{}\" ends no content; expected \"lf.lf\", \"lf.crlf\", \"crlf.lf\", \"cr.cr\", "
                                               "\"cr.crlf\" or \"crlf.cr\"", escape(text)));
    }
  }
  return endings;
}

}  // namespace postproof::sim
