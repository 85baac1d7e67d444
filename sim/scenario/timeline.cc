#include "sim/scenario/timeline.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "mta/mail/address.h"
#include "sim/scenario/faults.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

constexpr std::string_view kDefaultData = "Subject: a message\n\nIts text.\n";
// Of all messages of one submission: the recording keeps each octet several times.
constexpr std::uint64_t kSizeMax = 64 * 1024 * 1024;
constexpr std::string_view kRepeatPlace = "<repeat>";
constexpr std::string_view kNumberPlace = "<n>";

// "alice@src.example RET=HDRS ENVID=e1": the mailbox ends at the first blank outside quotes.
std::string_view mailbox_of(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == ' ' && !quoted) {
      return text.substr(0, i);
    }
  }
  return text;
}

// What is wrong with an address and the parameters behind it; empty: nothing.
std::string path_trouble(std::string_view text, bool null_allowed) {
  if (text.find_first_of("\r\n") != std::string_view::npos) return "expected one line";
  const std::string_view mailbox = mailbox_of(text);
  if (null_allowed && (mailbox.empty() || mailbox == "<>")) return "";
  if (const auto address = Address::parse(mailbox); !address) {
    return fmt::format("\"{}\" is no address: {}; expected one like \"alice@src.example\", parameters behind it "
                       "(what is no mail address goes into a [client.NAME] script)", escape(mailbox), address.error());
  }
  return "";
}

// Each address that says <n> once for each number from 1 on.
std::vector<std::string> numbered(const std::vector<std::string>& addresses, std::uint64_t count) {
  std::vector<std::string> all;
  for (const std::string& address : addresses) {
    const auto place = address.find(kNumberPlace);
    if (place == std::string::npos) {
      all.push_back(address);
      continue;
    }
    const std::string behind = address.substr(place + kNumberPlace.size());
    for (std::uint64_t n = 1; n <= count; ++n) all.push_back(fmt::format("{}{}{}", address.substr(0, place), n, behind));
  }
  return all;
}

// The message, with `repeat` in its place.
std::string read_data(TomlReader& table) {
  std::string data = table.string("data").value_or(std::string(kDefaultData));
  auto repeat = table.table("repeat");
  if (!repeat) return data;
  const std::string text = repeat->string("text").value_or("");
  const bool counted = repeat->has("count");
  const std::uint64_t count = read_count(*repeat, "count", 1, 1'000'000).value_or(1);
  repeat->finish();
  if (text.empty() || !counted) table.complain("repeat", "expected a \"text\" and how often it stands there, \"count\"");
  if (text.size() * count > kSizeMax) table.complain("repeat", "out of range; expected 64 MiB at the most");
  const auto place = data.find(kRepeatPlace);
  if (place == std::string::npos) table.complain("repeat", fmt::format("expected {} in the data, where it is to stand", kRepeatPlace));
  if (place == std::string::npos || text.size() * count > kSizeMax) return data;
  std::string all;
  all.reserve(text.size() * count);
  for (std::uint64_t i = 0; i < count; ++i) all += text;
  data.replace(place, kRepeatPlace.size(), all);
  return data;
}

Submit read_submit(TomlReader& table, const HostNames& hosts) {
  Submit submit;
  for (const std::string_view key : {"to", "from", "rcpt"}) {
    if (!table.has(key)) table.complain(key, "missing; a submission has \"to\" (an MTA), \"from\" and \"rcpt\"");
  }
  submit.to = hosts.read(table, "to", {HostKind::mta}).value_or("");
  submit.from = table.string("from").value_or("");
  if (std::string trouble = path_trouble(submit.from, true); !trouble.empty()) table.complain("from", std::move(trouble));
  const std::uint64_t numbers = read_count(table, "rcpt_count", 1, 100'000).value_or(1);
  if (auto rcpt = table.strings("rcpt")) {
    if (rcpt->empty()) table.complain("rcpt", "expected at least one recipient");
    *rcpt = numbered(*rcpt, numbers);
    for (const std::string& one : *rcpt) {
      if (std::string trouble = path_trouble(one, false); !trouble.empty()) table.complain("rcpt", std::move(trouble));
    }
    submit.rcpt = std::move(*rcpt);
  }
  submit.data = read_data(table);
  const auto from_host = table.string("from_host").value_or(std::string(kSubmitHost));
  if (from_host == kSubmitHost || hosts.check(table, "from_host", from_host, {HostKind::client})) submit.from_host = from_host;
  submit.helo = table.string("helo").value_or("");
  if (submit.helo.find_first_of("\r\n ") != std::string::npos) table.complain("helo", "expected a host name or address literal");
  submit.tls = table.boolean("tls").value_or(false);
  submit.tls_version = table.word("tls_version", version_words()).value_or("");
  submit.tls_cipher = table.word("tls_cipher", cipher_words()).value_or("");
  for (const std::string_view key : {"tls_version", "tls_cipher"}) {
    if (table.has(key) && !submit.tls) table.complain(key, "says nothing without tls = true");
  }
  submit.login = read_client_login(table);
  submit.count = read_count(table, "count", 1, 100'000).value_or(1);
  submit.size = table.size("size").value_or(0);
  if (submit.size > kSizeMax / submit.count) {
    table.complain("size", submit.count == 1 ? "out of range; expected \"64MiB\" at the most"
                                             : "out of range; expected \"64MiB\" at the most of all \"count\" messages together");
  }
  table.finish();
  return submit;
}

// zone and remove of an [[at]] itself.
ZoneChange read_zone_change(TomlReader& table, const std::vector<std::string>& source) {
  ZoneChange change;
  change.line = table.position(table.has("zone") ? "zone" : "remove").line;
  change.remove_at = table.position("remove");
  if (auto zone = read_block(table, "zone", source)) {
    change.zone = std::move(zone->text);
    change.zone_line = zone->line;
    change.zone_column = zone->column;
  }
  change.remove = table.strings("remove").value_or(std::vector<std::string>{});
  for (std::string& name : change.remove) {
    const std::string_view domain = std::string_view(name).substr(0, name.find(' '));
    if (!is_domain(domain.ends_with('.') ? domain.substr(0, domain.size() - 1) : domain)) {
      table.complain("remove", fmt::format("\"{}\": expected a name like \"dest.example\", or \"dest.example MX\"", escape(name)));
    }
  }
  return change;
}

}  // namespace

std::vector<At> read_timeline(TomlReader& top, const HostNames& hosts, Duration limit,
                              const std::vector<std::string>& source) {
  std::vector<At> list;
  std::uint32_t each_line = 0;  // of the fault that makes variants
  for (TomlReader& table : top.tables("at")) {
    At at;
    at.line = table.position().line;
    if (const auto t = table.duration("t")) at.t = *t;
    if (at.t > limit) table.complain("t", fmt::format("after the run's limit of {}", format_duration(limit)));
    if (!table.has("t")) table.complain("t", "missing; expected the virtual time, like t = \"10m\"");

    auto submit = table.table("submit");
    auto fault = table.table("fault");
    const bool zone = table.has("zone") || table.has("remove");
    if (table.has("submit") && table.has("fault")) {
      table.complain("fault", "expected an [[at]] of its own: each has one of submit, fault and zone");
    } else if (zone && (table.has("submit") || table.has("fault"))) {
      table.complain(table.has("zone") ? "zone" : "remove",
                     "expected an [[at]] of its own: each has one of submit, fault and zone");
    } else if (!zone && !table.has("submit") && !table.has("fault")) {
      table.complain("submit", "missing; expected one of submit, fault and zone");
    }
    ZoneChange change = read_zone_change(table, source);
    if (zone) {
      at.line = change.line;
      at.what = std::move(change);
    }
    if (submit) {
      at.line = submit->position().line;
      at.what = read_submit(*submit, hosts);
    }
    if (fault) {
      at.line = fault->position().line;
      Fault read = read_fault(*fault, hosts, source);
      if (read.disk_op_each) {
        if (each_line != 0) fault->complain("disk_op", fmt::format("line {} has \"each\" already; expected one of a scenario", each_line));
        each_line = at.line;
      }
      at.what = std::move(read);
    }
    table.finish();
    if (submit || fault || zone) list.push_back(std::move(at));
  }
  std::stable_sort(list.begin(), list.end(), [](const At& a, const At& b) { return a.t < b.t; });
  return list;
}

}  // namespace postproof::sim
