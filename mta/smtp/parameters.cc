#include "mta/smtp/parameters.h"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "mta/base/text.h"
#include "mta/mail/xtext.h"

namespace postproof::smtp {

namespace {

constexpr std::string_view kBadArguments = "5.5.4";  // RFC 3463 section 3.6

constexpr std::size_t kSizeDigits = 20;      // RFC 1870 section 4
constexpr std::size_t kTimeDigits = 9;       // RFC 2852 section 4, RFC 4865 section 3
constexpr std::size_t kEnvelopeIdMax = 100;  // RFC 3461 section 4.4
constexpr std::size_t kOriginalMax = 500;    // RFC 3461 section 4.2
constexpr std::size_t kSubmitterMax = 500;   // RFC 4954 section 5

bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

struct Parameter {
  std::string_view keyword;
  std::optional<std::string_view> value;

  bool is(std::string_view word) const { return equal_ignoring_case(keyword, word); }
};

// RFC 5321 section 4.1.2: esmtp-param, whose value has no "=": xtext (RFC 3461, RFC 4954), ORCPT and AUTH=<> fit.
std::optional<Parameter> parse_parameter(std::string_view word) {
  const auto equals = word.find('=');
  Parameter parameter{word.substr(0, equals), std::nullopt};
  const std::string_view keyword = parameter.keyword;
  if (keyword.empty() || !is_alnum(keyword[0])) return std::nullopt;
  if (!std::ranges::all_of(keyword, [](char c) { return is_alnum(c) || c == '-'; })) return std::nullopt;
  if (equals != std::string_view::npos) {
    parameter.value = word.substr(equals + 1);
    if (parameter.value->empty() || parameter.value->contains('=')) return std::nullopt;
  }
  return parameter;
}

Reply malformed(std::string text) { return Reply::of(501, kBadArguments, std::move(text)); }

using Applied = std::optional<Reply>;  // none: fine

// A parameter's keyword, whether it may be said, and how its value is read.
template <class Params>
struct Rule {
  std::string_view keyword;
  bool (*offered)(const Capabilities&);
  Applied (*apply)(const Parameter&, Params&);
};

template <class Params>
Applied read_parameters(std::string_view text, const Capabilities& offered, std::span<const Rule<Params>> rules,
                        Params& params) {
  std::vector<Parameter> parameters;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    const auto parameter = parse_parameter(word);
    if (!parameter) return malformed("malformed parameter");
    if (std::ranges::any_of(parameters, [&](const Parameter& earlier) { return earlier.is(parameter->keyword); })) {
      return malformed("the same parameter twice");
    }
    parameters.push_back(*parameter);
  }
  for (const Parameter& parameter : parameters) {
    const auto rule = std::ranges::find_if(rules, [&](const Rule<Params>& r) { return parameter.is(r.keyword); });
    if (rule == rules.end() || !rule->offered(offered)) {
      return Reply::of(555, kBadArguments, "parameter not recognized");
    }
    if (auto refusal = rule->apply(parameter, params)) return refusal;
  }
  return std::nullopt;
}

// RFC 1870 section 4: 1 to 20 digits. What does not fit into 64 bits is over any limit, and stays so.
Applied apply_size(const Parameter& parameter, MailParams& params) {
  const std::string_view digits = parameter.value.value_or("");
  if (!all_digits(digits) || digits.size() > kSizeDigits) return malformed("malformed SIZE");
  params.size = parse_decimal(digits).value_or(UINT64_MAX);
  return std::nullopt;
}

Applied apply_body(const Parameter& parameter, MailParams& params) {
  const std::string_view value = parameter.value.value_or("");
  if (equal_ignoring_case(value, "8BITMIME")) {
    params.body = BodyType::eight_bit;
  } else if (!equal_ignoring_case(value, "7BIT")) {
    return malformed("BODY is 7BIT or 8BITMIME");
  }
  return std::nullopt;
}

Applied apply_utf8(const Parameter& parameter, MailParams& params) {
  if (parameter.value) return malformed("SMTPUTF8 has no value");
  params.utf8 = true;
  return std::nullopt;
}

Applied apply_ret(const Parameter& parameter, MailParams& params) {
  const std::string_view value = parameter.value.value_or("");
  if (equal_ignoring_case(value, "FULL")) {
    params.ret = Return::full;
  } else if (equal_ignoring_case(value, "HDRS")) {
    params.ret = Return::headers;
  } else {
    return malformed("RET is FULL or HDRS");
  }
  return std::nullopt;
}

Applied apply_envid(const Parameter& parameter, MailParams& params) {
  const std::string_view value = parameter.value.value_or("");
  if (value.empty() || !decode_xtext(value)) return malformed("ENVID is not xtext");
  if (value.size() > kEnvelopeIdMax) return malformed("ENVID of more than 100 characters");
  params.envelope_id = value;
  return std::nullopt;
}

Applied apply_auth(const Parameter& parameter, MailParams& params) {
  const std::string_view value = parameter.value.value_or("");
  if (value.empty() || value.size() > kSubmitterMax || (value != "<>" && !decode_xtext(value))) {
    return malformed("AUTH is a mailbox in xtext, or <>");
  }
  params.submitter = value;
  return std::nullopt;
}

// RFC 2852 section 4: by-time ";" by-mode [by-trace].
Applied apply_by(const Parameter& parameter, MailParams& params) {
  std::string_view value = parameter.value.value_or("");
  const bool negative = value.starts_with('-');
  if (negative || value.starts_with('+')) value.remove_prefix(1);
  const auto semicolon = value.find(';');
  const std::string_view digits = value.substr(0, semicolon);
  const std::string_view mode = semicolon == std::string_view::npos ? "" : value.substr(semicolon + 1);
  if (!all_digits(digits) || digits.size() > kTimeDigits) return malformed("malformed BY");
  DeliverWithin within;
  within.time = std::chrono::seconds(*parse_decimal(digits)) * (negative ? -1 : 1);
  within.give_up = equal_ignoring_case(mode.substr(0, 1), "R");
  within.trace = equal_ignoring_case(mode.substr(std::min<std::size_t>(mode.size(), 1)), "T");
  if (mode.size() != (within.trace ? 2U : 1U) || (!within.give_up && !equal_ignoring_case(mode.substr(0, 1), "N"))) {
    return malformed("BY ends in ;N or ;R, and T behind it");
  }
  if (within.give_up && within.time <= Duration::zero()) return malformed("BY in mode R needs a time above 0");
  params.deliver_within = within;
  return std::nullopt;
}

Applied apply_hold_for(const Parameter& parameter, MailParams& params) {
  const std::string_view digits = parameter.value.value_or("");
  const auto seconds = digits.size() > kTimeDigits ? std::nullopt : parse_decimal(digits);
  if (!all_digits(digits) || seconds.value_or(0) == 0) return malformed("HOLDFOR is a number of seconds above 0");
  if (params.hold_until) return malformed("HOLDFOR and HOLDUNTIL do not go together");
  params.hold_for = std::chrono::seconds(*seconds);
  return std::nullopt;
}

Applied apply_hold_until(const Parameter& parameter, MailParams& params) {
  params.hold_until = parse_rfc3339(parameter.value.value_or(""));
  if (!params.hold_until) return malformed("HOLDUNTIL is a date and time of RFC 3339");
  if (params.hold_for) return malformed("HOLDFOR and HOLDUNTIL do not go together");
  return std::nullopt;
}

Applied apply_priority(const Parameter& parameter, MailParams& params) {
  std::string_view value = parameter.value.value_or("");
  const bool negative = value.starts_with('-');
  if (negative) value.remove_prefix(1);
  if (value.size() != 1 || !all_digits(value)) return malformed("MT-PRIORITY is a number from -9 to 9");
  params.priority = (value[0] - '0') * (negative ? -1 : 1);
  return std::nullopt;
}

// RFC 3461 section 4.1: NEVER stands alone.
Applied apply_notify(const Parameter& parameter, RcptParams& params) {
  Notify notify;
  bool never = false;
  const auto once = [](bool& flag) { return !std::exchange(flag, true); };
  for (const std::string_view word : split(parameter.value.value_or(""), ',')) {
    const bool good = equal_ignoring_case(word, "NEVER")     ? once(never)
                      : equal_ignoring_case(word, "SUCCESS") ? once(notify.success)
                      : equal_ignoring_case(word, "FAILURE") ? once(notify.failure)
                      : equal_ignoring_case(word, "DELAY")   ? once(notify.delay)
                                                             : false;
    if (!good) return malformed("NOTIFY is NEVER, or SUCCESS, FAILURE, DELAY, each once");
  }
  if (never && (notify.success || notify.failure || notify.delay)) return malformed("NOTIFY=NEVER stands alone");
  notify.said = true;
  params.notify = notify;
  return std::nullopt;
}

// RFC 3461 section 4.2: addr-type ";" xtext. RFC 6533 section 3: of type utf-8, the address may be in its own encoding, or in
// UTF-8 where SMTPUTF8 was said.
Applied apply_orcpt(const Parameter& parameter, RcptParams& params) {
  const std::string_view value = parameter.value.value_or("");
  const auto semicolon = value.find(';');
  if (semicolon == std::string_view::npos || semicolon == 0 || value.size() > kOriginalMax) {
    return malformed("ORCPT is a type, a semicolon and an address in xtext");
  }
  const std::string_view type = value.substr(0, semicolon), address = value.substr(semicolon + 1);
  const bool atom = std::ranges::all_of(type, [](char c) { return is_alnum(c) || c == '-'; });
  if (!atom || address.empty() || (!equal_ignoring_case(type, "utf-8") && !decode_xtext(address))) {
    return malformed("ORCPT is a type, a semicolon and an address in xtext");
  }
  params.original = value;
  return std::nullopt;
}

constexpr std::array<Rule<MailParams>, 10> kMailRules{{
    {"SIZE", [](const Capabilities& c) { return c.size; }, apply_size},
    {"BODY", [](const Capabilities& c) { return c.eight_bit_mime; }, apply_body},
    {"SMTPUTF8", [](const Capabilities& c) { return c.utf8; }, apply_utf8},
    {"RET", [](const Capabilities& c) { return c.dsn; }, apply_ret},
    {"ENVID", [](const Capabilities& c) { return c.dsn; }, apply_envid},
    {"AUTH", [](const Capabilities& c) { return !c.auth.empty(); }, apply_auth},
    {"BY", [](const Capabilities& c) { return c.deliver_by.has_value(); }, apply_by},
    {"HOLDFOR", [](const Capabilities& c) { return c.future_release.has_value(); }, apply_hold_for},
    {"HOLDUNTIL", [](const Capabilities& c) { return c.future_release.has_value(); }, apply_hold_until},
    {"MT-PRIORITY", [](const Capabilities& c) { return c.mt_priority; }, apply_priority},
}};

constexpr std::array<Rule<RcptParams>, 2> kRcptRules{{
    {"NOTIFY", [](const Capabilities& c) { return c.dsn; }, apply_notify},
    {"ORCPT", [](const Capabilities& c) { return c.dsn; }, apply_orcpt},
}};

}  // namespace

std::optional<Reply> read_mail_parameters(std::string_view text, const Capabilities& offered, MailParams& params) {
  return read_parameters<MailParams>(text, offered, kMailRules, params);
}

std::optional<Reply> read_rcpt_parameters(std::string_view text, const Capabilities& offered, RcptParams& params) {
  return read_parameters<RcptParams>(text, offered, kRcptRules, params);
}

}  // namespace postproof::smtp
