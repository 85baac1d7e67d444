#include "sim/peer/receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "mta/base/text.h"

namespace postproof::sim {

// A parameter of MAIL or RCPT, with the keyword that must have been offered for it.
struct Receiver::Parameter {
  std::string_view name, keyword;
};

namespace {

// Verbs that RFC 5321 and its extensions know and that this receiver does not do.
constexpr std::array<std::string_view, 6> kNotImplemented = {"EXPN", "TURN", "ETRN", "AUTH", "STARTTLS", "BDAT"};

bool positive(std::string_view code) { return code.starts_with('2'); }

}  // namespace

Receiver::Lines Receiver::greeting() const {
  const std::string_view banner = settings_.banner.empty() ? std::string_view("ESMTP ready") : settings_.banner;
  return {fmt::format("220 {} {}", settings_.hostname, banner)};
}

Receiver::Lines Receiver::reply(const WireCommand& command) const {
  const std::string& verb = command.verb;
  if (verb == "QUIT") return line("221", "2.0.0", fmt::format("{} closing", settings_.hostname));
  // RFC 5321 section 3.1: after a refusing greeting everything but QUIT is out of order.
  if (greeting_refused_) return line("503", "5.5.1", "no service here");
  if (verb == "EHLO" || verb == "HELO" || verb == "LHLO") return hello(command);
  if (verb == "MAIL") return mail(command);
  if (verb == "RCPT") return rcpt(command);
  if (verb == "DATA") return data(command);
  if (verb == "BDAT" && offers("CHUNKING")) {
    if (!in_transaction_ || recipients_.empty()) return line("503", "5.5.1", "MAIL and RCPT first");
    if (chunk_refused_) return line("503", "5.5.1", "a chunk was refused; RSET first");
    return line("250", "2.0.0", "chunk taken");
  }
  if (verb == "RSET" || verb == "NOOP") return line("250", "2.0.0", "ok");
  if (verb == "VRFY") return line("252", "2.1.5", "send some mail, and see");
  if (verb == "STARTTLS" && tls_offered_) {
    if (!command.argument.empty()) return line("501", "5.5.4", "STARTTLS takes no argument");
    return line("220", "2.0.0", "ready for TLS");
  }
  if (verb == "HELP") return line("214", "2.0.0", "see RFC 5321");
  if (std::ranges::find(kNotImplemented, verb) != kNotImplemented.end()) return line("502", "5.5.1", "not implemented");
  return line("500", "5.5.1", "no such command");
}

Receiver::Lines Receiver::hello(const WireCommand& command) const {
  if (command.argument.empty()) return line("501", "5.5.4", "a name is missing");
  if (command.verb == "HELO") return {"250 " + settings_.hostname};
  Lines lines = {settings_.hostname};
  lines.insert(lines.end(), settings_.keywords.begin(), settings_.keywords.end());
  if (tls_offered_) lines.emplace_back("STARTTLS");
  if (!settings_.logins.mechanisms.empty()) {
    std::string& offer = lines.emplace_back("AUTH");
    for (const std::string& mechanism : settings_.logins.mechanisms) offer += " " + mechanism;
  }
  for (std::string& one : lines) one.insert(0, &one == &lines.back() ? "250 " : "250-");
  return lines;
}

Receiver::Lines Receiver::mail(const WireCommand& command) const {
  static constexpr std::array kKnown = {
      Parameter{"SIZE", "SIZE"}, Parameter{"BODY", "8BITMIME"},     Parameter{"RET", "DSN"},
      Parameter{"ENVID", "DSN"}, Parameter{"SMTPUTF8", "SMTPUTF8"}, Parameter{"REQUIRETLS", "REQUIRETLS"},
      Parameter{"AUTH", "AUTH"}, Parameter{"BY", "DELIVERBY"},      Parameter{"MT-PRIORITY", "MT-PRIORITY"},
      Parameter{"HOLDFOR", "FUTURERELEASE"},                        Parameter{"HOLDUNTIL", "FUTURERELEASE"},
  };
  if (helo_.empty()) return line("503", "5.5.1", "EHLO first");
  if (demands_login()) return line("530", "5.7.0", "log in first");
  if (in_transaction_) return line("503", "5.5.1", "a transaction is under way");
  if (!command.has_path) return line("501", "5.5.4", "expected MAIL FROM:<address>");
  const std::string unknown = unknown_parameter(command.parameters, kKnown);
  if (!unknown.empty()) return line("555", "5.5.4", unknown + " was not offered");
  return line("250", "2.1.0", "sender ok");
}

Receiver::Lines Receiver::rcpt(const WireCommand& command) const {
  static constexpr std::array kKnown = {Parameter{"NOTIFY", "DSN"}, Parameter{"ORCPT", "DSN"}};
  if (!in_transaction_) return line("503", "5.5.1", "MAIL first");
  if (!command.has_path || command.address.empty()) return line("501", "5.5.4", "expected RCPT TO:<address>");
  const std::string unknown = unknown_parameter(command.parameters, kKnown);
  if (!unknown.empty()) return line("555", "5.5.4", unknown + " was not offered");
  return line("250", "2.1.5", "recipient ok");
}

Receiver::Lines Receiver::data(const WireCommand& command) const {
  if (!in_transaction_) return line("503", "5.5.1", "MAIL first");
  if (!command.argument.empty()) return line("501", "5.5.4", "DATA takes no argument");
  if (recipients_.empty()) return line("554", "5.5.1", "no valid recipients");
  return {"354 end with CRLF.CRLF"};
}

Receiver::Lines Receiver::line(std::string_view code, std::string_view enhanced, std::string_view text) const {
  for (std::string_view keyword : settings_.keywords) {
    if (equal_ignoring_case(keyword, "ENHANCEDSTATUSCODES")) return {fmt::format("{} {} {}", code, enhanced, text)};
  }
  return {fmt::format("{} {}", code, text)};
}

template <class Table>
std::string Receiver::unknown_parameter(std::string_view parameters, const Table& known) const {
  for (std::string_view parameter : split(parameters, ' ')) {
    const std::string_view name = parameter.substr(0, parameter.find('='));
    const bool offered = std::ranges::any_of(
        known, [&](const Parameter& one) { return equal_ignoring_case(one.name, name) && offers(one.keyword); });
    if (!name.empty() && !offered) return escape(name);
  }
  return {};
}

// Nothing was offered to a client that said HELO.
bool Receiver::offers(std::string_view keyword) const {
  if (extended_ && keyword == "AUTH" && !settings_.logins.mechanisms.empty()) return true;
  return extended_ && std::ranges::any_of(settings_.keywords, [&](std::string_view offered) {
           return equal_ignoring_case(offered.substr(0, offered.find(' ')), keyword);
         });
}

void Receiver::greeted(std::string_view code) { greeting_refused_ = !code.empty() && !positive(code); }

void Receiver::answered(const WireCommand& command, std::string_view code) {
  if (command.verb == "DATA") {
    content_follows_ = code == "354";
    return;
  }
  if (!positive(code)) return;
  if (command.verb == "EHLO" || command.verb == "HELO" || command.verb == "LHLO") {
    helo_ = command.argument;
    extended_ = command.verb != "HELO";
    lmtp_ = command.verb == "LHLO";
    forget_transaction();
  } else if (command.verb == "RSET") {
    forget_transaction();
  } else if (command.verb == "MAIL") {
    forget_transaction();
    in_transaction_ = true;
    sender_ = command.address;
    mail_parameters_ = command.parameters;
  } else if (command.verb == "RCPT") {
    recipients_.push_back(command.address);
  }
}

void Receiver::start_over() {
  forget_transaction();
  helo_.clear();
  extended_ = lmtp_ = tls_offered_ = logged_in_ = false;
}

void Receiver::chunk_answered(std::string_view code) { chunk_refused_ = chunk_refused_ || !positive(code); }

bool Receiver::take_content_follows() { return std::exchange(content_follows_, false); }

void Receiver::forget_transaction() {
  in_transaction_ = chunk_refused_ = false;
  sender_.clear();
  mail_parameters_.clear();
  recipients_.clear();
}

}  // namespace postproof::sim
