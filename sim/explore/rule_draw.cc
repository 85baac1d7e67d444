#include "sim/explore/rule_draw.h"

#include <fmt/format.h>

#include "sim/explore/moment.h"

namespace postproof::sim {

namespace {

using document::Table;
using document::Value;
using namespace std::chrono_literals;

const std::vector<std::string_view> kPlaces = {"connect", "EHLO", "HELO", "MAIL", "RCPT", "RCPT",
                                               "DATA",    "dot",  "dot",  "RSET", "QUIT"};

const std::vector<std::string_view> kDeferrals = {"450 4.2.0 later", "451 4.3.0 trouble here", "452 4.5.3 too many",
                                                  "452 4.3.1 no room", "441 4.4.1 no answer from host"};
const std::vector<std::string_view> kRefusals = {"550 5.1.1 no such user", "552 5.2.2 mailbox full",
                                                 "554 5.7.1 refused",      "503 5.5.1 not now",
                                                 "556 5.1.10 takes no mail", "500 5.5.2 what"};
// Broken, each in its way: not a reply, codes that differ, a line that never ends a reply, octets that no code has.
const std::vector<std::string_view> kJunk = {"what is this\\r\\n", "250-one\\r\\n550 two\\r\\n", "250-and no more\\r\\n",
                                             "250 \\xff\\xfe\\r\\n", "250 no cr\\n", "25", "\\r\\n", "999 far out\\r\\n"};

void set_reply(Table& rule, const std::vector<std::string_view>& replies, Draw& draw) {
  rule.set("reply", std::string(draw.pick(replies)));
}

}  // namespace

const std::vector<std::string_view>& rule_kinds() {
  static const std::vector<std::string_view> kinds = {"rule.defer", "rule.refuse",  "rule.goodbye", "rule.close",
                                                      "rule.reset", "rule.silence", "rule.delay",   "rule.junk"};
  return kinds;
}

Table draw_rule(std::string_view kind, const Target& target, Draw& draw) {
  Table rule;
  const std::string on(draw.pick(kPlaces));
  rule.set("on", on);
  if (kind == "rule.defer") set_reply(rule, kDeferrals, draw);
  if (kind == "rule.refuse") set_reply(rule, kRefusals, draw);
  if (kind == "rule.goodbye") rule.set("reply", "421 4.3.2 going down");
  if (kind == "rule.junk") rule.set("raw", std::string(draw.pick(kJunk)));
  if (kind == "rule.delay") rule.set("delay", format_duration(draw.time(10ms, 15min)));
  if (kind == "rule.close" || kind == "rule.reset" || kind == "rule.silence") {
    rule.set("act", std::string(kind.substr(5)));
    if (on == "dot" && draw.chance(50)) rule.set("take", false);
  }
  // For a while, for some times, at one time; a rule without end lets mail expire.
  switch (draw.below(10)) {
    case 0: break;
    case 1:
    case 2:
    case 3: rule.set("nth", static_cast<std::int64_t>(draw.log_between(1, 10))); break;
    case 4:
    case 5:
    case 6: rule.set("times", static_cast<std::int64_t>(draw.log_between(1, 10))); break;
    default: {
      const Duration from = draw_moment(target, draw);
      if (from > Duration{0}) rule.set("from", format_duration(from));
      rule.set("until", format_duration(from + draw.time(10ms, 24h)));
    }
  }
  return rule;
}

}  // namespace postproof::sim
