#include "mta/smtp/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <utility>

#include "mta/base/limits.h"
#include "mta/base/text.h"

namespace postproof::smtp {

namespace {

using Refusal = std::unexpected<Reply>;

// Status codes of refusals (RFC 3463 sections 3.2 and 3.6).
constexpr std::string_view kBadSyntax = "5.5.2";
constexpr std::string_view kNotOffered = "5.5.1";
constexpr std::string_view kBadArguments = "5.5.4";
constexpr std::string_view kBadRecipient = "5.1.3";
constexpr std::string_view kBadSender = "5.1.7";

constexpr std::size_t kSizeDigits = 20;  // RFC 1870 section 4

// Commands that exist and that we do not offer. AUTH (RFC 4954) and BDAT (RFC 3030) leave this list when their
// extension comes; the others are here to stay.
constexpr std::array<std::string_view, 8> kNotOfferedVerbs = {"AUTH", "BDAT", "EXPN", "ETRN",
                                                              "TURN", "SEND", "SOML", "SAML"};
constexpr std::array<std::string_view, 11> kVerbs = {"EHLO", "HELO", "MAIL", "RCPT", "DATA",    "RSET",
                                                     "NOOP", "VRFY", "HELP", "QUIT", "STARTTLS"};

constexpr std::array<std::string_view, 9> kHttpMethods = {"GET",    "HEAD",    "POST",    "PUT",  "DELETE",
                                                          "CONNECT", "OPTIONS", "TRACE", "PATCH"};  // RFC 9110 section 9

Refusal refuse(int code, std::string_view status, std::string text) {
  return Refusal(Reply::of(code, status, std::move(text)));
}

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

bool contains_ignoring_case(std::span<const std::string_view> words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [&](std::string_view w) { return equal_ignoring_case(w, word); });
}

// RFC 5321 section 4.1.2 has printable US-ASCII in commands and nothing else. A bare CR or LF is among the rest: it
// ends no line (section 2.3.8), and what stands behind it is no command.
std::optional<std::string> octet_trouble(std::string_view line) {
  for (const char c : line) {
    if (static_cast<unsigned char>(c) >= 0x80) return "8-bit octet in a command, and SMTPUTF8 is not offered";
    if (c == '\r' || c == '\n') return "bare CR or LF in a command: lines end in CRLF";
    if (c < ' ' || c == 0x7f) return "control octet in a command";
  }
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

struct Parameter {
  std::string_view keyword;
  std::optional<std::string_view> value;
};

// RFC 5321 section 4.1.2: esmtp-param.
std::optional<Parameter> parse_parameter(std::string_view word) {
  const auto equals = word.find('=');
  Parameter parameter{word.substr(0, equals), std::nullopt};
  const std::string_view keyword = parameter.keyword;
  if (keyword.empty() || !is_alnum(keyword[0])) return std::nullopt;
  if (!std::all_of(keyword.begin(), keyword.end(), [](char c) { return is_alnum(c) || c == '-'; })) return std::nullopt;
  if (equals != std::string_view::npos) {
    parameter.value = word.substr(equals + 1);
    if (parameter.value->empty() || parameter.value->contains('=')) return std::nullopt;
  }
  return parameter;
}

std::expected<std::vector<Parameter>, Reply> parse_parameters(std::string_view text) {
  std::vector<Parameter> parameters;
  for (const std::string_view word : split(text, ' ')) {
    if (word.empty()) continue;
    const auto parameter = parse_parameter(word);
    if (!parameter) return refuse(501, kBadArguments, "malformed parameter");
    for (const Parameter& earlier : parameters) {
      if (equal_ignoring_case(earlier.keyword, parameter->keyword)) {
        return refuse(501, kBadArguments, "the same parameter twice");
      }
    }
    parameters.push_back(*parameter);
  }
  return parameters;
}

// RFC 1870 section 4: 1 to 20 digits. What does not fit into 64 bits is over any limit, and stays so.
std::optional<std::uint64_t> parse_size_value(std::string_view digits) {
  if (digits.empty() || digits.size() > kSizeDigits) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return parse_decimal(digits).value_or(UINT64_MAX);
}

std::optional<Reply> apply(const Parameter& parameter, bool extended, MailParams& params) {
  if (extended && equal_ignoring_case(parameter.keyword, "SIZE")) {
    params.size = parameter.value ? parse_size_value(*parameter.value) : std::nullopt;
    if (!params.size) return Reply::of(501, kBadArguments, "malformed SIZE");
    return std::nullopt;
  }
  if (extended && equal_ignoring_case(parameter.keyword, "BODY")) {
    const std::string_view value = parameter.value.value_or("");
    if (equal_ignoring_case(value, "8BITMIME")) {
      params.body = BodyType::eight_bit;
    } else if (!equal_ignoring_case(value, "7BIT")) {
      return Reply::of(501, kBadArguments, "BODY is 7BIT or 8BITMIME");
    }
    return std::nullopt;
  }
  return Reply::of(555, kBadArguments, "parameter not recognized");
}

// Takes "FROM:" or "TO:" off the arguments, and blanks behind it, which the grammar does not have and many clients do.
bool take_word(std::string_view& arguments, std::string_view word) {
  if (!starts_with_ignoring_case(arguments, word)) return false;
  arguments.remove_prefix(word.size());
  arguments.remove_prefix(std::min(arguments.find_first_not_of(' '), arguments.size()));
  return true;
}

std::expected<Command, Reply> parse_mail(std::string_view arguments, bool extended) {
  if (!take_word(arguments, "FROM:")) return refuse(501, kBadArguments, "syntax: MAIL FROM:<address>");
  const auto path = split_path(arguments);
  if (!path) return refuse(501, kBadSender, path.error());
  command::Mail mail;
  if (!path->mailbox.empty()) {
    auto address = Address::parse(path->mailbox);
    if (!address) return refuse(501, kBadSender, address.error());
    mail.params.sender = std::move(*address);
  }
  const auto parameters = parse_parameters(path->rest);
  if (!parameters) return Refusal(parameters.error());
  for (const Parameter& parameter : *parameters) {
    if (auto refusal = apply(parameter, extended, mail.params)) return Refusal(std::move(*refusal));
  }
  return mail;
}

std::expected<Command, Reply> parse_rcpt(std::string_view arguments) {
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
  const auto parameters = parse_parameters(path->rest);
  if (!parameters) return Refusal(parameters.error());
  if (!parameters->empty()) return refuse(555, kBadArguments, "parameter not recognized");
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

}  // namespace

bool is_another_protocol(std::string_view line) {
  constexpr std::string_view kTlsHandshake = "\x16\x03";  // RFC 8446 section 5.1
  if (line.starts_with(kTlsHandshake)) return true;
  const std::string_view verb = line.substr(0, line.find(' '));
  return contains_ignoring_case(kHttpMethods, verb) && line.find(" HTTP/") != std::string_view::npos;
}

std::expected<Command, Reply> parse_command(std::string_view line, bool extended) {
  line = line.substr(0, line.find_last_not_of(" \t") + 1);
  const auto blank = std::min(line.find(' '), line.size());
  const std::string_view verb = line.substr(0, blank);
  std::string_view arguments = line.substr(blank);
  arguments.remove_prefix(std::min(arguments.find_first_not_of(' '), arguments.size()));
  const auto is = [&](std::string_view known) { return equal_ignoring_case(verb, known); };

  const bool offered = contains_ignoring_case(kVerbs, verb);
  if (!offered && !contains_ignoring_case(kNotOfferedVerbs, verb)) {
    return refuse(500, kBadSyntax, octet_trouble(line).value_or("command not recognized"));
  }
  if (auto trouble = octet_trouble(arguments)) {
    return refuse(501, is("EHLO") || is("HELO") ? "" : kBadSyntax, std::move(*trouble));
  }
  if (!offered) return refuse(502, kNotOffered, "command not offered");

  if (is("EHLO") || is("HELO")) return parse_hello(arguments, is("EHLO"));
  if (is("MAIL")) return parse_mail(arguments, extended);
  if (is("RCPT")) return parse_rcpt(arguments);
  if (is("NOOP")) return command::Noop{};
  if (is("HELP")) return command::Help{};
  if (is("VRFY")) {
    if (arguments.empty()) return refuse(501, kBadArguments, "syntax: VRFY address");
    return command::Vrfy{};
  }
  // RFC 5321 section 4.1.1, RFC 3207 section 4: these have no arguments.
  if (!arguments.empty()) return refuse(501, kBadArguments, "the command has no arguments");
  if (is("DATA")) return command::Data{};
  if (is("RSET")) return command::Rset{};
  if (is("STARTTLS")) return command::StartTls{};
  return command::Quit{};
}

}  // namespace postproof::smtp
