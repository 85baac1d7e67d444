#include "sim/explore/fault_values.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/scenario/fault_keys.h"
#include "sim/scenario/scenario.h"

namespace postproof::sim {

namespace {

using document::Value;
using namespace std::chrono_literals;

struct Drawing {
  const FaultKind& kind;
  const FaultKey& key;
  const Target& target;
  Draw& draw;

  Value time(Duration least, Duration most) const { return format_duration(draw.time(least, most)); }
  Value count(std::uint64_t least, std::uint64_t most) const {
    return static_cast<std::int64_t>(draw.log_between(least, most));
  }
  Value rate(std::uint64_t least, std::uint64_t most) const { return fmt::format("{}B/s", draw.log_between(least, most)); }
  Value word(const std::vector<std::string_view>& words) const { return std::string(draw.pick(words)); }
};

std::optional<Value> one_of(const std::vector<std::string>& hosts, Draw& draw) {
  return hosts.empty() ? std::nullopt : std::optional(Value(draw.pick(hosts)));
}

std::optional<Value> host_of(const Drawing& d) {
  if (d.key.read == kMta.read) return one_of(d.target.mtas, d.draw);
  // Mail servers most of all: they are what an MTA has to cope with.
  const std::uint64_t part = d.draw.below(100);
  if (part < 10) return Value(std::string(kResolverHost));
  if (part < 15) return Value(std::string(kSubmitHost));
  if (part < 20 && !d.target.clients.empty()) return Value(d.draw.pick(d.target.clients));
  if (part < 45 && !d.target.mtas.empty()) return Value(d.draw.pick(d.target.mtas));
  if (!d.target.peers.empty()) return Value(d.draw.pick(d.target.peers));
  return one_of(d.target.mtas, d.draw);
}

// A client that takes no step only hands over later what it has.
std::optional<Value> host_at_work(const Drawing& d) {
  const bool peer = d.key.read != kMta.read && d.draw.chance(40);
  return one_of(peer ? d.target.peers : d.target.mtas, d.draw);
}

std::optional<Value> name_of(const Drawing& d) {
  if (d.target.domains.empty() || d.draw.chance(40)) return std::nullopt;
  return Value(d.draw.pick(d.target.domains));
}

// "1h" or "-1h".
std::optional<Value> step_of(const Drawing& d) {
  const std::string step = format_duration(d.draw.time(1s, 48h));
  return Value(d.draw.chance(50) ? "-" + step : step);
}

// Zone text: an address that nobody has for a domain, or another server than its own.
std::optional<Value> records_of(const Drawing& d) {
  if (d.target.domains.empty()) return std::nullopt;
  const std::string& domain = d.draw.pick(d.target.domains);
  switch (d.draw.below(4)) {
    case 0: return Value(fmt::format("{}. A 192.0.2.99\n", domain));
    case 1: return Value(fmt::format("{}. MX 0 .\n", domain));
    case 2: return Value(fmt::format("{}. MX 5 nowhere.example.\n", domain));
    default: return Value(fmt::format("{}. TXT \"another\"\n", domain));
  }
}

std::int64_t number(std::uint64_t value) { return static_cast<std::int64_t>(value); }

const std::vector<std::string_view> kOperations = {"write",  "sync",   "read",     "open", "allocate",
                                                   "rename", "unlink", "sync_dir", "list", "*"};
// Of an MTA at work; "service" and "tls" would come too early or never.
const std::vector<std::string_view> kEvents = {"connect",  "command",  "reply",   "data",      "accepted", "attempt",
                                               "delivered", "deferred", "bounced", "dns-query", "close"};

const std::vector<std::string_view> kDeferrals = {"450 4.2.0 later", "451 4.3.0 trouble here", "452 4.5.3 too many",
                                                  "452 4.3.1 no room", "421 4.3.2 going down"};
const std::vector<std::string_view> kRefusals = {"550 5.1.1 no such user",   "552 5.2.2 mailbox full", "554 5.7.1 refused",
                                                 "556 5.1.10 takes no mail", "503 5.5.1 not now",      "500 5.5.2 what"};
// Broken, each in its way: no reply, two codes, a last line that is missing, octets that no code has, no CR.
const std::vector<std::string_view> kJunk = {"what is this\\r\\n", "250-one\\r\\n550 two\\r\\n", "250-and no more\\r\\n",
                                             "250 \\xff\\xfe\\r\\n", "250 no cr\\n", "25", "\\r\\n", "999 far out\\r\\n"};
const std::vector<std::string_view> kPlaces = {"connect", "EHLO", "HELO", "MAIL", "RCPT", "RCPT",
                                               "DATA",    "dot",  "dot",  "RSET", "QUIT"};
// Lines of either side.
const std::vector<std::string_view> kLines = {"220 *", "EHLO *", "250 *", "MAIL *", "RCPT *", "DATA", "354 *", ".", "QUIT"};

Value reply_of(const Drawing& d) { return d.word(d.draw.chance(60) ? kDeferrals : kRefusals); }

struct KeyDrawer {
  std::string_view layer;  // of the kinds; empty: all that no other row is for
  std::string_view key;
  std::optional<Value> (*draw)(const Drawing& drawing);
};
const std::vector<KeyDrawer> kDrawers = {
    {"", "host", host_of},
    {"", "with", host_of},
    {"", "name", name_of},
    {"", "port", [](const Drawing& d) { return d.draw.chance(80) ? std::nullopt : std::optional(Value(std::int64_t{25})); }},
    {"", "for", [](const Drawing& d) { return std::optional(d.time(10ms, 48h)); }},
    {"", "nth", [](const Drawing& d) { return std::optional(d.count(1, 100)); }},
    {"", "times", [](const Drawing& d) { return std::optional(d.count(1, 10)); }},

    {"tcp.drip", "for", [](const Drawing& d) { return std::optional(d.time(10ms, 1h)); }},
    {"tcp.segment", "for", [](const Drawing& d) { return std::optional(d.time(10ms, 10min)); }},
    {"tcp.", "way", [](const Drawing& d) { return std::optional(d.word({"to", "from"})); }},
    {"tcp.", "octet", [](const Drawing& d) { return std::optional(d.count(1, 2000)); }},
    {"tcp.", "line", [](const Drawing& d) { return std::optional(d.word(kLines)); }},
    {"tcp.", "passes", [](const Drawing&) { return std::optional(Value(false)); }},
    {"tcp.", "bandwidth", [](const Drawing& d) { return std::optional(d.rate(100, 1'000'000)); }},
    {"tcp.", "rate", [](const Drawing& d) { return std::optional(d.rate(1, 100)); }},
    {"tcp.", "segment", [](const Drawing& d) { return std::optional(d.count(1, 1500)); }},
    {"tcp.", "by", [](const Drawing& d) { return std::optional(d.time(1ms, 10min)); }},
    {"tcp.", "jitter", [](const Drawing& d) { return std::optional(d.time(1ms, 1min)); }},
    {"tcp.", "loss", [](const Drawing& d) { return std::optional(Value(static_cast<double>(d.draw.between(1, 80)) / 100)); }},

    {"dns.", "by", [](const Drawing& d) { return std::optional(d.time(1ms, 1min)); }},
    {"dns.", "ttl", [](const Drawing& d) { return std::optional(d.draw.chance(30) ? Value("0s") : d.time(1s, 48h)); }},
    {"dns.", "records", records_of},
    {"dns.", "zone", records_of},
    {"dns.", "section", [](const Drawing& d) { return std::optional(d.word({"answer", "authority", "additional"})); }},

    {"tls.", "host", [](const Drawing& d) { return one_of(d.target.tls_peers, d.draw); }},
    {"tls.", "at", [](const Drawing& d) { return std::optional(d.word(handshake_words())); }},
    {"tls.", "cert", [](const Drawing& d) { return std::optional(d.word(certificate_words())); }},
    {"tls.", "version", [](const Drawing& d) { return std::optional(d.word({"1.2", "1.3"})); }},
    {"tls.", "cipher", [](const Drawing& d) { return std::optional(d.word(cipher_words())); }},
    {"tls.", "size", [](const Drawing& d) { return std::optional(d.count(512, 16'384)); }},
    {"tls.", "octet", [](const Drawing& d) { return std::optional(d.count(1, 2000)); }},

    {"disk.", "operation", [](const Drawing& d) { return std::optional(d.word(kOperations)); }},
    // While its disk fails an MTA tries anew each few seconds: hours of that would be all that a run is about.
    {"disk.", "for", [](const Drawing& d) { return std::optional(d.time(10ms, 2h)); }},
    {"disk.", "by", [](const Drawing& d) { return std::optional(d.time(1ms, 10min)); }},
    {"disk.", "octets", [](const Drawing& d) { return std::optional(d.count(1, 5000)); }},
    {"disk.", "bits", [](const Drawing& d) { return std::optional(d.count(1, 8)); }},
    {"disk.", "on", [](const Drawing& d) { return std::optional(d.word({"store", "read"})); }},

    {"process.", "host", [](const Drawing& d) { return host_at_work(d); }},
    {"process.", "event", [](const Drawing& d) { return std::optional(d.word(kEvents)); }},
    {"process.", "from", [](const Drawing& d) { return std::optional(d.word(kEvents)); }},
    {"process.", "disk_op", [](const Drawing& d) { return std::optional(d.count(1, 200)); }},
    {"process.", "restart", [](const Drawing& d) { return std::optional(d.time(1ms, 1h)); }},
    {"process.", "loss", [](const Drawing& d) { return std::optional(d.word({"torn", "lose", "keep"})); }},
    {"process.", "limit", [](const Drawing& d) { return std::optional(d.count(1, 40)); }},

    {"clock.", "by", step_of},
    {"clock.", "ppm", [](const Drawing& d) { return std::optional(Value(number(d.draw.below(200'001)) - 100'000)); }},
    // Around the end of 32-bit time, and before the run's own.
    {"clock.", "to", [](const Drawing& d) { return std::optional(d.word({"2038-01-19T03:14:00Z", "2025-12-30T00:00:00Z"})); }},

    {"smtp.", "host", [](const Drawing& d) { return one_of(d.target.peers, d.draw); }},
    {"smtp.", "on", [](const Drawing& d) { return std::optional(d.word(kPlaces)); }},
    {"smtp.", "reply", [](const Drawing& d) { return std::optional(reply_of(d)); }},
    {"smtp.", "extra", [](const Drawing& d) { return std::optional(reply_of(d)); }},
    {"smtp.", "early", [](const Drawing& d) { return std::optional(reply_of(d)); }},
    {"smtp.", "raw", [](const Drawing& d) { return std::optional(d.word(kJunk)); }},
    {"smtp.", "form", [](const Drawing& d) { return std::optional(d.word({"mixed-codes", "unfinished", "lf", "cr", "blank", "junk", "long-line", "8-bit", "nul", "two-digits", "endless"})); }},
    {"smtp.", "split", [](const Drawing& d) { return std::optional(d.count(2, 10)); }},
    {"smtp.", "every", [](const Drawing& d) { return std::optional(d.time(1ms, 1min)); }},
    {"smtp.", "delay", [](const Drawing& d) { return std::optional(d.time(10ms, 15min)); }},
    {"smtp.", "wait", [](const Drawing& d) { return std::optional(d.time(1s, 24h)); }},
    {"smtp.", "take", [](const Drawing&) { return std::optional(Value(false)); }},
    {"smtp.", "octets", [](const Drawing& d) { return std::optional(d.count(1, 5000)); }},
    {"smtp.", "messages", [](const Drawing& d) { return std::optional(d.count(1, 5)); }},
    {"smtp.", "count", [](const Drawing& d) { return std::optional(d.count(1, 10)); }},
    {"smtp.", "per", [](const Drawing& d) { return std::optional(d.time(1s, 1h)); }},
    {"smtp.", "burst", [](const Drawing& d) { return std::optional(d.count(1, 10)); }},
    {"smtp.", "add", [](const Drawing& d) { return std::optional(d.word({"SIZE 10", "SIZE 0", "PIPELINING", "8BITMIME", "X-OTHER"})); }},
    {"smtp.", "remove", [](const Drawing& d) { return std::optional(d.word({"SIZE", "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES"})); }},
    {"smtp.", "garble", [](const Drawing&) { return std::optional(Value(true)); }},
};

const KeyDrawer* drawer_of(std::string_view kind, std::string_view key) {
  const KeyDrawer* found = nullptr;
  for (const KeyDrawer& drawer : kDrawers) {
    if (drawer.key != key || !kind.starts_with(drawer.layer)) continue;
    if (found == nullptr || !drawer.layer.empty()) found = &drawer;
  }
  return found;
}

}  // namespace

bool can_draw(std::string_view kind, std::string_view key) { return drawer_of(kind, key) != nullptr; }

std::optional<Value> draw_value(const FaultKind& kind, const FaultKey& key, const Target& target, Draw& draw) {
  const KeyDrawer* drawer = drawer_of(kind.name, key.name);
  return drawer == nullptr ? std::nullopt : drawer->draw(Drawing{kind, key, target, draw});
}

}  // namespace postproof::sim
