#include "mta/mail/dsn.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"
#include "mta/mail/utf8.h"
#include "mta/mail/xtext.h"

namespace postproof {

namespace {

constexpr std::size_t kFoldAt = 76;          // RFC 5322 section 2.1.1: lines SHOULD be no longer than 78
constexpr std::size_t kTokenMax = 900;       // a text without blanks is cut here: a line has at most 998 octets
constexpr std::size_t kEncodedLineMax = 76;  // RFC 2045 section 6.7

// A header field folded at blanks. The value has no control octets: it was escaped before.
std::string field(std::string_view name, std::string_view value) {
  std::string text = std::string(name) + ":";
  std::size_t column = text.size();
  for (std::string_view word : split(value, ' ')) {
    if (word.empty()) continue;
    if (word.size() > kTokenMax) word = word.substr(0, kTokenMax);
    if (column + 1 + word.size() > kFoldAt && column > name.size() + 1) {
      text += "\r\n";
      column = 0;
    }
    text += ' ';
    text += word;
    column += 1 + word.size();
  }
  return text + "\r\n";
}

bool needs_encoding(std::string_view text) {
  std::size_t line = 0;
  char before = 0;
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet >= 0x7f || octet == 0) return true;
    if ((c == '\n') != (before == '\r')) return true;  // a bare CR or LF
    line = c == '\n' ? 0 : line + 1;
    if (line > 999) return true;  // 998 and the CR
    before = c;
  }
  return before == '\r';
}

// RFC 2045 section 6.7; CRLF line ends stay line ends.
std::string quoted_printable(std::string_view text) {
  std::string encoded;
  std::size_t column = 0;
  const auto put = [&](std::string_view piece) {
    if (column + piece.size() > kEncodedLineMax - 1) {
      encoded += "=\r\n";
      column = 0;
    }
    encoded += piece;
    column += piece.size();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("\r\n")) {
      encoded += "\r\n";
      column = 0;
      ++i;
      continue;
    }
    const auto octet = static_cast<unsigned char>(text[i]);
    const bool before_end = text.substr(i + 1).starts_with("\r\n") || i + 1 == text.size();
    const bool plain = octet > 0x20 && octet < 0x7f && octet != '=';
    const bool blank = (octet == ' ' || octet == '\t') && !before_end;
    if (plain || blank) {
      put(text.substr(i, 1));
    } else {
      put(fmt::format("={:02X}", octet));
    }
  }
  return encoded;
}

std::string boundary_for(const DeliveryReport& report, std::string_view unique) {
  // The parts below are ours but for what is returned: a boundary that stands in it is lengthened.
  std::string boundary = fmt::format("=_postproof_{}", unique);
  while (report.returned.find(boundary) != std::string::npos) boundary += "_";
  return boundary;
}

// RFC 3464 sections 2.2.1 and 2.3.1: as the sender had it before it was put into xtext. What no sender may have said
// (RFC 3461 sections 4.2 and 4.4: printable US-ASCII) stays as it came.
std::string decoded(std::string_view xtext) {
  const auto octets = decode_xtext(xtext);
  const bool printable = octets && std::ranges::all_of(*octets, [](char c) { return c >= ' ' && c <= '~'; });
  return printable ? *octets : encode_utf8_octets(xtext);
}

// "rfc822; bob@dest.example" of an ORCPT. RFC 6533 section 3: an address of type utf-8 is in no xtext.
std::string original_recipient(std::string_view orcpt) {
  const auto semicolon = orcpt.find(';');
  const std::string_view type = orcpt.substr(0, semicolon), address = orcpt.substr(semicolon + 1);
  const bool utf8 = equal_ignoring_case(type, "utf-8");
  return fmt::format("{}; {}", type, utf8 ? encode_utf8_octets(address) : decoded(address));
}

// RFC 6533 section 3: where all is 7 bit, an address in UTF-8 has an encoding of its own.
std::string final_recipient(const Address& recipient) {
  const std::string address = recipient.to_string();
  return is_ascii(address) ? "rfc822; " + address : "utf-8; " + encode_utf8_address(address);
}

// A recipient with what was said about it, folded.
std::string explained(const DsnRecipient& recipient) {
  std::string text = fmt::format("\r\n  <{}>\r\n", recipient.recipient.to_string());
  std::string line = "   ";
  std::string said = recipient.said_by_peer && !recipient.remote_host.empty() ? recipient.remote_host + " said: " : "";
  said += escape(recipient.diagnostic);
  for (std::string_view word : split(said, ' ')) {
    if (word.size() > kTokenMax) word = word.substr(0, kTokenMax);
    if (line.size() + 1 + word.size() > kFoldAt && line.size() > 3) {
      text += line + "\r\n";
      line = "   ";
    }
    line += ' ';
    line += word;
  }
  return text + line + "\r\n";
}

bool tells(const DeliveryReport& report, DsnAction action) {
  return std::ranges::any_of(report.recipients, [&](const DsnRecipient& r) { return r.action == action; });
}

std::string explanation(const DeliveryReport& report) {
  std::string text = fmt::format("This is the mail system at {}.\r\n", report.hostname);
  const auto list = [&](DsnAction action, std::string_view what) {
    if (!tells(report, action)) return;
    text += fmt::format("\r\n{}:\r\n", what);
    for (const DsnRecipient& recipient : report.recipients) {
      if (recipient.action == action) text += explained(recipient);
    }
  };
  list(DsnAction::failed, report.expired ? "Your message could not be delivered in time, and will not be tried again"
                                         : "Your message could not be delivered, and will not be tried again");
  list(DsnAction::relayed, "Your message was passed on to a host that sends no report of its delivery");
  text += report.returned.empty() ? "\r\nThe header of your message could not be read.\r\n"
          : report.whole          ? "\r\nYour message is attached.\r\n"
                                  : "\r\nThe header of your message is attached.\r\n";
  return text;
}

std::string_view to_string(DsnAction action) {
  switch (action) {
    case DsnAction::failed: return "failed";
    case DsnAction::relayed: return "relayed";
  }
  return "failed";
}

// RFC 3464 section 2.2 (per message) and 2.3 (per recipient).
std::string delivery_status(const DeliveryReport& report) {
  std::string text;
  if (!report.envelope_id.empty()) text += field("Original-Envelope-Id", decoded(report.envelope_id));
  text += field("Reporting-MTA", "dns; " + report.hostname);
  text += field("Arrival-Date", format_rfc5322(report.arrived));
  for (const DsnRecipient& r : report.recipients) {
    text += "\r\n";
    if (!r.original.empty()) text += field("Original-Recipient", original_recipient(r.original));
    text += field("Final-Recipient", final_recipient(r.recipient));
    text += field("Action", to_string(r.action));
    text += field("Status", r.status.to_string());
    if (!r.remote_host.empty()) text += field("Remote-MTA", "dns; " + r.remote_host);
    text += field("Diagnostic-Code", (r.said_by_peer ? "smtp; " : "x-postproof; ") + escape(r.diagnostic));
    if (r.last_attempt) text += field("Last-Attempt-Date", format_rfc5322(*r.last_attempt));
  }
  return text;
}

// A part whose text is in UTF-8 only if it must be.
std::string text_part(std::string_view description, const std::string& text) {
  const bool plain = is_ascii(text);
  return fmt::format("Content-Description: {}\r\nContent-Type: text/plain; charset={}\r\n{}\r\n{}", description,
                     plain ? "us-ascii" : "utf-8", plain ? "" : "Content-Transfer-Encoding: quoted-printable\r\n",
                     plain ? text : quoted_printable(text));
}

// RFC 2046 section 5.2.1: a message in a message is not encoded, whatever its octets are.
std::string returned_part(const DeliveryReport& report) {
  if (report.whole) {
    return fmt::format("Content-Description: The message\r\nContent-Type: message/rfc822\r\n{}\r\n{}",
                       is_ascii(report.returned) ? "" : "Content-Transfer-Encoding: 8bit\r\n", report.returned);
  }
  const bool encoded = needs_encoding(report.returned);
  return fmt::format("Content-Description: Header of the message\r\nContent-Type: text/rfc822-headers\r\n{}\r\n{}",
                     encoded ? "Content-Transfer-Encoding: quoted-printable\r\n" : "",
                     encoded ? quoted_printable(report.returned) : report.returned);
}

}  // namespace

std::string report_text(const DeliveryReport& report) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(report.now.time_since_epoch()).count();
  const std::string unique = fmt::format("{}.{}", report.message.to_string(), micros);
  const std::string boundary = boundary_for(report, unique);

  std::string text = field("Date", format_rfc5322(report.now));
  const std::string from = report.from.empty() ? "MAILER-DAEMON@" + report.hostname : report.from;
  text += field("From", fmt::format("Mail Delivery System <{}>", from));
  text += field("To", fmt::format("<{}>", report.to.to_string()));
  text += field("Subject", tells(report, DsnAction::failed) ? "Delivery failed: your message was not delivered"
                                                            : "Delivery report: your message was passed on");
  text += field("Message-ID", fmt::format("<dsn.{}@{}>", unique, report.hostname));
  text += "Auto-Submitted: auto-replied\r\n";  // RFC 3834 section 5
  text += "MIME-Version: 1.0\r\n";
  text += fmt::format("Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{}\"\r\n", boundary);
  // RFC 2045 section 6.4: a multipart is at least what its parts are.
  if (report.whole && !is_ascii(report.returned)) text += "Content-Transfer-Encoding: 8bit\r\n";
  text += "\r\nThis is a delivery report in MIME format.\r\n";
  text += fmt::format("\r\n--{}\r\n", boundary) + text_part("Notification", explanation(report));
  text += fmt::format("\r\n--{}\r\nContent-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n",
                      boundary);
  text += delivery_status(report);
  text += fmt::format("\r\n--{}\r\n", boundary) + returned_part(report);
  text += fmt::format("\r\n--{}--\r\n", boundary);
  return text;
}

}  // namespace postproof
