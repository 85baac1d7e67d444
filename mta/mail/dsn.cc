#include "mta/mail/dsn.h"

#include <fmt/format.h>

#include <algorithm>

#include "mta/base/text.h"

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

std::string boundary_for(const FailureReport& report, std::string_view unique) {
  // The parts below are ours but for the original header: a boundary that stands in it is lengthened.
  std::string boundary = fmt::format("=_postproof_{}", unique);
  while (report.original_header.find(boundary) != std::string::npos) boundary += "_";
  return boundary;
}

std::string explanation(const FailureReport& report) {
  std::string text = fmt::format("This is the mail system at {}.\r\n\r\n", report.hostname);
  text += report.expired ? "Your message could not be delivered in time, and will not be tried again:\r\n"
                         : "Your message could not be delivered, and will not be tried again:\r\n";
  for (const DsnRecipient& r : report.recipients) {
    text += fmt::format("\r\n  <{}>\r\n", r.recipient.to_string());
    std::string line = "   ";
    std::string said = r.said_by_peer && !r.remote_host.empty() ? fmt::format("{} said: ", r.remote_host) : "";
    said += escape(r.diagnostic);
    for (std::string_view word : split(said, ' ')) {
      if (word.size() > kTokenMax) word = word.substr(0, kTokenMax);
      if (line.size() + 1 + word.size() > kFoldAt && line.size() > 3) {
        text += line + "\r\n";
        line = "   ";
      }
      line += ' ';
      line += word;
    }
    text += line + "\r\n";
  }
  text += report.original_header.empty() ? "\r\nThe header of your message could not be read.\r\n"
                                         : "\r\nThe header of your message is attached.\r\n";
  return text;
}

// RFC 3464 section 2.2 (per message) and 2.3 (per recipient).
std::string delivery_status(const FailureReport& report) {
  std::string text = field("Reporting-MTA", "dns; " + report.hostname);
  text += field("Arrival-Date", format_rfc5322(report.arrived));
  for (const DsnRecipient& r : report.recipients) {
    text += "\r\n";
    text += field("Final-Recipient", "rfc822; " + r.recipient.to_string());
    text += field("Action", "failed");
    text += field("Status", r.status.to_string());
    if (!r.remote_host.empty()) text += field("Remote-MTA", "dns; " + r.remote_host);
    text += field("Diagnostic-Code", (r.said_by_peer ? "smtp; " : "x-postproof; ") + escape(r.diagnostic));
    if (r.last_attempt) text += field("Last-Attempt-Date", format_rfc5322(*r.last_attempt));
  }
  return text;
}

}  // namespace

std::string failure_report_text(const FailureReport& report) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(report.now.time_since_epoch()).count();
  const std::string unique = fmt::format("{}.{}", report.message.to_string(), micros);
  const std::string boundary = boundary_for(report, unique);
  const bool encoded = needs_encoding(report.original_header);

  std::string text = field("Date", format_rfc5322(report.now));
  const std::string from = report.from.empty() ? "MAILER-DAEMON@" + report.hostname : report.from;
  text += field("From", fmt::format("Mail Delivery System <{}>", from));
  text += field("To", fmt::format("<{}>", report.to.to_string()));
  text += field("Subject", "Delivery failed: your message was not delivered");
  text += field("Message-ID", fmt::format("<dsn.{}@{}>", unique, report.hostname));
  text += "Auto-Submitted: auto-replied\r\n";  // RFC 3834 section 5
  text += "MIME-Version: 1.0\r\n";
  text += fmt::format("Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{}\"\r\n", boundary);
  text += "\r\nThis is a delivery report in MIME format.\r\n";
  text += fmt::format("\r\n--{}\r\nContent-Description: Notification\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n",
                      boundary);
  text += explanation(report);
  text += fmt::format("\r\n--{}\r\nContent-Description: Delivery report\r\nContent-Type: message/delivery-status\r\n\r\n",
                      boundary);
  text += delivery_status(report);
  text += fmt::format("\r\n--{}\r\nContent-Description: Header of the message\r\nContent-Type: text/rfc822-headers\r\n",
                      boundary);
  if (encoded) text += "Content-Transfer-Encoding: quoted-printable\r\n";
  text += "\r\n";
  text += encoded ? quoted_printable(report.original_header) : report.original_header;
  text += fmt::format("\r\n--{}--\r\n", boundary);
  return text;
}

}  // namespace postproof
