#include "mta/smtp/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "mta/base/limits.h"
#include "mta/base/text.h"
#include "mta/mail/utf8.h"

namespace postproof::smtp {

namespace {

using Refusal = std::unexpected<Reply>;

// Status codes of refusals (RFC 3463 sections 3.2 and 3.6).
constexpr std::string_view kBadSyntax = "5.5.2";
constexpr std::string_view kNotOffered = "5.5.1";
constexpr std::string_view kBadArguments = "5.5.4";
constexpr std::string_view kBadRecipient = "5.1.3";
constexpr std::string_view kBadSender = "5.1.7";
constexpr std::string_view kNeedsUtf8 = "5.6.7";  // RFC 6531 section 3.5

// Commands that exist and that we do not offer: here to stay.
constexpr std::array<std::string_view, 5> kNotOfferedVerbs = {"EXPN", "TURN", "SEND", "SOML", "SAML"};
constexpr std::array<std::string_view, 14> kVerbs = {"EHLO", "HELO", "MAIL", "RCPT", "DATA",     "RSET",    "NOOP",
                                                     "VRFY", "ETRN", "HELP", "QUIT", "STARTTLS", "XCLIENT", "AUTH"};
constexpr std::string_view kBdat = "BDAT";

constexpr std::array<std::string_view, 9> kHttpMethods = {"GET",    "HEAD",    "POST",    "PUT",  "DELETE",
                                                          "CONNECT", "OPTIONS", "TRACE", "PATCH"};  // RFC 9110 section 9

Refusal refuse(int code, std::string_view status, std::string text) {
  return Refusal(Reply::of(code, status, std::move(text)));
}

bool contains_ignoring_case(std::span<const std::string_view> words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return equal_ignoring_case(w, word); });
}

// RFC 5321 section 4.1.2 has printable US-ASCII in commands, and RFC 6531 section 3.1 UTF-8 in those that name a mailbox;
// nothing else. A bare CR or LF is among the rest: it ends no line (section 2.3.8), and what stands behind it is no
// command.
std::optional<std::string> octet_trouble(std::string_view line, bool may_have_utf8) {
  for (const char c : line) {
    if (c == '\r' || c == '\n') return "bare CR or LF in a command: lines end in CRLF";
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) return "control octet in a command";
  }
  if (is_ascii(line)) return std::nullopt;
  if (!may_have_utf8) return "8-bit octet in a command that may have none";
  if (!is_valid_utf8(line)) return "a command is US-ASCII or UTF-8, and this is neither";
  return std::nullopt;
}

struct PathText {
  std::string_view mailbox;  // behind the source route
  std::string_view rest;     // behind the closing bracket
};

// RFC 5321 section 4.1.2: Path = "<" [ A-d-l ":" ] Mailbox ">". Appendix C: the route is read and ignored.
std::expected<PathText, std::string> split_path(std::string_view text) {
  if (!text.starts_with('<')) return std::unexpected("address without angle brackets");
  const std::string_view all = text;
  text.remove_prefix(1);
  if (text.starts_with('@')) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::unexpected("malformed source route");
    for (const std::string_view hop : split(text.substr(0, colon), ',')) {
      if (!hop.starts_with('@') || domain_trouble(hop.substr(1))) return std::unexpected("malformed source route");
    }
    text.remove_prefix(colon + 1);
    if (text.starts_with('>')) return std::unexpected("source route to nobody");
  }
  // A quoted local-part may hold a closing bracket.
  std::size_t end = 0;
  if (text.starts_with('"')) {
    end = 1;
    while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  }
  end = text.find('>', end);
  if (end == std::string_view::npos) return std::unexpected("address without its closing bracket");
  PathText path{text.substr(0, end), text.substr(end + 1)};
  if (all.size() - path.rest.size() > limits::kPath) {
    return std::unexpected(fmt::format("path of more than {} octets", limits::kPath));
  }
  if (!path.rest.empty() && !path.rest.starts_with(' ')) return std::unexpected("something behind the closing bracket");
  return path;
}

// Takes "FROM:" or "TO:" off the arguments, and blanks behind it, which the grammar does not have and many clients do.
bool take_word(std::string_view& arguments, std::string_view word) {
  if (!starts_with_ignoring_case(arguments, word)) return false;
  arguments.remove_prefix(word.size());
  arguments.remove_prefix(std::min(arguments.find_first_not_of(' '), arguments.size()));
  return true;
}

std::expected<Command, Reply> parse_mail(std::string_view arguments, const Capabilities& offered) {
  if (!take_word(arguments, "FROM:")) return refuse(501, kBadArguments, "syntax: MAIL FROM:<address>");
  const auto path = split_path(arguments);
  if (!path) return refuse(501, kBadSender, path.error());
  command::Mail mail;
  if (!path->mailbox.empty()) {
    auto address = Address::parse(path->mailbox);
    if (!address) return refuse(501, kBadSender, address.error());
    mail.params.sender = std::move(*address);
  }
  if (auto refusal = read_mail_parameters(path->rest, offered, mail.params)) return Refusal(std::move(*refusal));
  if (mail.params.sender && !mail.params.sender->is_ascii() && !mail.params.utf8) {
    return refuse(553, kNeedsUtf8, "an address in UTF-8 takes SMTPUTF8 in MAIL");
  }
  return mail;
}

std::expected<Command, Reply> parse_rcpt(std::string_view arguments, const Capabilities& offered) {
  if (!take_word(arguments, "TO:")) return refuse(501, kBadArguments, "syntax: RCPT TO:<address>");
  const auto path = split_path(arguments);
  if (!path) return refuse(501, kBadRecipient, path.error());
  command::Rcpt rcpt;
  if (equal_ignoring_case(path->mailbox, "Postmaster")) {
    // RFC 5321 section 4.5.1: the one recipient without a domain.
    rcpt.params.recipient.local_part = path->mailbox;
  } else {
    auto address = Address::parse(path->mailbox);
    if (!address) return refuse(501, kBadRecipient, address.error());
    rcpt.params.recipient = std::move(*address);
  }
  if (auto refusal = read_rcpt_parameters(path->rest, offered, rcpt.params)) return Refusal(std::move(*refusal));
  return rcpt;
}

// RFC 5321 section 4.1.4: a client that does not know its name, or lies, is served all the same. Replies to HELO and
// EHLO have no enhanced code (RFC 2034 section 4).
std::expected<Command, Reply> parse_hello(std::string_view arguments, bool extended) {
  const std::string_view name = trim(arguments);
  if (name.empty()) return refuse(501, "", fmt::format("syntax: {} domain", extended ? "EHLO" : "HELO"));
  if (name.size() > limits::kDomain) return refuse(501, "", "host name too long");
  return command::Hello{extended, std::string(name)};
}

// RFC 5321 section 3.5.1: a user's name, or a mailbox, with angle brackets or without.
// RFC 6531 section 3.7.4.2: with SMTPUTF8 behind it, the mailbox may be in UTF-8.
std::expected<Command, Reply> parse_vrfy(std::string_view arguments, const Capabilities& offered) {
  const auto blank = arguments.rfind(' ');
  const bool utf8 = offered.utf8 && blank != std::string_view::npos &&
                    equal_ignoring_case(arguments.substr(blank + 1), "SMTPUTF8");
  if (utf8) arguments = trim(arguments.substr(0, blank));
  if (arguments.empty()) return refuse(501, kBadArguments, "syntax: VRFY address");
  if (!utf8 && !is_ascii(arguments)) return refuse(553, kNeedsUtf8, "a mailbox in UTF-8 takes SMTPUTF8 behind it");
  if (arguments.starts_with('<')) {
    const auto path = split_path(arguments);
    if (!path) return refuse(501, kBadRecipient, path.error());
    if (!path->rest.empty()) return refuse(501, kBadArguments, "something behind the address");
    arguments = path->mailbox;
  } else if (arguments.find('@') == std::string_view::npos) {
    return command::Vrfy{};
  }
  const auto address = Address::parse(arguments);
  if (!address) return refuse(501, kBadRecipient, address.error());
  return command::Vrfy{};
}

// RFC 1985 section 5. A queue by name, "#" in front, is nothing that we have.
std::expected<Command, Reply> parse_etrn(std::string_view arguments) {
  command::Etrn etrn;
  etrn.subdomains = arguments.starts_with('@');
  if (etrn.subdomains) arguments.remove_prefix(1);
  if (auto trouble = domain_trouble(arguments)) return refuse(501, kBadArguments, std::move(*trouble));
  etrn.domain = ascii_lower(arguments);
  return etrn;
}

// RFC 3030 section 2: chunk-size [SP "LAST"].
command::Bdat parse_bdat(std::string_view arguments) {
  command::Bdat bdat;
  const auto blank = arguments.find(' ');
  if (blank != std::string_view::npos) {
    bdat.last = equal_ignoring_case(trim(arguments.substr(blank)), "LAST");
    if (!bdat.last) return bdat;
  }
  bdat.size = parse_decimal(arguments.substr(0, blank));
  return bdat;
}

// RFC 4954 section 4: AUTH mechanism [initial-response].
std::expected<Command, Reply> parse_auth(std::string_view arguments) {
  const auto words = split(arguments, ' ');
  if (words[0].empty() || words.size() > 2) return refuse(501, kBadArguments, "syntax: AUTH mechanism [initial-response]");
  command::Auth auth;
  auth.mechanism = words[0];
  if (words.size() == 2) auth.response = words[1];
  return auth;
}

}  // namespace

bool begins_chunk(std::string_view line) { return equal_ignoring_case(line.substr(0, line.find(' ')), kBdat); }

bool is_another_protocol(std::string_view line) {
  constexpr std::string_view kTlsHandshake = "\x16\x03";  // RFC 8446 section 5.1
  if (line.starts_with(kTlsHandshake)) return true;
  const std::string_view verb = line.substr(0, line.find(' '));
  return contains_ignoring_case(kHttpMethods, verb) && line.find(" HTTP/") != std::string_view::npos;
}

std::expected<Command, Reply> parse_command(std::string_view line, const Capabilities& offered) {
  line = line.substr(0, line.find_last_not_of(" \t") + 1);
  const auto blank = std::min(line.find(' '), line.size());
  const std::string_view verb = line.substr(0, blank);
  std::string_view arguments = line.substr(blank);
  arguments.remove_prefix(std::min(arguments.find_first_not_of(' '), arguments.size()));
  const auto is = [&](std::string_view known) { return equal_ignoring_case(verb, known); };

  if (is(kBdat)) return parse_bdat(arguments);
  const bool known = contains_ignoring_case(kVerbs, verb);
  if (!known && !contains_ignoring_case(kNotOfferedVerbs, verb)) {
    return refuse(500, kBadSyntax, octet_trouble(line, false).value_or("command not recognized"));
  }
  const bool names_mailbox = is("MAIL") || is("RCPT") || is("VRFY") || is("EXPN");
  if (auto trouble = octet_trouble(arguments, offered.utf8 && names_mailbox)) {
    return refuse(501, is("EHLO") || is("HELO") ? "" : kBadSyntax, std::move(*trouble));
  }
  if (!known) return refuse(502, kNotOffered, "command not offered");

  if (is("EHLO") || is("HELO")) return parse_hello(arguments, is("EHLO"));
  if (is("MAIL")) return parse_mail(arguments, offered);
  if (is("RCPT")) return parse_rcpt(arguments, offered);
  if (is("NOOP")) return command::Noop{};
  if (is("HELP")) return command::Help{};
  if (is("AUTH")) return parse_auth(arguments);
  if (is("VRFY")) return parse_vrfy(arguments, offered);
  if (is("ETRN")) return parse_etrn(arguments);
  if (is("XCLIENT")) {
    auto attributes = parse_xclient(arguments);
    if (!attributes) return refuse(501, kBadArguments, std::move(attributes.error()));
    return command::Xclient{std::move(*attributes)};
  }
  // RFC 5321 section 4.1.1, RFC 3207 section 4: these have no arguments.
  if (!arguments.empty()) return refuse(501, kBadArguments, "the command has no arguments");
  if (is("DATA")) return command::Data{};
  if (is("RSET")) return command::Rset{};
  if (is("STARTTLS")) return command::StartTls{};
  return command::Quit{};
}

}  // namespace postproof::smtp
