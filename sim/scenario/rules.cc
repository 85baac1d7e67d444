#include "sim/scenario/rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "sim/scenario/reading.h"

namespace postproof::sim {

namespace {

const std::vector<std::string_view> kPlaces = {"connect", "HELO", "EHLO", "MAIL", "RCPT", "DATA",     "BDAT",
                                               "content", "dot",  "RSET", "NOOP", "QUIT", "VRFY",     "STARTTLS",
                                               "AUTH",    "EXPN", "HELP", "*"};

struct FormName {
  std::string_view name;
  ReplyForm form;
};
constexpr FormName kForms[] = {
    {"mixed-codes", ReplyForm::mixed_codes}, {"unfinished", ReplyForm::unfinished}, {"lf", ReplyForm::lf},
    {"cr", ReplyForm::cr},                   {"blank", ReplyForm::blank},           {"junk", ReplyForm::junk},
    {"long-line", ReplyForm::long_line},     {"8-bit", ReplyForm::eight_bit},        {"nul", ReplyForm::nul},
    {"two-digits", ReplyForm::two_digits},   {"endless", ReplyForm::endless},
};
constexpr std::uint64_t kPiecesMax = 10'000;
constexpr std::uint64_t kContentMax = 256 * 1024 * 1024;

// What is wrong with a reply; empty: nothing. RFC 5321 section 4.2: every line has the same code, all but the
// last a hyphen behind it.
std::string reply_trouble(const std::vector<std::string>& lines) {
  if (lines.empty()) return "expected at least one line";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    const bool last = i + 1 == lines.size();
    const auto digit = [&](std::size_t at, char low, char high) { return line.size() > at && line[at] >= low && line[at] <= high; };
    if (!digit(0, '2', '5') || !digit(1, '0', '9') || !digit(2, '0', '9')) {
      return fmt::format("\"{}\" is no reply; expected a code of 200 to 599 and text, like \"550 5.1.1 no such user\" "
                         "(\"raw\" sends anything else)", escape(line));
    }
    if (line.substr(0, 3) != lines.front().substr(0, 3)) {
      return fmt::format("\"{}\" has another code than \"{}\" (\"raw\" sends anything)", escape(line), escape(lines.front()));
    }
    const char separator = line.size() > 3 ? line[3] : ' ';
    if (separator != (last ? ' ' : '-')) {
      return fmt::format("\"{}\": expected {} behind the code of {} line of a reply", escape(line),
                         last ? "a blank" : "a hyphen", last ? "the last" : "every but the last");
    }
    if (std::any_of(line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
      return fmt::format("\"{}\" holds a control octet; \"raw\" sends such replies", escape(line));
    }
  }
  return "";
}

void read_condition(TomlReader& table, Rule& rule) {
  if (auto on = table.string("on")) {
    const auto at = std::find_if(kPlaces.begin(), kPlaces.end(),
                                 [&](std::string_view place) { return equal_ignoring_case(place, *on); });
    if (at != kPlaces.end()) {
      rule.on = *at;
    } else {
      table.word("on", kPlaces);  // complains
    }
  } else if (!table.has("on") && rule.on.empty()) {
    table.complain("on", "missing; expected where the rule applies: \"connect\", a verb like \"RCPT\", or \"dot\"");
  }
  rule.match = table.string("match").value_or("*");  // "" is the null sender
  rule.line_match = read_glob(table, "line").value_or("*");
  for (const std::string_view key : {"match", "line"}) {
    const bool recipient = rule.on == "dot" && key == "match";  // in LMTP
    if ((rule.on == "connect" || rule.on == "content" || rule.on == "dot") && table.has(key) && !recipient) {
      table.complain(key, fmt::format("\"{}\" has no command to match", rule.on));
    }
  }
  rule.nth = read_count(table, "nth", 1);
  rule.times = read_count(table, "times", 1);
  if (rule.nth && rule.times) table.complain("times", "expected only one of nth and times");
  rule.first_seen = read_positive(table, "first_seen");
  if (rule.on == "connect" && rule.first_seen) {
    table.complain("first_seen", "\"connect\" knows no sender or recipient yet; expected a rule on \"RCPT\" or later");
  }
  rule.from = table.duration("from");
  rule.until = read_positive(table, "until");
  if (rule.from && rule.until && *rule.from >= *rule.until) table.complain("until", "expected a time after \"from\"");
}

// Of what is said about the answer's octets and what goes out beside them.
void read_shape(TomlReader& table, Rule& rule) {
  std::vector<std::string_view> names;
  for (const FormName& one : kForms) names.push_back(one.name);
  if (const auto form = table.word("form", names)) rule.form = std::ranges::find(kForms, *form, &FormName::name)->form;
  rule.split = read_count(table, "split", 2, kPiecesMax).value_or(0);
  rule.every = read_positive(table, "every").value_or(std::chrono::seconds{1});
  if (table.has("every") && !table.has("split")) table.complain("every", "expected only together with \"split\"");
  rule.extra = read_reply(table, "extra");
  rule.early = read_reply(table, "early");
  const auto octets = table.size("octets");
  if (rule.on == "content") {
    rule.octets = octets.value_or(0);
    if (!table.has("octets")) table.complain("octets", "missing; expected how much content comes before the rule strikes");
    if (rule.octets > kContentMax) table.complain("octets", "out of range; expected \"256MiB\" at the most");
    for (const std::string_view key : {"early", "first_seen"}) {
      if (table.has(key)) table.complain(key, "\"content\" does not take it");
    }
  } else if (table.has("octets")) {
    table.complain("octets", "expected only with on = \"content\"");
  }
}

}  // namespace

std::vector<std::string> read_reply(TomlReader& table, std::string_view key) {
  auto reply = table.strings(key).value_or(std::vector<std::string>{});
  if (table.has(key)) {
    if (std::string trouble = reply_trouble(reply); !trouble.empty()) table.complain(key, std::move(trouble));
  }
  return reply;
}

Rule read_rule(TomlReader& table) {
  Rule rule = read_rule_keys(table);
  table.finish();
  return rule;
}

Rule read_rule_keys(TomlReader& table, std::string_view place) {
  Rule rule;
  rule.line = table.position().line;
  rule.on = place;
  read_condition(table, rule);
  read_shape(table, rule);

  rule.reply = read_reply(table, "reply");
  if (const auto raw = table.string("raw")) {
    if (auto octets = unescape(*raw)) {
      rule.raw = std::move(*octets);
    } else {
      table.complain("raw", "a backslash that begins none of \\r \\n \\t \\0 \\\\ \\\" \\xHH");
    }
    if (raw->empty()) table.complain("raw", "expected octets to send; act = \"silence\" sends none");
    if (table.has("reply")) table.complain("raw", "expected only one of reply and raw");
  }
  if (const auto delay = read_positive(table, "delay")) rule.delay = *delay;

  const std::string act = table.word("act", {"reply", "silence", "close", "reset"}).value_or("reply");
  if (act == "silence") rule.act = Rule::Act::silence;
  if (act == "close") rule.act = Rule::Act::close;
  if (act == "reset") rule.act = Rule::Act::reset;
  if (rule.act == Rule::Act::silence) {
    for (const std::string_view key : {"reply", "raw", "delay", "form", "split", "extra", "early"}) {
      if (table.has(key)) table.complain(key, "a silent peer answers nothing");
    }
  }
  if (const auto take = table.boolean("take")) {
    rule.take = *take;
    const bool untold = rule.reply.empty() && (rule.act != Rule::Act::reply || !rule.raw.empty());
    if (rule.on != "dot" || !untold) {
      table.complain("take", "says whether the message was taken where no reply tells: expected on = \"dot\", no \"reply\", "
                             "and act \"silence\", \"close\" or \"reset\"");
    }
  }
  return rule;
}

}  // namespace postproof::sim
